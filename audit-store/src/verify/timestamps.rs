//! Timestamps that are kept beside a log: of which of its checkpoints they are, and whose.

use std::path::PathBuf;

use audit_core::anchor::Form;
use audit_core::checkpoint::Checkpoint;
use audit_core::hash::Hash;
use audit_core::time::Time;
use audit_core::timestamp::{Authority, Stamp};
use audit_core::verify::Fault;

use crate::Error;
use crate::anchors::{self, Receipt};
use crate::layout::{ANCHORS, Layout, SmallFile, read_small};
use crate::verify::{Finding, Stamped, Timestamps};

/// The timestamps beside a log, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Stamps(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    /// The file's path below the log's directory.
    name: String,
    path: PathBuf,
    /// How many entries the checkpoint covers, as the file's name states.
    size: u64,
    stamp: Result<Stamp, String>,
    /// Whether it is of a checkpoint that is known.
    is_known: bool,
}

impl Stamps {
    /// Reads them. It is to be done before the checkpoints are read: what a timestamp is of then is among these.
    pub(super) fn read(layout: &Layout) -> Result<Self, Error> {
        let receipts =
            anchors::list(layout).map_err(|source| Error::io(&layout.anchors(), "list what anchors gave", source))?;
        let of_form = receipts.into_iter().filter(|receipt| receipt.form == Form::Timestamp);
        let kept = of_form.filter_map(|receipt| Kept::read(layout, receipt).transpose());
        Ok(Self(kept.collect::<Result<_, Error>>()?))
    }

    /// Takes a checkpoint that the log, or a copy, states.
    pub(super) fn know(&mut self, checkpoint: &Checkpoint) {
        let mut of_size = self.0.iter_mut().filter(|kept| kept.size == checkpoint.size && !kept.is_known).peekable();
        if of_size.peek().is_none() {
            return;
        }
        let imprint = Hash::of(checkpoint.to_string().as_bytes());
        of_size.for_each(|kept| kept.is_known = kept.stamp.as_ref().is_ok_and(|stamp| stamp.imprint == imprint));
    }

    /// Checks that each is of a known checkpoint, and, where an authority is given, that it is the authority's.
    pub(super) fn check(&self, authority: Option<&dyn Authority>) -> (Option<Timestamps>, Option<Finding>) {
        let newest = self.0.iter().map(|kept| kept.size).max();
        let mut timestamps = newest.map(|size| Timestamps { count: self.0.len(), size, verified: None });
        if let Some(finding) = self.0.iter().find_map(Kept::foreign) {
            return (timestamps, Some(finding));
        }
        let Some(authority) = authority else { return (timestamps, None) };
        let Some(timestamps) = &mut timestamps else {
            return (None, Some(Finding::in_file(ANCHORS, Fault::unverifiable("no timestamp of a checkpoint"))));
        };
        let mut finding = None;
        for kept in &self.0 {
            match kept.verify(authority) {
                Ok(stamped) => timestamps.add(stamped),
                Err(_removed_meanwhile) if !kept.path.exists() => {}
                Err(reason) => {
                    finding.get_or_insert_with(|| Finding::in_file(&kept.name, Fault::unverifiable(reason)));
                }
            }
        }
        (Some(*timestamps), finding)
    }
}

impl Kept {
    /// None if it was removed meanwhile: a log does that, and it is not missed.
    fn read(layout: &Layout, receipt: Receipt) -> Result<Option<Self>, Error> {
        let Receipt { path, name, size, form: _ } = receipt;
        let file = read_small(&path).map_err(|source| Error::io(&path, "read a timestamp", source))?;
        let stamp = match file {
            SmallFile::Odd(found) => {
                let fault = Fault::tampered(None, format!("expected a timestamp, found {found}"));
                return Err(Error::finding(&layout.directory, Finding::in_file(&name, fault)));
            }
            SmallFile::Missing => return Ok(None),
            SmallFile::Bytes(bytes) => Stamp::read(&bytes).map_err(|fault| fault.to_string()),
        };
        Ok(Some(Self { name, path, size, stamp, is_known: false }))
    }

    /// Tells what it is instead of a timestamp of the checkpoint of its size. That shows no change of the log: an authority
    /// stamps whatever it is given, for anybody.
    fn foreign(&self) -> Option<Finding> {
        let reason = match &self.stamp {
            _ if self.is_known => return None,
            Err(fault) => fault.clone(),
            Ok(_of_another) => {
                format!(
                    "expected a timestamp of the listed checkpoint of {} entries, found one of another text",
                    self.size
                )
            }
        };
        Some(Finding::in_file(&self.name, Fault::unverifiable(reason)))
    }

    fn verify(&self, authority: &dyn Authority) -> Result<Stamped, String> {
        let stamp = self.stamp.clone()?;
        authority.verify(&self.path, stamp.imprint)?;
        Ok(Stamped { count: 1, size: self.size, time: stamp.time })
    }
}

impl Timestamps {
    /// Counts one that verified; of several for the newest checkpoint the earliest tells the time.
    fn add(&mut self, other: Stamped) {
        let Stamped { count, size, time } = self.verified.unwrap_or(Stamped { count: 0, ..other });
        let earliest = |one: Option<Time>, other: Option<Time>| one.into_iter().chain(other).min();
        let (size, time) = match other.size.cmp(&size) {
            core::cmp::Ordering::Less => (size, time),
            core::cmp::Ordering::Equal => (size, earliest(time, other.time)),
            core::cmp::Ordering::Greater => (other.size, other.time),
        };
        self.verified = Some(Stamped { count: count + 1, size, time });
    }
}

//! What witnesses vouch for, by the policy of whoever verifies.

use audit_core::anchor::Form;
use audit_core::checkpoint::Checkpoint;
use audit_core::note::Note;
use audit_core::policy::{Policy, PolicyError};
use audit_core::verify::{Fault, Head};

use crate::Error;
use crate::anchors::{self, Receipt};
use crate::layout::{ANCHORS, Layout, SmallFile, read_small};
use crate::verify::{Finding, Witnessed};

/// The cosignatures of known witnesses.
#[derive(Debug, Default)]
pub(super) struct Cosignatures(Vec<Cosignature>);

#[derive(Debug)]
struct Cosignature {
    /// The name that the policy gives the witness.
    witness: String,
    head: Head,
    time: u64,
}

impl Cosignatures {
    /// Reads what witnesses gave, from the files beside the log and from copies; what is of another log is passed over.
    pub(super) fn read(
        layout: &Layout,
        policy: &Policy,
        origin: Option<&str>,
        copies: &[String],
    ) -> Result<Self, Error> {
        let mut cosignatures = Self::default();
        for receipt in list(layout)?.iter().filter(|receipt| receipt.form == Form::Note) {
            // What a log removes meanwhile is not missed.
            let Some(text) = read(receipt)? else { continue };
            let taken = text.and_then(|text| cosignatures.take(policy, origin, &text));
            taken.map_err(|reason| {
                let fault = Fault::tampered(None, reason);
                Error::finding(&layout.directory, Finding::in_file(&receipt.name, fault))
            })?;
        }
        for copy in copies.iter().filter(|copy| copy.contains("\n\n")) {
            cosignatures.take(policy, origin, copy).map_err(|reason| {
                let fault = Fault::unverifiable(format!("a copy of a checkpoint: {reason}"));
                Error::finding(&layout.directory, Finding { file: None, fault })
            })?;
        }
        Ok(cosignatures)
    }

    fn take(&mut self, policy: &Policy, origin: Option<&str>, text: &str) -> Result<(), String> {
        let note = Note::parse(text).map_err(|fault| fault.to_string())?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|fault| fault.to_string())?;
        if origin != Some(&*checkpoint.origin) {
            return Ok(());
        }
        let cosigned = match policy.check_signatures(&note) {
            Ok(cosigned) => cosigned,
            // It counts for nothing: what it lacks is told if nothing else counts.
            Err(PolicyError::UnknownLog { .. }) => return Ok(()),
            Err(fault) => return Err(fault.to_string()),
        };
        let head = checkpoint.head();
        self.0.extend(cosigned.into_iter().map(|one| Cosignature {
            witness: one.witness.name().into_owned(),
            head,
            time: one.time,
        }));
        Ok(())
    }

    /// Returns what the log must agree with: all that any known witness cosigned.
    pub(super) fn heads(&self) -> impl Iterator<Item = Head> {
        self.0.iter().map(|cosignature| cosignature.head)
    }

    /// Returns the greatest size that a quorum saw. The heads are known to be of one tree: whoever cosigned one of them
    /// vouches for all smaller ones.
    pub(super) fn witnessed(&self, policy: &Policy) -> Option<Witnessed> {
        let mut sizes: Vec<u64> = self.heads().map(|head| head.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let is_met = |size: u64| {
            let saw: Vec<&Cosignature> = self.0.iter().filter(|one| one.head.size >= size).collect();
            policy.is_met_by(|witness| saw.iter().any(|one| one.witness == witness.name())).then_some((size, saw))
        };
        let (size, saw) = sizes.into_iter().rev().find_map(is_met)?;
        // The first moment at which those who had seen it were a quorum.
        let mut times: Vec<u64> = saw.iter().map(|one| one.time).collect();
        times.sort_unstable();
        let is_quorum_at = |time: &u64| {
            policy.is_met_by(|witness| saw.iter().any(|one| one.time <= *time && one.witness == witness.name()))
        };
        let time = times.into_iter().find(is_quorum_at)?;
        let mut witnesses: Vec<String> = saw.iter().map(|one| one.witness.clone()).collect();
        witnesses.sort_unstable();
        witnesses.dedup();
        Some(Witnessed { size, time, witnesses })
    }

    /// Tells that no quorum vouches for the log.
    pub(super) fn missing(&self, policy: &Policy) -> Option<Finding> {
        if policy.needs_no_witness() || self.witnessed(policy).is_some() {
            return None;
        }
        let fault = Fault::unverifiable("no checkpoint with a quorum of witnesses");
        Some(Finding::in_file(ANCHORS, fault))
    }
}

fn list(layout: &Layout) -> Result<Vec<Receipt>, Error> {
    anchors::list(layout).map_err(|source| Error::io(&layout.anchors(), "list what anchors gave", source))
}

/// Reads one file, if it is still there; the inner error tells why it is none of an anchor's.
fn read(receipt: &Receipt) -> Result<Option<Result<String, String>>, Error> {
    let file = read_small(&receipt.path);
    let file = file.map_err(|source| Error::io(&receipt.path, "read what an anchor gave", source))?;
    Ok(match file {
        SmallFile::Missing => None,
        SmallFile::Odd(found) => Some(Err(format!("expected a cosigned checkpoint, found {found}"))),
        SmallFile::Bytes(bytes) => Some(String::from_utf8(bytes).map_err(|fault| fault.to_string())),
    })
}

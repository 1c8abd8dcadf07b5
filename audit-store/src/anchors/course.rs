//! How one anchor is given what it does not have.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use audit_core::anchor::{Anchor, AnchorError, AnchorErrorKind, Kept, Request, Takes};
use audit_core::note::Note;

use crate::anchors::receipts::Receipts;
use crate::anchors::{Added, Failed, Outcome};
use crate::checkpoints::{self, List, Stated};
use crate::disk::Disk;
use crate::layout::Layout;
use crate::proof::{Tree, prove_consistency};
use crate::{Error, layout};

/// How long the reason in a record may be, in bytes.
const REASON_BYTES_MAX: usize = 2_048;

/// Whether what an anchor gives may still be kept: not after the log's lock was released, as nobody may change a log that
/// another process holds.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_shut: Mutex<bool>,
}

impl Gate {
    /// Lets nothing more be kept. Waits for what is being written.
    pub(crate) fn shut(&self) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    pub(crate) fn is_shut(&self) -> bool {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, keep: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let is_shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_shut { Err(io::Error::other("the log was closed meanwhile")) } else { keep() }
    }
}

/// How far one anchor has the checkpoints of a log.
pub(crate) struct Course {
    layout: Layout,
    disk: Arc<dyn Disk>,
    anchor: Arc<dyn Anchor>,
    receipts: Receipts,
    /// The greatest size of which something is kept, if the log has it.
    kept: Option<u64>,
    /// The size of a receipt that is above that of the log, until it was told.
    longer: Option<u64>,
    /// Where in the list of checkpoints those begin that an anchor which takes each was not given.
    position: u64,
}

impl Course {
    /// Begins behind the newest receipt.
    pub(crate) fn open(layout: Layout, disk: Arc<dyn Disk>, anchor: Arc<dyn Anchor>) -> io::Result<Self> {
        let receipts = Receipts::new(&layout, anchor.name());
        let newest = receipts.newest()?;
        let size = checkpoints::newest(&layout).ok().flatten().map_or(u64::MAX, |stated| stated.checkpoint.size);
        let kept = newest.filter(|kept| *kept <= size);
        let longer = newest.filter(|kept| *kept > size);
        Ok(Self { layout, disk, anchor, receipts, kept, longer, position: 0 })
    }

    pub(crate) fn anchor(&self) -> &dyn Anchor {
        &*self.anchor
    }

    /// Returns how many entries the newest checkpoint covers of which something is kept.
    pub(crate) const fn kept(&self) -> Option<u64> {
        self.kept
    }

    /// Gives the anchor what it does not have: the newest checkpoint, or each in turn.
    pub(crate) fn advance(&mut self, gate: &Gate) -> Outcome {
        if let Some(size) = self.longer.take() {
            return Outcome { added: None, failed: Some(self.rolled_back(size)) };
        }
        match self.anchor.takes() {
            Takes::Newest => self.give_newest(gate),
            Takes::Each => self.give_each(gate),
        }
    }

    fn rolled_back(&self, size: u64) -> Failed {
        let reason = format!(
            "expected a log of at least {size} entries, as what {} gave for that size lies in `{}`, found a shorter one",
            self.anchor.name(),
            layout::ANCHORS
        );
        let kind = AnchorErrorKind::Longer.as_str();
        Failed { size, kind, reason, is_passing: false, contradicts_log: true }
    }

    fn give_newest(&mut self, gate: &Gate) -> Outcome {
        let stated = match checkpoints::newest(&self.layout) {
            Ok(Some(stated)) => stated,
            Ok(None) => return Outcome::default(),
            Err(fault) => return Outcome { added: None, failed: Some(unread(0, &fault)) },
        };
        if self.kept.is_some_and(|kept| kept >= stated.checkpoint.size) {
            return Outcome::default();
        }
        match self.give(&stated, gate) {
            Ok(added) => Outcome { added: Some(added), failed: None },
            Err(failed) => Outcome { added: None, failed: Some(failed) },
        }
    }

    fn give_each(&mut self, gate: &Gate) -> Outcome {
        let mut outcome = Outcome::default();
        while !gate.is_shut() {
            let given = match self.next_listed() {
                Ok(Some((stated, end))) => self.give(&stated, gate).inspect(|_added| self.position = end),
                Ok(None) => break,
                Err(fault) => Err(unread(0, &fault)),
            };
            match given {
                Ok(added) => {
                    let count = outcome.added.map_or(0, |before| before.count) + 1;
                    outcome.added = Some(Added { count, ..added });
                }
                Err(failed) => {
                    outcome.failed = Some(failed);
                    break;
                }
            }
        }
        outcome
    }

    /// Returns the first listed checkpoint behind the newest receipt, and where the next one begins.
    fn next_listed(&mut self) -> Result<Option<(Stated, u64)>, Error> {
        let Some(mut list) = List::open(&self.layout, self.position)? else { return Ok(None) };
        while let Some(stated) = list.next()? {
            if self.kept.is_none_or(|kept| stated.checkpoint.size > kept) {
                return Ok(Some((stated, list.position())));
            }
            self.position = list.position();
        }
        Ok(None)
    }

    /// Gives the anchor one checkpoint, and keeps what it gives.
    fn give(&mut self, stated: &Stated, gate: &Gate) -> Result<Added, Failed> {
        let size = stated.checkpoint.size;
        let kept = self.ask(stated).map_err(|fault| refused(size, &fault))?;
        gate.keep(|| self.receipts.keep(&*self.disk, size, &kept)).map_err(|fault| Failed {
            size,
            kind: "not_kept",
            reason: format!("expected to keep what {} gave, found: {fault}", self.anchor.name()),
            is_passing: true,
            contradicts_log: false,
        })?;
        self.kept = Some(size);
        Ok(Added { size, count: 1, form: kept.form(), time: kept.time() })
    }

    fn ask(&self, stated: &Stated) -> Result<Kept, AnchorError> {
        let malformed = |fault: &dyn core::fmt::Display| {
            AnchorError::new(AnchorErrorKind::Malformed, format!("expected a note of the log, found: {fault}"))
        };
        // That of a log without keys is the text alone.
        let is_signed = stated.note.contains("\n\n");
        let note = if is_signed { Note::parse(&stated.note) } else { Note::new(&*stated.note) };
        let note = note.map_err(|fault| malformed(&fault))?;
        let new = Tree::Checkpoint(stated.checkpoint.clone());
        let mut prove = |old: u64| match prove_consistency(&self.layout.directory, &Tree::Size(old), &new) {
            Ok(consistency) => Ok(consistency.proof),
            Err(fault) => Err(fault.into()),
        };
        let mut request = Request::new(&note, &mut prove).map_err(|fault| malformed(&fault))?;
        self.anchor.anchor(&mut request)
    }
}

fn refused(size: u64, fault: &AnchorError) -> Failed {
    let mut reason = fault.to_string();
    if reason.len() > REASON_BYTES_MAX {
        let end = (0..=REASON_BYTES_MAX).rev().find(|end| reason.is_char_boundary(*end));
        reason.truncate(end.unwrap_or(0));
        reason.push('…');
    }
    Failed {
        size,
        kind: fault.kind().as_str(),
        reason,
        is_passing: fault.is_passing(),
        contradicts_log: fault.contradicts_log(),
    }
}

fn unread(size: u64, fault: &Error) -> Failed {
    Failed { size, kind: "not_read", reason: fault.to_string(), is_passing: true, contradicts_log: false }
}

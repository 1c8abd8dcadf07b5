//! The rotations that lead from a log's first key to the one that signed a checkpoint.

use audit_core::note::{Note, VerificationKey};
use audit_core::verify::Declared;
use audit_core::vocabulary::EventName;
use serde::Deserialize;

use crate::Error;
use crate::checkpoints::{List, Stated};
use crate::layout::Layout;
use crate::proof::bad;
use crate::tiles::Entries;

/// An entry that names the next key, and the first checkpoint that covers it.
pub(super) struct Rotated {
    pub(super) number: u64,
    pub(super) line: Vec<u8>,
    pub(super) stated: Stated,
}

/// Finds the rotations that who knows a log's key needs: none for its identity key, unless they are asked for.
pub(super) fn needed(layout: &Layout, newest: &Stated, is_asked: bool) -> Result<Vec<Rotated>, Error> {
    let mut entries = Entries::new(layout);
    let Some(entry_0) = entries.line(0)? else { return Ok(Vec::new()) };
    let declared = Declared::of_entry_0(&entry_0).map_err(|fault| bad(layout, 0, fault.reason))?;
    let Some(first) = declared.first else { return Ok(Vec::new()) };
    if declared.identity.is_some() && !is_asked || is_signed_by(&newest.note, &first) {
        return Ok(Vec::new());
    }
    Walk { layout, entries, key: first, covered: 0, rotations: Vec::new() }.run(newest)
}

struct Walk<'a> {
    layout: &'a Layout,
    entries: Entries,
    /// The key that signs, as far as the checkpoints were read.
    key: VerificationKey,
    /// How many entries the last checkpoint but one covers.
    covered: u64,
    rotations: Vec<Rotated>,
}

impl Walk<'_> {
    /// Reads the checkpoints in order. Where the key does not sign any more, the one before covers the entry that names the
    /// next key, as the first one.
    fn run(mut self, newest: &Stated) -> Result<Vec<Rotated>, Error> {
        let missing = || bad(self.layout, 0, "expected all checkpoints in a list, found none".to_owned());
        let mut list = List::open(self.layout, 0)?.ok_or_else(missing)?;
        let mut last: Option<Stated> = None;
        while let Some(stated) = list.next()? {
            if !names(&stated.note, &self.key) {
                let Some(covering) = last.take() else { break };
                self.rotate(covering)?;
            }
            // The note may have more signatures than the listed one.
            if stated.checkpoint == newest.checkpoint && is_signed_by(&newest.note, &self.key) {
                return Ok(self.rotations);
            }
            if let Some(last) = last.replace(stated) {
                self.covered = last.checkpoint.size;
            }
        }
        let reason = "expected checkpoints by the keys that the entries name, found another";
        Err(bad(self.layout, newest.checkpoint.size, reason.to_owned()))
    }

    /// Takes up the entry that names the next key, of those that a checkpoint is the first to cover.
    fn rotate(&mut self, stated: Stated) -> Result<(), Error> {
        let mut found = None;
        self.entries.lines(self.covered..stated.checkpoint.size, |number, line| {
            if let Some(key) = next_key(line) {
                found = Some((number, line.to_vec(), key));
            }
        })?;
        let Some((number, line, key)) = found else {
            let reason = format!("expected an entry from {} on that names the next key, found none", self.covered);
            return Err(bad(self.layout, stated.checkpoint.size, reason));
        };
        self.key = key;
        self.covered = stated.checkpoint.size;
        self.rotations.push(Rotated { number, line, stated });
        Ok(())
    }
}

/// Tells whether a note has a signature that names the key; it is verified by whoever relies on it.
fn names(note: &str, key: &VerificationKey) -> bool {
    let id = key.id();
    Note::parse(note).is_ok_and(|note| note.signatures().iter().any(|one| one.key_id == id && one.name == key.name()))
}

fn is_signed_by(note: &str, key: &VerificationKey) -> bool {
    Note::parse(note).is_ok_and(|note| note.is_signed_by(key) == Ok(true))
}

/// Reads the key that a line names as the next one.
fn next_key(line: &[u8]) -> Option<VerificationKey> {
    #[derive(Deserialize)]
    struct Entry {
        record: Record,
    }
    #[derive(Deserialize)]
    struct Record {
        event_name: String,
        log: Log,
    }
    #[derive(Deserialize)]
    struct Log {
        verification_key: String,
    }
    // Most lines are of other events, and need no parsing.
    memchr::memmem::find(line, EventName::KeyRotated.as_str().as_bytes())?;
    let record = serde_json::from_slice::<Entry>(line).ok()?.record;
    (record.event_name == EventName::KeyRotated.as_str()).then(|| record.log.verification_key.parse().ok())?
}

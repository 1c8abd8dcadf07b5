//! What is recorded of those who read sealed values, and of those who erase them.

use audit_core::id::{RandomIds, RecordId};
use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::{Durability, Stage};

use crate::log::events::Events;
use crate::{Error, Log};

/// Sealed values of a record that somebody is about to read. None of the members shows a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The record that they belong to.
    pub record_id: RecordId,
    /// The name of the log that holds it.
    pub log: String,
    /// Where they stand, as JSON Pointers from the record's root.
    pub paths: Vec<String>,
    /// The keys that open them.
    pub key_ids: Vec<String>,
    /// Who reads them, as they say themselves.
    pub by: String,
    /// What for: `reveal`, or `proof` where they go into evidence that is given away.
    pub purpose: String,
}

impl Reading {
    /// Tells of a record of a log; the rest is for the caller to say.
    #[must_use]
    pub fn new(log: impl Into<String>, record_id: RecordId) -> Self {
        let (by, purpose) = (String::new(), "reveal".to_owned());
        Self { record_id, log: log.into(), paths: Vec::new(), key_ids: Vec::new(), by, purpose }
    }
}

/// A subject whose keys were destroyed. It is not named: the keys' identifiers stand for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubjectErased {
    /// The keys.
    pub key_ids: Vec<String>,
    /// Why, in the words of who did it.
    pub reason: String,
    /// Who did it, as they say themselves.
    pub by: String,
}

impl SubjectErased {
    /// Tells that keys were destroyed; who did it is for the caller to say.
    #[must_use]
    pub fn new(key_ids: Vec<String>, reason: impl Into<String>) -> Self {
        Self { key_ids, reason: reason.into(), by: String::new() }
    }
}

impl Log {
    /// Records that sealed values are read (`log.read`), and returns once that is on the disk: only then are they shown.
    ///
    /// # Errors
    /// It could not be recorded; [`Error::append_kind`] tells why.
    pub fn record_read(&self, reading: &Reading) -> Result<(), Error> {
        self.record(&self.events().read(reading))
    }

    /// Records that a subject's keys were destroyed (`subject.erased`), and returns once that is on the disk.
    ///
    /// # Errors
    /// As [`record_read`](Self::record_read).
    pub fn record_erasure(&self, erased: &SubjectErased) -> Result<(), Error> {
        self.record(&self.events().erased(erased))
    }

    fn events(&self) -> Events {
        let shared = self.shared();
        Events {
            clock: std::sync::Arc::clone(&shared.clock),
            ids: std::sync::Arc::new(RandomIds),
            origin: shared.files.origin.clone(),
            heartbeat_seconds: 0,
        }
    }

    fn record(&self, record: &[u8]) -> Result<(), Error> {
        let prepared = Prepared::new(record, Stage::Event).durability(Some(Durability::Disk));
        self.append(&prepared).wait().map(drop).map_err(|fault| Error::append(self.path(), fault))
    }
}

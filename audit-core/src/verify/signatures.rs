//! The signatures of checkpoints: each must be by the key of its epoch.
//!
//! The first key stands in entry 0. A `key.rotated` names the next one; the first checkpoint that covers it is still signed
//! by the old key, which thereby vouches for the new one, and all after it by the new key. Epochs are thus counted in
//! checkpoints, and who pins the first key needs no other.

use serde::Deserialize;

use crate::checkpoint::Checkpoint;
use crate::note::{Note, VerificationKey};
use crate::verify::{Fault, Rotation};

/// The keys that entry 0 of a log states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The key of the first epoch; none if the log's checkpoints are not signed.
    pub first: Option<VerificationKey>,
    /// A key that signs every checkpoint beside that of the epoch, and never changes.
    pub identity: Option<VerificationKey>,
}

impl Declared {
    /// Reads entry 0, given without its line feed.
    ///
    /// # Errors
    /// What it states is not a key of a log's name, or there is an identity without a first key.
    pub fn of_entry_0(line: &[u8]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Entry {
            record: Record,
        }
        #[derive(Deserialize)]
        struct Record {
            log: Log,
            #[serde(default)]
            annotations: Annotations,
        }
        #[derive(Deserialize)]
        struct Log {
            origin: Option<String>,
            verification_key: Option<String>,
        }
        #[derive(Default, Deserialize)]
        struct Annotations {
            identity_key: Option<String>,
        }
        let bad = |reason: String| Fault::tampered(0, reason);
        let entry: Entry = serde_json::from_slice(line).map_err(|fault| bad(fault.to_string()))?;
        let Log { origin, verification_key } = entry.record.log;
        let key = |text: Option<String>, member: &str| {
            let Some(text) = text else { return Ok(None) };
            let key: VerificationKey = text.parse().map_err(|fault| bad(format!("{member}: {fault}")))?;
            let is_of_log = Some(key.name()) == origin.as_deref() && !key.is_cosigner();
            if is_of_log { Ok(Some(key)) } else { Err(bad(format!("{member}: expected a key of the log's origin"))) }
        };
        let first = key(verification_key, "log.verification_key")?;
        let identity = key(entry.record.annotations.identity_key, "annotations.identity_key")?;
        if identity.is_some() && first.is_none() {
            return Err(bad("expected log.verification_key beside annotations.identity_key, found none".to_owned()));
        }
        Ok(Self { first, identity })
    }
}

/// Checks the notes of a log's checkpoints, in their order.
#[derive(Clone, Debug)]
pub struct Signatures {
    /// The keys of the epochs and the entry that names each; the first has none.
    epochs: Vec<(Option<u64>, Result<VerificationKey, String>)>,
    identity: Option<VerificationKey>,
    /// The epoch of the next checkpoint.
    epoch: usize,
    /// How many notes were checked.
    count: u64,
}

impl Signatures {
    /// Takes the keys of a log; none if its checkpoints are not signed.
    #[must_use]
    pub fn new(declared: &Declared, rotations: &[Rotation]) -> Option<Self> {
        let first = declared.first.clone()?;
        let name = first.name().to_owned();
        let mut epochs = vec![(None, Ok(first))];
        epochs.extend(rotations.iter().map(|rotation| {
            let key = rotation.verification_key.parse::<VerificationKey>().map_err(|fault| fault.to_string());
            let key = key.and_then(|key| match key.name() == name && !key.is_cosigner() {
                true => Ok(key),
                false => Err("not a key of the log's origin".to_owned()),
            });
            (Some(rotation.entry), key)
        }));
        Some(Self { epochs, identity: declared.identity.clone(), epoch: 0, count: 0 })
    }

    /// Returns how many notes were checked.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns in which epoch the next checkpoint is, counted from 0.
    #[must_use]
    pub const fn epoch(&self) -> usize {
        self.epoch
    }

    /// Returns the key of the epoch that the next checkpoint is in, as far as the log names one.
    #[must_use]
    pub fn key(&self) -> Option<&VerificationKey> {
        self.epochs.get(self.epoch).and_then(|(_entry, key)| key.as_ref().ok())
    }

    /// Checks the note of the next checkpoint.
    ///
    /// # Errors
    /// It is not signed by the key of its epoch, or not by the identity key that the log states.
    pub fn check(&mut self, note: &str) -> Result<Checkpoint, Fault> {
        let bad = |reason: String| Fault::tampered(None, reason);
        let checkpoint = Checkpoint::of_note(note).map_err(|fault| bad(fault.to_string()))?;
        let of_size = |reason: String| bad(format!("the checkpoint of {} entries: {reason}", checkpoint.size));
        let note = Note::parse(note).map_err(|fault| of_size(fault.to_string()))?;
        let (entry, key) = self.epochs.get(self.epoch).ok_or_else(|| of_size("no epoch".to_owned()))?;
        let key = key
            .as_ref()
            .map_err(|fault| Fault::tampered(*entry, format!("names the next key of the checkpoints: {fault}")))?;
        require(&note, key, &format!("the key of epoch {}", self.epoch)).map_err(of_size)?;
        if let Some(identity) = &self.identity {
            require(&note, identity, "the identity key").map_err(of_size)?;
        }
        self.count += 1;
        // What this checkpoint covers, its key vouches for; a rotation begins with the next one.
        while self
            .epochs
            .get(self.epoch + 1)
            .is_some_and(|(entry, _key)| entry.is_some_and(|entry| entry < checkpoint.size))
        {
            self.epoch += 1;
        }
        Ok(checkpoint)
    }
}

fn require(note: &Note, key: &VerificationKey, what: &str) -> Result<(), String> {
    match note.is_signed_by(key) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("expected a signature of {what}, {key}, found none")),
        Err(fault) => Err(format!("{what}: {fault}")),
    }
}

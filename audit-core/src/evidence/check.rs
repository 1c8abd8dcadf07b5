//! The check of evidence, without the log: entry, inclusion, and who signed the checkpoint.

use core::fmt;

use serde::Deserialize;

use crate::checkpoint::{Checkpoint, ParseCheckpointError};
use crate::entry::{ParseEntryError, parse_line};
use crate::evidence::{Disclosed, Evidence, Extra, ParseEvidenceError, ParseExtraError};
use crate::hash::Hash;
use crate::id::RecordId;
use crate::note::{BadSignature, Note, ParseNoteError, VerificationKey};
use crate::policy::{Cosigned, KnownLog, Policy, PolicyError};
use crate::proof::ProofError;
use crate::vocabulary::EventName;

/// What evidence shows, once it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// The line of the entry, without its line feed.
    pub entry: Vec<u8>,
    /// The number of the entry.
    pub number: u64,
    /// The identifier of its record.
    pub record_id: RecordId,
    /// The checkpoint whose tree holds it.
    pub checkpoint: Checkpoint,
    /// The key, of those given, that the checkpoint rests on.
    pub key: VerificationKey,
    /// The key that signed the checkpoint: the given one, or the one that rotations lead to from it.
    pub signer: VerificationKey,
    /// Sealed values of the entry that the evidence discloses: each stands in the record where it says.
    pub disclosed: Vec<Disclosed>,
    /// How many rotations lead from the given key to the one that signed; 0 if it signed itself.
    pub rotations: usize,
    /// The witnesses of the policy that cosigned the checkpoint; none without a policy.
    pub cosigners: Vec<Cosigner>,
}

/// A witness of a policy that cosigned a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigner {
    /// The name that the policy gives it.
    pub name: String,
    /// When, by its own clock, in seconds since 1970.
    pub time: u64,
}

/// Checks the bytes of a `.tlog-proof` file, of which all count: that the entry in it is in the tree of a checkpoint that
/// rests on one of the keys.
///
/// A checkpoint rests on a key that signed it, or that leads to the one that did through the rotations in the evidence: each
/// is an entry `key.rotated` that names the next key, in the tree of a checkpoint that the key before signed.
///
/// # Errors
/// Tells what does not fit. Evidence without an entry in it is refused, as is a log's checkpoint without a signature.
pub fn check(bytes: &[u8], keys: &[VerificationKey]) -> Result<Checked, CheckError> {
    check_note(bytes, keys).map(|(checked, _note)| checked)
}

/// Checks what [`check`] does, with the keys of the policy's logs beside those given, and that a quorum of the policy's
/// witnesses cosigned the checkpoint: who trusts them knows that the log showed others no other tree.
///
/// # Errors
/// Those of [`check`]; too few witnesses cosigned the checkpoint, or a signature of a known one is not right.
pub fn check_cosigned(bytes: &[u8], keys: &[VerificationKey], policy: &Policy) -> Result<Checked, CheckError> {
    let keys: Vec<VerificationKey> = keys.iter().chain(policy.logs().iter().map(KnownLog::key)).cloned().collect();
    let (mut checked, note) = check_note(bytes, &keys)?;
    let cosigned = policy.check_quorum(&note).map_err(CheckError::Policy)?;
    let cosigner = |one: Cosigned<'_>| Cosigner { name: one.witness.name().into_owned(), time: one.time };
    checked.cosigners = cosigned.into_iter().map(cosigner).collect();
    Ok(checked)
}

fn check_note(bytes: &[u8], keys: &[VerificationKey]) -> Result<(Checked, Note), CheckError> {
    let evidence = Evidence::parse(bytes).map_err(CheckError::Parse)?;
    let extra = evidence.parse_extra().map_err(CheckError::ParseExtra)?.ok_or(CheckError::NoEntry)?;
    let (checkpoint, note) = included(&evidence, &extra.entry)?;
    let (key, signer, rotations) = resting_on(&checkpoint, &note, &extra, keys)?;
    check_disclosed(&extra)?;
    let record_id = record_of(&extra.entry)?.record_id;
    let record_id =
        record_id.parse().map_err(|fault| CheckError::Entry(ParseEntryError::new(format!("record_id: {fault}"))))?;
    let (entry, number, disclosed) = (extra.entry, evidence.index, extra.disclosures);
    let cosigners = Vec::new();
    Ok((Checked { entry, number, record_id, checkpoint, key, signer, disclosed, rotations, cosigners }, note))
}

/// Checks that the digest of each disclosure stands at its place in the entry.
fn check_disclosed(extra: &Extra) -> Result<(), CheckError> {
    if extra.disclosures.is_empty() {
        return Ok(());
    }
    let entry: serde_json::Value = serde_json::from_slice(&extra.entry)
        .map_err(|fault| CheckError::Entry(ParseEntryError::new(fault.to_string())))?;
    let record = entry.get("record").unwrap_or(&serde_json::Value::Null);
    match extra.disclosures.iter().find(|disclosed| !disclosed.is_of(record)) {
        None => Ok(()),
        Some(disclosed) => Err(CheckError::Disclosure { path: disclosed.path.clone() }),
    }
}

/// Checks that the entry is in the tree of the evidence's checkpoint, whoever signed that.
fn included(evidence: &Evidence, entry: &[u8]) -> Result<(Checkpoint, Note), CheckError> {
    let note = Note::parse(&evidence.checkpoint).map_err(CheckError::Note)?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(CheckError::Checkpoint)?;
    let found = parse_line(entry).map_err(CheckError::Entry)?.sequence.number;
    if found != evidence.index {
        return Err(CheckError::Number { expected: evidence.index, found });
    }
    evidence.check_inclusion(Hash::leaf(entry), checkpoint.size, checkpoint.root).map_err(CheckError::Inclusion)?;
    Ok((checkpoint, note))
}

/// Finds the key that the checkpoint rests on, the one that signed it, and how many rotations lie between.
fn resting_on(
    checkpoint: &Checkpoint,
    note: &Note,
    extra: &Extra,
    keys: &[VerificationKey],
) -> Result<(VerificationKey, VerificationKey, usize), CheckError> {
    let unknown = || CheckError::NotSigned { origin: checkpoint.origin.clone() };
    let mut refused = None;
    for key in keys.iter().filter(|key| key.name() == checkpoint.origin && !key.is_cosigner()) {
        if note.is_signed_by(key).map_err(CheckError::Signature)? {
            return Ok((key.clone(), key.clone(), 0));
        }
        if extra.rotations.is_empty() {
            continue;
        }
        match walk(key, &extra.rotations) {
            Err(fault) => refused = Some(fault),
            Ok((signer, covered)) if checkpoint.size >= covered => {
                if note.is_signed_by(&signer).map_err(CheckError::Signature)? {
                    return Ok((key.clone(), signer, extra.rotations.len()));
                }
            }
            Ok((_signer, covered)) => {
                refused = Some(CheckError::Older { size: checkpoint.size, covered });
            }
        }
    }
    Err(refused.unwrap_or_else(unknown))
}

/// Walks the rotations from a key; returns the key that they lead to, and how many entries the last of them covers.
fn walk(first: &VerificationKey, rotations: &[Evidence]) -> Result<(VerificationKey, u64), CheckError> {
    let (mut key, mut covered) = (first.clone(), 0);
    for (place, rotation) in (1..).zip(rotations) {
        let within = |fault: CheckError| CheckError::Rotation { place, source: Box::new(fault) };
        let extra = rotation.parse_extra().map_err(CheckError::ParseExtra).map_err(within)?;
        let entry = extra.ok_or_else(|| within(CheckError::NoEntry))?.entry;
        let (checkpoint, note) = included(rotation, &entry).map_err(within)?;
        if !note.is_signed_by(&key).map_err(CheckError::Signature).map_err(within)? {
            return Err(within(CheckError::NotSigned { origin: checkpoint.origin }));
        }
        // Each is covered by the first checkpoint after it: the next one comes later.
        if rotation.index < covered {
            return Err(within(CheckError::Older { size: rotation.index, covered }));
        }
        (key, covered) = (next_key(&entry, &key).map_err(within)?, checkpoint.size);
    }
    Ok((key, covered))
}

/// Reads the key that an entry names as the next one; it has the name of the one before.
fn next_key(entry: &[u8], key: &VerificationKey) -> Result<VerificationKey, CheckError> {
    let record = record_of(entry)?;
    if record.event_name != EventName::KeyRotated.as_str() {
        return Err(CheckError::NoRotation);
    }
    let next: Option<VerificationKey> = record.log.verification_key.and_then(|text| text.parse().ok());
    let next = next.filter(|next| next.name() == key.name() && !next.is_cosigner());
    next.ok_or(CheckError::NoRotation)
}

/// What is read of a record.
#[derive(Deserialize)]
struct Record {
    event_name: String,
    record_id: String,
    #[serde(default)]
    log: Log,
}

#[derive(Default, Deserialize)]
struct Log {
    verification_key: Option<String>,
}

fn record_of(entry: &[u8]) -> Result<Record, CheckError> {
    #[derive(Deserialize)]
    struct Entry {
        record: Record,
    }
    let parsed: Result<Entry, _> = serde_json::from_slice(entry);
    parsed.map(|entry| entry.record).map_err(|fault| CheckError::Entry(ParseEntryError::new(fault.to_string())))
}

/// Why evidence is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// The bytes are no `.tlog-proof` file.
    Parse(ParseEvidenceError),
    /// The extra data is not that of this project's evidence.
    ParseExtra(ParseExtraError),
    /// There is no entry in it.
    NoEntry,
    /// What stands in the place of the entry is none.
    Entry(ParseEntryError),
    /// The entry states another number than the evidence.
    Number {
        /// The index in the evidence.
        expected: u64,
        /// The number in the entry.
        found: u64,
    },
    /// The checkpoint is no signed note.
    Note(ParseNoteError),
    /// The text of the note is no checkpoint.
    Checkpoint(ParseCheckpointError),
    /// The entry is not in the tree of the checkpoint.
    Inclusion(ProofError),
    /// A signature names one of the keys and is not right.
    Signature(BadSignature),
    /// None of the keys signed the checkpoint, and no rotation leads from one of them to its signer.
    NotSigned {
        /// The name of the log that the checkpoint states.
        origin: String,
    },
    /// No quorum cosigned the checkpoint, or a cosignature is not right.
    Policy(PolicyError),
    /// The checkpoint, or a rotation, lies before what an earlier rotation covers.
    Older {
        /// The size, or the number of the entry.
        size: u64,
        /// How many entries the checkpoint of the rotation before covers.
        covered: u64,
    },
    /// A disclosure is not that of the value which is sealed at its place in the entry.
    Disclosure {
        /// The place that it names.
        path: String,
    },
    /// The entry in the place of a rotation names no next key.
    NoRotation,
    /// A rotation does not fit.
    Rotation {
        /// Which one, from 1.
        place: usize,
        /// What is wrong with it.
        source: Box<Self>,
    },
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(fault) => fault.fmt(f),
            Self::ParseExtra(fault) => fault.fmt(f),
            Self::NoEntry => f.write_str("expected the entry as the file's extra data, found none"),
            Self::Entry(fault) => write!(f, "expected an entry: {fault}"),
            Self::Number { expected, found } => {
                write!(f, "expected entry {expected} as the index says, found number {found} in the entry")
            }
            Self::Note(fault) => write!(f, "expected a signed checkpoint: {fault}"),
            Self::Checkpoint(fault) => fault.fmt(f),
            Self::Inclusion(fault) => write!(f, "the entry is not in the tree of the checkpoint: {fault}"),
            Self::Signature(fault) => fault.fmt(f),
            Self::Policy(fault) => fault.fmt(f),
            Self::NotSigned { origin } => {
                write!(
                    f,
                    "expected a checkpoint of {origin:?} signed by a key given, or one that its rotations lead to"
                )
            }
            Self::Older { size, covered } => {
                write!(f, "expected what follows the {covered} entries of the rotation before, found {size}")
            }
            Self::Disclosure { path } => {
                write!(f, "expected the digest of the disclosure at {path:?} in the record, found none or another")
            }
            Self::NoRotation => f.write_str("expected an entry key.rotated that names a key of the log, found another"),
            Self::Rotation { place, source } => write!(f, "rotation {place}: {source}"),
        }
    }
}

impl std::error::Error for CheckError {}

#[cfg(test)]
mod tests;

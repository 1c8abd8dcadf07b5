//! The checkpoint that an entry is proved under, with what witnesses gave for it.

use std::collections::BTreeMap;

use audit_core::anchor::Form;
use audit_core::note::{Note, SIGNATURES_MAX, Signature};
use audit_core::policy::Policy;

use crate::Error;
use crate::anchors;
use crate::checkpoints::Stated;
use crate::layout::{Layout, SmallFile, read_small};

/// Returns the newest checkpoint with the cosignatures that are known for it. Nobody is asked whose they are.
pub(super) fn with_known(layout: &Layout, newest: &Stated) -> Result<Stated, Error> {
    let Ok(mut note) = Note::parse(&newest.note) else { return Ok(newest.clone()) };
    for other in kept(layout)? {
        merge(&mut note, &other);
    }
    Ok(Stated { note: note.to_string(), checkpoint: newest.checkpoint.clone() })
}

/// Returns the newest checkpoint that covers an entry and that a quorum cosigned; witnesses may have been asked apart.
pub(super) fn meeting(layout: &Layout, newest: &Stated, number: u64, policy: &Policy) -> Result<Stated, Error> {
    let mut notes = BTreeMap::new();
    // What a known witness did not sign counts for nothing, and does not spoil what others did.
    let known = kept(layout)?.into_iter().filter(|note| policy.check_cosignatures(note).is_ok());
    for other in Note::parse(&newest.note).into_iter().chain(known) {
        let Ok(stated) = Stated::parse(&other.to_string()) else { continue };
        let checkpoint = stated.checkpoint;
        if checkpoint.origin == newest.checkpoint.origin && checkpoint.size > number {
            let key = (checkpoint.size, other.text().to_owned());
            let (_checkpoint, note) = notes.entry(key).or_insert_with(|| (checkpoint, other.clone()));
            merge(note, &other);
        }
    }
    let found = notes.into_values().rev().find(|(_checkpoint, note)| policy.check_quorum(note).is_ok());
    let (checkpoint, note) = found.ok_or_else(|| Error::uncosigned(&layout.directory, number))?;
    Ok(Stated { note: note.to_string(), checkpoint })
}

/// Adds the signatures that one note has and the other has not, if both are of one text.
fn merge(note: &mut Note, other: &Note) {
    if other.text() != note.text() {
        return;
    }
    for signature in other.signatures() {
        let is_same = |known: &Signature| known.name == signature.name && known.key_id == signature.key_id;
        if note.signatures().len() < SIGNATURES_MAX && !note.signatures().iter().any(is_same) {
            note.push(signature.clone());
        }
    }
}

/// Returns the notes that anchors gave. What is none is passed over: it proves nothing, and verification tells.
fn kept(layout: &Layout) -> Result<Vec<Note>, Error> {
    let receipts =
        anchors::list(layout).map_err(|source| Error::io(&layout.anchors(), "list what anchors gave", source))?;
    let mut notes = Vec::new();
    for receipt in receipts.iter().filter(|receipt| receipt.form == Form::Note) {
        let file = read_small(&receipt.path);
        let file = file.map_err(|source| Error::io(&receipt.path, "read what an anchor gave", source))?;
        if let SmallFile::Bytes(bytes) = file {
            notes.extend(String::from_utf8(bytes).ok().and_then(|text| Note::parse(&text).ok()));
        }
    }
    Ok(notes)
}

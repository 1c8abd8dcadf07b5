//! Anchors: whoever keeps a copy of a checkpoint outside the writer's reach.
//!
//! A log that stands alone proves that nothing in it was changed since its newest checkpoint, to those who know that
//! checkpoint. Who can write to the log's directory, and has its key, can make another log with other checkpoints; an anchor
//! is what such a log does not agree with. This module has no IO: it is what the log and its anchors say to each other.
//!
//! ```
//! use audit_core::anchor::{Anchor, AnchorError, AnchorName, Kept, Request, Takes};
//!
//! /// Prints checkpoints, for somebody to keep on paper.
//! struct Printer(AnchorName);
//!
//! impl Anchor for Printer {
//!     fn name(&self) -> &AnchorName {
//!         &self.0
//!     }
//!
//!     fn takes(&self) -> Takes {
//!         Takes::Newest
//!     }
//!
//!     fn anchor(&self, request: &mut Request<'_>) -> Result<Kept, AnchorError> {
//!         println!("{}", request.note());
//!         Ok(Kept::note(request.note()))
//!     }
//! }
//!
//! let printer = Printer("printer".parse()?);
//! assert_eq!(printer.name().as_str(), "printer");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod name;

use core::fmt;
use std::error::Error;

use crate::checkpoint::{Checkpoint, ParseCheckpointError};
use crate::hash::Hash;
use crate::note::Note;
use crate::time::Time;

pub use error::{AnchorError, AnchorErrorKind};
pub use name::{AnchorName, ParseAnchorNameError};

/// Keeps copies of checkpoints where the writer of the log cannot reach them: a witness, a timestamp authority, another
/// host.
///
/// It is called on a thread of the log's own, one request at a time, and may take as long as its own limits allow; calls do
/// not wait for it. What a request is for is asked again after an error, and after the process died before the answer was
/// kept: an anchor may be given the same checkpoint twice.
pub trait Anchor: Send + Sync {
    /// Returns the name under which what it gives is kept beside the log; unique among the anchors of a log.
    fn name(&self) -> &AnchorName;

    /// Tells which checkpoints it is given.
    fn takes(&self) -> Takes;

    /// Gives the anchor a checkpoint, and returns what shows that it has it.
    ///
    /// What is returned has been checked as far as the anchor's documentation says.
    ///
    /// # Errors
    /// The anchor cannot take the checkpoint now, or will not take it at all: see [`AnchorError::is_passing`].
    fn anchor(&self, request: &mut Request<'_>) -> Result<Kept, AnchorError>;
}

/// Which checkpoints an anchor is given, always in the order of their sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takes {
    /// The newest one when the anchor is free for it: it covers all before it.
    Newest,
    /// Every one.
    Each,
}

/// Makes the consistency proof from the size of an older tree to that of the request's checkpoint.
pub type Prove<'a> = dyn FnMut(u64) -> Result<Vec<Hash>, Box<dyn Error + Send + Sync>> + 'a;

/// A checkpoint that is to be anchored.
pub struct Request<'a> {
    note: &'a Note,
    checkpoint: Checkpoint,
    prove: &'a mut Prove<'a>,
}

impl<'a> Request<'a> {
    /// Makes the request for a signed checkpoint. `prove` is only asked for sizes from 1 to below the checkpoint's.
    ///
    /// # Errors
    /// The text of the note is not a checkpoint.
    pub fn new(note: &'a Note, prove: &'a mut Prove<'a>) -> Result<Self, ParseCheckpointError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { note, checkpoint, prove })
    }

    /// Returns the signed checkpoint.
    #[must_use]
    pub const fn note(&self) -> &'a Note {
        self.note
    }

    /// Returns what the checkpoint says.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Makes the consistency proof from an older tree of this log, which is empty from size 0 and from the same size.
    ///
    /// # Errors
    /// The old size is above the checkpoint's ([`AnchorErrorKind::Longer`]), or the log could not make the proof
    /// ([`AnchorErrorKind::NotProved`]).
    pub fn consistency(&mut self, old_size: u64) -> Result<Vec<Hash>, AnchorError> {
        let size = self.checkpoint.size;
        if old_size == 0 || old_size == size {
            return Ok(Vec::new());
        }
        if old_size > size {
            let found = format!("expected a proof from at most size {size}, found {old_size} asked for");
            return Err(AnchorError::new(AnchorErrorKind::Longer, found));
        }
        (self.prove)(old_size).map_err(|source| {
            let found = format!("expected the proof from size {old_size} to {size}, found none: {source}");
            AnchorError::new(AnchorErrorKind::NotProved, found).caused_by(source)
        })
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("note", &self.note).finish_non_exhaustive()
    }
}

/// What an anchor gave for a checkpoint, to be kept beside the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    form: Form,
    bytes: Vec<u8>,
    time: Option<Time>,
}

/// In which form that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A signed note: the checkpoint with one signature or more of the anchor's own. C2SP `signed-note`.
    Note,
    /// A `TimeStampResp` of RFC 3161, in DER.
    Timestamp,
    /// A JSON object that says where the copy is.
    Place,
}

impl Form {
    /// Returns the extension of a file in this form, without the point.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Timestamp => "tsr",
            Self::Place => "json",
        }
    }
}

impl Kept {
    /// Makes it of bytes in a form.
    #[must_use]
    pub fn new(form: Form, bytes: impl Into<Vec<u8>>) -> Self {
        Self { form, bytes: bytes.into(), time: None }
    }

    /// Makes it of a note.
    #[must_use]
    pub fn note(note: &Note) -> Self {
        Self::new(Form::Note, note.to_string())
    }

    /// Adds the time that the anchor states.
    #[must_use]
    pub const fn at(mut self, time: Time) -> Self {
        self.time = Some(time);
        self
    }

    /// Returns the form of the bytes.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the time by the anchor's own clock at which it had the checkpoint, if it states one.
    #[must_use]
    pub const fn time(&self) -> Option<Time> {
        self.time
    }
}

#[cfg(test)]
mod tests;

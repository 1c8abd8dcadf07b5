//! What a log holds below its newest checkpoint, in order and from a position on: for whoever sends it elsewhere.
//!
//! Only what a checkpoint covers is fed. It is on the disk for sure, so that no copy ever holds an entry that a loss of power
//! took from the log. Each checkpoint comes right after the last entry that it covers.

use std::path::{Path, PathBuf};

use audit_core::id::StreamId;
use audit_core::verify::Fault;
use serde_json::Value;

use crate::Error;
use crate::checkpoints::{List, Stated, newest};
use crate::layout::Layout;
use crate::read::{Lines, Segments};
use crate::verify::Finding;

/// How far a log was fed: a place between two items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// How many entries were fed, counted from entry 0.
    pub entries: u64,
    /// How long those checkpoints are together that were fed, in bytes of the log's list of them.
    pub checkpoints: u64,
}

/// One thing that a log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An entry: its number, and its line without the line feed.
    Entry(u64, Vec<u8>),
    /// A checkpoint: how many entries it covers, and its note.
    Checkpoint(u64, String),
}

/// Reads a log from a position on, also while it grows.
#[derive(Debug)]
pub struct Feed {
    layout: Layout,
    position: Position,
    /// The checkpoint up to which entries are fed, before it itself is.
    target: Option<Stated>,
    /// Stands before the entry at the position, or is opened anew.
    lines: Option<Lines>,
}

impl Feed {
    /// Begins at a position; nothing is read yet.
    #[must_use]
    pub fn new(log: impl AsRef<Path>, position: Position) -> Self {
        Self { layout: Layout::new(log.as_ref()), position, target: None, lines: None }
    }

    /// Returns where the next item begins.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Returns the next item; `None` if the newest checkpoint has been fed, until there is another one.
    ///
    /// # Errors
    /// The path is no log, it is shorter than the position or than its checkpoint ([`Error::is_tampered`]), or something
    /// cannot be read. The position is that before the item then.
    pub fn next_item(&mut self) -> Result<Option<Item>, Error> {
        if self.target.is_none() {
            self.target = self.next_checkpoint()?;
        }
        let Some(target) = &self.target else { return Ok(None) };
        let size = target.checkpoint.size;
        if self.position.entries < size {
            let line = self.line()?;
            let number = self.position.entries;
            self.position.entries += 1;
            return Ok(Some(Item::Entry(number, line)));
        }
        let Some(target) = self.target.take() else { return Ok(None) };
        if self.layout.checkpoints().exists() {
            self.position.checkpoints += target.note.len() as u64;
        }
        Ok(Some(Item::Checkpoint(size, target.note)))
    }

    /// Returns the next listed checkpoint, unless it is only just being written.
    fn next_checkpoint(&self) -> Result<Option<Stated>, Error> {
        // Tells what is no log.
        Segments::list(&self.layout.directory)?;
        // It is written after it is listed: what the list holds up to it is whole.
        let Some(newest) = newest(&self.layout)? else { return self.nothing() };
        if newest.checkpoint.size < self.position.entries {
            return Err(self.shorter(newest.checkpoint.size));
        }
        let Some(mut list) = List::open(&self.layout, self.position.checkpoints)? else {
            // A log that was written before there was a list has its newest checkpoint alone.
            let is_unlisted = self.position.checkpoints == 0 && !self.layout.checkpoints().exists();
            let size = newest.checkpoint.size;
            return if is_unlisted {
                Ok((size > self.position.entries).then_some(newest))
            } else {
                Err(self.shorter(size))
            };
        };
        Ok(list.next()?.filter(|stated| stated.checkpoint.size <= newest.checkpoint.size))
    }

    /// A log that is being created has no checkpoint; one that was fed has.
    fn nothing(&self) -> Result<Option<Stated>, Error> {
        if self.position == Position::default() { Ok(None) } else { Err(self.shorter(0)) }
    }

    fn line(&mut self) -> Result<Vec<u8>, Error> {
        let wanted = self.position.entries;
        // A reader knows the segments that there were when it was opened.
        if let Some(lines) = &mut self.lines
            && let Some(line) = lines.next_line()
        {
            return line.map(|line| line.bytes.to_vec());
        }
        let mut lines = Lines::open_at(&self.layout.directory, wanted)?;
        while let Some(line) = lines.next_line() {
            let line = line?;
            if line.number == wanted {
                let bytes = line.bytes.to_vec();
                self.lines = Some(lines);
                return Ok(bytes);
            }
        }
        self.lines = None;
        Err(self.shorter(wanted))
    }

    fn shorter(&self, found: u64) -> Error {
        let Position { entries, .. } = self.position;
        let expected = self.target.as_ref().map_or(entries, |target| target.checkpoint.size.max(entries));
        let reason = format!("expected a log of at least {expected} entries, found {found}: it was longer before");
        Error::finding(&self.layout.directory, Finding { file: None, fault: Fault::tampered(None, reason) })
    }
}

/// Returns the identifier of the log's stream, as its entry 0 states it; `None` while there is none.
///
/// # Errors
/// The path is no log, or entry 0 cannot be read or is none ([`Error::is_tampered`]).
pub fn stream_id(log: impl AsRef<Path>) -> Result<Option<StreamId>, Error> {
    let log = log.as_ref();
    let mut lines = Lines::open(log)?;
    let Some(line) = lines.next_line() else { return Ok(None) };
    let line = line?;
    let entry: Value = serde_json::from_slice(line.bytes).unwrap_or_default();
    let found = entry.pointer("/sequence/stream_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let fault = || Fault::tampered(0, "expected an entry with the identifier of the stream, found none");
    found.map(Some).ok_or_else(|| Error::finding(log, Finding { file: None, fault: fault() }))
}

/// Returns the directory in which whoever sends the log elsewhere keeps how far that is.
#[must_use]
pub fn positions(log: impl AsRef<Path>) -> PathBuf {
    Layout::new(log.as_ref()).exports()
}

#[cfg(test)]
mod tests;

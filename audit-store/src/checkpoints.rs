//! The checkpoints of a log: the newest in `checkpoint`, all of them in `checkpoints.log`, and the seal over these.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};

use audit_core::checkpoint::{Checkpoint, split_note};
use audit_core::note::{NOTE_BYTES_MAX, Note};
use audit_core::seal::Seal;
use audit_core::verify::Fault;
use zeroize::Zeroizing;

use crate::Error;
use crate::disk::open_plain;
use crate::layout::{CHECKPOINT, CHECKPOINTS, Layout, SEAL, SmallFile, read_small};
use crate::verify::Finding;

/// How much of the list is read at once.
const READ_BYTES: usize = 4 * NOTE_BYTES_MAX;

/// A checkpoint with the note that states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) note: String,
    pub(crate) checkpoint: Checkpoint,
}

impl Stated {
    /// Parses a note: that of a log without keys is the text alone.
    pub(crate) fn parse(note: &str) -> Result<Self, String> {
        let checkpoint = Checkpoint::of_note(note).map_err(|fault| fault.to_string())?;
        if note.contains("\n\n") {
            Note::parse(note).map_err(|fault| fault.to_string())?;
        }
        Ok(Self { note: note.to_owned(), checkpoint })
    }

    /// Returns how many lines the note has: one that is being written may lack those of its last signatures.
    pub(crate) fn lines(&self) -> usize {
        self.note.lines().count()
    }
}

/// Reads the newest checkpoint; none if the file is missing, an error that is a finding if it is malformed.
pub(crate) fn newest(layout: &Layout) -> Result<Option<Stated>, Error> {
    let path = layout.checkpoint();
    let bytes = match read_small(&path).map_err(|source| Error::io(&path, "read the checkpoint", source))? {
        SmallFile::Missing => return Ok(None),
        SmallFile::Bytes(bytes) => bytes,
        SmallFile::Odd(found) => {
            return Err(altered(layout, CHECKPOINT, format!("expected a checkpoint, found {found}")));
        }
    };
    let parsed = core::str::from_utf8(&bytes).map_err(|fault| fault.to_string()).and_then(Stated::parse);
    parsed.map(Some).map_err(|reason| altered(layout, CHECKPOINT, reason))
}

/// Reads the seal; none if the log has none.
pub(crate) fn seal(layout: &Layout) -> Result<Option<Seal>, Error> {
    let path = layout.seal();
    let bytes = match read_small(&path).map_err(|source| Error::io(&path, "read the seal", source))? {
        SmallFile::Missing => return Ok(None),
        SmallFile::Bytes(bytes) => Zeroizing::new(bytes),
        SmallFile::Odd(found) => return Err(altered(layout, SEAL, format!("expected a seal, found {found}"))),
    };
    let text = core::str::from_utf8(&bytes).map_err(|fault| fault.to_string());
    let seal = text.and_then(|text| text.parse().map_err(|fault: audit_core::seal::ParseSealError| fault.to_string()));
    seal.map(Some).map_err(|reason| altered(layout, SEAL, reason))
}

/// The list of all checkpoints, read note by note.
pub(crate) struct List {
    layout: Layout,
    file: File,
    /// What was read and is not taken yet begins at `at`.
    buffer: Vec<u8>,
    at: usize,
    /// How many bytes of the file were not read yet; what is appended meanwhile is left alone.
    unread: u64,
    /// Where in the file the next note begins.
    position: u64,
}

impl List {
    /// Opens the list at a position between two notes; none if the file is missing or shorter.
    pub(crate) fn open(layout: &Layout, position: u64) -> Result<Option<Self>, Error> {
        let path = layout.checkpoints();
        let failed = |source| Error::io(&path, "read the list of checkpoints", source);
        let mut file = match std::fs::symlink_metadata(&path) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(metadata) if !metadata.is_file() => {
                let reason = "expected a list of checkpoints, found something else than a plain file";
                return Err(altered(layout, CHECKPOINTS, reason.to_owned()));
            }
            _ => open_plain(OpenOptions::new().read(true), &path).map_err(failed)?,
        };
        let length = file.metadata().map_err(failed)?.len();
        let Some(unread) = length.checked_sub(position) else { return Ok(None) };
        file.seek(SeekFrom::Start(position)).map_err(failed)?;
        Ok(Some(Self { layout: layout.clone(), file, buffer: Vec::new(), at: 0, unread, position }))
    }

    /// Opens the list at the note of the newest checkpoint; none if the end of the list does not hold it.
    pub(crate) fn open_at(layout: &Layout, newest: &str) -> Result<Option<Self>, Error> {
        let path = layout.checkpoints();
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        // A commit lists one note before it replaces the newest; what was interrupted leaves no more than a few.
        let start = length.saturating_sub(READ_BYTES as u64);
        let Some(mut list) = Self::open(layout, start)? else { return Ok(None) };
        list.fill()?;
        let Some(found) = memchr::memmem::rfind(&list.buffer, newest.as_bytes()) else { return Ok(None) };
        let begins = found == 0 || list.buffer.get(found - 1) == Some(&b'\n');
        (list.at, list.position) = (found, start + found as u64);
        Ok(begins.then_some(list))
    }

    /// Returns where the next note begins: how long those before it are together.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Returns the next note; none at the end, or where what is left is no whole one.
    pub(crate) fn next(&mut self) -> Result<Option<Stated>, Error> {
        self.fill()?;
        let bytes = self.buffer.get(self.at..).unwrap_or_default();
        let text = match core::str::from_utf8(bytes) {
            Ok(text) => text,
            // What follows is not read yet, or is no text.
            Err(fault) => {
                core::str::from_utf8(bytes.get(..fault.valid_up_to()).unwrap_or_default()).unwrap_or_default()
            }
        };
        let Some((note, rest)) = split_note(text) else { return Ok(None) };
        if rest.is_empty() && text.len() < bytes.len() {
            return Ok(None);
        }
        let stated = match Stated::parse(note) {
            Ok(stated) => stated,
            // A machine that lost power may leave a hole where the file grew.
            Err(_fault) if note.contains('\0') => return Ok(None),
            Err(reason) => {
                let reason = format!("at byte {}: {reason}", self.position);
                return Err(altered(&self.layout, CHECKPOINTS, reason));
            }
        };
        self.at += note.len();
        self.position += note.len() as u64;
        Ok(Some(stated))
    }

    /// Returns what is left after the last whole note: its first bytes, and how many there are.
    pub(crate) fn rest(&self) -> (&[u8], u64) {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        (rest, rest.len() as u64 + self.unread)
    }

    /// Reads so much that a whole note is there, if the file holds one.
    fn fill(&mut self) -> Result<(), Error> {
        if self.buffer.len() - self.at > NOTE_BYTES_MAX || self.unread == 0 {
            return Ok(());
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let wanted = self.unread.min(READ_BYTES as u64);
        let read = (&self.file).take(wanted).read_to_end(&mut self.buffer);
        let read =
            read.map_err(|source| Error::io(&self.layout.checkpoints(), "read the list of checkpoints", source))?;
        self.unread = if (read as u64) < wanted { 0 } else { self.unread - read as u64 };
        Ok(())
    }
}

/// Tells whether bytes after the last whole note may be what an interruption, or a write under way, left of the next one:
/// a note of this origin that ends too soon, or has holes of NUL bytes.
pub(crate) fn may_be_unfinished(rest: &[u8], bytes: u64, origin: &str) -> bool {
    let expected = [origin.as_bytes(), b"\n"].concat();
    let begins = rest.iter().zip(&expected).all(|(found, expected)| *found == 0 || found == expected);
    let is_whole = core::str::from_utf8(rest).is_ok_and(|text| split_note(text).is_some()) && !rest.contains(&0);
    bytes <= NOTE_BYTES_MAX as u64 && begins && !is_whole
}

fn altered(layout: &Layout, file: &str, reason: String) -> Error {
    Error::finding(&layout.directory, Finding::in_file(file, Fault::tampered(None, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_interruption_leaves_of_a_note_is_told_from_what_somebody_wrote() {
        let check =
            |rest: &[u8], expect| assert_eq!(may_be_unfinished(rest, rest.len() as u64, "a/b"), expect, "{rest:?}");
        check(b"a/", true);
        check(b"a/b\n12", true);
        check(b"\0\0\0\0\0", true);
        check(b"a/b\n1\n\0\0AAA=\n", true);
        check(b"\0\0\0\n1\nAAAA\n", true);
        check(b"a/b\n1\nAAAA\n", false);
        check(b"a/c", false);
        check(b"x", false);
        check(&[0; NOTE_BYTES_MAX + 1], false);
    }
}

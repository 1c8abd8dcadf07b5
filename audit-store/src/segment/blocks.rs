//! A segment in places that are read alone, whichever form it has: for looking something up, and for going on where the
//! segment grows.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use audit_core::entry::LINE_BYTES_MAX;

use crate::disk;
use crate::layout;
use crate::segment::{Buffer, Compressed, after_last_line_feed, open_either, read_exact_at};

/// How far apart the places of a plain segment are. Each has the beginning of a line, as no line is longer.
const PLACE_BYTES: u64 = 8 * LINE_BYTES;
/// The longest line with its line feed.
const LINE_BYTES: u64 = LINE_BYTES_MAX as u64 + 1;

/// An open segment, in numbered places: each holds the lines that begin in it, and all but the last at least one.
#[derive(Debug)]
pub(crate) struct Blocks {
    form: Form,
    /// The path of the file that was opened.
    path: PathBuf,
}

#[derive(Debug)]
enum Form {
    Plain(File),
    Compressed(Compressed),
}

impl Blocks {
    /// Opens a segment by its path, or the compressed form of one that was sealed meanwhile.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (path, form) = open_either(path, |path| {
            if layout::is_compressed(path) {
                return Compressed::open(path).map(Form::Compressed);
            }
            disk::open_plain(OpenOptions::new().read(true), path).map(Form::Plain)
        });
        Ok(Self { form: form?, path })
    }

    /// Returns the name of the file below the log's directory.
    pub(crate) fn name(&self) -> String {
        layout::below_segments(&self.path)
    }

    /// Tells whether lines may still be added to it.
    pub(crate) const fn may_grow(&self) -> bool {
        matches!(self.form, Form::Plain(_))
    }

    /// Returns how many places there are now.
    pub(crate) fn count(&self) -> io::Result<u64> {
        match &self.form {
            Form::Plain(file) => Ok(file.metadata()?.len().div_ceil(PLACE_BYTES)),
            Form::Compressed(segment) => Ok(segment.count()),
        }
    }

    /// Reads the lines that begin in a place, each with its line feed, into the buffer; one that has none yet is left out.
    pub(crate) fn read(&self, place: u64, buffer: &mut Buffer) -> io::Result<()> {
        match &self.form {
            Form::Compressed(segment) => segment.read(place, buffer),
            Form::Plain(file) => read_plain(file, place, PLACE_BYTES, buffer),
        }
    }

    /// Reads the first line that begins in a place, without its line feed; empty if there is none.
    pub(crate) fn first_line<'a>(&self, place: u64, buffer: &'a mut Buffer) -> io::Result<&'a [u8]> {
        match &self.form {
            Form::Compressed(segment) => segment.read_start(place, LINE_BYTES_MAX + 1, buffer)?,
            Form::Plain(file) => read_plain(file, place, LINE_BYTES, buffer)?,
        }
        Ok(memchr::memchr(b'\n', &buffer.bytes).and_then(|end| buffer.bytes.get(..end)).unwrap_or_default())
    }
}

/// Reads the lines that begin in the first bytes of a place: from the byte before it, which tells whether a line begins
/// there, up to the end of the longest line.
fn read_plain(file: &File, place: u64, bytes: u64, buffer: &mut Buffer) -> io::Result<()> {
    let begin = place.saturating_mul(PLACE_BYTES);
    let from = begin.saturating_sub(1);
    let length = file.metadata()?.len();
    let read = length.saturating_sub(from).min(begin - from + bytes + LINE_BYTES);
    buffer.bytes.resize(usize::try_from(read).unwrap_or(0), 0);
    read_exact_at(file, &mut buffer.bytes, from)?;
    let first = if place == 0 { Some(0) } else { memchr::memchr(b'\n', &buffer.bytes).map(|end| end + 1) };
    let Some(first) = first.filter(|first| from + (*first as u64) < begin + bytes) else {
        buffer.bytes.clear();
        return Ok(());
    };
    // The last line that begins here ends with the first line feed from the last of these bytes on.
    let last = usize::try_from(begin - from + bytes - 1).unwrap_or(usize::MAX);
    let behind = memchr::memchr(b'\n', buffer.bytes.get(last..).unwrap_or_default());
    let end = behind.map_or_else(|| after_last_line_feed(&buffer.bytes), |end| last + end + 1);
    buffer.bytes.truncate(end);
    buffer.bytes.drain(..first.min(end));
    Ok(())
}

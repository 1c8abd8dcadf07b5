//! One segment split into chunks of whole lines, which several threads can read at once.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::entry::LINE_BYTES_MAX;
use audit_core::verify::Tail;

use crate::Error;
use crate::disk;
use crate::layout;
use crate::read::Segment;
use crate::segment::{
    Buffer, CHUNK_BYTES_MAX, Compressed, after_last_line_feed, altered, open_either, read_error, read_exact_at,
};

/// Where a chunk of a plain segment ends: at the first line feed from here on.
const PLAIN_BYTES: usize = 1024 * 1024;
/// How many bytes hold a line feed unless a line is too long.
const LINE_BYTES: usize = LINE_BYTES_MAX + 1;

const _: () = assert!(PLAIN_BYTES + LINE_BYTES <= CHUNK_BYTES_MAX, "a chunk of a plain segment is a chunk");

/// The chunks of one segment, in order: the frames of a compressed one, pieces of about 1 MiB of a plain one.
///
/// Together they are all whole lines of the segment. How long a line is, and what it holds, nobody has looked at.
#[derive(Debug)]
pub struct Chunks {
    source: Arc<Source>,
    /// The index of the next frame, or the place in the plain file.
    next: u64,
    /// The length of the plain file when it was opened: what is appended later is not seen.
    length: u64,
    tail: Vec<u8>,
    /// How many bytes follow the last line feed; all that are not in `tail` are NUL.
    tail_bytes: u64,
    ended: bool,
}

/// What all chunks of a segment share.
#[derive(Debug)]
struct Source {
    log: PathBuf,
    /// The file's name below the log's directory.
    name: String,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Plain(File),
    Compressed(Compressed),
}

impl Source {
    fn error(&self, failed: io::Error) -> Error {
        read_error(&self.log, self.name.clone(), None, failed)
    }
}

/// Whole lines of a segment, to be read by any thread.
#[derive(Clone, Debug)]
pub struct Chunk {
    source: Arc<Source>,
    place: Place,
}

/// The index of a frame, or bytes of a plain segment.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    /// 0 for a frame, whose length is in the table.
    bytes: usize,
}

impl Chunks {
    /// Opens a segment of the log at `log`. A plain one that was sealed since it was listed is read as it is now.
    ///
    /// # Errors
    /// The file cannot be opened, or its seek table is not what it must be ([`Error::is_tampered`]).
    pub fn open(log: &Path, segment: &Segment) -> Result<Self, Error> {
        let (path, form) = open_either(&segment.path, |path| {
            if layout::is_compressed(path) {
                return Compressed::open(path).map(Form::Compressed);
            }
            disk::open_plain(OpenOptions::new().read(true), path).map(Form::Plain)
        });
        let name = layout::below_segments(&path);
        let opened = form.and_then(|form| {
            let length = match &form {
                Form::Plain(file) => file.metadata()?.len(),
                Form::Compressed(_) => 0,
            };
            Ok((form, length))
        });
        let (form, length) = opened.map_err(|failed| read_error(log, name.clone(), None, failed))?;
        let source = Arc::new(Source { log: log.to_owned(), name, form });
        Ok(Self { source, next: 0, length, tail: Vec::new(), tail_bytes: 0, ended: false })
    }

    /// Returns the next chunk without decompressing it, or `None` after the last one.
    ///
    /// An error ends the segment: at its end more bytes than a line has hold no line feed and are not an unfinished
    /// line with nothing but NUL bytes after it ([`Error::is_tampered`]), or the file cannot be read.
    pub fn next_chunk(&mut self) -> Option<Result<Chunk, Error>> {
        if self.ended {
            return None;
        }
        let source = Arc::clone(&self.source);
        let place = match &source.form {
            Form::Compressed(segment) => Ok(self.next_frame(segment)),
            Form::Plain(file) => self.next_bytes(file),
        };
        self.ended = !matches!(place, Ok(Some(_)));
        let place = place.map_err(|failed| source.error(failed)).transpose()?;
        Some(place.map(|place| Chunk { source, place }))
    }

    /// Returns what follows the last line feed, once [`next_chunk`](Self::next_chunk) has returned `None`.
    ///
    /// Only the last segment of a log may have such bytes.
    #[must_use]
    pub fn tail(&self) -> Tail<'_> {
        Tail { bytes: self.tail_bytes, ..Tail::new(&self.tail) }
    }

    fn next_frame(&mut self, segment: &Compressed) -> Option<Place> {
        let start = self.next;
        self.next += 1;
        (start < segment.count()).then_some(Place { start, bytes: 0 })
    }

    fn next_bytes(&mut self, file: &File) -> io::Result<Option<Place>> {
        let offset = self.next;
        let rest = self.length - offset;
        let mut bytes = Vec::new();
        let mut taken = 0;
        if rest > PLAIN_BYTES as u64 {
            // The line that crosses the boundary ends in these bytes, if it is one.
            read_at_most(file, offset + PLAIN_BYTES as u64, self.length, LINE_BYTES, &mut bytes)?;
            taken = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| PLAIN_BYTES + end + 1);
        }
        if taken == 0 {
            read_at_most(file, offset, self.length, PLAIN_BYTES + LINE_BYTES, &mut bytes)?;
            taken = after_last_line_feed(&bytes);
        }
        if taken == 0 {
            bytes.truncate(LINE_BYTES);
            self.end(file, bytes)?;
            return Ok(None);
        }
        self.next += taken as u64;
        Ok(Some(Place { start: offset, bytes: taken }))
    }

    /// Takes the bytes after the last line feed, given as far as a line could go.
    fn end(&mut self, file: &File, tail: Vec<u8>) -> io::Result<()> {
        self.tail_bytes = self.length - self.next;
        self.tail = tail;
        let mut bytes = Vec::new();
        let mut offset = self.next + LINE_BYTES_MAX as u64;
        while offset < self.length {
            read_at_most(file, offset, self.length, PLAIN_BYTES, &mut bytes)?;
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(altered(format!("expected a line feed after at most {LINE_BYTES_MAX} bytes, found none")));
            }
            offset += bytes.len() as u64;
        }
        Ok(())
    }
}

/// Reads the bytes from `offset` on, up to the length of the file and at most so many.
fn read_at_most(file: &File, offset: u64, length: u64, bytes_max: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.resize(usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes_max), 0);
    read_exact_at(file, bytes, offset)
}

impl Chunk {
    /// Reads the chunk: at most [`CHUNK_BYTES_MAX`] bytes of lines, each with its line feed.
    ///
    /// # Errors
    /// A frame is not what the seek table says ([`Error::is_tampered`], without an entry: a chunk does not know its
    /// numbers), or the file cannot be read.
    pub fn read<'a>(&self, buffer: &'a mut Buffer) -> Result<&'a [u8], Error> {
        let read = match &self.source.form {
            Form::Compressed(segment) => segment.read(self.place.start, buffer),
            Form::Plain(file) => {
                buffer.bytes.resize(self.place.bytes, 0);
                read_exact_at(file, &mut buffer.bytes, self.place.start)
            }
        };
        read.map_err(|failed| self.source.error(failed))?;
        Ok(&buffer.bytes)
    }
}

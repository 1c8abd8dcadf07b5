//! Reading a log: its segments in order, its lines one after the other.
//!
//! Nothing is locked and nothing is written, so that a log can be read while another process writes it and seals its
//! segments: what is appended after [`Lines::open`] may or may not be seen. Memory is bounded by one line, and by one
//! frame of a compressed segment ([`CHUNK_BYTES_MAX`](crate::segment::CHUNK_BYTES_MAX)).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use audit_core::entry::LINE_BYTES_MAX;
use audit_core::verify::{Fault, Tail};

use crate::Error;
use crate::layout::{self, Layout, SEGMENTS, SegmentName, Survey};
use crate::segment::{self, Reader, open_either};
use crate::verify::Finding;

/// One file of consecutive entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first entry, which is also its name.
    pub first: u64,
    /// The path of the file.
    pub path: PathBuf,
}

impl Segment {
    /// Returns the name of the file below the log's directory: `segments/<20 digits>.jsonl`, or that and `.zst`.
    #[must_use]
    pub fn name(&self) -> String {
        let is_compressed = self.is_compressed();
        let name = if is_compressed { SegmentName::Compressed(self.first) } else { SegmentName::Plain(self.first) };
        format!("{SEGMENTS}/{name}")
    }

    /// Tells whether the file is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        layout::is_compressed(&self.path)
    }
}

/// The segments of one log, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments(Vec<Segment>);

impl Segments {
    /// Lists the segments of the log at `path`.
    ///
    /// # Errors
    /// The path is no log ([`Error::is_not_a_log`]), a file or directory among the segments is none
    /// ([`Error::is_tampered`]), or the directory cannot be read.
    pub fn list(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let layout = Layout::new(path);
        match layout.survey().map_err(|source| Error::io(path, "look at the log's directory", source))? {
            Survey::Log => {}
            Survey::Empty => return Ok(Self::default()),
            Survey::Absent => return Err(Error::not_a_log(path, "nothing")),
            Survey::NotALog(found) => return Err(Error::not_a_log(path, found)),
        }
        // While a directory is listed, a segment that is sealed meanwhile can be missed under both its names. It is
        // then in the other of two listings.
        let mut segments = names(&layout)?;
        segments.extend(names(&layout)?);
        Ok(Self(segments.into_iter().map(|(first, path)| Segment { first, path }).collect()))
    }

    /// Returns the segments, the one with entry 0 first.
    #[must_use]
    pub fn as_slice(&self) -> &[Segment] {
        &self.0
    }

    /// Returns the segment whose name says that it holds the given entry.
    #[must_use]
    pub fn holding(&self, number: u64) -> Option<&Segment> {
        self.0.iter().rev().find(|segment| segment.first <= number)
    }
}

/// Lists the directory of segments once. Where a segment has both forms the plain one counts: it is removed only after
/// the compressed one is known to be whole.
fn names(layout: &Layout) -> Result<BTreeMap<u64, PathBuf>, Error> {
    let directory = layout.segments();
    let failed = |source| Error::io(&directory, "list the segments", source);
    let entries = match fs::read_dir(&directory) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(failed)?,
    };
    let mut segments = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_file = entry.file_type().map_err(failed)?.is_file();
        let name = entry.file_name();
        match SegmentName::parse(&name.to_string_lossy()) {
            Some(SegmentName::Plain(first)) if is_file => drop(segments.insert(first, entry.path())),
            Some(SegmentName::Compressed(first)) if is_file => {
                segments.entry(first).or_insert_with(|| entry.path());
            }
            Some(SegmentName::Sealing(_)) if is_file => {}
            _ => return Err(Error::finding(&layout.directory, stray(&name.to_string_lossy()))),
        }
    }
    Ok(segments)
}

fn stray(name: &str) -> Finding {
    let reason =
        "expected segments named by the 20 digits of their first entry and `.jsonl` or `.jsonl.zst`, found this";
    Finding { file: Some(format!("{SEGMENTS}/{}", name.escape_debug())), fault: Fault::tampered(None, reason) }
}

/// One line of a log, borrowed from its reader.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// How many lines precede it in the log: the number that its entry must have.
    pub number: u64,
    /// The bytes of the entry, without the line feed.
    pub bytes: &'a [u8],
    /// The path of the segment that holds it.
    pub segment: &'a Path,
}

/// Reads the lines of a log in order, whatever they hold.
#[derive(Debug)]
pub struct Lines {
    log: PathBuf,
    segments: Segments,
    /// The index of the next segment to open.
    next: usize,
    current: Option<Reader>,
    number: u64,
    buffer: Vec<u8>,
    /// How many bytes follow the last line feed; all that are not in the buffer are NUL.
    tail_bytes: u64,
    ended: bool,
}

impl Lines {
    /// Begins to read the log at `path`, at entry 0.
    ///
    /// # Errors
    /// As [`Segments::list`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::of(path, Segments::list(path)?))
    }

    /// Begins to read at or before the given entry: at the segment that holds it, in a compressed one at its frame. The
    /// frame is found by the numbers that the first entries of frames state, and lines are counted from there.
    ///
    /// # Errors
    /// As [`Segments::list`], or a compressed segment is not what it must be ([`Error::is_tampered`]).
    pub fn open_at(path: &Path, number: u64) -> Result<Self, Error> {
        let mut segments = Segments::list(path)?;
        let begin = segments.holding(number).map_or(0, |segment| segment.first);
        segments.0.retain(|segment| segment.first >= begin);
        let mut lines = Self { number: begin, ..Self::of(path, segments) };
        if lines.open_next()?
            && let Some(reader) = &mut lines.current
        {
            let sought = reader.seek(begin, number);
            lines.number = sought.map_err(|failed| lines.failed(failed))?;
        }
        Ok(lines)
    }

    fn of(path: &Path, segments: Segments) -> Self {
        let log = path.to_owned();
        Self { log, segments, next: 0, current: None, number: 0, buffer: Vec::new(), tail_bytes: 0, ended: false }
    }

    /// Returns the next line, or `None` after the last one.
    ///
    /// An error ends the reading: a segment does not begin with the entry that its name says, one but the last does not
    /// end with a line feed, or a line is longer than [`LINE_BYTES_MAX`] and not an unfinished one with nothing but NUL
    /// bytes after it, or a compressed segment is not what it must be (each [`Error::is_tampered`]), or a file cannot be
    /// read.
    pub fn next_line(&mut self) -> Option<Result<Line<'_>, Error>> {
        if self.ended {
            return None;
        }
        let found = self.advance();
        self.ended = !matches!(found, Ok(true));
        match found {
            Err(fault) => return Some(Err(fault)),
            Ok(false) => return None,
            Ok(true) => {}
        }
        let number = self.number;
        self.number += 1;
        let bytes = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let segment = self.segments.0.get(self.next.saturating_sub(1)).map_or(Path::new(""), |segment| &segment.path);
        Some(Ok(Line { number, bytes, segment }))
    }

    /// Returns what follows the last line feed, once [`next_line`](Self::next_line) has returned `None`.
    #[must_use]
    pub fn tail(&self) -> Tail<'_> {
        if !self.ended {
            return Tail::default();
        }
        Tail { bytes: self.tail_bytes, ..Tail::new(&self.buffer) }
    }

    /// Returns the segments that are read.
    #[must_use]
    pub const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// Fills the buffer with the next line and its line feed; false at the end, with the tail in the buffer.
    fn advance(&mut self) -> Result<bool, Error> {
        loop {
            if let Some(reader) = &mut self.current {
                self.buffer.clear();
                // A line and its line feed, and one byte more to see that there is too much.
                let limit = LINE_BYTES_MAX as u64 + 1;
                let read = reader.take(limit).read_until(b'\n', &mut self.buffer);
                read.map_err(|failed| self.failed(failed))?;
                if self.buffer.ends_with(b"\n") {
                    return Ok(true);
                }
                self.tail_bytes = self.buffer.len() as u64;
                if self.buffer.len() > LINE_BYTES_MAX && !self.ends_in_nul()? {
                    let reason = format!("expected a line feed after at most {LINE_BYTES_MAX} bytes, found none");
                    return Err(self.fault(reason));
                }
            }
            if self.current.is_some() && self.next < self.segments.0.len() && self.tail_bytes > 0 {
                let reason = format!("expected a line feed at the end of the segment, found {} bytes", self.tail_bytes);
                return Err(self.fault(reason));
            }
            if !self.open_next()? {
                return Ok(false);
            }
        }
    }

    /// Tells whether all that follows a line in the full buffer, up to the end of the segment, is NUL, and counts it.
    ///
    /// A machine that lost power leaves this: the file had grown, by megabytes even, and its bytes were not on the disk.
    fn ends_in_nul(&mut self) -> Result<bool, Error> {
        let Some(reader) = &mut self.current else { return Ok(false) };
        let mut is_nul = self.buffer.last() == Some(&0);
        while is_nul {
            let chunk = match reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(failed) => return Err(self.failed(failed)),
            };
            let length = chunk.len();
            if length == 0 {
                break;
            }
            is_nul = chunk.iter().all(|byte| *byte == 0);
            reader.consume(length);
            self.tail_bytes += length as u64;
        }
        Ok(is_nul)
    }

    fn open_next(&mut self) -> Result<bool, Error> {
        let Some(segment) = self.segments.0.get_mut(self.next) else { return Ok(false) };
        if segment.first != self.number {
            let reason = format!("expected a segment that begins with entry {}, found this", self.number);
            let finding = Finding { file: Some(segment.name()), fault: Fault::tampered(self.number, reason) };
            return Err(Error::finding(&self.log, finding));
        }
        self.next += 1;
        let (path, opened) = open_either(&segment.path, Reader::open);
        segment.path = path;
        self.current = Some(opened.map_err(|failed| self.failed(failed))?);
        Ok(true)
    }

    fn failed(&self, failed: io::Error) -> Error {
        let file = self.segments.0.get(self.next.saturating_sub(1)).map(Segment::name).unwrap_or_default();
        segment::read_error(&self.log, file, Some(self.number), failed)
    }

    fn fault(&self, reason: String) -> Error {
        let file = self.segments.0.get(self.next.saturating_sub(1)).map(Segment::name);
        Error::finding(&self.log, Finding { file, fault: Fault::tampered(self.number, reason) })
    }
}

#[cfg(test)]
mod tests;

//! Reading a log: its segments in order, its lines one after the other.
//!
//! Nothing is locked and nothing is written, so that a log can be read while another process writes it: what is
//! appended after [`Lines::open`] may or may not be seen. Memory is bounded by one line.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use audit_core::entry::LINE_BYTES_MAX;
use audit_core::verify::{Fault, Tail};

use crate::Error;
use crate::disk;
use crate::layout::{self, Layout, SEGMENTS, Survey};
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
    /// Returns the name of the file below the log's directory: `segments/<20 digits>.jsonl`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{SEGMENTS}/{}", layout::segment_name(self.first))
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
    /// ([`Error::is_tampered`], or [`Error::is_unverifiable`] for a compressed segment, which this version does not
    /// read), or the directory cannot be read.
    pub fn list(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let layout = Layout::new(path);
        match layout.survey().map_err(|source| Error::io(path, "look at the log's directory", source))? {
            Survey::Log => {}
            Survey::Empty => return Ok(Self::default()),
            Survey::Absent => return Err(Error::not_a_log(path, "nothing")),
            Survey::NotALog(found) => return Err(Error::not_a_log(path, found)),
        }
        let directory = layout.segments();
        let failed = |source| Error::io(&directory, "list the segments", source);
        let entries = match fs::read_dir(&directory) {
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            entries => entries.map_err(failed)?,
        };
        let mut segments = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let is_file = entry.file_type().map_err(failed)?.is_file();
            let name = entry.file_name();
            match layout::parse_segment_name(&name.to_string_lossy()) {
                Some(first) if is_file => segments.push(Segment { first, path: entry.path() }),
                _ => return Err(Error::finding(path, stray(&name.to_string_lossy()))),
            }
        }
        segments.sort_by_key(|segment| segment.first);
        Ok(Self(segments))
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

fn stray(name: &str) -> Finding {
    let compressed = name.strip_suffix(".zst").and_then(layout::parse_segment_name).is_some();
    let fault = if compressed {
        Fault::unverifiable("a compressed segment, which this version does not read")
    } else {
        Fault::tampered(None, "expected segments named by the 20 digits of their first entry and `.jsonl`, found this")
    };
    Finding { file: Some(format!("{SEGMENTS}/{}", name.escape_debug())), fault }
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
    current: Option<BufReader<File>>,
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

    /// Begins to read at the segment that holds the given entry.
    ///
    /// # Errors
    /// As [`Segments::list`].
    pub fn open_at(path: &Path, number: u64) -> Result<Self, Error> {
        let mut segments = Segments::list(path)?;
        let begin = segments.holding(number).map_or(0, |segment| segment.first);
        segments.0.retain(|segment| segment.first >= begin);
        Ok(Self { number: begin, ..Self::of(path, segments) })
    }

    fn of(path: &Path, segments: Segments) -> Self {
        let log = path.to_owned();
        Self { log, segments, next: 0, current: None, number: 0, buffer: Vec::new(), tail_bytes: 0, ended: false }
    }

    /// Returns the next line, or `None` after the last one.
    ///
    /// An error ends the reading: a segment does not begin with the entry that its name says, one but the last does not
    /// end with a line feed, or a line is longer than [`LINE_BYTES_MAX`] and not an unfinished one with nothing but NUL
    /// bytes after it (each [`Error::is_tampered`]), or a file cannot be read.
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
                read.map_err(|source| Error::io(&self.log, "read a segment", source))?;
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
            let chunk = reader.fill_buf().map_err(|source| Error::io(&self.log, "read a segment", source))?;
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
        let Some(segment) = self.segments.0.get(self.next) else { return Ok(false) };
        if segment.first != self.number {
            let reason = format!("expected a segment that begins with entry {}, found this", self.number);
            let finding = Finding { file: Some(segment.name()), fault: Fault::tampered(self.number, reason) };
            return Err(Error::finding(&self.log, finding));
        }
        let opened = disk::open_plain(OpenOptions::new().read(true), &segment.path);
        let file = opened.map_err(|source| Error::io(&segment.path, "open the segment", source))?;
        self.current = Some(BufReader::with_capacity(LINE_BYTES_MAX + 1, file));
        self.next += 1;
        Ok(true)
    }

    fn fault(&self, reason: String) -> Error {
        let file = self.segments.0.get(self.next.saturating_sub(1)).map(Segment::name);
        Error::finding(&self.log, Finding { file, fault: Fault::tampered(self.number, reason) })
    }
}

#[cfg(test)]
mod tests;

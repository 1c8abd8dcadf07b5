//! One segment as a stream of bytes, whichever form it has.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use audit_core::entry::{LINE_BYTES_MAX, parse_line};

use crate::disk;
use crate::layout;
use crate::segment::{Buffer, Compressed, altered};

/// Reads the bytes of one segment in order.
#[derive(Debug)]
pub(crate) enum Reader {
    Plain(BufReader<File>),
    Compressed(Box<FrameReader>),
}

impl Reader {
    /// Opens a segment in the form that its name tells.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if layout::is_compressed(path) {
            return Ok(Self::Compressed(Box::new(FrameReader::new(Compressed::open(path)?))));
        }
        let file = disk::open_plain(OpenOptions::new().read(true), path)?;
        Ok(Self::Plain(BufReader::with_capacity(LINE_BYTES_MAX + 1, file)))
    }

    /// Goes to the frame that holds the given entry, and returns the number of the first entry there; a plain segment,
    /// and one that does not hold the entry, stays where it is. `first` is the number of the segment's first entry.
    pub(crate) fn seek(&mut self, first: u64, number: u64) -> io::Result<u64> {
        match self {
            Self::Plain(_) => Ok(first),
            Self::Compressed(frames) => frames.seek(first, number),
        }
    }
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            Self::Compressed(frames) => frames.read(bytes),
        }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(file) => file.fill_buf(),
            Self::Compressed(frames) => frames.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::Plain(file) => file.consume(bytes),
            Self::Compressed(frames) => frames.consume(bytes),
        }
    }
}

/// Reads the frames of a compressed segment, one at a time in memory.
#[derive(Debug)]
pub(crate) struct FrameReader {
    segment: Compressed,
    /// The index of the next frame to read.
    next: u64,
    buffer: Buffer,
    /// How many bytes of the buffer have been consumed.
    consumed: usize,
}

impl FrameReader {
    fn new(segment: Compressed) -> Self {
        Self { segment, next: 0, buffer: Buffer::default(), consumed: 0 }
    }

    /// Finds the last frame that begins at or before the entry. The frames hold consecutive entries, so that each probe
    /// must find a number between those at both ends.
    fn seek(&mut self, first: u64, number: u64) -> io::Result<u64> {
        let (mut low, mut low_first) = (0, first);
        let (mut high, mut high_first) = (self.segment.count(), u64::MAX);
        while number > low_first && high - low > 1 {
            let middle = low + (high - low) / 2;
            let found = self.first_number(middle)?;
            if found <= low_first || found >= high_first {
                return Err(altered(format!(
                    "expected entries in order, found a frame that begins with entry {found}"
                )));
            }
            if found <= number {
                (low, low_first) = (middle, found);
            } else {
                (high, high_first) = (middle, found);
            }
        }
        self.next = low;
        self.buffer.bytes.clear();
        self.consumed = 0;
        Ok(low_first)
    }

    /// Reads the number of the entry with which a frame begins.
    fn first_number(&mut self, index: u64) -> io::Result<u64> {
        self.segment.read(index, &mut self.buffer)?;
        let line = self.buffer.bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let head = parse_line(line);
        let head = head.map_err(|fault| altered(format!("expected a frame that begins with an entry: {fault}")))?;
        Ok(head.sequence.number)
    }
}

impl Read for FrameReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(bytes)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for FrameReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed >= self.buffer.bytes.len() && self.next < self.segment.count() {
            self.segment.read(self.next, &mut self.buffer)?;
            self.next += 1;
            self.consumed = 0;
        }
        Ok(self.buffer.bytes.get(self.consumed..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
    }
}

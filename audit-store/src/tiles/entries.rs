//! The lines and the leaves of given entries, from the segments of a log that may be growing.

use core::ops::Range;
use std::io;

use audit_core::entry::stated_sequence;
use audit_core::hash::Hash;
use audit_core::verify::Fault;

use crate::Error;
use crate::layout::Layout;
use crate::read::Segments;
use crate::segment::{Blocks, Buffer, read_error};
use crate::verify::Finding;

/// Reads entries by their numbers. What it read last stays in memory, so that reading in order reads nothing twice.
///
/// What lines state of their places is believed: what is made of them is checked against a checkpoint.
#[derive(Debug)]
pub(crate) struct Entries {
    layout: Layout,
    current: Option<Current>,
    /// The lines of the place that is read.
    buffer: Buffer,
}

/// Where the reading is.
#[derive(Debug)]
struct Current {
    blocks: Blocks,
    place: u64,
    /// The number of the entry whose line begins at this byte of the buffer, or would begin there.
    number: u64,
    at: usize,
}

impl Entries {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { layout: layout.clone(), current: None, buffer: Buffer::default() }
    }

    /// Gives the lines of consecutive entries to `take`, without their line feeds, and returns the number after the last
    /// one: less than the end of the range if the log holds fewer.
    pub(crate) fn lines(&mut self, range: Range<u64>, mut take: impl FnMut(u64, &[u8])) -> Result<u64, Error> {
        let mut next = range.start;
        while next < range.end && self.seek(next)? {
            let Some(current) = &mut self.current else { break };
            while next < range.end
                && let Some(line) = current.line(&self.buffer)
            {
                take(next, line);
                current.skip(line.len());
                next += 1;
            }
        }
        Ok(next)
    }

    /// Returns the line of one entry; none if the log holds fewer.
    pub(crate) fn line(&mut self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        let mut found = None;
        self.lines(number..number.saturating_add(1), |_number, line| found = Some(line.to_vec()))?;
        Ok(found)
    }

    /// Appends the leaf hashes of consecutive entries, as the entries after them state them. Only the newest entry of
    /// the log is hashed. Tells whether the log holds them all.
    pub(crate) fn leaves(&mut self, range: Range<u64>, leaves: &mut Vec<Hash>) -> Result<bool, Error> {
        let mut unstated = None;
        let found =
            self.lines(range.start + 1..range.end.saturating_add(1), |number, line| {
                match stated_sequence(line).and_then(|sequence| sequence.previous_hash) {
                    Some(hash) => leaves.push(hash),
                    None => unstated = unstated.or(Some(number)),
                }
            })?;
        if let Some(number) = unstated {
            return Err(no_entry(&self.layout, number));
        }
        if found == range.end {
            // Nothing follows that would state it.
            leaves.extend(self.line(range.end - 1)?.map(|line| Hash::leaf(&line)));
        }
        Ok(found >= range.end)
    }

    /// Goes to the line of an entry; false if there is none.
    fn seek(&mut self, number: u64) -> Result<bool, Error> {
        if let Some(current) = &mut self.current {
            if current.go_to(number, &self.buffer) {
                return Ok(true);
            }
            if current.number == number
                && current.go_on(&mut self.buffer).map_err(|failed| failure(&self.layout, &current.blocks, failed))?
                && current.go_to(number, &self.buffer)
            {
                return Ok(true);
            }
        }
        let segments = Segments::list(&self.layout.directory)?;
        let Some(segment) = segments.holding(number) else { return Ok(false) };
        let opened = Blocks::open(&segment.path);
        let blocks = opened.map_err(|failed| read_error(&self.layout.directory, segment.name(), None, failed))?;
        let place = last_place(&blocks, &mut self.buffer, |line| {
            stated_sequence(line).is_some_and(|sequence| sequence.number <= number)
        });
        let place = place.map_err(|failed| failure(&self.layout, &blocks, failed))?;
        let mut current = Current { blocks, place, number: 0, at: 0 };
        let read = current.read(&mut self.buffer).map_err(|failed| failure(&self.layout, &current.blocks, failed))?;
        let is_there = read && current.go_to(number, &self.buffer);
        self.current = Some(current);
        Ok(is_there)
    }
}

impl Current {
    /// Returns the line that is next in the buffer.
    fn line<'a>(&self, buffer: &'a Buffer) -> Option<&'a [u8]> {
        Lines(buffer.bytes.get(self.at..)?).next()
    }

    const fn skip(&mut self, line_bytes: usize) {
        self.at += line_bytes + 1;
        self.number += 1;
    }

    /// Goes on to the line of an entry in the buffer; false if it is not there.
    fn go_to(&mut self, number: u64, buffer: &Buffer) -> bool {
        while self.number <= number
            && let Some(line) = self.line(buffer)
        {
            if self.number == number {
                return true;
            }
            self.skip(line.len());
        }
        false
    }

    /// Reads the place; false if it holds no line, or one that is no entry's.
    fn read(&mut self, buffer: &mut Buffer) -> io::Result<bool> {
        self.blocks.read(self.place, buffer)?;
        self.at = 0;
        let first = Lines(&buffer.bytes).next().and_then(stated_sequence);
        let Some(first) = first else { return Ok(false) };
        self.number = first.number;
        Ok(true)
    }

    /// Reads the next place, or the last one again if it may have grown.
    fn go_on(&mut self, buffer: &mut Buffer) -> io::Result<bool> {
        let count = self.blocks.count()?;
        if self.place + 1 < count {
            self.place += 1;
        } else if !self.blocks.may_grow() {
            return Ok(false);
        }
        self.read(buffer)
    }
}

/// Finds the last place of a segment that begins with a line for which `is_before` holds; the first one if none does.
pub(crate) fn last_place(blocks: &Blocks, buffer: &mut Buffer, is_before: impl Fn(&[u8]) -> bool) -> io::Result<u64> {
    let (mut low, mut high) = (0, blocks.count()?);
    while high.saturating_sub(low) > 1 {
        let middle = low + (high - low) / 2;
        if is_before(blocks.first_line(middle, buffer)?) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn failure(layout: &Layout, blocks: &Blocks, failed: io::Error) -> Error {
    read_error(&layout.directory, blocks.name(), None, failed)
}

pub(crate) fn no_entry(layout: &Layout, number: u64) -> Error {
    let fault = Fault::tampered(number, "expected an entry that states its place, found none");
    Error::finding(&layout.directory, Finding { file: None, fault })
}

/// Whole lines, without their line feeds.
pub(crate) struct Lines<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(b'\n', self.0)?;
        let (line, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..).unwrap_or_default();
        Some(line)
    }
}

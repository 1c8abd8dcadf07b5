//! The journal: two mapped files of fixed length, used in turn, into which calling threads copy finished records.
//!
//! A record is safe against the process being killed the moment [`Journal::append`] returns: its bytes are in pages that
//! belong to the kernel. Nothing on that way locks, allocates or calls the system unless both files are full. One thread
//! takes the records out again, in the order in which their places were reserved, through the [`Drain`]; what it has put
//! into a segment it [`release`](Drain::release)s, and a file that was drained to its end is used again.
//!
//! What is left after a kill is read by [`recover`]. The order at opening is: recover, put the records into the segment,
//! remove both files, make new ones. A kill in between leaves files that are recovered again, and the engine knows by
//! their bytes which records it has already.
//!
//! The journal says nothing about the device: a power failure may take from it what was not yet in a synced segment.
//!
//! ```text
//! journal.0   | header page | slots of generation 2, 4, 6 …
//! journal.1   | header page | slots of generation 3, 5, 7 …
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`slot`] | the bytes of one slot, and how the cursor packs generation and offset |
//! | [`header`] | the bytes of a file's header, written so that a kill leaves the old or the new one |
//! | [`ring`] | the side of those who append: reserve, copy, commit |
//! | [`drain`] | the side of the one who takes out and recycles |
//! | [`memory`] | what the protocol needs of memory and of waiting, so that the model checker runs the same code |
//! | [`map`] | files and mapped memory, with the one piece of `unsafe` |
//! | [`fork`] | how a forked child knows itself |
//! | [`mod@recover`] | reading what a dead process left |

mod drain;
mod fork;
mod header;
mod map;
mod memory;
mod recover;
mod ring;
mod slot;
#[cfg(test)]
mod tests;

use core::sync::atomic::AtomicU64;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use self::fork::ForkMark;
use self::header::PAGE_BYTES;
pub(crate) use self::map::{Mapped, allocate, create_file, map};
pub(crate) use self::recover::{Recovered, recover};
pub(crate) use self::ring::{Appended, Refused};
use self::ring::{Origin, Ring};
pub(crate) use self::slot::{Flags, Meta, Position, Role};

/// The names of the two files in the log's directory.
pub(crate) const FILE_NAMES: [&str; 2] = ["journal.0", "journal.1"];
/// The least length of a file: the header and two of the longest records, in whole pages.
pub(crate) const FILE_BYTES_MIN: u64 = 34 * PAGE_BYTES;
/// The greatest length of a file: the cursor has no room for offsets beyond.
pub(crate) const FILE_BYTES_MAX: u64 = 64 << 20;
/// The length of a file unless somebody says otherwise.
pub(crate) const FILE_BYTES_DEFAULT: u64 = 8 << 20;

/// The number of the first generation. Not 0, so that no word of a new file looks like one of its slots.
const FIRST_GENERATION: u64 = 2;

/// What a new journal belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) stream_id: [u8; 16],
    /// The number of entries in the log by now: no record of this journal gets a smaller number.
    pub(crate) base_entry: u64,
}

/// Starts a journal in two new files of equal length, allocated and all zero.
///
/// # Errors
/// `InvalidInput` if the lengths differ or are out of bounds.
pub(crate) fn start(files: [Mapped; 2], start: Start) -> io::Result<(Journal, Drain)> {
    let [first, second] = files.each_ref().map(Mapped::bytes);
    let is_fit = first == second
        && first % PAGE_BYTES == 0
        && (FILE_BYTES_MIN..=FILE_BYTES_MAX).contains(&first)
        && files.iter().all(|file| file.is_blank());
    if !is_fit {
        let found = format!(
            "expected two new journal files of as many whole pages, of {FILE_BYTES_MIN} to {FILE_BYTES_MAX} bytes, found \
             {first} and {second} bytes"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
    }
    let origin = Origin { stream_id: start.stream_id, base_entry: start.base_entry, generation: FIRST_GENERATION };
    let ring = Arc::new(Ring::start(files, origin));
    let mark = Arc::new(ForkMark::new());
    let drain = drain::Drain::new(Arc::clone(&ring), FIRST_GENERATION);
    Ok((Journal { ring, mark: Arc::clone(&mark) }, Drain { drain, mark }))
}

/// The side of those who append. A clone appends to the same journal.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    ring: Arc<Ring<Mapped>>,
    mark: Arc<ForkMark>,
}

impl Journal {
    /// Copies the record into the journal; when this returns it survives the process.
    ///
    /// Without a deadline this never waits; with one it waits for room until then. The record must be JSON, or at
    /// least hold no zero byte.
    pub(crate) fn append(&self, meta: Meta, record: &[u8], deadline: Option<Instant>) -> Result<Appended, Refused> {
        if self.mark.is_child() {
            return Err(Refused::Forked);
        }
        self.ring.append(meta, record, deadline)
    }

    /// Refuses every append from now on, those that wait included; what was reserved before is still committed.
    pub(crate) fn close(&self) {
        self.ring.close();
    }

    /// Makes recovery pass over the record that was appended with this end and of this length.
    ///
    /// Only for a record that was not released, while nobody releases: once its half is used again, its place may be
    /// another record's. The drain still gives the record out.
    pub(crate) fn spoil(&self, end: Position, record_bytes: usize) {
        if !self.mark.is_child() {
            self.ring.spoil(end, record_bytes);
        }
    }

    /// Tells whether this process is a forked child of the one that started the journal.
    pub(crate) fn is_child(&self) -> bool {
        self.mark.is_child()
    }

    /// Returns the end of everything that was reserved so far.
    pub(crate) fn end(&self) -> Position {
        self.ring.end()
    }

    /// Returns how many bytes lie between a place and a later one.
    pub(crate) fn bytes_between(&self, from: Position, to: Position) -> u64 {
        self.ring.bytes_between(from, to)
    }
}

/// A record that was taken out, still in the journal's memory.
pub(crate) type Slot<'a> = drain::Slot<'a, AtomicU64>;

/// The side of the one who takes records out.
#[derive(Debug)]
pub(crate) struct Drain {
    drain: drain::Drain<Mapped>,
    mark: Arc<ForkMark>,
}

impl Drain {
    /// Takes the next record out, in the order of reservation; none if there is none, or if it is still being copied.
    pub(crate) fn next(&mut self) -> Option<Slot<'_>> {
        self.drain.next()
    }

    /// Says that all records taken out so far are in the segment and that the log has that many entries by now.
    ///
    /// In a forked child this does nothing: the files are the parent's.
    pub(crate) fn release(&mut self, entries: u64) {
        if !self.mark.is_child() {
            self.drain.release(entries);
        }
    }

    /// Tells whether everything that was reserved so far was taken out.
    pub(crate) fn is_empty(&self) -> bool {
        self.drain.backlog_bytes() == 0
    }

    /// Tells whether the journal is closed and everything in it was taken out.
    pub(crate) fn is_finished(&self) -> bool {
        self.drain.is_finished()
    }

    /// Returns the end of the last record that was taken out.
    pub(crate) fn position(&self) -> Position {
        self.drain.position()
    }
}

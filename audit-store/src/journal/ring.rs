//! The side of those who append: a slot is reserved, filled and committed.
//!
//! One word, the cursor, says where the next slot begins. Reserving is one successful compare-and-exchange of it: `n`
//! words on in the same half, or, where they do not fit, to the beginning of the next generation in the other half. An
//! exchange rather than an addition, so that the cursor never points outside a half, a record that does not fit takes
//! no room from shorter ones, and the room that is kept for closing records is kept to the byte. Whoever moves the
//! cursor to the other half marks the end of the one left.
//!
//! ```text
//! cursor     closed (1 bit) | generation (39 bits) | offset in words (24 bits)
//! available  the last generation whose half may be filled: generation n + 2 when n was drained and released
//! ```
//!
//! # Why it holds
//! - Places are reserved once: the cursor only grows, and each growth has one owner.
//! - A slot is read only after its first word was stored with release and loaded with acquire, hence whole.
//! - A half is written again only after its last reader is done: the drain stores `available` with release, whoever
//!   moves the cursor to that generation has loaded it with acquire and passes that on through the cursor, which
//!   everybody exchanges with acquire and release.
//! - A thread cannot die between reserving and committing while the process lives: what it does there cannot panic.

use core::sync::atomic::Ordering::{Acquire, Release};
use std::time::Instant;

use super::header::{self, Header, PAGE_BYTES};
use super::memory::{Gate, Memory, Word};
use super::slot::{
    self, Cursor, GENERATION_MAX, Head, Mark, Meta, Position, RECORD_BYTES_MAX, Role, WORD_BYTES, index, number,
};

/// What an appended record is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The end of the record's slot.
    pub(crate) position: Position,
    /// True if another eighth to quarter of a half is full: whoever drains should not sleep on.
    pub(crate) wake: bool,
}

/// Why a record was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There was no room, until the deadline if there was one.
    Full,
    /// The journal is closed.
    Closed,
    /// The process is a forked child of the one that the journal belongs to.
    Forked,
    /// The record has more than [`RECORD_BYTES_MAX`] bytes.
    TooLarge,
}

/// Where a journal begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) stream_id: [u8; 16],
    pub(super) base_entry: u64,
    pub(super) generation: u64,
}

/// A value that has its cache lines for itself: the two words are written by different threads. Processors fetch lines
/// in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<W>(W);

#[derive(Debug)]
pub(super) struct Ring<M: Memory> {
    cursor: Apart<M::Word>,
    available: Apart<M::Word>,
    halves: [M; 2],
    gate: M::Gate,
    stream_id: [u8; 16],
    /// Words in a half.
    capacity: u64,
    /// Words in a half that records which end no call may use while the other half is not free.
    limit: u64,
    /// A wake is due whenever the cursor passes a multiple of two to this power.
    wake_shift: u32,
}

/// A slot that is reserved and not committed yet.
struct Reserved {
    start: Position,
    /// What was left behind in the other half, if the slot is the first of its generation.
    left: Option<Position>,
}

impl<M: Memory> Ring<M> {
    /// Starts with two halves whose memory is all zero.
    pub(super) fn start(halves: [M; 2], origin: Origin) -> Self {
        let capacity = halves.iter().map(|half| half.slots().len()).min().map_or(0, number);
        let ring = Self {
            cursor: Apart(M::Word::new(Position::new(origin.generation, 0).as_u64())),
            available: Apart(M::Word::new(origin.generation + 1)),
            halves,
            gate: M::Gate::default(),
            stream_id: origin.stream_id,
            capacity,
            limit: capacity - capacity / 8,
            wake_shift: (capacity / 4).checked_ilog2().unwrap_or(0),
        };
        ring.write_header(origin.generation, origin.base_entry);
        ring.write_header(origin.generation + 1, origin.base_entry);
        ring
    }

    #[inline]
    pub(super) fn append(&self, meta: Meta, record: &[u8], deadline: Option<Instant>) -> Result<Appended, Refused> {
        let words = number(slot::slot_words(record.len()));
        if record.len() > RECORD_BYTES_MAX || words > self.capacity {
            return Err(Refused::TooLarge);
        }
        // Before anything is reserved: until it is committed, a slot holds up all that come after it.
        let head = Head::new(meta, record);
        let reserved = match (self.reserve(meta.role, words), deadline) {
            (Err(Refused::Full), Some(deadline)) => self.reserve_before(deadline, meta.role, words)?,
            (reserved, _) => reserved?,
        };
        Ok(self.fill(reserved, head, record))
    }

    pub(super) fn close(&self) {
        self.cursor.0.set(Cursor::CLOSED);
        self.gate.open();
    }

    pub(super) fn end(&self) -> Position {
        self.load_cursor().position()
    }

    /// Returns how many bytes lie between a place and a later one: in one half, or from the end of one to the other.
    pub(super) fn bytes_between(&self, from: Position, to: Position) -> u64 {
        let before = if from.generation() == to.generation() { 0 } else { self.capacity };
        (before + to.offset()).saturating_sub(from.offset()) * number(WORD_BYTES)
    }

    #[cfg(test)]
    pub(super) fn free_bytes(&self) -> u64 {
        let end = self.end();
        let other = if self.available() > end.generation() { self.capacity } else { 0 };
        (self.capacity - end.offset() + other) * number(WORD_BYTES)
    }

    /// Reserves a slot, or says why not; never waits.
    #[inline]
    fn reserve(&self, role: Role, words: u64) -> Result<Reserved, Refused> {
        let mut cursor = self.load_cursor();
        loop {
            if cursor.is_closed() {
                return Err(Refused::Closed);
            }
            let start = cursor.position();
            let reserved = self.place(start, role, words).ok_or(Refused::Full)?;
            match self.cursor.0.exchange(cursor.0, reserved.start.plus(words).as_u64()) {
                Ok(()) => return Ok(reserved),
                Err(found) => cursor = Cursor(found),
            }
        }
    }

    /// Finds the place for so many words if the cursor is at `end`.
    #[inline]
    fn place(&self, end: Position, role: Role, words: u64) -> Option<Reserved> {
        let here = Reserved { start: end, left: None };
        let after = end.offset() + words;
        if after <= self.limit {
            return Some(here);
        }
        let next_is_free = self.available() > end.generation() && end.generation() < GENERATION_MAX;
        if after <= self.capacity && (role == Role::Ends || next_is_free) {
            return Some(here);
        }
        next_is_free.then(|| Reserved { start: Position::new(end.generation() + 1, 0), left: Some(end) })
    }

    /// Waits for room. A thread that waits has taken none.
    #[cold]
    fn reserve_before(&self, deadline: Instant, role: Role, words: u64) -> Result<Reserved, Refused> {
        let attempt = || match self.reserve(role, words) {
            Err(Refused::Full) => None,
            other => Some(other),
        };
        self.gate.wait_for(deadline, attempt).unwrap_or(Err(Refused::Full))
    }

    #[inline]
    fn fill(&self, reserved: Reserved, head: Head, record: &[u8]) -> Appended {
        if let Some(left) = reserved.left {
            self.mark_end(left);
        }
        let start = reserved.start;
        let end = start.plus(number(slot::slot_words(record.len())));
        let slots = self.half(start.generation()).slots();
        if let Some(words) = slots.get(index(start.offset())..index(end.offset())) {
            slot::write(words, start.generation(), head, record);
        }
        let is_crossed = start.offset() >> self.wake_shift != end.offset() >> self.wake_shift;
        Appended { position: end, wake: is_crossed || reserved.left.is_some() }
    }

    /// Tells the drain that nothing follows in the half. A half that is full to its last word needs no mark.
    #[cold]
    fn mark_end(&self, left: Position) {
        if let Some(word) = self.half(left.generation()).slots().get(index(left.offset())) {
            word.store(Mark::End.word(left.generation()), Release);
        }
    }

    /// Makes recovery pass over a slot that was committed and not released; see [`Journal::spoil`](super::Journal::spoil).
    pub(super) fn spoil(&self, end: Position, record_bytes: usize) {
        let words = slot::slot_words(record_bytes);
        let slots = self.half(end.generation()).slots();
        let Some(start) = index(end.offset()).checked_sub(words) else { return };
        if let Some(words) = slots.get(start..start + words) {
            slot::spoil(words, end.generation(), record_bytes);
        }
    }

    /// Gives the half of the generation, whose older slots are all in the segment, to those who append.
    pub(super) fn recycle(&self, generation: u64, base_entry: u64) {
        self.write_header(generation, base_entry);
        self.available.0.store(generation, Release);
        self.gate.open();
    }

    fn write_header(&self, generation: u64, base_entry: u64) {
        let file_bytes = PAGE_BYTES + self.capacity * number(WORD_BYTES);
        let header = Header { stream_id: self.stream_id, file_bytes, generation, base_entry };
        header.write(self.half(generation).header().get(..header::WORDS).unwrap_or_default());
    }

    pub(super) fn half(&self, generation: u64) -> &M {
        let [even, odd] = &self.halves;
        if generation & 1 == 0 { even } else { odd }
    }

    pub(super) fn load_cursor(&self) -> Cursor {
        Cursor(self.cursor.0.load(Acquire))
    }

    pub(super) fn available(&self) -> u64 {
        self.available.0.load(Acquire)
    }

    pub(super) const fn capacity(&self) -> u64 {
        self.capacity
    }
}

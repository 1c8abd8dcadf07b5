//! The side of the one who takes records out and gives drained halves back.

use core::sync::atomic::Ordering::Acquire;
use std::sync::Arc;

use super::memory::{Memory, Word};
use super::ring::Ring;
use super::slot::{self, Mark, Meta, Position, WORD_BYTES, index, number};

/// The one reader of a ring: its place is in no shared memory.
#[derive(Debug)]
pub(super) struct Drain<M: Memory> {
    ring: Arc<Ring<M>>,
    /// Where the next slot begins.
    next: Position,
    /// The end of the last slot that was taken out.
    end: Position,
    /// The last generation whose half was given back, which nobody else changes.
    recycled: u64,
}

/// A record that was taken out, still in the journal's memory.
#[derive(Debug)]
pub(crate) struct Slot<'a, W> {
    words: &'a [W],
    length: usize,
    meta: Meta,
    position: Position,
}

#[allow(private_bounds, reason = "the crate names this type only through an alias with the word filled in")]
impl<W: Word> Slot<'_, W> {
    /// Returns what the append of this record was told.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// Returns what was kept beside the record's bytes.
    pub(crate) const fn meta(&self) -> Meta {
        self.meta
    }

    /// Counts the record's bytes.
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// Appends the record's bytes to others. They are copied because no reference into memory that may be written by
    /// others is ever made.
    pub(crate) fn copy_to(&self, bytes: &mut Vec<u8>) {
        slot::copy_record(self.words, self.length, bytes);
    }
}

impl<M: Memory> Drain<M> {
    /// Begins at the first slot of the generation.
    pub(super) fn new(ring: Arc<Ring<M>>, generation: u64) -> Self {
        let start = Position::new(generation, 0);
        Self { ring, next: start, end: start, recycled: generation + 1 }
    }

    pub(super) fn next(&mut self) -> Option<Slot<'_, M::Word>> {
        let Some(Mark::Record(length)) = self.pass_end() else { return None };
        let start = self.next;
        let end = start.plus(number(slot::slot_words(length)));
        let words = self.ring.half(start.generation()).slots().get(index(start.offset())..index(end.offset()))?;
        self.next = end;
        self.end = end;
        Some(Slot { words, length, meta: slot::read_meta(words), position: end })
    }

    pub(super) fn release(&mut self, entries: u64) {
        self.pass_end();
        // All generations before this one were drained to their end. Theirs may be both halves, if this one has not
        // begun.
        while self.recycled <= self.next.generation() {
            self.recycled += 1;
            self.ring.recycle(self.recycled, entries);
        }
    }

    pub(super) fn backlog_bytes(&self) -> u64 {
        let end = self.ring.end();
        let words = if end <= self.next {
            0
        } else if end.generation() == self.next.generation() {
            end.offset() - self.next.offset()
        } else {
            self.ring.capacity() - self.next.offset() + end.offset()
        };
        words * number(WORD_BYTES)
    }

    pub(super) fn is_finished(&self) -> bool {
        let cursor = self.ring.load_cursor();
        cursor.is_closed() && cursor.position() <= self.next
    }

    pub(super) const fn position(&self) -> Position {
        self.end
    }

    /// Goes on to the next generation where this one has ended, and reads what begins there.
    fn pass_end(&mut self) -> Option<Mark> {
        loop {
            let generation = self.next.generation();
            let slots = self.ring.half(generation).slots();
            if let Some(word) = slots.get(index(self.next.offset())) {
                let mark = Mark::read(word.load(Acquire), generation);
                if mark != Some(Mark::End) {
                    return mark;
                }
            }
            self.next = Position::new(generation + 1, 0);
        }
    }
}

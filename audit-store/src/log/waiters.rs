//! Who waits for which record, and for how much.

use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use audit_core::sink::{AppendError, Appended, Completion};
use audit_core::vocabulary::Durability;

use crate::journal::Position;
use crate::log::append::busy;

/// Someone who waits for a record to be written, or to be on the disk.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) completion: Completion,
    pub(super) durability: Durability,
    /// When the waiting ends with an error; none for one who waits for ever.
    pub(super) deadline: Option<Instant>,
    /// How long that is from the beginning.
    pub(super) patience: Duration,
    /// How long the record is.
    pub(super) record_bytes: usize,
}

/// What is told to one waiter. Told outside the log's lock: wakers are foreign code that may call the log.
#[must_use = "a waiter that is not told waits for ever"]
pub(super) struct Told {
    completion: Completion,
    result: Result<Appended, AppendError>,
}

impl Told {
    pub(super) fn tell(self) {
        // A waker that panics must not take the other waiters with it.
        let _panicked = catch_unwind(AssertUnwindSafe(|| self.completion.resolve(self.result)));
    }
}

impl Waiter {
    pub(super) fn told(self, result: Result<Appended, AppendError>) -> Told {
        Told { completion: self.completion, result }
    }

    /// Tells one who is late why: what stands in the way, or that it took too long.
    pub(super) fn told_late(self, obstacle: Option<&AppendError>) -> Told {
        let patience = self.patience;
        self.told(Err(obstacle.cloned().unwrap_or_else(|| busy(patience))))
    }

    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// All who wait for records that went through the journal.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// Those whose record is not written yet, by its place in the journal.
    unwritten: HashMap<Position, Waiter>,
    /// Records that were written before the one who asked for their place came to wait.
    places: HashMap<Position, Appended>,
    /// Those whose record is written and not yet on the disk.
    unsynced: Vec<(Waiter, Appended)>,
    /// Records whose waiter was told that they are not in the log: the writer passes over them.
    void: HashSet<Position>,
}

impl Waiters {
    /// Takes one who asked for the record at this place; returns what can be told at once.
    pub(super) fn wait(&mut self, position: Position, waiter: Waiter) -> Option<Told> {
        let Some(appended) = self.places.remove(&position) else {
            self.unwritten.insert(position, waiter);
            return None;
        };
        self.place(waiter, appended)
    }

    /// Notes where the record at this place, which is asked for, was written. Returns what can be told at once, and whether
    /// its waiter was told before that it is not in the log.
    pub(super) fn written(&mut self, position: Position, appended: Appended) -> (Option<Told>, bool) {
        if self.void.remove(&position) {
            return (None, true);
        }
        let Some(waiter) = self.unwritten.remove(&position) else {
            self.places.insert(position, appended);
            return (None, false);
        };
        (self.place(waiter, appended), false)
    }

    /// Takes one whose record is written; returns what can be told at once.
    pub(super) fn place(&mut self, waiter: Waiter, appended: Appended) -> Option<Told> {
        if waiter.durability > Durability::Os {
            self.unsynced.push((waiter, appended));
            return None;
        }
        Some(waiter.told(Ok(appended)))
    }

    /// Returns what is told once the first `size` entries are on the disk.
    pub(super) fn synced(&mut self, size: u64) -> Vec<Told> {
        let synced = self.unsynced.extract_if(.., |(_waiter, appended)| appended.number < size);
        let durable = |appended| Appended { durable: Durability::Disk, ..appended };
        synced.map(|(waiter, appended)| waiter.told(Ok(durable(appended)))).collect()
    }

    /// Ends all waiting, as nothing more will be written. Returns what is told, and the places and lengths of the records
    /// that are not in the log.
    pub(super) fn fail(&mut self, fault: &AppendError) -> (Vec<Told>, Vec<(Position, usize)>) {
        let unwritten: Vec<_> = self.unwritten.drain().collect();
        let void = unwritten.iter().map(|(position, waiter)| (*position, waiter.record_bytes)).collect();
        let unwritten = unwritten.into_iter().map(|(_position, waiter)| waiter);
        let unsynced = self.unsynced.drain(..).map(|(waiter, _appended)| waiter);
        (unwritten.chain(unsynced).map(|waiter| waiter.told(Err(fault.clone()))).collect(), void)
    }

    /// Ends the waiting of those whose time is over. Returns what is told to them, and the places and lengths of the
    /// records that are void from now on.
    pub(super) fn expire(
        &mut self,
        now: Instant,
        obstacle: Option<&AppendError>,
    ) -> (Vec<Told>, Vec<(Position, usize)>) {
        let late: Vec<_> = self.unwritten.extract_if(|_position, waiter| waiter.is_late(now)).collect();
        let void: Vec<_> = late.iter().map(|(position, waiter)| (*position, waiter.record_bytes)).collect();
        self.void.extend(void.iter().map(|(position, _length)| *position));
        let unsynced = self.unsynced.extract_if(.., |(waiter, _appended)| waiter.is_late(now));
        let late = late.into_iter().map(|(_position, waiter)| waiter);
        let late = late.chain(unsynced.map(|(waiter, _appended)| waiter));
        (late.map(|waiter| waiter.told_late(obstacle)).collect(), void)
    }

    /// Takes the record at this place out of those that are void; false if it is none.
    pub(super) fn pass_over(&mut self, position: Position) -> bool {
        self.void.remove(&position)
    }

    /// Tells whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.unwritten.is_empty() && self.unsynced.is_empty()
    }

    /// Tells whether the record of someone who waits for the disk is written.
    pub(super) const fn is_any_written(&self) -> bool {
        !self.unsynced.is_empty()
    }

    /// Tells whether someone waits for the disk.
    pub(super) fn is_any_durable(&self) -> bool {
        self.is_any_written() || self.unwritten.values().any(|waiter| waiter.durability > Durability::Os)
    }
}

//! The protocol under a model checker, which runs all orders of its steps within bounds.
//!
//! The code is that of the journal; only words and the gate are the checker's. A word of a slot that is stored with
//! release or loaded with acquire is one of its atomics. All others are its cells, in which it finds any access that is
//! not ordered after the one before: so a torn or early read is an error even if it happened to give the right value.
//!
//! Explored: two threads that append and one that drains, halves of one or two slots, one of them filled before, so that
//! the threads meet at the end of a half or wait for one to be released. In all orders in which at most two times a
//! thread that could go on has to wait (once where the journal is closed in the middle).

use core::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};

use super::super::FIRST_GENERATION;
use super::super::drain::Drain;
use super::super::memory::{Gate, Memory, Word};
use super::super::ring::{Origin, Refused, Ring};
use super::super::slot::Role;
use super::{Plain, SHORT, STREAM, drain_all, meta};

/// An atomic for what is ordered, and a cell for what is not.
///
/// All slots are of one length here, so each word is always one or always the other.
#[derive(Debug)]
struct Checked {
    ordered: loom::sync::atomic::AtomicU64,
    access: UnsafeCell<()>,
    /// What the cell holds. Not seen by the checker, which sees the accesses.
    plain: std::sync::atomic::AtomicU64,
}

impl Word for Checked {
    fn new(value: u64) -> Self {
        Self {
            ordered: loom::sync::atomic::AtomicU64::new(value),
            access: UnsafeCell::new(()),
            plain: std::sync::atomic::AtomicU64::new(value),
        }
    }

    fn load(&self, ordering: Ordering) -> u64 {
        match ordering {
            Ordering::Relaxed => self.access.with(|_| self.plain.load(ordering)),
            _ => self.ordered.load(ordering),
        }
    }

    fn store(&self, value: u64, ordering: Ordering) {
        match ordering {
            Ordering::Relaxed => self.access.with_mut(|_| self.plain.store(value, ordering)),
            _ => self.ordered.store(value, ordering),
        }
    }

    fn exchange(&self, expected: u64, value: u64) -> Result<(), u64> {
        self.ordered.compare_exchange(expected, value, Ordering::AcqRel, Ordering::Relaxed).map(drop)
    }

    fn set(&self, bits: u64) {
        self.ordered.fetch_or(bits, Ordering::AcqRel);
    }
}

/// The gate of the journal without its clock: who waits for ever shows as a deadlock.
#[derive(Debug)]
struct CheckedGate {
    order: Mutex<()>,
    opened: Condvar,
}

impl Default for CheckedGate {
    fn default() -> Self {
        Self { order: Mutex::new(()), opened: Condvar::new() }
    }
}

impl Gate for CheckedGate {
    fn wait_for<T>(&self, _deadline: Instant, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let mut order = self.order.lock().unwrap();
        loop {
            if let Some(result) = attempt() {
                return Some(result);
            }
            order = self.opened.wait(order).unwrap();
        }
    }

    fn open(&self) {
        drop(self.order.lock().unwrap());
        self.opened.notify_all();
    }
}

impl Memory for Plain<Checked> {
    type Word = Checked;
    type Gate = CheckedGate;

    /// None: while the journal runs nobody reads it, so that its order is nothing to check here.
    fn header(&self) -> &[Checked] {
        &[]
    }

    fn slots(&self) -> &[Checked] {
        &self.slots
    }
}

/// What the two threads do.
#[derive(Clone, Copy)]
struct Plan {
    half_words: usize,
    /// How many records are there before the threads begin.
    before: usize,
    records: [usize; 2],
    /// The first thread closes when it is done, whatever the other one does. Else the last one does.
    closes_early: bool,
    /// Whether threads wait for room.
    waits: bool,
}

fn check(plan: Plan, preemptions: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(move || run(plan));
}

#[allow(clippy::arc_with_non_send_sync, reason = "the checker's threads are not real ones, nor are its cells")]
fn run(plan: Plan) {
    let origin = Origin { stream_id: STREAM, base_entry: 0, generation: FIRST_GENERATION };
    let half = || Plain::<Checked>::new(plan.half_words);
    let ring = Arc::new(Ring::start([half(), half()], origin));
    let mut drain = Drain::new(Arc::clone(&ring), FIRST_GENERATION);
    for _ in 0..plan.before {
        ring.append(meta(Role::Ends), b"before", None).unwrap();
    }
    let running = Arc::new(std::sync::atomic::AtomicUsize::new(2));
    let threads = [0, 1].map(|thread| {
        let (ring, running) = (Arc::clone(&ring), Arc::clone(&running));
        loom::thread::spawn(move || {
            let acknowledged = append(&ring, thread, plan);
            let is_last = running.fetch_sub(1, Ordering::Relaxed) == 1;
            if is_last || plan.closes_early && thread == 0 {
                ring.close();
            }
            acknowledged
        })
    });

    let mut taken = Vec::new();
    while !drain.is_finished() {
        let before = taken.len();
        taken.extend(drain_all(&mut drain));
        drain.release(u64::try_from(taken.len()).unwrap());
        if taken.len() == before {
            loom::thread::yield_now();
        }
    }
    assert!(taken.iter().take(plan.before).all(|record| record == "before"));
    for (thread, handle) in threads.into_iter().enumerate() {
        let acknowledged = handle.join().unwrap();
        let of_thread: Vec<_> =
            taken.iter().filter(|record| record.starts_with(&thread.to_string())).cloned().collect();
        assert_eq!(of_thread, acknowledged, "each acknowledged record once and in order, and no other");
        if plan.waits && !plan.closes_early {
            assert_eq!(acknowledged.len(), plan.records[thread]);
        }
    }
}

fn append(ring: &Ring<Plain<Checked>>, thread: usize, plan: Plan) -> Vec<String> {
    let deadline = plan.waits.then(|| Instant::now() + Duration::from_secs(1));
    let mut acknowledged = Vec::new();
    for number in 0..plan.records[thread] {
        let record = format!("{thread}-{number}");
        match ring.append(meta(Role::Ends), record.as_bytes(), deadline) {
            Ok(_) => acknowledged.push(record),
            Err(Refused::Closed) => {}
            Err(refused) => assert!(refused == Refused::Full && !plan.waits),
        }
    }
    acknowledged
}

#[test]
fn nothing_is_lost_doubled_or_torn_while_threads_wait_for_room() {
    check(Plan { half_words: SHORT + 1, before: 1, records: [1, 1], closes_early: false, waits: true }, 2);
}

#[test]
fn nothing_is_lost_doubled_or_torn_while_halves_change() {
    check(Plan { half_words: 2 * SHORT, before: 1, records: [1, 1], closes_early: false, waits: false }, 2);
}

#[test]
fn closing_in_the_middle_loses_nothing_that_was_acknowledged() {
    check(Plan { half_words: SHORT + 1, before: 1, records: [1, 1], closes_early: true, waits: true }, 1);
}

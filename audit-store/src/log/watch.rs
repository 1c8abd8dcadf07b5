//! The watching thread: it ends the waiting of those whose time is over, also while the writer and the committer hang in a
//! system call.

use core::time::Duration;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use audit_core::sink::AppendError;

use crate::log::Shared;
use crate::log::state::{Phase, State};
use crate::log::waiters::Told;

/// How often it looks while someone waits.
const TICK: Duration = Duration::from_millis(20);

/// Watches until the log has ended.
pub(super) fn run(shared: &Shared) {
    loop {
        let state = shared.state();
        let is_idle = |state: &mut State| {
            state.is_watched = state.is_anyone_waiting();
            state.phase != Phase::Ended && !state.is_watched
        };
        let state = shared.watch.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        if state.phase == Phase::Ended {
            return;
        }
        let is_waiting = |state: &mut State| state.phase != Phase::Ended;
        let waited = shared.watch.wait_timeout_while(state, TICK, is_waiting);
        let (state, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        shared.expire(state, Instant::now());
    }
}

impl Shared {
    /// Ends the waiting of those whose time is over at the given instant.
    pub(super) fn expire(&self, mut state: MutexGuard<'_, State>, now: Instant) {
        let obstacle = state.obstacle.clone();
        let (mut told, void) = state.waiters.expire(now, obstacle.as_ref());
        let time = self.clock.now();
        for (position, record_bytes) in &void {
            state.refusals.add(time);
            // A process that dies now leaves no record that its caller was told is none.
            self.journal.spoil(*position, *record_bytes);
        }
        self.void.fetch_add(void.len(), Ordering::AcqRel);
        told.extend(state.expire_queue(now, time, obstacle.as_ref()));
        drop(state);
        told.into_iter().for_each(Told::tell);
    }
}

impl State {
    fn is_anyone_waiting(&self) -> bool {
        !self.waiters.is_empty() || self.queue.iter().any(|queued| queued.waiter.is_some())
    }

    /// Ends the waiting in memory of those whose time is over. What is not being written will not be.
    fn expire_queue(
        &mut self,
        now: Instant,
        time: audit_core::time::Time,
        obstacle: Option<&AppendError>,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        let (mut index, in_batch) = (0, self.in_batch);
        let refusals = &mut self.refusals;
        self.queue.retain_mut(|queued| {
            let is_being_written = index < in_batch;
            index += 1;
            let Some(waiter) = queued.waiter.take_if(|waiter| waiter.is_late(now)) else { return true };
            told.push(waiter.told_late(obstacle));
            refusals.add(time);
            is_being_written
        });
        told
    }
}

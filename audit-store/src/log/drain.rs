//! The writing thread: it takes records out of the journal, in order, and gives them to the writer.

use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use audit_core::id::CallId;
use audit_core::sink::{AppendError, AppendErrorKind};
use audit_core::time::Time;
use audit_core::verify;
use audit_core::vocabulary::Stage;

use crate::journal::{Drain, Position, Slot};
use crate::log::Shared;
use crate::log::append::{ASKED, call_of};
use crate::log::seal::Job;
use crate::log::state::{Phase, State};
use crate::log::waiters::Told;
use crate::log::writer::{self, Writer};

/// How much is written at once: enough that the system call does not count, and little enough for the processor's cache.
const BATCH_BYTES: usize = 256 * 1024;
/// How often the thread looks into the journal. Callers do not call it, which would cost them a system call; it looks
/// less often the longer it finds nothing.
const POLL_MIN: Duration = Duration::from_micros(500);
const POLL_MAX: Duration = Duration::from_millis(50);
/// How long it waits before it tries again what failed.
const RETRY_MAX: Duration = Duration::from_secs(1);
/// How many bytes may be written before the committer brings them to the disk, whoever waits: so the end of a segment does
/// not have to wait for much.
const UNSYNCED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How much the clock may go back against the steady one before the log says so.
const STEP_MIN: Duration = Duration::from_secs(1);

/// What the thread owns.
pub(super) struct Writing {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Writer,
    drain: Drain,
    batch: Vec<Placed>,
    /// What could not be written; it goes first.
    held: VecDeque<Held>,
    /// How many records of the queue are in the batch.
    queued: usize,
    unsynced_bytes: u64,
    /// The time and the steady time when they were last compared.
    times: (Time, Duration),
}

/// What is known of a record without reading it.
#[derive(Clone, Copy)]
struct Slip {
    call: Option<(CallId, Stage)>,
    /// Its place in the journal, if someone asked for the record.
    asked: Option<Position>,
}

/// A record of the batch.
struct Placed {
    slip: Slip,
    number: u64,
}

/// A record that could not be written yet, taken out of the journal and still in it.
struct Held {
    slip: Slip,
    record: Vec<u8>,
}

impl Slip {
    fn of(slot: &Slot<'_>) -> Self {
        let meta = slot.meta();
        let call = call_of(meta);
        Self { call, asked: (meta.flags == ASKED).then(|| slot.position()) }
    }
}

/// What came of one turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Wrote,
    Nothing,
    Failed,
}

impl Writing {
    pub(super) fn new(shared: Arc<Shared>, writer: Writer, drain: Drain) -> Self {
        let clock = &writer.events.clock;
        let times = (clock.now(), clock.steady());
        Self { shared, writer, drain, batch: Vec::new(), held: VecDeque::new(), queued: 0, unsynced_bytes: 0, times }
    }

    /// Writes until the log is closed or has failed.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _ending = Ending(&shared);
        let mut pause = POLL_MIN;
        loop {
            let turn = self.turn();
            let state = shared.state();
            if state.fault.is_some() {
                // The locks are held until someone closes the log.
                let is_open = |state: &mut State| state.phase == Phase::Open;
                let _closing = shared.drain.wait_while(state, is_open);
                break;
            }
            if state.phase == Phase::Closing && (turn == Turn::Failed || self.is_time_to_end(&state, turn)) {
                drop(state);
                return self.end();
            }
            pause = match turn {
                Turn::Wrote => POLL_MIN,
                Turn::Nothing => (pause * 2).min(if state.phase == Phase::Closing { POLL_MIN } else { POLL_MAX }),
                Turn::Failed => (pause * 2).min(RETRY_MAX),
            };
            if turn != Turn::Wrote {
                shared.wait_for_work(state, pause);
            }
        }
    }

    fn is_time_to_end(&self, state: &State, turn: Turn) -> bool {
        let is_late = state.close_deadline.is_none_or(|deadline| deadline <= Instant::now());
        turn == Turn::Nothing && (self.writer.calls.open.is_empty() || is_late)
    }

    /// Writes what there is, up to the limit of a batch.
    fn turn(&mut self) -> Turn {
        let size = self.writer.tree.frontier.size();
        match self.write() {
            Ok(()) if self.writer.tree.frontier.size() > size => Turn::Wrote,
            Ok(()) => Turn::Nothing,
            Err(fault) => {
                self.rewind();
                self.report(fault);
                Turn::Failed
            }
        }
    }

    fn write(&mut self) -> Result<(), AppendError> {
        if self.held.is_empty() && self.drain.is_empty() && !self.is_called_for() {
            return Ok(());
        }
        self.state_dropped()?;
        self.state_clock()?;
        self.state_rotation()?;
        self.state_anchored()?;
        while let Some(held) = self.held.pop_front() {
            self.move_record(held.slip, held.record)?;
        }
        // What waits in memory has its place between records of the journal.
        let end = self.shared.journal_end();
        while self.writer.batch.bytes().len() < BATCH_BYTES && self.drain.position() < end {
            let Some(slot) = self.drain.next() else { break };
            let slip = Slip::of(&slot);
            if slip.asked.is_none() && !self.writer.is_full_for(slot.len()) {
                let number = self.writer.push_with(|bytes| slot.copy_to(bytes));
                self.note(slip, number);
            } else {
                let mut record = Vec::new();
                slot.copy_to(&mut record);
                self.move_record(slip, record)?;
            }
        }
        self.push_queue()?;
        self.flush()?;
        self.drain.release(self.writer.tree.frontier.size());
        self.publish();
        Ok(())
    }

    /// Moves a record into the batch, unless its caller was told that it is not in the log. If it fails, the record is
    /// held.
    fn move_record(&mut self, slip: Slip, record: Vec<u8>) -> Result<(), AppendError> {
        if slip.asked.is_some_and(|position| self.is_void(position)) {
            return Ok(());
        }
        if let Err(fault) = self.make_room(record.len()) {
            self.held.push_front(Held { slip, record });
            return Err(fault);
        }
        let number = self.writer.push(&record);
        self.note(slip, number);
        Ok(())
    }

    /// Notes a record that is in the batch.
    fn note(&mut self, slip: Slip, number: u64) {
        self.batch.push(Placed { slip, number });
    }

    fn is_void(&self, position: Position) -> bool {
        // Hardly ever is one: the lock is not taken to see that there is none.
        let is_void = self.shared.void.load(Ordering::Acquire) > 0 && self.shared.state().waiters.pass_over(position);
        if is_void {
            self.shared.void.fetch_sub(1, Ordering::AcqRel);
        }
        is_void
    }

    /// Begins the next segment if the record does not fit into this one.
    fn make_room(&mut self, record_bytes: usize) -> Result<(), AppendError> {
        if !self.writer.is_full_for(record_bytes) {
            return Ok(());
        }
        self.flush()?;
        self.rotate()
    }

    /// Tells whether there is something to write that is not in the journal.
    fn is_called_for(&self) -> bool {
        let state = self.shared.state();
        !state.queue.is_empty()
            || state.next_key.is_some()
            || !state.anchored.events.is_empty()
            || (state.refusals.dropped > 0 && state.obstacle.is_some())
    }

    /// States how many records were refused, as soon as writing works again.
    fn state_dropped(&mut self) -> Result<(), AppendError> {
        let (count, span) = {
            let state = self.shared.state();
            (state.refusals.dropped, state.refusals.span)
        };
        if count == 0 {
            return Ok(());
        }
        let record = self.writer.events.dropped(count, span);
        self.write_own(&record)?;
        self.shared.state().refusals.note_recorded(count);
        Ok(())
    }

    /// Names the key that the committer made as the next one.
    fn state_rotation(&mut self) -> Result<(), AppendError> {
        let Some(key) = self.shared.state().next_key.clone() else { return Ok(()) };
        let record = self.writer.events.key_rotated(&key);
        // Said before it is written: the commit that covers it may come at once.
        let entry = self.writer.next_number();
        self.shared.state().rotated_at = Some(entry);
        let written = self.write_own(&record);
        if written.is_ok() {
            self.writer.calls.note_rotation(entry, key);
        }
        let mut state = self.shared.state();
        match &written {
            Ok(()) => state.next_key = None,
            Err(_fault) => state.rotated_at = None,
        }
        written
    }

    /// Names the next key before the log is closed, if it is to be replaced then.
    fn rotate_at_close(&mut self) -> Result<(), AppendError> {
        let next_key = self.shared.files.issuer().as_mut().and_then(|issuer| {
            let at_close = issuer.signing.as_ref().is_some_and(|signing| signing.rotation().at_close);
            issuer.prepare_rotation(at_close)
        });
        if next_key.is_some() {
            self.shared.state().next_key = next_key;
        }
        self.state_rotation()
    }

    /// States that the clock went back: entries are ordered by their number, not by their time.
    fn state_clock(&mut self) -> Result<(), AppendError> {
        let (time, steady) = self.times;
        let clock = &self.writer.events.clock;
        let now = (clock.now(), clock.steady());
        let expected = Time::from_unix(time.since_unix() + now.1.saturating_sub(steady));
        let back = expected.since_unix().saturating_sub(now.0.since_unix());
        if back > STEP_MIN {
            let record = self.writer.events.clock_stepped(expected, now.0);
            self.write_own(&record)?;
        }
        self.times = now;
        Ok(())
    }

    /// Writes a record of the log's own.
    pub(super) fn write_own(&mut self, record: &[u8]) -> Result<(), AppendError> {
        self.make_room(record.len())?;
        self.writer.push(record);
        self.flush()
    }

    /// Adds the records that wait in memory for what is in the batch or written by now.
    fn push_queue(&mut self) -> Result<(), AppendError> {
        let shared = Arc::clone(&self.shared);
        let position = self.drain.position();
        loop {
            let mut state = shared.state();
            let taken = self.queued;
            let mut is_full = false;
            for queued in state.queue.iter().skip(taken).take_while(|queued| queued.after <= position) {
                is_full = self.writer.is_full_for(queued.record.len());
                if is_full {
                    break;
                }
                let number = self.writer.push(&queued.record);
                self.batch.push(Placed { slip: Slip { call: queued.call, asked: None }, number });
                self.queued += 1;
            }
            state.in_batch = self.queued;
            if !is_full {
                return Ok(());
            }
            drop(state);
            self.flush()?;
            self.rotate()?;
        }
    }

    /// Writes the batch and tells those who wait for it.
    fn flush(&mut self) -> Result<(), AppendError> {
        let bytes = self.writer.batch.bytes().len() as u64;
        if bytes == 0 {
            return Ok(());
        }
        self.writer.flush()?;
        self.unsynced_bytes += bytes;
        self.settle().into_iter().for_each(Told::tell);
        Ok(())
    }

    /// Tells those who wait for all that was appended that it is written.
    fn publish(&self) {
        let mut state = self.shared.state();
        state.written.position = self.drain.position();
        if state.flushing > 0 {
            self.shared.progress.notify_all();
        }
    }

    /// Tells the others what is written now; returns what is told to those who wait.
    fn settle(&mut self) -> Vec<Told> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let mut told = Vec::new();
        let asked =
            self.batch.iter().filter_map(|placed| Some((placed.slip.asked?, self.writer.place(placed.number)?)));
        for (position, appended) in asked {
            let (result, was_void) = state.waiters.written(position, appended);
            told.extend(result);
            if was_void {
                shared.void.fetch_sub(1, Ordering::AcqRel);
                state.refusals.take_back();
            }
        }
        // Those of the queue are the last ones of the batch.
        let places = self.batch.get(self.batch.len() - self.queued..).unwrap_or_default();
        for (queued, placed) in state.queue.drain(..self.queued).collect::<Vec<_>>().into_iter().zip(places) {
            match queued.waiter.zip(self.writer.place(placed.number)) {
                Some((waiter, appended)) => told.extend(state.waiters.place(waiter, appended)),
                None => state.refusals.take_back(),
            }
        }
        state.in_batch = 0;
        state.obstacle = None;
        state.written.tree.clone_from(&self.writer.tree.frontier);
        self.note_written(&mut state);
        drop(state);
        for placed in self.batch.drain(..) {
            if let Some((call, stage)) = placed.slip.call {
                self.writer.calls.note(call, stage, placed.number);
            }
        }
        self.queued = 0;
        told
    }

    /// Tells the committer that there is something to do.
    fn note_written(&mut self, state: &mut State) {
        if self.unsynced_bytes > UNSYNCED_BYTES_MAX {
            state.is_commit_due = true;
            self.unsynced_bytes = 0;
        }
        self.shared.work.notify_one();
    }

    /// Begins the next segment, and leaves the full one to be sealed.
    fn rotate(&mut self) -> Result<(), AppendError> {
        let first = self.writer.segment_first;
        self.writer.rotate()?;
        self.unsynced_bytes = 0;
        {
            // Before the sealing takes the full segment away: a commit looks whether the one that it was given is there.
            let mut state = self.shared.state();
            state.written.segment = Arc::clone(&self.writer.segment);
            state.is_commit_due = true;
        }
        let summary = self.writer.calls.summary(self.writer.stream_id, self.writer.tree.frontier.size());
        let state = verify::State { summary, tree: self.writer.tree.clone() };
        self.shared.sealer.add(Job { first, state: Some(state) });
        Ok(())
    }

    /// Takes the batch apart again; what came out of the journal is held until it can be written.
    fn rewind(&mut self) {
        let from_journal = self.batch.len() - self.queued;
        let numbers: HashMap<u64, Slip> =
            self.batch.drain(..).take(from_journal).map(|placed| (placed.number, placed.slip)).collect();
        let lines = self.writer.batch.bytes().split(|byte| *byte == b'\n');
        let lines: Vec<(u64, &[u8])> = (self.writer.tree.frontier.size()..).zip(lines).collect();
        for (number, line) in lines.into_iter().rev() {
            // Records of the log's own are made again.
            let Some(slip) = numbers.get(&number) else { continue };
            self.held.push_front(Held { slip: *slip, record: writer::record_of(line).to_vec() });
        }
        self.writer.batch.clear();
        self.queued = 0;
        let mut state = self.shared.state();
        state.in_batch = 0;
        // Whose caller was told meanwhile that they are not in the log are not written any more.
        state.queue.retain(|queued| queued.waiter.is_some());
    }

    /// Tells why nothing can be written, now or any more.
    fn report(&self, fault: AppendError) {
        if fault.is_final() {
            self.shared.fail(fault);
        } else {
            self.shared.state().obstacle = Some(fault);
        }
    }

    /// Writes all that was accepted and `log.closed`, and leaves the rest to the committer.
    fn end(mut self) {
        self.shared.journal.close();
        let mut turn = Turn::Wrote;
        while turn != Turn::Failed && !(turn == Turn::Nothing && self.drain.is_finished() && self.held.is_empty()) {
            turn = self.turn();
            if turn == Turn::Nothing {
                // A thread has reserved its place and is copying its record there.
                std::thread::yield_now();
            }
        }
        let end = if turn == Turn::Failed { Err(self.obstacle()) } else { self.write_closed() };
        let mut state = self.shared.state();
        state.is_drained = turn != Turn::Failed;
        state.end = end.err();
        state.phase = Phase::Ending;
    }

    fn obstacle(&self) -> AppendError {
        let state = self.shared.state();
        let fault = state.fault.clone().or_else(|| state.obstacle.clone());
        fault.unwrap_or_else(|| AppendError::new(AppendErrorKind::Io, "found no reason"))
    }

    fn write_closed(&mut self) -> Result<(), AppendError> {
        let written = self.state_dropped().and_then(|()| self.rotate_at_close()).and_then(|()| {
            let dropped = self.shared.state().refusals.recorded;
            let unrecorded = self.shared.policing.take_unrecorded();
            let record = self.writer.events.closed(dropped, &self.writer.calls.in_order(), &unrecorded);
            self.write_own(&record).inspect_err(|_fault| self.shared.policing.put_back_unrecorded(&unrecorded))
        });
        written.inspect_err(|_fault| self.rewind())
    }
}

/// Leaves the log to the committer when the thread ends, however it ends.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        // The committer may have been quicker.
        let is_closed = matches!(self.0.state().phase, Phase::Ending | Phase::Ended);
        if !is_closed {
            let found = "the writing thread ended before the log was closed";
            let fault = self.0.fail(AppendError::new(AppendErrorKind::Poisoned, found));
            let mut state = self.0.state();
            state.end.get_or_insert(fault);
            state.phase = Phase::Ending;
        }
        self.0.work.notify_one();
        self.0.progress.notify_all();
    }
}

impl Shared {
    /// Returns the end of what may be taken out of the journal before records that wait in memory have their turn: what is
    /// appended from now on is behind those that come to wait from now on.
    fn journal_end(&self) -> Position {
        let state = self.state();
        state.queue.front().map_or_else(|| self.journal.end(), |queued| queued.after)
    }

    /// Waits until someone calls the writing thread, or the pause is over.
    fn wait_for_work(&self, mut state: MutexGuard<'_, State>, pause: Duration) {
        if !state.is_called {
            let waited = self.drain.wait_timeout_while(state, pause, |state| !state.is_called);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.is_called = false;
    }
}

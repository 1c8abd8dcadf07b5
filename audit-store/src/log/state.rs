//! What the writer's lock protects: the writer, the open calls and who waits for what.

use core::time::Duration;
use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use audit_core::id::CallId;
use audit_core::sink::{AppendError, AppendErrorKind, Appended, Completion, Prepared};
use audit_core::vocabulary::{Durability, Stage};

use crate::log::writer::{ActiveSegment, Writer};

/// How far a log is on its way from open to closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Records are accepted.
    Open,
    /// No call may begin any more; open ones may end.
    Closing,
    /// The last entry is written; the committer has to bring it to the disk.
    Ending,
    /// The lock is released.
    Ended,
}

/// Who waits for an entry to be on the disk.
#[derive(Debug)]
pub(super) struct Waiter {
    completion: Completion,
    appended: Appended,
}

impl Waiter {
    pub(super) fn new(completion: Completion, appended: Appended) -> Self {
        Self { completion, appended }
    }

    pub(super) fn resolve(self, synced: Result<(), AppendError>) {
        self.completion.resolve(synced.map(|()| Appended { durable: Durability::Disk, ..self.appended }));
    }
}

/// The state of an open log, under its one lock.
pub(super) struct State {
    pub(super) writer: Writer,
    /// The calls that have begun and not ended, with the number of the entry that began them.
    pub(super) open_calls: HashMap<CallId, u64>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) phase: Phase,
    /// How many entries the checkpoint on the disk covers.
    pub(super) committed: u64,
    /// When that checkpoint was written, by the steady clock.
    pub(super) committed_time: Duration,
    /// Held until the end.
    pub(super) locks: Option<Locks>,
    /// Why the log could not be closed as it should.
    pub(super) end: Option<AppendError>,
    /// Records that were refused and that the log, now ended, does not count.
    pub(super) uncounted: u64,
}

/// The files that keep other writers away; their locks end with them.
#[derive(Debug)]
pub(super) struct Locks {
    /// The file `lock`.
    pub(super) lock: File,
    /// The directory of segments, which cannot be removed alone as the file can; not every system locks a directory.
    pub(super) segments: Option<File>,
}

impl Locks {
    /// Releases both locks also where a process that was forked off and has not yet run its program holds copies of the
    /// files. Never called in such a process: that would release the log of the one that writes it.
    pub(super) fn release(self) {
        for file in self.segments.iter().chain([&self.lock]) {
            // If it fails, the lock ends when the last copy of the file is closed.
            let _released_later = file.unlock();
        }
    }
}

impl State {
    /// Appends a record, if the phase allows it, and keeps track of its call.
    ///
    /// `checked` is what [`check`](crate::log::writer::check) said of it.
    pub(super) fn append(
        &mut self,
        prepared: &Prepared<'_>,
        checked: Result<(), AppendError>,
    ) -> Result<Appended, AppendError> {
        match self.phase {
            Phase::Open => {}
            Phase::Closing if prepared.stage() != Stage::Started => {}
            Phase::Closing => return Err(closed("found a call that begins while the log is being closed")),
            Phase::Ending | Phase::Ended => return Err(closed("found a record after `log.closed`")),
        }
        let appended = self.writer.append_checked(prepared.record(), checked)?;
        if let Some(call_id) = prepared.call_id() {
            if prepared.stage() == Stage::Started {
                self.open_calls.insert(call_id, appended.number);
            } else if prepared.stage().ends_call() {
                self.open_calls.remove(&call_id);
            }
        }
        Ok(appended)
    }

    /// Writes `log.closed` and leaves the rest to the committer.
    pub(super) fn end(&mut self) {
        self.phase = Phase::Ending;
        // Failed appends that are not counted in the log yet are counted just before this record.
        let dropped = self.writer.dropped_recorded + self.writer.dropped;
        let record = self.writer.events.closed(dropped, &in_order(&self.open_calls));
        self.end = self.writer.append_last(&record).err();
        self.give_back_dropped();
    }

    /// Leaves what the log could not count to the next one of this process.
    pub(super) fn give_back_dropped(&mut self) {
        self.uncounted += self.writer.give_back_dropped();
    }

    /// Tells whether the checkpoint over a batch may be left to the next commit: one follows at once, as someone waits
    /// for it, and the last checkpoint is younger than the interval.
    pub(super) fn may_skip_checkpoint(&self, batch: &Batch, commit_interval: Duration) -> bool {
        let age = self.writer.events.clock.steady().saturating_sub(self.committed_time);
        !self.waiters.is_empty() && !batch.rotated && self.phase != Phase::Ending && age < commit_interval
    }

    /// Notes the checkpoint that was written.
    pub(super) fn note_checkpoint(&mut self, size: u64) {
        self.committed = size;
        self.committed_time = self.writer.events.clock.steady();
    }

    /// Tells whether nothing is left for the committer to do now or later.
    pub(super) fn is_idle(&self) -> bool {
        let is_clean = self.committed == self.writer.size() || self.writer.fault.is_some();
        is_clean && !self.is_urgent()
    }

    /// Tells whether the committer should not wait for its interval to pass.
    pub(super) fn is_urgent(&self) -> bool {
        !self.waiters.is_empty() || self.writer.rotated || self.phase == Phase::Ending
    }

    /// Takes what one commit brings to the disk.
    pub(super) fn batch(&mut self) -> Batch {
        Batch {
            rotated: core::mem::take(&mut self.writer.rotated),
            fault: self.writer.fault.clone(),
            segment: Arc::clone(&self.writer.segment),
            tree: self.writer.tree.frontier.clone(),
            waiters: core::mem::take(&mut self.waiters),
            committed: self.committed,
        }
    }
}

/// The entries that one commit covers, and who waits for them.
pub(super) struct Batch {
    /// A segment was begun since the last commit.
    pub(super) rotated: bool,
    pub(super) fault: Option<AppendError>,
    pub(super) segment: Arc<ActiveSegment>,
    pub(super) tree: audit_core::tree::Frontier,
    pub(super) waiters: Vec<Waiter>,
    pub(super) committed: u64,
}

/// Returns the calls in the order of their start.
pub(super) fn in_order(open_calls: &HashMap<CallId, u64>) -> Vec<CallId> {
    let mut calls: Vec<(u64, CallId)> = open_calls.iter().map(|(call_id, number)| (*number, *call_id)).collect();
    calls.sort_unstable();
    calls.into_iter().map(|(_number, call_id)| call_id).collect()
}

fn closed(found: &'static str) -> AppendError {
    AppendError::new(AppendErrorKind::Closed, found)
}

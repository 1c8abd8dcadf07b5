//! What the writer, the committer and those who wait share, under one lock that nobody holds across IO.

use core::time::Duration;
use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use audit_core::id::CallId;
use audit_core::sink::AppendError;
use audit_core::time::Time;
use audit_core::tree::Frontier;
use audit_core::unrecorded::Gap;
use audit_core::vocabulary::Stage;

use crate::blobs::Staged;
use crate::journal::Position;
use crate::log::Process;
use crate::log::anchoring::Anchored;
use crate::log::waiters::{Told, Waiter, Waiters};
use crate::log::writer::ActiveSegment;

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

/// The state of an open log, under its one lock.
pub(super) struct State {
    pub(super) phase: Phase,
    /// When those who close the log stop waiting for open calls.
    pub(super) close_deadline: Option<Instant>,
    /// Why nothing more is accepted; the first reason stays.
    pub(super) fault: Option<AppendError>,
    /// What keeps the writer from writing, until it succeeds again.
    pub(super) obstacle: Option<AppendError>,
    pub(super) refusals: Refusals,
    pub(super) waiters: Waiters,
    /// Records of asynchronous callers that found the journal full.
    pub(super) queue: VecDeque<Queued>,
    /// How many of them, from the front, are being written.
    pub(super) in_batch: usize,
    pub(super) written: Written,
    /// Someone wants the writer to look now.
    pub(super) is_called: bool,
    /// The watching thread looks regularly.
    pub(super) is_watched: bool,
    /// The blobs that no commit has brought to the disk.
    pub(super) unsynced_blobs: Vec<Staged>,
    /// How many threads wait for all that was appended to be written.
    pub(super) flushing: usize,
    /// How many entries the checkpoint on the disk covers.
    pub(super) committed: u64,
    /// When that checkpoint was written, by the steady clock.
    pub(super) committed_time: Duration,
    /// So much was written since the last commit that the next should not wait.
    pub(super) is_commit_due: bool,
    /// The key that an entry should name as the next one.
    pub(super) next_key: Option<String>,
    /// The entry that names the next key, if no checkpoint covers it yet.
    pub(super) rotated_at: Option<u64>,
    /// What is to be recorded of anchors.
    pub(super) anchored: Anchored,
    /// Held until the end.
    pub(super) locks: Option<Locks>,
    /// Why the log could not be closed as it should.
    pub(super) end: Option<AppendError>,
    /// How many threads wait for the log to be closed.
    pub(super) closing: usize,
    /// Records that were refused and that the log, now ended, does not count.
    pub(super) uncounted: u64,
    /// The journal holds nothing that is not in a segment, and never will.
    pub(super) is_drained: bool,
}

/// What the segments hold, as far as the writer got.
pub(super) struct Written {
    /// The place in the journal up to which everything is in a segment.
    pub(super) position: Position,
    pub(super) tree: Frontier,
    /// The segment that is written to. What the ones before it hold is on the disk.
    pub(super) segment: Arc<ActiveSegment>,
}

/// A record that waits in memory for room.
pub(super) struct Queued {
    /// Where the journal ended when it came: all before that was appended before, all behind it afterwards.
    pub(super) after: Position,
    pub(super) record: Vec<u8>,
    pub(super) call: Option<(CallId, Stage)>,
    /// None once its time is over while it is being written.
    pub(super) waiter: Option<Waiter>,
}

/// Records that were refused.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Not yet counted in the log.
    pub(super) dropped: u64,
    /// When the first and the last of them were refused.
    pub(super) span: Option<(Time, Time)>,
    /// Counted in the log, since it was opened.
    pub(super) recorded: u64,
}

impl Refusals {
    pub(super) fn add(&mut self, now: Time) {
        self.dropped += 1;
        self.span = Some((self.span.map_or(now, |(first, _last)| first), now));
    }

    /// Takes back one that was told to be refused and was written after all.
    pub(super) const fn take_back(&mut self) {
        self.dropped = self.dropped.saturating_sub(1);
    }

    /// Notes that the log states this many.
    pub(super) fn note_recorded(&mut self, count: u64) {
        self.recorded += count;
        self.dropped = self.dropped.saturating_sub(count);
        if self.dropped == 0 {
            self.span = None;
        }
    }
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
    /// Returns the state of a log that was just opened, with a checkpoint over so many entries, of that time, and records
    /// that it states to have been dropped.
    pub(super) fn new(
        written: Written,
        (committed, committed_time): (u64, Duration),
        dropped: u64,
        locks: Locks,
    ) -> Self {
        Self {
            phase: Phase::Open,
            close_deadline: None,
            fault: None,
            obstacle: None,
            refusals: Refusals { recorded: dropped, ..Refusals::default() },
            waiters: Waiters::default(),
            queue: VecDeque::new(),
            in_batch: 0,
            written,
            is_called: false,
            is_watched: false,
            unsynced_blobs: Vec::new(),
            flushing: 0,
            committed,
            committed_time,
            is_commit_due: false,
            next_key: None,
            rotated_at: None,
            anchored: Anchored::default(),
            locks: Some(locks),
            end: None,
            closing: 0,
            uncounted: 0,
            is_drained: false,
        }
    }

    /// Returns how many entries the segments hold.
    pub(super) const fn size(&self) -> u64 {
        self.written.tree.size()
    }

    /// Accepts nothing from now on; the first reason stays, and is returned.
    pub(super) fn fail(&mut self, fault: AppendError) -> AppendError {
        self.fault.get_or_insert(fault).clone()
    }

    /// Ends all waiting. Returns what is told, and the places and lengths of the records that are not in the log.
    pub(super) fn end_waiting(&mut self, fault: &AppendError) -> (Vec<Told>, Vec<(Position, usize)>) {
        let (mut told, void) = self.waiters.fail(fault);
        let queued = self.queue.drain(..).filter_map(|queued| queued.waiter);
        told.extend(queued.map(|waiter| waiter.told(Err(fault.clone()))));
        (told, void)
    }

    /// Leaves the records that were refused and are not counted in the log to the next one of this process.
    pub(super) fn give_back_dropped(&mut self, process: &Process) {
        let count = core::mem::take(&mut self.refusals.dropped);
        self.uncounted += count;
        if let Some((first, last)) = self.refusals.span.take() {
            (process.put_back_gap)(Gap { count, first, last });
        }
    }

    /// Tells whether the checkpoint over a batch may be left to the next commit: one follows at once, as someone waits
    /// for it or much is written, and the last checkpoint is younger than the interval.
    pub(super) fn may_skip_checkpoint(&self, batch: &Batch, now: Duration, commit_interval: Duration) -> bool {
        let follows = self.waiters.is_any_durable() || batch.was_due;
        follows && self.phase != Phase::Ending && now.saturating_sub(self.committed_time) < commit_interval
    }

    /// Tells whether nothing is left for the committer to do now or later.
    pub(super) fn is_committed(&self) -> bool {
        let is_clean = self.committed == self.size() || self.fault.is_some();
        is_clean && !self.is_commit_urgent()
    }

    /// Tells whether the committer should not wait for its interval to pass.
    pub(super) fn is_commit_urgent(&self) -> bool {
        let is_failed = self.fault.is_some();
        self.phase == Phase::Ending || (!is_failed && (self.is_commit_due || self.waiters.is_any_written()))
    }

    /// Tells what one commit brings to the disk.
    pub(super) fn batch(&mut self) -> Batch {
        Batch {
            fault: self.fault.clone(),
            segment: Arc::clone(&self.written.segment),
            tree: self.written.tree.clone(),
            committed: self.committed,
            blobs: core::mem::take(&mut self.unsynced_blobs),
            was_due: core::mem::take(&mut self.is_commit_due),
            rotated_at: self.rotated_at.filter(|entry| *entry < self.written.tree.size()),
        }
    }
}

/// The entries that one commit covers.
pub(super) struct Batch {
    pub(super) fault: Option<AppendError>,
    pub(super) segment: Arc<ActiveSegment>,
    pub(super) tree: Frontier,
    pub(super) committed: u64,
    /// What their records refer to.
    pub(super) blobs: Vec<Staged>,
    /// The commit came for what was written, not for someone who waits.
    pub(super) was_due: bool,
    /// The entry among them that names the next key.
    pub(super) rotated_at: Option<u64>,
}

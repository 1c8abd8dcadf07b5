//! The committer: the one thread of a log that brings entries to the disk and writes checkpoints.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use audit_core::checkpoint::Checkpoint;
use audit_core::sink::{AppendError, AppendErrorKind};
use audit_core::tree::Frontier;

use crate::disk;
use crate::layout::CHECKPOINT;
use crate::log::Shared;
use crate::log::state::{Phase, Waiter};
use crate::log::writer::{ActiveSegment, refusal, replaced};

/// Commits whenever someone waits, a segment is full or the interval has passed, until the log has ended.
pub(super) fn run(shared: &Shared) {
    let _ending = Ending(shared);
    loop {
        let state = shared.state();
        let state = shared.work.wait_while(state, |state| state.is_idle());
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = shared.work.wait_timeout_while(state, shared.commit_interval, |state| !state.is_urgent());
        let (state, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_last = state.phase == Phase::Ending;
        drop(state);
        let committed = shared.commit();
        if is_last {
            if let Err(fault) = committed {
                shared.state().end.get_or_insert(fault);
            }
            return;
        }
    }
}

impl Shared {
    /// Brings all entries to the disk, tells those who wait for them, and writes the checkpoint over them, unless others
    /// wait by then.
    ///
    /// The lock is not held meanwhile, so that appending goes on. Only the committer calls this, and the opening of the
    /// log before there is one.
    pub(super) fn commit(&self) -> Result<(), AppendError> {
        let mut batch = self.state().batch();
        let synced = match batch.fault.take() {
            Some(fault) => Err(fault),
            None => self.sync(&batch.segment).map_err(|fault| self.fail(fault)),
        };
        for waiter in batch.waiters.drain(..) {
            resolve(waiter, synced.clone());
        }
        synced?;
        let size = batch.tree.size();
        // A checkpoint costs two more trips to the disk, which those who wait already would have to wait for.
        if size > batch.committed && !self.state().may_skip_checkpoint(&batch, self.commit_interval) {
            self.write_checkpoint(&batch.tree)?;
            self.state().note_checkpoint(size);
        }
        Ok(())
    }

    fn sync(&self, segment: &ActiveSegment) -> Result<(), AppendError> {
        if let Err(source) = self.disk.sync(&segment.file) {
            let found = format!("a segment could not be brought to the disk: {source}");
            return Err(AppendError::new(AppendErrorKind::Poisoned, found).caused_by(source));
        }
        // An fsync succeeds on a file that no path leads to any more.
        for (identity, path) in [(segment.identity, segment.path.clone()), (self.lock_identity, self.layout.lock())] {
            if !identity.is_at(&path) {
                return Err(replaced(&path));
            }
        }
        Ok(())
    }

    fn write_checkpoint(&self, tree: &Frontier) -> Result<(), AppendError> {
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: tree.size(), root: tree.root() }.to_string();
        let replaced = disk::replace(&*self.disk, &self.layout.directory, CHECKPOINT, checkpoint.as_bytes());
        replaced.map_err(|fault| {
            if !fault.sync_failed {
                // The entries are on the disk; the next commit writes a checkpoint over them.
                return refusal("write the checkpoint", fault.source);
            }
            let found = format!("the checkpoint could not be brought to the disk: {}", fault.source);
            self.fail(AppendError::new(AppendErrorKind::Poisoned, found).caused_by(fault.source))
        })
    }

    fn fail(&self, fault: AppendError) -> AppendError {
        let fault = self.state().writer.fail(fault);
        self.progress.notify_all();
        fault
    }
}

/// Wakes a waiter. Wakers are foreign code: one that panics must not take the other waiters with it.
fn resolve(waiter: Waiter, synced: Result<(), AppendError>) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| waiter.resolve(synced)));
}

/// Releases the log when the committer ends, however it ends.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if state.phase != Phase::Ending {
            let fault =
                AppendError::new(AppendErrorKind::Poisoned, "the committing thread ended before the log was closed");
            state.writer.fail(fault.clone());
            state.end.get_or_insert(fault);
        }
        state.phase = Phase::Ended;
        state.give_back_dropped();
        let locks = state.locks.take();
        let waiters = core::mem::take(&mut state.waiters);
        drop(state);
        if let Some(locks) = locks {
            locks.release();
        }
        // Dropped unresolved they resolve to an error, outside the lock: their wakers may call us.
        for waiter in waiters {
            let _panicked = catch_unwind(AssertUnwindSafe(|| drop(waiter)));
        }
        self.0.progress.notify_all();
    }
}

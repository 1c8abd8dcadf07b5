//! The committer: the one thread of a log that brings entries to the disk and writes checkpoints.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit_core::observe;
use audit_core::sink::{AppendError, AppendErrorKind};
use audit_core::verify::Head;

use crate::Error;
use crate::blobs::{self, Staged};
use crate::disk::{Disk, Identity};
use crate::layout::Layout;
use crate::log::issue::Issuer;
use crate::log::state::{Batch, Locks, Phase, State};
use crate::log::waiters::Told;
use crate::log::writer::{ActiveSegment, poisoned, replaced};
use crate::log::{Shared, create};

/// Commits whenever someone waits, a segment is full or the interval has passed, until the log has ended.
pub(super) fn run(shared: &Shared) {
    let _ending = Ending(shared);
    loop {
        let state = shared.state();
        let state = shared.work.wait_while(state, |state| state.is_committed());
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = shared.work.wait_timeout_while(state, shared.commit_interval, |state| !state.is_commit_urgent());
        let (state, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_last = state.phase == Phase::Ending;
        drop(state);
        let committed = shared.commit();
        if is_last {
            let mut state = shared.state();
            if let Err(fault) = committed.and_then(|()| shared.files.check_destroyed()) {
                state.end.get_or_insert(fault);
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
        if let Some(fault) = batch.fault.take() {
            return Err(fault);
        }
        // What a record refers to reaches the disk before the record does.
        self.files.sync_blobs(&batch.blobs).map_err(|fault| self.fail(fault))?;
        let synced = self.payloads.sync();
        synced.map_err(|source| self.fail(poisoned("a sealed value could not be brought to the disk", source)))?;
        let is_left = || !Arc::ptr_eq(&self.state().written.segment, &batch.segment);
        self.files.sync(&batch.segment, is_left).map_err(|fault| self.fail(fault))?;
        let size = batch.tree.size();
        let told = self.state().waiters.synced(size);
        told.into_iter().for_each(Told::tell);
        // A checkpoint costs two more trips to the disk, which those who wait already would have to wait for.
        let now = self.clock.steady();
        if size > batch.committed && !self.state().may_skip_checkpoint(&batch, now, self.commit_interval) {
            let next_key = self.files.issue(&batch).map_err(|fault| self.fail_if_final(fault))?;
            self.cover(Head { size, root: batch.tree.root() });
            let mut state = self.state();
            if let Some(anchoring) = &self.anchoring {
                anchoring.cover(size, state.anchored.tail.clone());
            }
            state.committed = size;
            state.committed_time = now;
            if batch.rotated_at.is_some() {
                state.rotated_at = None;
            }
            if next_key.is_some() {
                state.next_key = next_key;
                drop(state);
                self.call_writer();
            }
        }
        Ok(())
    }

    /// Has the tiles written up to a checkpoint that is on the disk.
    pub(super) fn cover(&self, head: Head) {
        if let Some(tiler) = &self.tiler {
            tiler.cover(head);
        }
    }

    fn fail_if_final(&self, fault: AppendError) -> AppendError {
        if fault.is_final() { self.fail(fault) } else { fault }
    }

    /// Accepts nothing from now on, and tells everyone who waits; returns the first reason.
    pub(super) fn fail(&self, fault: AppendError) -> AppendError {
        let (fault, told) = {
            let mut state = self.state();
            let fault = state.fail(fault);
            self.is_open.store(false, Ordering::Release);
            let (told, void) = state.end_waiting(&fault);
            // The next process that opens the log must not take them for records that were accepted.
            void.into_iter().for_each(|(position, record_bytes)| self.journal.spoil(position, record_bytes));
            (fault, told)
        };
        told.into_iter().for_each(Told::tell);
        self.progress.notify_all();
        self.drain.notify_one();
        fault
    }
}

/// The files of a log that a commit looks at and writes.
pub(super) struct Files {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) layout: Layout,
    pub(super) origin: String,
    pub(super) lock_identity: Identity,
    /// Taken by the committer, and by the writing thread when the log is closed.
    pub(super) issuer: Mutex<Option<Issuer>>,
}

impl Files {
    /// Takes the files of a log whose name is not known yet.
    pub(super) fn of(disk: Arc<dyn Disk>, layout: Layout, locks: &Locks) -> Result<Self, Error> {
        let identity = Identity::of(&locks.lock);
        let lock_identity = identity.map_err(|source| Error::io(&layout.lock(), "look at the lock", source))?;
        Ok(Self { disk, layout, origin: String::new(), lock_identity, issuer: Mutex::default() })
    }

    /// Brings what a segment holds to the disk. A segment that was left meanwhile may be gone: it was looked at before,
    /// and what is sealed is not at its place any more.
    pub(super) fn sync(&self, segment: &ActiveSegment, is_left: impl FnOnce() -> bool) -> Result<(), AppendError> {
        if let Err(source) = observe::syncing(|| self.disk.sync(&segment.file)) {
            return Err(poisoned("a segment could not be brought to the disk", source));
        }
        // An fsync succeeds on a file that no path leads to any more.
        if !segment.identity.is_at(&segment.path) && !is_left() {
            return Err(replaced(&segment.path));
        }
        let lock = self.layout.lock();
        if self.lock_identity.is_at(&lock) { Ok(()) } else { Err(replaced(&lock)) }
    }

    /// Brings blobs to the disk.
    fn sync_blobs(&self, staged: &[Staged]) -> Result<(), AppendError> {
        if staged.is_empty() {
            return Ok(());
        }
        let synced = blobs::settle(&*self.disk, &self.layout, staged);
        synced.map_err(|source| poisoned("a blob could not be brought to the disk", source))
    }

    /// Issues the checkpoint over entries that are on the disk. Returns the next key if an entry should name it.
    fn issue(&self, batch: &Batch) -> Result<Option<String>, AppendError> {
        let mut issuer = self.issuer();
        let Some(issuer) = issuer.as_mut() else { return Ok(None) };
        if let Some(entry) = batch.rotated_at {
            issuer.note_rotation(entry);
        }
        issuer.issue(&batch.tree)?;
        Ok(issuer.prepare_rotation(false))
    }

    /// Tells if a secret that has served could not be destroyed so far.
    fn check_destroyed(&self) -> Result<(), AppendError> {
        let issuer = self.issuer();
        match issuer.as_ref().and_then(|issuer| issuer.signing.as_ref()) {
            Some(signing) if signing.is_behind() => {
                let found = "the secret of the last epoch could not be destroyed; the next opening tries again";
                Err(AppendError::new(AppendErrorKind::Io, found))
            }
            _ => Ok(()),
        }
    }

    /// Takes the issuer of checkpoints; there is one once the log is being opened.
    pub(super) fn issuer(&self) -> MutexGuard<'_, Option<Issuer>> {
        self.issuer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Releases the log when the committer ends, however it ends.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let shared = self.0;
        let is_late = shared.state().phase == Phase::Ending;
        if !is_late {
            let found = "the committing thread ended before the log was closed";
            let fault = shared.fail(AppendError::new(AppendErrorKind::Poisoned, found));
            let mut state = shared.state();
            state.end.get_or_insert(fault);
            // The writing thread goes first, in case it is at work.
            let is_writing = |state: &mut State| state.phase != Phase::Ending;
            let _ending = shared.progress.wait_while(state, is_writing);
        }
        let ended = AppendError::new(AppendErrorKind::Closed, "found its end");
        let mut state = shared.state();
        let (told, _all_were_written) = state.end_waiting(&ended);
        if state.closing == 0 {
            state.give_back_dropped(&shared.process);
        }
        let is_kept = !state.is_drained || state.fault.is_some() || state.end.is_some();
        let deadline = state.close_deadline.filter(|_deadline| state.fault.is_none());
        let locks = state.locks.take();
        drop(state);
        // Whatever comes now would be in a file that the next one who opens the log removes.
        shared.journal.close();
        shared.sealer.finish();
        if let Some(tiler) = &shared.tiler {
            tiler.finish();
        }
        if let Some(anchoring) = &shared.anchoring {
            anchoring.finish(deadline);
        }
        shared.policing.finish();
        if !is_kept {
            // Left where they are, they would be found to hold nothing new.
            let _harmless = create::remove_journal(&*shared.files.disk, &shared.files.layout);
        }
        if let Some(locks) = locks {
            locks.release();
        }
        shared.state().phase = Phase::Ended;
        told.into_iter().for_each(Told::tell);
        shared.progress.notify_all();
        shared.watch.notify_all();
    }
}

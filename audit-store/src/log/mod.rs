//! The log: one handle for any number of threads, a journal that takes what they append, and the threads behind it.

use core::fmt;
use core::time::Duration;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

use audit_core::audit_policy::AuditPolicy;
use audit_core::hash::Hash;
use audit_core::id::StreamId;
use audit_core::privacy::{Privacy, Protect};
use audit_core::sink::{AppendError, AppendErrorKind, Condition, Health, PolicyHealth, Prepared, Receipt, Sink};
use audit_core::time::Clock;
use audit_core::vocabulary::Durability;

use crate::journal::Journal;
use crate::log::anchoring::Anchoring;
use crate::log::commit::Files;
use crate::log::events::Events;
use crate::log::policing::Policing;
use crate::log::seal::Sealer;
use crate::log::state::{Phase, State};
use crate::log::tiles::Tiler;
use crate::privacy::Payloads;
use crate::{Error, Options, blobs};

mod accounts;
mod anchoring;
mod append;
mod calls;
mod commit;
mod create;
mod drain;
mod events;
mod figures;
mod issue;
mod open;
mod policing;
mod process;
mod recover;
mod seal;
mod signing;
mod state;
mod tiles;
mod vault;
mod waiters;
mod watch;
mod writer;

pub use accounts::{Reading, SubjectErased};
pub use figures::{Figures, Gauge};
pub(crate) use open::{create_seal, open};
pub(crate) use process::Process;

/// An open log: a [`Sink`] that appends each record to the files of one directory.
///
/// A handle can be cloned and used from any thread. All clones share one writer, and [`close`](Self::close) ends it for
/// all of them; it also ends when the last clone is dropped. Neither a layer on the log nor the process-wide recorder
/// counts as one: keep a handle, or the [`guard`](Self::guard), as long as records are to be taken.
///
/// *Durability.* [`Durability::Os`]: the record is in the journal, a file mapped into memory, before
/// [`append`](Sink::append) returns, and survives the process being killed; a thread of the log's own brings it into a
/// segment within [50 ms](Self::flush), and the next opening what it did not get to. [`Durability::Disk`]: the receipt
/// resolves after an `fdatasync` that covers the record; records that wait at the same time share one. A receipt never
/// waits for a checkpoint, and appending goes on during an `fdatasync`.
///
/// *Ordering.* Entries are numbered in the order in which appends reserve their place in the journal; for one thread that
/// is the order of its calls. Their times may go back where the clock did: `clock.stepped` says so.
///
/// *Overflow.* The journal takes what is appended while the disk is slow, full or fails. Once it is full too, a record
/// waits as long as [`Options::append_timeout`] grants, in its thread or, if it must not block that, in memory, and is
/// then refused with what stands in the way. The last eighth of the journal is kept for records that end calls. What was
/// refused is counted, and `records.dropped` states how many there were, and from when to when, as soon as writing works
/// again.
///
/// *Failures.* A write that fails is tried again, ever less often, up to once a second. A failed fsync, or a segment or
/// lock that was removed or replaced, ends the log: every later append is refused. What was accepted by then stays in
/// the journal for the next opening. Bytes that are no record are refused and counted.
///
/// *Forks.* A log belongs to the process that opened it. In a forked copy of it the log is closed: records are refused,
/// and closing or dropping a handle changes no file.
#[derive(Clone)]
pub struct Log(Arc<Handle>);

impl Log {
    /// Opens the log at `path` with the default [`Options`], or creates it, its parent directories too.
    ///
    /// Of an existing log the end is verified: what follows the newest kept state that the checkpoint vouches for, which
    /// takes the time of one or two segments. Without such a state all of it is. [`verify_log`](crate::verify::verify_log)
    /// verifies the whole. Records that a process left in the journal when it died are appended first. An unfinished line after its last entry, and NUL bytes that a loss of power
    /// left, are cut, unless they lie below the checkpoint; after `log.closed` only what is left of an interrupted opening
    /// is. Then `log.opened` is appended and, unless the log was closed and nothing was cut, `log.recovered`; then
    /// `tool.abandoned` for each call that was left open.
    ///
    /// # Errors
    /// Each has its predicate: the log is held by another process or handle ([`Error::is_held`]); the path holds
    /// something else ([`Error::is_not_a_log`]); the log is of another schema ([`Error::is_newer_schema`]); it does not
    /// verify ([`Error::is_tampered`]); its checkpoint is missing ([`Error::is_checkpoint_missing`]); it has another
    /// origin ([`Error::is_origin_different`]); an operation failed ([`Error::is_io`], or [`Error::append_kind`] for
    /// appending).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().open(path)
    }

    /// Returns the settings to open a log with.
    #[must_use]
    pub fn options() -> Options {
        Options::new()
    }

    /// Returns the absolute path of the log's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared().files.layout.directory
    }

    /// Returns the name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared().files.origin
    }

    /// Returns the identifier of the log's one stream.
    #[must_use]
    pub fn stream_id(&self) -> StreamId {
        self.shared().stream_id
    }

    /// Returns how many entries the log has, those of all records that were appended before included.
    #[must_use]
    pub fn size(&self) -> u64 {
        // Without what stands in the way of writing, which the next call that is refused names.
        let _unwritten = self.shared().flush();
        self.shared().state().size()
    }

    /// Waits until all records that were appended before are in the segments, where whoever reads the log finds them.
    ///
    /// It is not needed for their safety: a record survives the process from the moment when it is appended.
    ///
    /// # Errors
    /// The log is closed, it failed, or something stands in the way of writing; [`Error::append_kind`] tells which.
    pub fn flush(&self) -> Result<(), Error> {
        self.shared().flush().map_err(|fault| Error::append(self.path(), fault))
    }

    /// Returns what makes tokens and seals values for the calls that are recorded in this log; none without a
    /// [`key_ring`](Options::key_ring). It does not keep the log open.
    #[must_use]
    pub fn protect(&self) -> Option<Arc<dyn Protect>> {
        self.0.protect.clone()
    }

    /// Closes the log for all its handles.
    ///
    /// No call may begin from now on. Open calls may end within the time that [`Options::close_timeout`] grants; those
    /// that do not are listed in `log.closed`, and the next opening gives them up. Closing again changes nothing and
    /// returns the same result.
    ///
    /// # Errors
    /// `log.closed` could not be appended, or what was appended could not be brought to the disk; [`Error::append_kind`]
    /// tells which. The log is released in any case. If it could not state how many records it refused, the message
    /// names their number, and the next log that this process opens states them.
    pub fn close(&self) -> Result<(), Error> {
        self.shared().close(self.shared().close_timeout)
    }

    /// Returns a guard that closes the log when it is dropped.
    pub fn guard(&self) -> Guard {
        Guard { log: self.clone() }
    }

    fn shared(&self) -> &Shared {
        &self.0.shared
    }
}

impl Sink for Log {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        self.shared().append(prepared)
    }

    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        self.shared().keep(payload)
    }

    fn is_open(&self) -> bool {
        self.shared().is_open()
    }

    fn policy(&self) -> Option<Arc<AuditPolicy>> {
        self.shared().policing.policy()
    }

    fn policy_serial(&self) -> u64 {
        self.shared().policing.serial()
    }

    fn health(&self) -> Health {
        self.shared().health()
    }

    fn privacy(&self) -> Option<Arc<Privacy>> {
        self.0.privacy.clone()
    }

    fn weak(&self) -> Option<Arc<dyn Sink>> {
        Some(Arc::new(WeakLog(Arc::downgrade(&self.0))))
    }
}

/// A log's handle for layers and the recorder: it takes records while the log is open and does not keep it so.
struct WeakLog(Weak<Handle>);

impl Sink for WeakLog {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        match self.0.upgrade() {
            Some(handle) => handle.shared.append(prepared),
            None => Receipt::ready(Err(AppendError::new(AppendErrorKind::Closed, "found its last handle dropped"))),
        }
    }

    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        self.0.upgrade()?.shared.keep(payload)
    }

    fn is_open(&self) -> bool {
        self.0.upgrade().is_some_and(|handle| handle.shared.is_open())
    }

    fn privacy(&self) -> Option<Arc<Privacy>> {
        self.0.upgrade()?.privacy.clone()
    }

    fn policy(&self) -> Option<Arc<AuditPolicy>> {
        self.0.upgrade()?.shared.policing.policy()
    }

    fn policy_serial(&self) -> u64 {
        self.0.upgrade().map_or(0, |handle| handle.shared.policing.serial())
    }

    fn health(&self) -> Health {
        self.0.upgrade().map_or_else(|| Health::new(Condition::Closed), |handle| handle.shared.health())
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("path", &self.path()).field("origin", &self.origin()).finish_non_exhaustive()
    }
}

/// Closes its log when it is dropped; errors then go nowhere.
#[derive(Debug)]
#[must_use = "the log is closed as soon as the guard is dropped"]
pub struct Guard {
    log: Log,
}

impl Guard {
    /// Closes the log.
    ///
    /// # Errors
    /// As [`Log::close`].
    pub fn close(self) -> Result<(), Error> {
        self.log.close()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _nobody_to_tell = self.log.close();
    }
}

/// What the handles of a log share. The committer does not, so that it ends with the last of them.
struct Handle {
    shared: Arc<Shared>,
    /// None if the log has no key ring.
    protect: Option<Arc<dyn Protect>>,
    /// None if the default rules hold, and nobody makes tokens and seals.
    privacy: Option<Arc<Privacy>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // With the last handle gone no open call can end any more: there is nothing to wait for.
        let _nobody_to_tell = self.shared.close(Duration::ZERO);
    }
}

/// What the handles and the threads share.
struct Shared {
    stream_id: StreamId,
    durability: Durability,
    append_timeout: Duration,
    commit_interval: Duration,
    close_timeout: Duration,
    clock: Arc<dyn Clock>,
    process: Process,
    files: Files,
    /// How many calls of an earlier process were found without an end when the log was opened.
    abandoned: u64,
    journal: Journal,
    state: Mutex<State>,
    /// How many records are void: looked at without the lock.
    void: AtomicUsize,
    /// Calls the writing thread.
    drain: Condvar,
    /// Tells the committer that there is work.
    work: Condvar,
    /// Tells the watching thread that someone waits.
    watch: Condvar,
    /// Tells those who close or flush the log that something was written, or that it ended.
    progress: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// False once closing has begun or the log failed; told without taking the lock.
    is_open: AtomicBool,
    sealer: Arc<Sealer>,
    payloads: Payloads,
    /// None if the log is to have no tiles.
    tiler: Option<Arc<Tiler>>,
    /// None if the log has no anchors.
    anchoring: Option<Arc<Anchoring>>,
    policing: Arc<Policing>,
    events: Events,
}

impl Shared {
    /// Takes the lock. A panic while it was held is no reason to stop: no step leaves what it protects half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        // A failed log is open until it is closed: its calls are refused with the reason.
        !self.is_child() && (self.is_open.load(Ordering::Relaxed) || self.state().phase == Phase::Open)
    }

    fn health(&self) -> Health {
        if self.is_child() {
            return Health::new(Condition::Forked).with_abandoned(self.abandoned);
        }
        let state = self.state();
        let condition = match (&state.fault, state.phase) {
            (Some(fault), _) => Condition::Failed(fault.clone()),
            (None, Phase::Open) => Condition::Open,
            (None, _) => Condition::Closed,
        };
        let refused = state.refusals.dropped.saturating_add(state.refusals.recorded);
        let failing = state.anchored.failing.clone();
        drop(state);
        let policing = &self.policing;
        let policy = PolicyHealth {
            hash: policing.policy().and_then(|policy| policy.hash()),
            fault: policing.fault(),
            unrecorded: policing.unrecorded().into_iter().collect(),
        };
        let health = Health::new(condition).with_refused(refused).with_abandoned(self.abandoned);
        health.with_failing_anchors(failing).with_policy(policy)
    }

    fn is_child(&self) -> bool {
        (self.process.is_child)(&self.journal)
    }

    /// Refuses to go on in a forked process: it has a copy of the writer's state, and neither its threads nor its lock.
    ///
    /// This comes before the lock is taken, which another thread may have held when the process was forked.
    fn check_process(&self) -> Result<(), AppendError> {
        if !self.is_child() {
            return Ok(());
        }
        Err(AppendError::new(
            AppendErrorKind::Closed,
            "found a forked process; only the one that opened it may write it",
        ))
    }

    /// Writes a payload into the directory of blobs. It is brought to the disk by the commit that covers its record.
    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        if !self.is_open() {
            return None;
        }
        let staged = blobs::stage(&*self.files.disk, &self.files.layout, payload).ok()?;
        let hash = staged.hash;
        self.state().unsynced_blobs.push(staged);
        Some(hash)
    }

    /// Waits until all records that were appended before are in a segment.
    fn flush(&self) -> Result<(), AppendError> {
        self.check_process()?;
        let position = self.journal.end();
        self.call_writer();
        let mut state = self.state();
        state.flushing += 1;
        let is_behind = |state: &mut State| {
            let is_writing = matches!(state.phase, Phase::Open | Phase::Closing);
            is_writing && state.written.position < position && state.fault.is_none() && state.obstacle.is_none()
        };
        let waited = self.progress.wait_while(state, is_behind);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.flushing -= 1;
        if state.written.position >= position {
            return Ok(());
        }
        let reason = state.fault.clone().or_else(|| state.obstacle.clone());
        Err(reason.unwrap_or_else(|| AppendError::new(AppendErrorKind::Closed, "found the log closed")))
    }

    fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.check_process().map_err(|fault| Error::append(&self.files.layout.directory, fault))?;
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
            state.close_deadline = Instant::now().checked_add(timeout);
            state.is_called = true;
            self.is_open.store(false, Ordering::Release);
            self.drain.notify_one();
        }
        if self.is_own_thread() {
            // A waker that drops the last handle runs on one of the threads: the log ends once the waker returns.
            return Ok(());
        }
        state.closing += 1;
        let ended = self.progress.wait_while(state, |state| state.phase != Phase::Ended);
        let (end, uncounted) = {
            let mut state = ended.unwrap_or_else(PoisonError::into_inner);
            state.closing -= 1;
            state.give_back_dropped(&self.process);
            (state.end.clone(), state.uncounted)
        };
        let threads = core::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // They have nothing left to do but to return; that one panicked is told by `end`.
            let _panicked = thread.join();
        }
        end.map_or(Ok(()), |fault| Err(Error::closing(&self.files.layout.directory, fault, uncounted)))
    }

    fn is_own_thread(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.iter().any(|thread| thread.thread().id() == std::thread::current().id())
    }
}

#[cfg(test)]
pub(crate) mod tests;

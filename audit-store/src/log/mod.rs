//! The log: one handle for any number of threads, one writer, one committer.

use core::fmt;
use core::time::Duration;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use audit_core::id::StreamId;
use audit_core::sink::{AppendError, AppendErrorKind, Condition, Health, Prepared, Receipt, Sink};
use audit_core::vocabulary::Durability;

use crate::disk::{Disk, Identity};
use crate::layout::Layout;
use crate::log::state::{Phase, State, Waiter};
use crate::{Error, Options};

mod commit;
mod create;
mod events;
mod open;
mod process;
mod recover;
mod state;
mod writer;

pub(crate) use open::open;
pub(crate) use process::Process;

/// An open log: a [`Sink`] that appends each record to the files of one directory.
///
/// A handle can be cloned and used from any thread. All clones share one writer, and [`close`](Self::close) ends it for
/// all of them; it also ends when the last clone is dropped. Neither a layer on the log nor the process-wide recorder
/// counts as one: keep a handle, or the [`guard`](Self::guard), as long as records are to be taken.
///
/// *Durability.* [`Durability::Os`]: the record was given to the kernel before [`append`](Sink::append) returns, and
/// survives the process being killed. [`Durability::Disk`]: the receipt resolves after an `fdatasync` that covers the
/// record; records that wait at the same time share one. A receipt never waits for a checkpoint, and appending goes on
/// during an `fdatasync`, except for the one by which the append that begins a new segment brings the full one to the
/// disk first.
///
/// *Ordering.* Entries are numbered in the order in which appends take the log's lock; for one thread that is the order
/// of its calls.
///
/// *Failures.* A write that fails leaves the log as it was and returns its own error; later appends work again once
/// what stood in the way is gone, and the first of them is preceded by `records.dropped` with the number of those that
/// failed. A failed fsync, or a segment or lock that was removed or replaced, ends the log: every later append is
/// refused. Nothing is retried and nothing is queued: there is no overflow. Bytes that are no record are refused like a
/// write that fails.
///
/// *Forks.* A log belongs to the process that opened it. In a forked copy of it the log is closed: records are refused,
/// and closing or dropping a handle changes no file.
#[derive(Clone)]
pub struct Log(Arc<Handle>);

impl Log {
    /// Opens the log at `path` with the default [`Options`], or creates it, its parent directories too.
    ///
    /// An existing log is verified whole. An unfinished line after its last entry, and NUL bytes that a loss of power
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
        &self.shared().layout.directory
    }

    /// Returns the name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared().origin
    }

    /// Returns the identifier of the log's one stream.
    #[must_use]
    pub fn stream_id(&self) -> StreamId {
        self.shared().stream_id
    }

    /// Returns how many entries the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared().state().writer.size()
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
        &self.0.0
    }
}

impl Sink for Log {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        self.shared().append(prepared)
    }

    fn is_open(&self) -> bool {
        self.shared().is_open()
    }

    fn health(&self) -> Health {
        self.shared().health()
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
            Some(handle) => handle.0.append(prepared),
            None => Receipt::ready(Err(AppendError::new(AppendErrorKind::Closed, "found its last handle dropped"))),
        }
    }

    fn is_open(&self) -> bool {
        self.0.upgrade().is_some_and(|handle| handle.0.is_open())
    }

    fn health(&self) -> Health {
        self.0.upgrade().map_or_else(|| Health::new(Condition::Closed), |handle| handle.0.health())
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
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        // With the last handle gone no open call can end any more: there is nothing to wait for.
        let _nobody_to_tell = self.0.close(Duration::ZERO);
    }
}

/// What the handles and the committer share.
struct Shared {
    layout: Layout,
    origin: String,
    stream_id: StreamId,
    durability: Durability,
    commit_interval: Duration,
    close_timeout: Duration,
    process: Process,
    /// The process that opened the log and alone may write it.
    process_id: u32,
    disk: Arc<dyn Disk>,
    lock_identity: Identity,
    /// How many calls of an earlier process were found without an end when the log was opened.
    abandoned: u64,
    state: Mutex<State>,
    /// Tells the committer that there is work.
    work: Condvar,
    /// Tells those who close the log that a call ended or the committer did.
    progress: Condvar,
    committer: Mutex<Option<JoinHandle<()>>>,
    /// False once closing has begun; told without taking the lock.
    is_open: AtomicBool,
}

impl Shared {
    /// Takes the lock. A panic while it was held is no reason to stop: no step of the writer leaves it half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed) && self.check_process().is_ok()
    }

    fn health(&self) -> Health {
        if self.check_process().is_err() {
            return Health::new(Condition::Forked).with_abandoned(self.abandoned);
        }
        let state = self.state();
        let condition = match (&state.writer.fault, state.phase) {
            (Some(fault), _) => Condition::Failed(fault.clone()),
            (None, Phase::Open) => Condition::Open,
            (None, _) => Condition::Closed,
        };
        let refused = state.writer.dropped.saturating_add(state.writer.dropped_recorded);
        Health::new(condition).with_refused(refused).with_abandoned(self.abandoned)
    }

    /// Refuses to go on in a forked process: it has a copy of the writer's state, and neither its committer nor its lock.
    ///
    /// This comes before the writer's lock is taken, which another thread may have held when the process was forked.
    fn check_process(&self) -> Result<(), AppendError> {
        if (self.process.id)() == self.process_id {
            return Ok(());
        }
        Err(AppendError::new(
            AppendErrorKind::Closed,
            "found a forked process; only the one that opened it may write it",
        ))
    }

    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        if let Err(fault) = self.check_process() {
            return Receipt::ready(Err(fault));
        }
        let checked = writer::check(prepared.record());
        let durability = prepared.durability_demanded().map_or(self.durability, |demand| demand.max(self.durability));
        let mut state = self.state();
        let was_idle = state.is_idle();
        let appended = match state.append(prepared, checked) {
            Ok(appended) => appended,
            Err(fault) => return Receipt::ready(Err(fault)),
        };
        let receipt = if durability > Durability::Os {
            let (completion, receipt) = Receipt::pending();
            state.waiters.push(Waiter::new(completion, appended));
            receipt
        } else {
            Receipt::ready(Ok(appended))
        };
        let is_last_call = state.phase == Phase::Closing && state.open_calls.is_empty();
        let is_work = was_idle || state.is_urgent();
        drop(state);
        if is_work {
            self.work.notify_one();
        }
        if is_last_call {
            self.progress.notify_all();
        }
        receipt
    }

    fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.check_process().map_err(|fault| Error::append(&self.layout.directory, fault))?;
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
            self.is_open.store(false, Ordering::Relaxed);
            let is_waiting = |state: &mut State| !state.open_calls.is_empty() && state.writer.fault.is_none();
            let waited = self.progress.wait_timeout_while(state, timeout, is_waiting);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            // The committer may have ended meanwhile, if it panicked.
            if state.phase == Phase::Closing {
                state.end();
            }
            self.work.notify_one();
        }
        if self.is_committer() {
            // A waker that drops the last handle runs on the committer: it ends the log once the waker returns.
            return Ok(());
        }
        let ended = self.progress.wait_while(state, |state| state.phase != Phase::Ended);
        let (end, uncounted) = {
            let state = ended.unwrap_or_else(PoisonError::into_inner);
            (state.end.clone(), state.uncounted)
        };
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(committer) = committer {
            // It has nothing left to do but to return; that it panicked is told by `end`.
            let _panicked = committer.join();
        }
        end.map_or(Ok(()), |fault| Err(Error::closing(&self.layout.directory, fault, uncounted)))
    }

    fn is_committer(&self) -> bool {
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
        committer.as_ref().is_some_and(|committer| committer.thread().id() == std::thread::current().id())
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Where records go: the [`Sink`] trait, what it is given and what it answers.

mod health;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

pub use crate::hash::Hash;
use crate::id::CallId;
use crate::vocabulary::{Durability, Stage};

pub use health::{Condition, Health};

/// Takes finished records and keeps them.
///
/// A sink never drops a record silently: it answers each [`append`](Self::append) with an [`Appended`] or an
/// [`AppendError`], and counts what it refused, to state it as soon as it can, unless the error
/// [is final](AppendError::is_final). It may be called from any thread, from inside a tracing callback and while a panic unwinds.
pub trait Sink: Send + Sync + 'static {
    /// Appends one record.
    ///
    /// When this returns without an error in the receipt, the record survives the death of the process
    /// ([`Durability::Os`]). Whoever needs more waits for the receipt.
    fn append(&self, prepared: &Prepared<'_>) -> Receipt;

    /// Tells whether the sink still accepts records. Once false it stays false.
    fn is_open(&self) -> bool {
        true
    }

    /// Tells how the sink is, for diagnosis. It is not asked on the way of a call. It appends nothing, and waits for nothing
    /// but a record that is being written.
    fn health(&self) -> Health {
        Health::new(if self.is_open() { Condition::Open } else { Condition::Closed })
    }

    /// Returns a handle to this sink that does not keep it open, for layers and the process-wide recorder, which live
    /// as long as the process. A sink that needs no closing has none.
    fn weak(&self) -> Option<Arc<dyn Sink>> {
        None
    }
}

/// One record, ready to be appended: its canonical bytes and what a sink must know without parsing them.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    record: &'a [u8],
    call_id: Option<CallId>,
    stage: Stage,
    durability: Option<Durability>,
}

impl<'a> Prepared<'a> {
    /// Wraps the canonical JSON (RFC 8785) of one record that belongs to no call.
    #[must_use]
    pub const fn new(record: &'a [u8], stage: Stage) -> Self {
        Self { record, call_id: None, stage, durability: None }
    }

    /// Names the call that the record belongs to.
    #[must_use]
    pub const fn call(mut self, id: CallId) -> Self {
        self.call_id = Some(id);
        self
    }

    /// Demands at least this durability, whatever the log's own is.
    #[must_use]
    pub const fn durability(mut self, durability: Option<Durability>) -> Self {
        self.durability = durability;
        self
    }

    /// Returns the canonical bytes of the record.
    #[must_use]
    pub const fn record(&self) -> &'a [u8] {
        self.record
    }

    /// Returns the call that the record belongs to.
    #[must_use]
    pub const fn call_id(&self) -> Option<CallId> {
        self.call_id
    }

    /// Returns the stage of the record.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns the durability that the record's action demands; `None` leaves it to the log.
    #[must_use]
    pub const fn durability_demanded(&self) -> Option<Durability> {
        self.durability
    }
}

/// Where a record stands in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The entry's number, counted from 0.
    pub number: u64,
    /// The leaf hash of the entry's line.
    pub leaf_hash: Hash,
    /// What the entry has survived when the receipt resolved.
    pub durable: Durability,
}

/// The promise of an [`Appended`]: a future that needs no runtime, or [`wait`](Self::wait) for it.
#[derive(Debug)]
pub struct Receipt(State);

#[derive(Debug)]
enum State {
    Ready(Result<Appended, AppendError>),
    Pending(Arc<Shared>),
}

#[derive(Debug, Default)]
struct Shared {
    slot: Mutex<Slot>,
    resolved: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    result: Option<Result<Appended, AppendError>>,
    waker: Option<Waker>,
    /// Nobody waits, but a failure is told.
    left: Option<fn(&AppendError)>,
}

impl Receipt {
    /// Makes a receipt that is resolved already.
    #[must_use]
    pub const fn ready(result: Result<Appended, AppendError>) -> Self {
        Self(State::Ready(result))
    }

    /// Makes a receipt that resolves when its [`Completion`] does.
    #[must_use]
    pub fn pending() -> (Completion, Self) {
        let shared = Arc::new(Shared::default());
        (Completion(Some(Arc::clone(&shared))), Self(State::Pending(shared)))
    }

    /// Returns the result if there is one already.
    #[must_use]
    pub fn now(&self) -> Option<Result<Appended, AppendError>> {
        match &self.0 {
            State::Ready(result) => Some(result.clone()),
            State::Pending(shared) => shared.slot.lock().unwrap_or_else(PoisonError::into_inner).result.clone(),
        }
    }

    /// Waits no longer: a failure, now or later, is told to `failed`.
    pub(crate) fn leave(self, failed: fn(&AppendError)) {
        let result = match self.0 {
            State::Ready(result) => result,
            State::Pending(shared) => {
                let mut slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(result) = slot.result.clone() else {
                    slot.left = Some(failed);
                    return;
                };
                result
            }
        };
        if let Err(error) = result {
            failed(&error);
        }
    }

    /// Blocks the thread until there is a result.
    ///
    /// # Errors
    /// The record is not in the log, or not as durably as demanded.
    pub fn wait(self) -> Result<Appended, AppendError> {
        let shared = match self.0 {
            State::Ready(result) => return result,
            State::Pending(shared) => shared,
        };
        let mut slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = slot.result.clone() {
                return result;
            }
            slot = shared.resolved.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Receipt {
    type Output = Result<Appended, AppendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = match &self.0 {
            State::Ready(result) => return Poll::Ready(result.clone()),
            State::Pending(shared) => shared,
        };
        let mut slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = slot.result.clone() {
            return Poll::Ready(result);
        }
        match &mut slot.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

/// Resolves a pending [`Receipt`]; dropped without [`resolve`](Self::resolve) it resolves to an error.
#[derive(Debug)]
pub struct Completion(Option<Arc<Shared>>);

impl Completion {
    /// Gives the receipt its result and wakes whoever waits for it.
    pub fn resolve(mut self, result: Result<Appended, AppendError>) {
        self.resolve_once(result);
    }

    fn resolve_once(&mut self, result: Result<Appended, AppendError>) {
        let Some(shared) = self.0.take() else { return };
        let failure = result.as_ref().err().cloned();
        let (waker, left) = {
            let mut slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.result = Some(result);
            (slot.waker.take(), slot.left.take())
        };
        if let (Some(error), Some(failed)) = (&failure, left) {
            failed(error);
        }
        shared.resolved.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.resolve_once(Err(AppendError::new(AppendErrorKind::Closed, "the log's writer ended")));
    }
}

/// Why a record is not in the log, or not as durably as demanded.
#[derive(Clone, Debug)]
pub struct AppendError {
    kind: AppendErrorKind,
    found: Arc<str>,
    source: Option<Arc<std::io::Error>>,
}

/// The kinds of [`AppendError`], each with its own consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppendErrorKind {
    /// The log is closed; nothing more is accepted.
    Closed,
    /// The device has no space left.
    DiskFull,
    /// The log lies on a read-only file system or may not be written.
    ReadOnly,
    /// A segment or the directory was removed or replaced while open.
    Replaced,
    /// The record's line would be longer than the limit.
    TooLarge,
    /// The bytes are not those of a record.
    Invalid,
    /// An earlier fsync failed: what is on the disk is unknown, and nothing more is accepted until the log is reopened.
    Poisoned,
    /// Another error of the operating system.
    Io,
}

impl AppendError {
    /// Makes an error of the given kind; `found` says what was found and where.
    #[must_use]
    pub fn new(kind: AppendErrorKind, found: impl Into<Arc<str>>) -> Self {
        Self { kind, found: found.into(), source: None }
    }

    /// Keeps the operating system's error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: std::io::Error) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> AppendErrorKind {
        self.kind
    }

    /// Tells whether the log accepts nothing more until it is opened again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.kind, AppendErrorKind::Closed | AppendErrorKind::Poisoned | AppendErrorKind::Replaced)
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            AppendErrorKind::Closed => "the log is closed",
            AppendErrorKind::DiskFull => "the disk is full",
            AppendErrorKind::ReadOnly => "the log cannot be written",
            AppendErrorKind::Replaced => "the log was removed or replaced while open",
            AppendErrorKind::TooLarge => "the record is too large",
            AppendErrorKind::Invalid => "the record is malformed",
            AppendErrorKind::Poisoned => "the log accepts nothing more until it is opened again",
            AppendErrorKind::Io => "the log could not be written",
        };
        write!(f, "{what}: {}", self.found)
    }
}

impl std::error::Error for AppendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended() -> Appended {
        Appended { number: 3, leaf_hash: Hash::of(b"line"), durable: Durability::Disk }
    }

    #[test]
    fn a_pending_receipt_wakes_its_waiter_and_its_task() {
        let (completion, receipt) = Receipt::pending();
        assert!(receipt.now().is_none());
        let waiter = std::thread::spawn(|| receipt.wait());
        completion.resolve(Ok(appended()));
        assert_eq!(waiter.join().unwrap().unwrap(), appended());

        let (completion, mut receipt) = Receipt::pending();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut receipt).poll(&mut context).is_pending());
        completion.resolve(Ok(appended()));
        assert!(matches!(Pin::new(&mut receipt).poll(&mut context), Poll::Ready(Ok(found)) if found == appended()));
    }

    #[test]
    fn a_dropped_completion_is_an_error_and_never_a_hang() {
        let (completion, receipt) = Receipt::pending();
        drop(completion);
        assert_eq!(receipt.wait().unwrap_err().kind(), AppendErrorKind::Closed);
    }
}

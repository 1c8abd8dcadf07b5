//! What a sink answers: the promise of a record's place.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{AppendError, AppendErrorKind};
use crate::hash::Hash;
use crate::vocabulary::Durability;

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

/// Two words, which are returned in registers: a sink that has just copied a record has its stores on their way, and whoever copied
/// a larger receipt would wait for them.
#[derive(Debug)]
enum State {
    Ready(Box<Result<Appended, AppendError>>),
    /// The record is as durable as was demanded, and nobody asked for its place.
    Accepted,
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
    pub fn ready(result: Result<Appended, AppendError>) -> Self {
        Self(State::Ready(Box::new(result)))
    }

    /// Makes the receipt of a record that is as durable as was demanded and whose place nobody asked for
    /// ([`Prepared::unasked`](super::Prepared::unasked)).
    #[must_use]
    pub const fn accepted() -> Self {
        Self(State::Accepted)
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
            State::Ready(result) => Some(Result::clone(result)),
            State::Accepted => Some(Err(unasked())),
            State::Pending(shared) => shared.slot.lock().unwrap_or_else(PoisonError::into_inner).result.clone(),
        }
    }

    /// Tells whether it is known already that the record is not in the log, or not as durably as demanded.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.known(), Some(Err(_)))
    }

    /// Returns the number of the entry, if it is known already.
    pub(crate) fn number_now(&self) -> Option<u64> {
        match &self.0 {
            State::Ready(result) => result.as_ref().as_ref().ok().map(|appended| appended.number),
            State::Accepted | State::Pending(_) => None,
        }
    }

    /// Returns what is known already of whether the record is in the log, as durably as demanded; `None` while it is not
    /// known.
    pub(crate) fn known(&self) -> Option<Result<(), AppendError>> {
        match &self.0 {
            State::Accepted => Some(Ok(())),
            State::Ready(result) if result.is_ok() => Some(Ok(())),
            _ => self.now().map(|result| result.map(drop)),
        }
    }

    /// Blocks the thread until the record is in the log, as durably as demanded.
    pub(crate) fn wait_kept(self) -> Result<(), AppendError> {
        match self.0 {
            State::Accepted => Ok(()),
            _ => self.wait().map(drop),
        }
    }

    /// Blocks the thread like [`wait_kept`](Self::wait_kept), and returns the number of the entry if the sink tells it.
    pub(crate) fn wait_placed(self) -> Result<Option<u64>, AppendError> {
        match self.0 {
            State::Accepted => Ok(None),
            _ => self.wait().map(|appended| Some(appended.number)),
        }
    }

    /// Polls for the record to be in the log, as durably as demanded.
    pub(crate) fn poll_kept(&mut self, context: &mut Context<'_>) -> Poll<Result<(), AppendError>> {
        match &self.0 {
            State::Accepted => Poll::Ready(Ok(())),
            _ => Pin::new(self).poll(context).map(|result| result.map(drop)),
        }
    }

    /// Waits no longer: a failure, now or later, is told to `failed`.
    pub(crate) fn leave(self, failed: fn(&AppendError)) {
        let result = match self.0 {
            State::Ready(result) => *result,
            State::Accepted => return,
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
            State::Ready(result) => return *result,
            State::Accepted => return Err(unasked()),
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
            State::Ready(result) => return Poll::Ready(Result::clone(result)),
            State::Accepted => return Poll::Ready(Err(unasked())),
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

fn unasked() -> AppendError {
    AppendError::new(AppendErrorKind::Unasked, "expected a record whose place is asked for, found an unasked one")
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
    fn an_accepted_record_is_kept_and_has_no_place_to_tell() {
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(Receipt::accepted().known(), Some(Ok(()))));
        assert!(matches!(Receipt::accepted().poll_kept(&mut context), Poll::Ready(Ok(()))));
        assert!(Receipt::accepted().wait_kept().is_ok());
        assert!(!Receipt::accepted().is_refused() && !Receipt::ready(Ok(appended())).is_refused());
        assert!(Receipt::ready(Err(unasked())).is_refused());
        assert_eq!(Receipt::accepted().wait().unwrap_err().kind(), AppendErrorKind::Unasked);
        assert_eq!(Receipt::accepted().now().unwrap().unwrap_err().kind(), AppendErrorKind::Unasked);
    }

    #[test]
    fn a_dropped_completion_is_an_error_and_never_a_hang() {
        let (completion, receipt) = Receipt::pending();
        drop(completion);
        assert_eq!(receipt.wait().unwrap_err().kind(), AppendErrorKind::Closed);
    }
}

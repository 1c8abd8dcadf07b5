//! What the protocol needs of memory and of waiting, so that the model checker runs the same code as the journal.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// One word that several threads read and write.
pub(super) trait Word: fmt::Debug {
    fn new(value: u64) -> Self;
    fn load(&self, ordering: Ordering) -> u64;
    fn store(&self, value: u64, ordering: Ordering);
    /// Replaces the value if it is the expected one, acquiring and releasing; returns the one found if it is not, or if
    /// the processor gave up.
    fn exchange(&self, expected: u64, value: u64) -> Result<(), u64>;
    /// Sets bits, acquiring and releasing.
    fn set(&self, bits: u64);
}

/// Where threads wait for room.
pub(super) trait Gate: fmt::Debug + Default {
    /// Waits until the attempt gives something, at the latest until the deadline.
    ///
    /// Attempts are made under a lock that [`Gate::open`] takes too. So whatever was done before the gate was opened is
    /// either seen by the attempt, or the thread is waiting by then and is woken.
    fn wait_for<T>(&self, deadline: Instant, attempt: impl FnMut() -> Option<T>) -> Option<T>;
    /// Wakes all that wait.
    fn open(&self);
}

/// The memory of one half of the journal.
///
/// A word holds its eight bytes in the order of a little-endian number, on every machine.
pub(super) trait Memory: fmt::Debug {
    type Word: Word;
    type Gate: Gate;
    /// The words of the header.
    fn header(&self) -> &[Self::Word];
    /// The words in which slots lie.
    fn slots(&self) -> &[Self::Word];
}

impl Word for AtomicU64 {
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    #[inline]
    fn load(&self, ordering: Ordering) -> u64 {
        u64::from_le(self.load(ordering))
    }

    #[inline]
    fn store(&self, value: u64, ordering: Ordering) {
        self.store(value.to_le(), ordering);
    }

    #[inline]
    fn exchange(&self, expected: u64, value: u64) -> Result<(), u64> {
        self.compare_exchange_weak(expected.to_le(), value.to_le(), Ordering::AcqRel, Ordering::Relaxed)
            .map(drop)
            .map_err(u64::from_le)
    }

    fn set(&self, bits: u64) {
        self.fetch_or(bits.to_le(), Ordering::AcqRel);
    }
}

/// The gate of a running program. The mutex protects nothing but the order of attempts and openings.
#[derive(Debug, Default)]
pub(super) struct SystemGate {
    order: Mutex<()>,
    opened: Condvar,
}

impl Gate for SystemGate {
    fn wait_for<T>(&self, deadline: Instant, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = attempt() {
                return Some(result);
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            (order, _) = self.opened.wait_timeout(order, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self) {
        drop(self.order.lock().unwrap_or_else(PoisonError::into_inner));
        self.opened.notify_all();
    }
}

//! What a thread uses again and again, so that a call in steady state allocates nothing.

use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};

/// How many values of one type a thread keeps: as many as one call has at work at once, and some calls inside it.
const SPARE_MAX: usize = 16;

/// How much room a value may have taken to be kept.
pub(crate) const CAPACITY_MAX: usize = 64 << 10;

/// A value that is worth keeping when it is no longer used.
pub(crate) trait Reuse: Default {
    /// Empties a value that was kept.
    fn empty(&mut self);

    /// Tells whether the value has room, and not so much that it should not be kept.
    fn is_worth_keeping(&self) -> bool;

    /// Lends what this thread keeps; nothing while the thread ends.
    fn spare<R>(with: impl FnOnce(&mut Vec<Self>) -> R) -> Option<R>;
}

/// A value that goes back to its thread when it is dropped; that may be another one than it came from.
pub(crate) struct Reused<T: Reuse>(T);

/// A buffer of bytes.
pub(crate) type Buffer = Reused<Vec<u8>>;

impl<T: Reuse> Reused<T> {
    /// Takes the value for good.
    pub(crate) fn into_inner(mut self) -> T {
        mem::take(&mut self.0)
    }
}

impl<T: Reuse> Default for Reused<T> {
    fn default() -> Self {
        let mut value = T::spare(Vec::pop).flatten().unwrap_or_default();
        value.empty();
        Self(value)
    }
}

impl<T: Reuse> Drop for Reused<T> {
    fn drop(&mut self) {
        // It is emptied only when it is used again: a value is moved slowly right after it has been written to.
        let value = mem::take(&mut self.0);
        if value.is_worth_keeping() {
            let _ended = T::spare(|spare| {
                if spare.len() < SPARE_MAX {
                    spare.push(value);
                }
            });
        }
    }
}

impl<T: Reuse> Deref for Reused<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Reuse> DerefMut for Reused<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Reuse + fmt::Debug> fmt::Debug for Reused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Reuse> From<T> for Reused<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// Declares what a thread keeps of a type.
macro_rules! reuse {
    ($type:ty, |$value:ident| $capacity:expr) => {
        impl $crate::reused::Reuse for $type {
            fn empty(&mut self) {
                self.clear();
            }

            fn is_worth_keeping(&self) -> bool {
                let $value = self;
                (1..=$crate::reused::CAPACITY_MAX).contains(&$capacity)
            }

            fn spare<R>(with: impl FnOnce(&mut Vec<Self>) -> R) -> Option<R> {
                thread_local! {
                    static SPARE: core::cell::RefCell<Vec<$type>> = const { core::cell::RefCell::new(Vec::new()) };
                }
                SPARE.try_with(|spare| spare.try_borrow_mut().ok().map(|mut spare| with(&mut spare))).ok().flatten()
            }
        }
    };
}
pub(crate) use reuse;

reuse!(Vec<u8>, |bytes| bytes.capacity());

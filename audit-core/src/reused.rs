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
    fn spare<R>(with: impl FnOnce(&mut Vec<Place<Self>>) -> R) -> Option<R>;
}

/// Where a value stays for as long as it is used again. A value of several words that was just written to is moved slowly: the
/// processor waits until all that was written before it has reached the cache. A pointer to its place is not.
pub(crate) type Place<T> = Option<Box<T>>;

/// A value that goes back to its thread when it is dropped; that may be another one than it came from.
pub(crate) struct Reused<T: Reuse>(
    /// None only while it is dropped.
    Place<T>,
);

/// A buffer of bytes.
pub(crate) type Buffer = Reused<Vec<u8>>;

impl<T: Reuse> Reused<T> {
    /// Takes the value for good.
    pub(crate) fn into_inner(mut self) -> T {
        mem::take(&mut *self)
    }
}

impl<T: Reuse> Default for Reused<T> {
    fn default() -> Self {
        let mut value = T::spare(Vec::pop).flatten().flatten().unwrap_or_default();
        value.empty();
        Self(Some(value))
    }
}

impl<T: Reuse> Drop for Reused<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take_if(|value| value.is_worth_keeping()) {
            let _ended = T::spare(|spare| {
                if spare.len() < SPARE_MAX {
                    spare.push(Some(value));
                }
            });
        }
    }
}

impl<T: Reuse> Deref for Reused<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("a value is there until it is dropped"),
        }
    }
}

impl<T: Reuse> DerefMut for Reused<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(value) => value,
            None => unreachable!("a value is there until it is dropped"),
        }
    }
}

impl<T: Reuse + fmt::Debug> fmt::Debug for Reused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Reuse> From<T> for Reused<T> {
    fn from(value: T) -> Self {
        Self(Some(Box::new(value)))
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

            fn spare<R>(with: impl FnOnce(&mut Vec<$crate::reused::Place<Self>>) -> R) -> Option<R> {
                thread_local! {
                    static SPARE: core::cell::RefCell<Vec<$crate::reused::Place<$type>>> = const { core::cell::RefCell::new(Vec::new()) };
                }
                SPARE.try_with(|spare| spare.try_borrow_mut().ok().map(|mut spare| with(&mut spare))).ok().flatten()
            }
        }
    };
}
pub(crate) use reuse;

reuse!(Vec<u8>, |bytes| bytes.capacity());

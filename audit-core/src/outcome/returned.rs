//! What a function returned, taken apart.

use core::convert::Infallible;
use core::fmt;

use super::{Conclusion, Outcome};
use crate::capture::Probe;

/// What a function returned, taken apart.
#[derive(Debug)]
pub enum Returned<'a, T, E> {
    /// The value of success.
    Value(&'a T),
    /// `None`: a success without a value.
    Nothing,
    /// The error.
    Error(&'a E),
}

/// The rungs of the ladder: what a function returned, taken apart by its type.
pub trait Apart {
    /// The parts.
    type Parts;
    /// Takes the returned value apart.
    fn returned(&self) -> Self::Parts;
}

impl<'a, T, E> Apart for &Probe<'a, Result<T, E>> {
    type Parts = Returned<'a, T, E>;

    fn returned(&self) -> Returned<'a, T, E> {
        parts(self.0)
    }
}

impl<'a, T, E> Apart for &Probe<'a, &Result<T, E>> {
    type Parts = Returned<'a, T, E>;

    fn returned(&self) -> Returned<'a, T, E> {
        parts(self.0)
    }
}

impl<'a, T, E> Apart for &Probe<'a, &mut Result<T, E>> {
    type Parts = Returned<'a, T, E>;

    fn returned(&self) -> Returned<'a, T, E> {
        parts(self.0)
    }
}

const fn parts<T, E>(result: &Result<T, E>) -> Returned<'_, T, E> {
    match result {
        Ok(value) => Returned::Value(value),
        Err(error) => Returned::Error(error),
    }
}

/// That nothing was found is no failure.
impl<'a, T> Apart for &Probe<'a, Option<T>> {
    type Parts = Returned<'a, T, Infallible>;

    fn returned(&self) -> Returned<'a, T, Infallible> {
        self.0.as_ref().map_or(Returned::Nothing, Returned::Value)
    }
}

/// Any other value is a success.
impl<'a, T> Apart for Probe<'a, T> {
    type Parts = Returned<'a, T, Infallible>;

    fn returned(&self) -> Returned<'a, T, Infallible> {
        Returned::Value(self.0)
    }
}

/// A value that may say itself how its call ended.
#[derive(Clone, Copy)]
pub struct Stated<'a>(Option<&'a dyn Outcome>);

impl fmt::Debug for Stated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stated").field(&self.0.is_some()).finish()
    }
}

impl Stated<'_> {
    pub(crate) fn conclusion(self) -> Option<Conclusion> {
        self.0.map(Outcome::outcome)
    }
}

/// The rungs of the ladder: types that say how their call ended, and all others.
pub trait States<'a> {
    /// Takes the value as one that may say so.
    fn stated(&self) -> Stated<'a>;
}

impl<'a, T: Outcome> States<'a> for &Probe<'a, T> {
    fn stated(&self) -> Stated<'a> {
        Stated(Some(self.0))
    }
}

impl<'a, T> States<'a> for Probe<'a, T> {
    fn stated(&self) -> Stated<'a> {
        Stated(None)
    }
}

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

/// The rung for `Result`.
pub trait ReturnedResult<'a, T, E> {
    /// Takes the returned value apart.
    fn returned(&self) -> Returned<'a, T, E>;
}

/// The rung for `Option`: that nothing was found is no failure.
pub trait ReturnedOption<'a, T> {
    /// Takes the returned value apart.
    fn returned(&self) -> Returned<'a, T, Infallible>;
}

/// The rung for everything else: a value is a success.
pub trait ReturnedValue<'a, T> {
    /// Takes the returned value as it is.
    fn returned(&self) -> Returned<'a, T, Infallible>;
}

impl<'a, T, E> ReturnedResult<'a, T, E> for &Probe<'a, Result<T, E>> {
    fn returned(&self) -> Returned<'a, T, E> {
        parts(self.0)
    }
}

impl<'a, T, E> ReturnedResult<'a, T, E> for &Probe<'a, &Result<T, E>> {
    fn returned(&self) -> Returned<'a, T, E> {
        parts(self.0)
    }
}

impl<'a, T, E> ReturnedResult<'a, T, E> for &Probe<'a, &mut Result<T, E>> {
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

impl<'a, T> ReturnedOption<'a, T> for &Probe<'a, Option<T>> {
    fn returned(&self) -> Returned<'a, T, Infallible> {
        self.0.as_ref().map_or(Returned::Nothing, Returned::Value)
    }
}

impl<'a, T> ReturnedValue<'a, T> for Probe<'a, T> {
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

/// The rung for types that say how their call ended.
pub trait StatedOutcome<'a> {
    /// Takes the value as one that says so.
    fn stated(&self) -> Stated<'a>;
}

/// The rung for all others.
pub trait StatedNot<'a> {
    /// Says nothing.
    fn stated(&self) -> Stated<'a>;
}

impl<'a, T: Outcome> StatedOutcome<'a> for &Probe<'a, T> {
    fn stated(&self) -> Stated<'a> {
        Stated(Some(self.0))
    }
}

impl<'a, T> StatedNot<'a> for Probe<'a, T> {
    fn stated(&self) -> Stated<'a> {
        Stated(None)
    }
}

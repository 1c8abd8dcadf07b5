//! Outcome: from what a function returned to success or failure, without a bound on the user.
//!
//! As in [`capture`](crate::capture), method look-up on `(&&Probe(&returned))` decides by the type, so that aliases of
//! `Result` are recognised too.

use core::convert::Infallible;
use core::fmt::{Debug, Display, Write as _};
use core::pin::Pin;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::capture::{Captured, Probe};

/// What a function returned, taken apart.
#[derive(Debug)]
pub enum Returned<'a, T, E> {
    /// The value of success.
    Value(&'a T),
    /// The error.
    Error(&'a E),
}

/// The rung for `Result`.
pub trait ReturnedResult<'a, T, E> {
    /// Takes the returned value apart.
    fn returned(&self) -> Returned<'a, T, E>;
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

/// A boxed future that an alias hid from the attribute. That it was returned says nothing of what it will do, so the
/// call is refused when it is compiled:
///
/// ```compile_fail
/// use audit_core::__private::{Probe, ReturnedResult as _};
///
/// type Answer = std::pin::Pin<Box<dyn Future<Output = u8>>>;
/// let answer: Answer = Box::pin(async { 7 });
/// let _ = (&&Probe(&answer)).returned();
/// ```
impl<'a, F: Future + ?Sized> ReturnedResult<'a, Pin<Box<F>>, Infallible> for &Probe<'a, Pin<Box<F>>> {
    fn returned(&self) -> Returned<'a, Pin<Box<F>>, Infallible> {
        const {
            assert!(
                size_of::<&F>() == 0,
                "an audited function that returns a future must be `async`: the call would be recorded as finished \
                 before it ran",
            );
        }
        Returned::Value(self.0)
    }
}

impl<'a, T> ReturnedValue<'a, T> for Probe<'a, T> {
    fn returned(&self) -> Returned<'a, T, Infallible> {
        Returned::Value(self.0)
    }
}

/// How a call ended, as its expansion tells.
#[derive(Debug)]
pub enum Ending<'a> {
    /// It returned this value.
    Value(Captured<'a>),
    /// It returned this error.
    Error(ErrorFacts<'a>),
}

/// An error in the forms that its type offers.
#[derive(Clone, Copy)]
pub struct ErrorFacts<'a> {
    display: Option<&'a dyn Display>,
    debug: Option<&'a dyn Debug>,
    type_name: &'static str,
}

impl Debug for ErrorFacts<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ErrorFacts").field("type_name", &self.type_name).finish_non_exhaustive()
    }
}

macro_rules! rungs {
    ($($(#[$doc:meta])* $trait:ident, $probe:ty, [$($bound:tt)*], $display:expr, $debug:expr;)+) => {
        $($(#[$doc])*
        pub trait $trait<'a> {
            /// Takes the error in this form.
            fn facts(&self) -> ErrorFacts<'a>;
        }

        impl<'a, E: $($bound)*> $trait<'a> for $probe {
            fn facts(&self) -> ErrorFacts<'a> {
                let display: fn(&'a E) -> Option<&'a dyn Display> = $display;
                let debug: fn(&'a E) -> Option<&'a dyn Debug> = $debug;
                ErrorFacts { display: display(self.0), debug: debug(self.0), type_name: core::any::type_name::<E>() }
            }
        })+
    };
}

rungs! {
    /// The first rung: errors as they should be.
    FactsBoth, &&&Probe<'a, E>, [Display + Debug], |error| Some(error), |error| Some(error);
    /// The second rung.
    FactsDisplay, &&Probe<'a, E>, [Display], |error| Some(error), |_| None;
    /// The third rung.
    FactsDebug, &Probe<'a, E>, [Debug], |_| None, |error| Some(error);
    /// The last rung: every type has a name.
    FactsType, Probe<'a, E>, [], |_| None, |_| None;
}

impl ErrorFacts<'_> {
    /// Returns what the error says of itself.
    pub(crate) fn text(&self) -> Option<String> {
        let written = |value: &dyn Fn() -> String| catch_unwind(AssertUnwindSafe(value)).ok();
        match (self.display, self.debug) {
            (Some(display), _) => written(&|| display.to_string()),
            (None, Some(debug)) => written(&|| format!("{debug:?}")),
            (None, None) => None,
        }
    }

    /// Returns the error's type, without what its `Debug` text says.
    pub(crate) fn type_name(&self) -> String {
        short_type_name(self.type_name)
    }

    /// Returns the error's type, with the variant where its `Debug` text starts with one: `OrderError::Shipped`.
    pub(crate) fn error_type(&self) -> String {
        let mut name = self.type_name();
        let variant = self.debug.and_then(leading_identifier);
        if let Some(variant) = variant.filter(|variant| *variant != name && !name.ends_with(&format!("::{variant}"))) {
            name.push_str("::");
            name.push_str(&variant);
        }
        name
    }
}

/// Shortens each path in a type's name to its last part, or two where the last is the common `Error`.
fn short_type_name(full: &str) -> String {
    let is_path = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let mut short = String::new();
    let mut rest = full;
    while let Some(start) = rest.find(is_path) {
        let (before, path) = rest.split_at(start);
        let (path, after) = path.split_at(path.find(|character| !is_path(character)).unwrap_or(path.len()));
        short.push_str(before);
        let mut parts = path.rsplit("::");
        let last = parts.next().unwrap_or_default();
        match parts.next().filter(|_| last == "Error" && after.is_empty() && before.is_empty()) {
            Some(module) => short.push_str(&format!("{module}::{last}")),
            None => short.push_str(last),
        }
        rest = after;
    }
    short + rest
}

/// Returns the identifier that a derived `Debug` starts with: `Shipped`, `Shipped { … }`, `Shipped(…)`.
///
/// Whatever else a `Debug` text may start with could be the message, which is not ours to give away here.
fn leading_identifier(error: &dyn Debug) -> Option<String> {
    let mut start = Start(String::new());
    // The writer stops the formatting once it has seen enough.
    let _stopped = catch_unwind(AssertUnwindSafe(|| write!(start, "{error:?}")));
    let text = start.0;
    let end = text.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (identifier, rest) = text.split_at(end);
    let is_variant = identifier.starts_with(|character: char| character.is_ascii_uppercase())
        && identifier.len() < Start::ENOUGH
        && (rest.is_empty() || rest.starts_with('(') || rest.starts_with(" {"));
    is_variant.then(|| identifier.to_owned())
}

struct Start(String);

impl Start {
    const ENOUGH: usize = 80;
}

impl core::fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.push_str(text);
        if self.0.len() > Self::ENOUGH { Err(core::fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_shortly() {
        let check = |full: &str, expected: &str| assert_eq!(short_type_name(full), expected);
        check("shop::orders::OrderError", "OrderError");
        check("std::io::error::Error", "error::Error");
        check("alloc::boxed::Box<dyn core::error::Error + core::marker::Send>", "Box<dyn Error + Send>");
        check("&str", "&str");
        check("(alloc::string::String, u8)", "(String, u8)");
    }

    #[test]
    fn a_variant_is_named_and_a_message_is_not() {
        #[derive(Debug)]
        enum OrderError {
            Shipped,
            Late { _days: u8 },
            Other(#[expect(dead_code, reason = "shown by Debug only")] String),
        }
        #[derive(Debug)]
        struct Refused;
        let check = |error: &dyn Debug, type_name, expected: &str| {
            assert_eq!(ErrorFacts { display: None, debug: Some(error), type_name }.error_type(), expected);
        };
        check(&OrderError::Shipped, "a::OrderError", "OrderError::Shipped");
        check(&OrderError::Late { _days: 1 }, "a::OrderError", "OrderError::Late");
        check(&OrderError::Other("x".repeat(200)), "a::OrderError", "OrderError::Other");
        check(&Refused, "a::Refused", "Refused");
        check(&format_args!("Card 4242 was refused"), "anyhow::Error", "anyhow::Error");
        check(&"text", "&str", "&str");
    }
}

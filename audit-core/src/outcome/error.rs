//! An error in the forms that its type offers: text, sources, type name, code.

use core::error::Error;
use core::fmt::{self, Debug, Display, Write as _};
use core::ops::Deref;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::capture::Probe;

/// How many sources of an error are told.
const SOURCES_MAX: usize = 16;

/// How long the text of an error is at most read, its sources included.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// What of an error a type offers.
#[derive(Clone, Copy)]
pub(crate) struct Forms<'a> {
    display: Option<&'a dyn Display>,
    debug: Option<&'a dyn Debug>,
    error: Option<&'a dyn Error>,
    io: Option<io::ErrorKind>,
    type_name: &'static str,
}

impl<'a> Forms<'a> {
    fn named<T>(_: &'a T) -> Self {
        Self { display: None, debug: None, error: None, io: None, type_name: core::any::type_name::<T>() }
    }
}

/// A type that offers the forms of a rung.
trait Formed<'a, Rung> {
    fn forms(&'a self) -> Forms<'a>;
}

/// The rungs of the ladder: how an error is taken, by the forms that its type offers.
pub trait Facts<'a> {
    /// Takes the error.
    fn facts(&self) -> ErrorFacts<'a>;
}

macro_rules! rungs {
    ($($(#[$doc:meta])* $rung:ident: [$($generic:tt)*] $probe:ty, $error_type:ty => $error:ident: $forms:expr;)+) => {
        /// An error in the forms that its type offers.
        ///
        /// They are asked for behind one reference, which costs the function that fails less code than the forms would.
        #[derive(Clone, Copy)]
        pub struct ErrorFacts<'a>(Rung<'a>);

        /// The rung that took an error.
        #[derive(Clone, Copy)]
        enum Rung<'a> {
            $($rung(&'a dyn Formed<'a, $rung>),)+
            Name(&'static str),
        }

        impl<'a> ErrorFacts<'a> {
            /// Asks the type for its forms.
            pub(crate) fn forms(&self) -> Forms<'a> {
                match self.0 {
                    $(Rung::$rung(error) => error.forms(),)+
                    Rung::Name(type_name) => Forms { type_name, ..Forms::named(&()) },
                }
            }
        }

        $(
            $(#[$doc])*
            struct $rung;

            impl<'a, $($generic)*> Formed<'a, $rung> for $error_type {
                fn forms(&'a self) -> Forms<'a> {
                    let $error = self;
                    $forms
                }
            }

            impl<'a, $($generic)*> Facts<'a> for $probe {
                fn facts(&self) -> ErrorFacts<'a> {
                    ErrorFacts(Rung::$rung(self.0))
                }
            }
        )+
    };
}

rungs! {
    /// The first rung: errors of the system, whose kind is their code.
    Io: [] &&&&&&&Probe<'a, io::Error>, io::Error => error: Forms {
        display: Some(error), debug: Some(error), error: Some(error), io: Some(error.kind()), ..Forms::named(error)
    };
    /// The second rung: errors as they should be.
    Proper: [E: Error] &&&&&&Probe<'a, E>, E => error: Forms {
        display: Some(error), debug: Some(error), error: Some(error), ..Forms::named(error)
    };
    /// The third rung: what holds an error that threads share, such as `anyhow::Error`.
    Shared: ['e: 'a, E: Display + Debug + Deref<Target = dyn Error + Send + Sync + 'e>] &&&&&Probe<'a, E>, E => error: Forms {
        display: Some(error), debug: Some(error), error: held(|| &**error), ..Forms::named(error)
    };
    /// The fourth rung: `Box<dyn Error>`.
    Boxed: ['e: 'a, E: Display + Debug + Deref<Target = dyn Error + 'e>] &&&&Probe<'a, E>, E => error: Forms {
        display: Some(error), debug: Some(error), error: held(|| &**error), ..Forms::named(error)
    };
    /// The fifth rung.
    Told: [E: Display + Debug] &&&Probe<'a, E>, E => error: Forms {
        display: Some(error), debug: Some(error), ..Forms::named(error)
    };
    /// The sixth rung.
    Displayed: [E: Display] &&Probe<'a, E>, E => error: Forms { display: Some(error), ..Forms::named(error) };
    /// The seventh rung.
    Debugged: [E: Debug] &Probe<'a, E>, E => error: Forms { debug: Some(error), ..Forms::named(error) };
}

/// Returns the error inside of one that holds it; nothing if its `Deref`, which is the user's, panics.
fn held<'a>(error: impl FnOnce() -> &'a (dyn Error + 'a)) -> Option<&'a (dyn Error + 'a)> {
    quietly(|| Some(error()))
}

/// The last rung: every type has a name.
impl<'a, E> Facts<'a> for Probe<'a, E> {
    fn facts(&self) -> ErrorFacts<'a> {
        ErrorFacts(Rung::Name(core::any::type_name::<E>()))
    }
}

impl Debug for ErrorFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorFacts").field("type_name", &self.forms().type_name).finish_non_exhaustive()
    }
}

impl Forms<'_> {
    /// Returns what the error says of itself, and then each of its sources that it has not said already.
    pub(crate) fn text(&self) -> Option<String> {
        let mut text = match (self.display, self.debug) {
            (Some(display), _) => written(&format_args!("{display}"))?,
            (None, Some(debug)) => written(&format_args!("{debug:?}"))?,
            (None, None) => return None,
        };
        for source in self.sources().take(SOURCES_MAX) {
            let Some(said) = written(&format_args!("{source}")) else { break };
            if text.len() + said.len() > TEXT_BYTES_MAX {
                break;
            }
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
        }
        Some(text)
    }

    fn sources(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        // A `source` is the user's code: one that panics ends the list.
        let first = self.error.and_then(|error| quietly(|| error.source()));
        core::iter::successors(first, |error| next_source(*error))
    }

    /// Returns the error's code: the kind of the first error of the system in it.
    pub(crate) fn code(&self) -> Option<String> {
        let of_source = || self.sources().take(SOURCES_MAX).find_map(|source| source.downcast_ref::<io::Error>());
        let kind = self.io.or_else(|| of_source().map(io::Error::kind))?;
        Some(format!("{kind:?}"))
    }

    /// Returns the error's type, without what its `Debug` text says.
    pub(crate) fn type_name(&self) -> String {
        if self.io.is_some() { "io::Error".to_owned() } else { short_type_name(self.type_name) }
    }

    /// Returns the error's type, with the variant where its `Debug` text starts with one: `OrderError::Shipped`.
    pub(crate) fn error_type(&self) -> String {
        let mut name = self.type_name();
        if self.io.is_some() {
            // Its kind is its code; how it keeps its text says nothing.
            return name;
        }
        let variant = self.debug.and_then(leading_identifier);
        if let Some(variant) = variant.filter(|variant| *variant != name && !name.ends_with(&format!("::{variant}"))) {
            name.push_str("::");
            name.push_str(&variant);
        }
        name
    }
}

fn next_source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    quietly(|| error.source())
}

fn quietly<R>(code: impl FnOnce() -> Option<R>) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).ok().flatten()
}

fn written(text: &fmt::Arguments<'_>) -> Option<String> {
    quietly(|| Some(text.to_string()))
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

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > Self::ENOUGH { Err(fmt::Error) } else { Ok(()) }
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
            let facts = Forms { debug: Some(error), type_name, ..Forms::named(&()) };
            assert_eq!(facts.error_type(), expected);
        };
        check(&OrderError::Shipped, "a::OrderError", "OrderError::Shipped");
        check(&OrderError::Late { _days: 1 }, "a::OrderError", "OrderError::Late");
        check(&OrderError::Other("x".repeat(200)), "a::OrderError", "OrderError::Other");
        check(&Refused, "a::Refused", "Refused");
        check(&format_args!("Card 4242 was refused"), "anyhow::Error", "anyhow::Error");
        check(&"text", "&str", "&str");
    }
}

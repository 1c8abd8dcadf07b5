//! Canonical JSON (RFC 8785) of any `serde::Serialize` value, with redaction applied on the way.
//!
//! Members are sorted by the UTF-16 code units of their names; integers outside ±(2^53−1) and numbers that are not
//! finite are written as strings; other numbers as ECMAScript writes them. Names and paths that are to be redacted are
//! recognised at each key *before* the value behind it is written.

mod key;
mod raw;
mod serializer;
mod text;

use core::fmt;

use serde::Serialize;

pub(crate) use serializer::{Canonical, Frame, Removed, Writable};
pub(crate) use text::{compare_names, object_of, write_digits, write_joined, write_string};

/// How deep a value may be nested. With the levels of the record around it, a line stays below the 128 levels that
/// common parsers of JSON accept.
pub const DEPTH_MAX: usize = 100;

/// How many bytes of canonical JSON one value may have before it is not captured as JSON any more: 16 MiB.
pub const VALUE_BYTES_MAX: usize = 16 << 20;

/// Writes the value as canonical JSON, removing nothing.
///
/// # Errors
/// The value's own `Serialize` fails, a member's name occurs twice or is not a text, or a limit is passed.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut canonical = Canonical::plain();
    value.serialize(&mut canonical)?;
    Ok(canonical.into_bytes().into_inner())
}

/// A value has no canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Twice(String),
    NoName(&'static str),
    TooDeep,
    TooLarge,
    /// A part of the value was left unfinished: its `Serialize` caught a panic on the way.
    Broken,
    /// The redaction path with this index, among those at work, does not meet the value.
    NotMet(usize),
    Custom(String),
}

impl Error {
    /// Returns the index of the redaction path that the value does not meet, if that is the reason.
    pub(crate) const fn path_not_met(&self) -> Option<usize> {
        match self.0 {
            Kind::NotMet(path) => Some(path),
            _ => None,
        }
    }

    /// Tells whether the value is beyond a limit: then no other form of it is any smaller.
    pub(crate) const fn is_beyond_limit(&self) -> bool {
        matches!(self.0, Kind::TooDeep | Kind::TooLarge)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Twice(name) => {
                write!(f, "expected each name once in an object, found `{}` twice", name.escape_debug())
            }
            Kind::NoName(found) => write!(f, "expected a text as the name of a member, found {found}"),
            Kind::TooDeep => write!(f, "expected at most {DEPTH_MAX} levels of nesting, found more"),
            Kind::TooLarge => write!(f, "expected at most {VALUE_BYTES_MAX} bytes of JSON, found more"),
            Kind::Broken => f.write_str("expected each part to be written to its end, found one left unfinished"),
            Kind::NotMet(_) => f.write_str("the value does not have the key that a redaction path names"),
            Kind::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Kind::Custom(message.to_string()))
    }
}

#[cfg(test)]
mod tests;

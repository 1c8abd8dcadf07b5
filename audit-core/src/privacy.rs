//! Privacy: how values are removed, and the one door to the keys that some of the ways need.

pub(crate) mod secret;
pub(crate) mod types;

mod disclosure;
mod pattern;
mod rules;

use core::fmt;

pub use crate::redact::{Path, Root, Segment};
pub use disclosure::{Disclosure, ParseDisclosureError, SALT_BYTES, sealed_at};
pub use pattern::Pattern;
pub use rules::{Builder, CallRules, Privacy};
pub use secret::Secret;

/// How a value is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The member is left out; in a list `null` stands in the value's place.
    Drop,
    /// `"****"` stands in the value's place, with the last four characters where they are asked for and the value is long.
    Mask {
        /// True if the last four characters are to be seen.
        last_four: bool,
    },
    /// A keyed digest stands in the value's place: equal values stay equal.
    Token,
    /// A salted digest stands in the value's place; the value is kept under the key of its subject.
    Seal(Subject),
}

impl Method {
    /// Returns the word that records have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask { .. } => "mask",
            Self::Token => "token",
            Self::Seal(_) => "seal",
        }
    }
}

/// Where it is said whose value a sealed one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A scalar in an argument or in the result.
    Within {
        /// What the path starts from.
        root: Root,
        /// The steps to the scalar.
        segments: &'static [Segment],
    },
    /// The member of this name beside the sealed one.
    Beside(&'static str),
    /// The user on whose behalf the agent acts.
    OnBehalfOf,
}

/// What makes tokens of values and seals them: whoever has the keys. This crate has none, and no cipher.
pub trait Protect: Send + Sync + fmt::Debug {
    /// Makes the token of a scalar, given as canonical JSON: `42` and `"42"` have different ones.
    ///
    /// # Errors
    /// There is no key, or it cannot be had.
    fn token(&self, tenant: Option<&str>, scalar: &[u8]) -> Result<Token, ProtectError>;

    /// Keeps a value where the key of its subject opens it, and returns the digest that stands for it.
    ///
    /// # Errors
    /// There is no key, or it cannot be had, or the sealed value could not be kept.
    fn seal(&self, sealing: &Sealing<'_>) -> Result<Sealed, ProtectError>;
}

/// What stands in the place of a value that became a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `token:<key id>:<32 hexadecimal digits>`.
    pub text: String,
    /// The key under which it was made.
    pub key_id: String,
}

/// A value that is to be sealed.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// The tenant for whom the agent acts.
    pub tenant: Option<&'a str>,
    /// Whose value it is.
    pub subject: &'a str,
    /// The name of the member, as a disclosure of RFC 9901 has it.
    pub name: &'a str,
    /// The value, in canonical JSON.
    pub value: &'a [u8],
}

/// What stands in the place of a sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The digest of the disclosure, in base64url: 43 characters.
    pub digest: String,
    /// The key that opens it.
    pub key_id: String,
}

/// Why a value could not become a token or be sealed; it is left out of the record then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectError(String);

impl ProtectError {
    /// Makes an error of what was expected and what was found. It must not show the value.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ProtectError {}

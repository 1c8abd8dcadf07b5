//! Redaction: what is removed from a record, by which rule and in which way, and what is left in its place.

pub(crate) mod named;
pub(crate) mod names;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod rule;
pub(crate) mod rules;
pub(crate) mod secrets;

use crate::privacy::Method;
pub use path::{Path, Root, Segment};
pub(crate) use path::{is_name, is_path, parse_path};
use rule::Rule;
pub(crate) use rules::Rules;

/// One removal, as it stands in a record's `redactions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redaction {
    /// A JSON Pointer from the record's root. It never passes a key that was itself withheld: it stops at the map.
    pub(crate) path: String,
    pub(crate) removal: Removal,
}

/// What was done by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Removal {
    /// `path:customer.ssn`, `name:password`.
    pub(crate) rule: Rule,
    /// The word of the method: it may be `drop` where another one was asked for and could not be had.
    pub(crate) method: &'static str,
    /// The key of a token or a sealed value.
    pub(crate) key_id: Option<String>,
}

impl Redaction {
    pub(crate) const fn new(path: String, removal: Removal) -> Self {
        Self { path, removal }
    }
}

impl Removal {
    pub(crate) const fn new(rule: Rule, method: Method) -> Self {
        Self { rule, method: method.as_str(), key_id: None }
    }

    pub(crate) const fn drop(rule: Rule) -> Self {
        Self::new(rule, Method::Drop)
    }
}

/// Appends one step to a JSON Pointer (RFC 6901).
pub(crate) fn push_step(pointer: &mut String, key: &str) {
    pointer.push('/');
    if !key.bytes().any(|byte| byte == b'~' || byte == b'/') {
        return pointer.push_str(key);
    }
    for character in key.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

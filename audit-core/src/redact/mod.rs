//! Redaction: what is removed from a record, by which rule, and what is left in its place.

pub(crate) mod names;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod rule;
pub(crate) mod secrets;

pub use path::{Path, Root, Segment};
pub(crate) use path::{is_path, parse_path};

/// One removal, as it stands in a record's `redactions`. Every removal is a `drop` for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redaction {
    /// A JSON Pointer from the record's root. It never passes a key that was itself withheld: it stops at the map.
    pub(crate) path: String,
    /// The rule that removed the value: `path:customer.ssn`, `name:password`.
    pub(crate) rule: String,
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

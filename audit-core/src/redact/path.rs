//! Redaction paths, as the attribute's expansion states them.

/// A path given to `redact`: `customer.ssn`, `items[].token`, `return.email`, `error`.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The path as it was written.
    pub text: &'static str,
    /// What the path starts from.
    pub root: Root,
    /// The steps into that value; none addresses the value itself.
    pub segments: &'static [Segment],
}

/// What a path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The parameter with this index.
    Parameter(usize),
    /// The result.
    Return,
    /// The text of the error.
    Error,
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The member of this name. Unless it is optional, an object without it withholds the whole value.
    Key {
        /// The member's name as it is serialised.
        name: &'static str,
        /// True if the member may be absent: `ssn?`.
        optional: bool,
    },
    /// Each element of a list: `[]`.
    Each,
    /// Each member of an object, whatever its name: `*`.
    Any,
}

//! What a rule is called in a record.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

/// The name of a rule: `path:customer.ssn`, `name:password`, `policy:refunds/iban`. It is cheap to keep and to copy.
#[derive(Clone)]
pub(crate) struct Rule {
    kind: &'static str,
    text: Text,
}

#[derive(Clone)]
enum Text {
    Known(&'static str),
    Shared(Arc<str>),
}

impl Rule {
    pub(crate) const fn path(text: &'static str) -> Self {
        Self { kind: "path:", text: Text::Known(text) }
    }

    pub(crate) const fn policy(text: &'static str) -> Self {
        Self { kind: "policy:", text: Text::Known(text) }
    }

    pub(crate) const fn of_type(text: &'static str) -> Self {
        Self { kind: "type:", text: Text::Known(text) }
    }

    pub(crate) const fn name(text: &'static str) -> Self {
        Self { kind: "name:", text: Text::Known(text) }
    }

    pub(crate) const fn pattern(text: &'static str) -> Self {
        Self { kind: "pattern:", text: Text::Known(text) }
    }

    /// Makes a rule that is called so as a whole.
    pub(crate) fn called(text: &str) -> Self {
        Self { kind: "", text: Text::Shared(text.into()) }
    }

    /// Returns what the rule is called, in two parts.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        let text = match &self.text {
            Text::Known(text) => *text,
            Text::Shared(text) => &**text,
        };
        (self.kind, text)
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        let (kind, text) = self.parts();
        kind.bytes().chain(text.bytes())
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts() || self.bytes().eq(other.bytes())
    }
}

impl Eq for Rule {}

impl Hash for Rule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().for_each(|byte| state.write_u8(byte));
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = self.parts();
        f.write_str(kind)?;
        f.write_str(text)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

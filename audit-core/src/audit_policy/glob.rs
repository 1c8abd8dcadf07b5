//! Names with stars.

use core::fmt;

/// A name in which each `*` stands for any text, none included: `order.*`, `*.refund`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Makes a glob of its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the name is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let Some((prefix, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(prefix) else { return false };
        let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in middle.split('*') {
            // The first place is as good as any: what follows a star may be longer.
            let Some(found) = name.find(part) else { return false };
            name = name.get(found + part.len()..).unwrap_or_default();
        }
        name.ends_with(suffix)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let check =
            |glob: &str, name: &str, expected| assert_eq!(Glob::new(glob).matches(name), expected, "{glob} {name}");
        for (glob, name) in [
            ("order.refund", "order.refund"),
            ("order.*", "order.refund"),
            ("order.*", "order."),
            ("*.refund", "order.refund"),
            ("*", ""),
            ("*", "anything"),
            ("a*b*c", "abc"),
            ("a*b*c", "a--b--b--c"),
            ("**", "x"),
        ] {
            check(glob, name, true);
        }
        for (glob, name) in [
            ("order.refund", "order.refunds"),
            ("order.*", "orders.refund"),
            ("*.refund", "order.refunds"),
            ("ab*ba", "aba"),
            ("a*b*c", "acb"),
            ("", "x"),
        ] {
            check(glob, name, false);
        }
    }
}

//! Redaction paths, as the attribute's expansion states them.

use crate::privacy::Method;

/// A path given to `redact`: `customer.ssn`, `items[].token`, `return.email`, `error`.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The path as it was written.
    pub text: &'static str,
    /// What the path starts from.
    pub root: Root,
    /// The steps into that value; none addresses the value itself.
    pub segments: &'static [Segment],
    /// How what it addresses is removed.
    pub method: Method,
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

/// Parses a path that is given at run time: `customer.ssn?`, `items[].token`, `accounts.*.iban`, `"card-number"`. `None`
/// if it cannot be read. The keys are kept for the life of the process, as the paths of attributes are.
pub(crate) fn parse_path(text: &'static str) -> Option<Vec<Segment>> {
    let steps = parse_steps(text)?.into_iter();
    let segment = |step| match step {
        Step::Key(name, optional) => Segment::Key { name, optional },
        Step::Each => Segment::Each,
        Step::Any => Segment::Any,
    };
    Some(steps.map(segment).collect())
}

/// Tells whether the text is a path that can be read.
pub(crate) fn is_path(text: &str) -> bool {
    parse_steps(text).is_some()
}

/// Tells whether the text is a path of one name.
pub(crate) fn is_name(text: &str) -> bool {
    matches!(parse_steps(text).as_deref(), Some([Step::Key(..)]))
}

/// A step of a path whose text need not be kept.
enum Step<'t> {
    Key(&'t str, bool),
    Each,
    Any,
}

fn parse_steps(text: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[]") {
            steps.push(Step::Each);
            rest = after;
            continue;
        }
        let step = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
        let (step, after) = parse_step(step)?;
        steps.push(step);
        rest = after;
    }
    (!steps.is_empty()).then_some(steps)
}

fn parse_step(step: &str) -> Option<(Step<'_>, &str)> {
    if let Some(after) = step.strip_prefix('*') {
        return Some((Step::Any, after));
    }
    let (name, after) = match step.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => step.split_at(step.find(['.', '[', '?']).unwrap_or(step.len())),
    };
    let optional = after.starts_with('?');
    let is_name = !name.is_empty()
        && !name.contains(|character: char| {
            matches!(character, '"' | '*' | ']' | '(' | ')' | ',') || character.is_whitespace()
        });
    let after = after.strip_prefix('?').unwrap_or(after);
    (is_name || step.starts_with('"')).then_some((Step::Key(name, optional), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_at_run_time() {
        let key = |name, optional| Segment::Key { name, optional };
        let check = |text, expected: Option<Vec<Segment>>| assert_eq!(parse_path(text), expected, "{text}");
        check("card", Some(vec![key("card", false)]));
        check("customer.ssn?", Some(vec![key("customer", false), key("ssn", true)]));
        check("items[].token", Some(vec![key("items", false), Segment::Each, key("token", false)]));
        check("accounts.*.iban", Some(vec![key("accounts", false), Segment::Any, key("iban", false)]));
        check("\"card number\"", Some(vec![key("card number", false)]));
        check("*.iban", Some(vec![Segment::Any, key("iban", false)]));
        for wrong in ["", "a..b", ".a", "a b", "a[0]", "\"a", "a.", "a]"] {
            check(wrong, None);
        }
    }
}

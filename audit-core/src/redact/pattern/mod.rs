//! Secrets that are known by what they look like, wherever they stand in a text.
//!
//! A text is read once. Where a word begins, its first byte tells whether a key might begin there, and four bytes whether
//! an account might; digits are looked at where they begin, and what stands before `://` is not looked at at all.

mod keys;
mod numbers;

use core::ops::Range;

use super::rule::Rule;
use crate::privacy::{Method, Pattern};

/// The shortest text in which anything is found, and the shortest in which something is found that has neither many digits
/// nor an `@`.
const TEXT_BYTES_MIN: usize = 8;
const KEY_BYTES_MIN: usize = 15;

/// How many digits a number has at least that is looked for.
const DIGITS_MIN: usize = 9;

/// The patterns that one log removes.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    methods: [Option<Method>; Pattern::ALL.len()],
    /// What their rules are called by, where that is not `pattern:`.
    labels: [Option<std::sync::Arc<str>>; Pattern::ALL.len()],
}

/// A secret that was found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) range: Range<usize>,
    pub(crate) pattern: Pattern,
    name: &'static str,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { methods: Pattern::ALL.map(Pattern::default_method), labels: Default::default() }
    }
}

impl Patterns {
    pub(crate) fn none() -> Self {
        Self { methods: Default::default(), labels: Default::default() }
    }

    pub(crate) fn set(&mut self, pattern: Pattern, method: Option<Method>, label: Option<&str>) {
        if let Some(place) = self.methods.get_mut(pattern.index()) {
            *place = method;
        }
        if let Some(place) = self.labels.get_mut(pattern.index()) {
            *place = label.map(Into::into);
        }
    }

    /// Returns what is done with what looks like this.
    pub(crate) fn method(&self, pattern: Pattern) -> Option<Method> {
        self.methods.get(pattern.index()).copied().flatten()
    }

    /// Returns what the rule is called that removes what was found.
    pub(crate) fn rule(&self, found: &Match) -> Rule {
        let Match { pattern, name, .. } = *found;
        match self.labels.get(pattern.index()).and_then(Option::as_deref) {
            Some(label) => Rule::called(&format!("{label}{name}")),
            None => Rule::pattern(name),
        }
    }

    /// Finds what is to be removed from the text, in its order.
    pub(crate) fn find(&self, text: &str) -> Vec<Match> {
        if may_have_any(text.as_bytes()) { scan(text, |pattern| self.method(pattern).is_some()) } else { Vec::new() }
    }
}

/// Finds what lets in whoever has it, whatever a log removes.
pub(crate) fn credentials(text: &str) -> Vec<Match> {
    if may_have_any(text.as_bytes()) { scan(text, Pattern::is_credential) } else { Vec::new() }
}

/// Tells whether anything could be found in the text. Most short texts are done with here.
fn may_have_any(bytes: &[u8]) -> bool {
    if bytes.len() >= KEY_BYTES_MIN {
        return true;
    }
    bytes.len() >= TEXT_BYTES_MIN
        && (bytes.contains(&b'@') || bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= DIGITS_MIN)
}

fn scan(text: &str, is_on: impl Fn(Pattern) -> bool) -> Vec<Match> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut before) = (0, b' ');
    while let Some(&byte) = bytes.get(at) {
        let class = CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
        let looked_at = match class {
            PLAIN => false,
            PUNCTUATION => true,
            DIGIT => !before.is_ascii_digit(),
            // A letter.
            _ => !before.is_ascii_alphanumeric(),
        };
        let secret = if looked_at { at_place(text, at, class) } else { None };
        match secret.filter(|secret| is_on(secret.pattern)) {
            Some(secret) => {
                at = secret.range.end.max(at + 1);
                before = bytes.get(at - 1).copied().unwrap_or_default();
                found.push(secret);
            }
            None => (at, before) = (at + 1, byte),
        }
    }
    found
}

/// What a byte may begin.
const PLAIN: u8 = 0;
const PUNCTUATION: u8 = 1;
const DIGIT: u8 = 2;
const LETTER: u8 = 3;

static CLASSES: [u8; 256] = classes();

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler, over bytes")]
const fn classes() -> [u8; 256] {
    let mut classes = [PLAIN; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b':' | b'-' => PUNCTUATION,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            _ => PLAIN,
        };
        byte += 1;
    }
    classes
}

/// Returns the secret at the place.
fn at_place(text: &str, at: usize, class: u8) -> Option<Match> {
    let rest = text.get(at..)?;
    let known = |pattern: Pattern, end: usize| Match { range: at..at + end, pattern, name: pattern.as_str() };
    if class == DIGIT {
        let card = numbers::card(text, at).map(|end| known(Pattern::CardNumber, end));
        return card.or_else(|| numbers::us_ssn(rest).map(|end| known(Pattern::UsSsn, end)));
    }
    if let Some(authority) = rest.strip_prefix("://") {
        let end = credentials_end(authority)?;
        let start = at + 3;
        let pattern = Pattern::UrlCredentials;
        return Some(Match { range: start..start + end, pattern, name: pattern.as_str() });
    }
    if class == LETTER
        && let Some(end) = numbers::iban(rest)
    {
        return Some(known(Pattern::Iban, end));
    }
    if !rest.bytes().next().is_some_and(keys::may_begin) {
        return None;
    }
    let key = keys::at(rest)?;
    Some(Match { range: at + key.start..at + key.end, pattern: key.pattern, name: key.name })
}

/// How long user and password in a URL may be together.
const AUTHORITY_BYTES_MAX: usize = 1_024;

/// Returns where the user and password end that begin a URL's authority; nothing if there is no password.
fn credentials_end(authority: &str) -> Option<usize> {
    let mut near = authority.len().min(AUTHORITY_BYTES_MAX);
    while !authority.is_char_boundary(near) {
        near -= 1;
    }
    let authority = authority.get(..near)?;
    memchr::memchr(b'@', authority.as_bytes())?;
    let stops = |character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '`');
    let authority = authority.get(..authority.find(stops).unwrap_or(authority.len()))?;
    let colon = authority.find(':')?;
    let strict = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    if colon > strict {
        return None;
    }
    let at = authority.get(..strict)?.rfind('@');
    // A password that nobody escaped may have any of those; a port has nothing but digits.
    let port = authority.get(colon + 1..strict)?;
    let at = match at {
        Some(at) => at,
        None if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        None => authority.rfind('@')?,
    };
    (at > colon + 1).then_some(at)
}

#[cfg(test)]
mod tests;

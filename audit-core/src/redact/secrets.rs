//! The scalars that were removed from one call's arguments, kept until the call's end so that they are removed from its
//! error text too.

use core::fmt;
use core::ops::Range;
use std::collections::BTreeMap;

use super::Removal;
use super::rule::Rule;
use crate::canonical::write_string;

/// How many texts and bytes one call keeps; beyond that its error text is withheld altogether.
const TEXTS_MAX: usize = 256;
const BYTES_MAX: usize = 64 << 10;

/// How many characters a text or a number has at least to be cut inside of words too.
const TEXT_CHARACTERS_MIN: usize = 4;
const NUMBER_CHARACTERS_MIN: usize = 6;

/// What stands in a text where a part was removed.
pub(crate) const REMOVED: &str = "[redacted]";

/// Removed values. They never leave this type but as places to cut.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Every form that a removed value may take in a text, with the rule that removed it.
    texts: BTreeMap<String, Rule>,
    /// The length of all of `texts`, without the rules.
    bytes: usize,
    /// Set when a removed value could not be kept: then no text of the call can be trusted to be free of it.
    incomplete: Option<Rule>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

/// A text without secrets, and what was removed from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    /// What is left; `None` if the text had to be withheld.
    pub(crate) text: Option<String>,
    pub(crate) removals: Vec<Removal>,
}

impl Secrets {
    /// Keeps one removed scalar, in the forms that it takes in texts.
    pub(crate) fn add(&mut self, text: &str, rule: &Rule) {
        if self.is_incomplete() || self.texts.contains_key(text) {
            return;
        }
        if text.len() > BYTES_MAX {
            self.withhold(rule);
        } else if !text.trim().is_empty() {
            forms(text).into_iter().for_each(|form| self.keep(form, rule));
        }
    }

    fn keep(&mut self, form: String, rule: &Rule) {
        if self.is_incomplete() || self.texts.contains_key(&form) {
            return;
        }
        if self.texts.len() >= TEXTS_MAX || self.bytes + form.len() > BYTES_MAX {
            self.withhold(rule);
            return;
        }
        self.bytes += form.len();
        self.texts.insert(form, rule.clone());
    }

    /// Takes over what was removed.
    pub(crate) fn take(&mut self, other: Self) {
        if self.is_empty() { *self = other } else { self.absorb(&other) }
    }

    /// Takes over what was removed from another call.
    pub(crate) fn absorb(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if let Some(rule) = &other.incomplete {
            self.withhold(rule);
        }
        for (form, rule) in &other.texts {
            self.keep(form.clone(), rule);
        }
    }

    /// Tells whether a removed value is not known, so that every text is withheld.
    pub(crate) const fn is_incomplete(&self) -> bool {
        self.incomplete.is_some()
    }

    /// Tells whether nothing was removed.
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.is_incomplete()
    }

    /// Notes that a removed value is not known.
    pub(crate) fn withhold(&mut self, rule: &Rule) {
        self.incomplete.get_or_insert_with(|| rule.clone());
    }

    /// Takes the scalars out of a `Debug` text: what stands in quotes, and each run of letters and digits with a digit.
    pub(crate) fn add_debug(&mut self, text: &str, rule: &Rule) {
        for (index, part) in text.split('"').enumerate() {
            if index % 2 == 1 {
                self.add(part, rule);
            }
        }
        let runs = text.split(|character: char| !character.is_alphanumeric() && character != '_' && character != '.');
        for run in runs.filter(|run| run.contains(|character: char| character.is_ascii_digit())) {
            self.add(run, rule);
        }
    }

    /// Returns the rule of a removed value that is not known.
    pub(crate) const fn unknown(&self) -> Option<&Rule> {
        self.incomplete.as_ref()
    }

    /// Removes the secrets that are known. Returns by which rules.
    ///
    /// The text is searched once for each secret, and never what was put in place of another.
    pub(crate) fn cut(&self, text: &str) -> (String, Vec<Removal>) {
        let mut cuts: Vec<Range<usize>> = Vec::new();
        let mut removals: Vec<Removal> = Vec::new();
        for (secret, rule) in &self.texts {
            let known = cuts.len();
            find_all(text, secret, &mut cuts);
            if cuts.len() > known && !removals.iter().any(|removal| removal.rule == *rule) {
                removals.push(Removal::drop(rule.clone()));
            }
        }
        (without(text, cuts), removals)
    }
}

/// Returns the forms that a scalar takes in texts: as it is, as `Debug` and JSON escape it, a number without exponent.
fn forms(text: &str) -> Vec<String> {
    // Most scalars look the same however they are escaped.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\');
    let mut forms = if text.bytes().all(is_plain) { vec![text.to_owned()] } else { escaped(text) };
    if text.trim() != text && !text.trim().is_empty() {
        forms.push(text.trim().to_owned());
    }
    if is_number(text) && text.contains(['e', 'E']) {
        forms.extend(text.parse::<f64>().map(|number| number.to_string()));
    }
    forms
}

fn escaped(text: &str) -> Vec<String> {
    let debug = format!("{text:?}");
    let mut json = Vec::with_capacity(text.len() + 2);
    write_string(&mut json, text);
    let json = String::from_utf8(json).unwrap_or_default();
    let unquoted = |quoted: &str| quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    vec![text.to_owned(), unquoted(&debug), unquoted(&json), text.escape_debug().to_string()]
}

fn is_number(text: &str) -> bool {
    text.contains(|character: char| character.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// Cuts the parts out of the text; those that overlap are cut as one.
fn without(text: &str, mut cuts: Vec<Range<usize>>) -> String {
    cuts.sort_unstable_by_key(|cut| (cut.start, cut.end));
    let mut clean = String::with_capacity(text.len());
    let mut end = 0;
    for cut in cuts {
        if cut.start >= end {
            clean.push_str(text.get(end..cut.start).unwrap_or_default());
            clean.push_str(REMOVED);
        }
        end = end.max(cut.end);
    }
    clean.push_str(text.get(end..).unwrap_or_default());
    clean
}

/// Finds the secret wherever it stands in the text and is not part of another word or number.
fn find_all(text: &str, secret: &str, cuts: &mut Vec<Range<usize>>) {
    let joining = Joining::of(secret);
    // A short secret may overlap with a place that is refused: `1-1` in `x1-1-1`. A long one is passed over, for speed.
    let refused =
        if joining == Joining::Words { secret.chars().next().map_or(1, char::len_utf8) } else { secret.len() };
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(secret)) {
        let start = from + at;
        let found = joining.ends(text, start, secret).into_iter().find(|&end| !joining.joins(text, start..end));
        cuts.extend(found.map(|end| start..end));
        from = found.unwrap_or(start + refused);
    }
}

/// What around a secret makes it a part of something else, which is left alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joining {
    /// Nothing: a text that is long enough.
    Nothing,
    /// Further digits: a number that is long enough, `424242` in `14242420`.
    Digits,
    /// Letters, digits and `_`: a short text or number, `12` in `128`.
    Words,
}

impl Joining {
    fn of(secret: &str) -> Self {
        let characters = secret.chars().take(NUMBER_CHARACTERS_MIN).count();
        let number = is_number(secret);
        if characters < TEXT_CHARACTERS_MIN || number && characters < NUMBER_CHARACTERS_MIN {
            Self::Words
        } else if number {
            Self::Digits
        } else {
            Self::Nothing
        }
    }

    /// Returns where the secret that starts here may end: a number with the zeros that formatting adds, and as it is.
    fn ends(self, text: &str, start: usize, secret: &str) -> [usize; 2] {
        let end = start + secret.len();
        let after = text.get(end..).unwrap_or_default();
        if self == Self::Nothing || !is_number(secret) {
            return [end, end];
        }
        let fraction = if secret.contains('.') { Some(after) } else { after.strip_prefix('.') };
        let with_zeros = fraction
            .filter(|fraction| fraction.starts_with('0'))
            .map_or(end, |fraction| text.len() - fraction.trim_start_matches('0').len());
        [with_zeros, end]
    }

    /// Tells whether the part of the text belongs to something longer.
    fn joins(self, text: &str, part: Range<usize>) -> bool {
        let (before, rest) = text.split_at_checked(part.start).unwrap_or((text, ""));
        let (inside, after) = rest.split_at_checked(part.len()).unwrap_or((rest, ""));
        let (mut before, mut after) = (before.chars().rev(), after.chars());
        let in_word = |character: Option<char>| character.is_some_and(|this| this.is_alphanumeric() || this == '_');
        match self {
            Self::Nothing => false,
            Self::Words => {
                in_word(before.next()) && in_word(inside.chars().next())
                    || in_word(after.next()) && in_word(inside.chars().next_back())
            }
            Self::Digits => digits_follow(&mut before) || digits_follow(&mut after),
        }
    }
}

/// Tells whether a number goes on with these characters: with a digit, or a point and a digit.
fn digits_follow(characters: &mut dyn Iterator<Item = char>) -> bool {
    let next = characters.next();
    let digit = if next == Some('.') { characters.next() } else { next };
    digit.is_some_and(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Rules;

    fn scrub(secrets: &[&str], text: &str) -> String {
        let mut kept = Secrets::default();
        secrets.iter().for_each(|secret| kept.add(secret, &Rule::path("card")));
        Rules::default().scrub(text, &kept).text.unwrap()
    }

    #[test]
    fn removed_scalars_are_cut_out_of_a_text() {
        assert_eq!(scrub(&["4242424242424242"], "card 4242424242424242 is blocked"), "card [redacted] is blocked");
        assert_eq!(scrub(&["bob@example.com"], "no mailbox <bob@example.com>"), "no mailbox <[redacted]>");
        assert_eq!(scrub(&["12"], "order 12 of 128 failed: 12"), "order [redacted] of 128 failed: [redacted]");
        assert_eq!(scrub(&["ab\"cd"], r#"found "ab\"cd""#), r#"found "[redacted]""#);
        assert_eq!(scrub(&["abcd", "abcdef"], "xabcdefx abcdx"), "x[redacted]x [redacted]x");
        assert_eq!(scrub(&["1212"], "121212 1212"), "121212 [redacted]");
        assert_eq!(scrub(&["abcd", "cdef"], "xabcdefx"), "x[redacted]x");
        assert_eq!(scrub(&["abcd", "redacted"], "abcd"), "[redacted]");
        assert_eq!(scrub(&["$5", "1-1"], "US$5 x1-1-1"), "US[redacted] x1-[redacted]");
    }

    #[test]
    fn a_long_number_is_cut_out_of_words_but_not_out_of_longer_numbers() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(&["4242424242424242"], text), expected);
        check("ERR_4242424242424242_declined", "ERR_[redacted]_declined");
        check("card4242424242424242x.", "card[redacted]x.");
        check("4242424242424242.", "[redacted].");
        check("04242424242424242", "04242424242424242");
        check("42424242424242420", "42424242424242420");
        check("0.4242424242424242 4242424242424242.5", "0.4242424242424242 4242424242424242.5");
    }

    #[test]
    fn a_number_is_cut_with_the_zeros_and_the_form_that_formatting_gives_it() {
        assert_eq!(scrub(&["1234.5"], "no 1234.5000 left of 1234.56"), "no [redacted] left of 1234.56");
        assert_eq!(scrub(&["12"], "12.00, 12.50"), "[redacted], [redacted].50");
        assert_eq!(scrub(&["123456"], "123456.00, 123456.50"), "[redacted], 123456.50");
        assert_eq!(scrub(&["1.2345e-7"], "dose 0.00000012345 refused"), "dose [redacted] refused");
    }

    #[test]
    fn a_secret_is_cut_however_it_is_escaped() {
        let secret = "o'brien\"\u{e000}\u{1}x";
        assert_eq!(scrub(&[secret], &format!("wrong {secret:?}")), "wrong \"[redacted]\"");
        assert_eq!(scrub(&[secret], &format!("wrong {}", secret.escape_debug())), "wrong [redacted]");
        assert_eq!(scrub(&[secret], &serde_json::to_string(secret).unwrap()), "\"[redacted]\"");
    }

    #[test]
    fn a_text_is_withheld_when_a_removed_value_is_not_known() {
        let mut secrets = Secrets::default();
        secrets.withhold(&Rule::path("card"));
        let removals = vec![Removal::drop(Rule::path("card"))];
        assert_eq!(Rules::default().scrub("any", &secrets), Scrubbed { text: None, removals });
        let mut many = Secrets::default();
        (0..=TEXTS_MAX).for_each(|n| many.add(&format!("value {n}"), &Rule::path("all")));
        assert_eq!(Rules::default().scrub("any", &many).text, None);
    }

    #[test]
    fn no_form_of_a_value_passes_the_limit() {
        let mut secrets = Secrets::default();
        (0..TEXTS_MAX - 1).for_each(|n| secrets.add(&format!("value {n}"), &Rule::path("all")));
        assert!(!secrets.is_incomplete());
        secrets.add("value 7", &Rule::path("all"));
        assert!(!secrets.is_incomplete());
        secrets.add("q\"q", &Rule::path("all"));
        assert!(secrets.is_incomplete());
        assert_eq!(secrets.texts.len(), TEXTS_MAX);
        let mut long = Secrets::default();
        long.add(&"\"".repeat(BYTES_MAX), &Rule::path("all"));
        assert!(long.is_incomplete() && long.bytes <= BYTES_MAX);
        secrets = Secrets::default();
        secrets.add(&"x".repeat(BYTES_MAX + 1), &Rule::path("all"));
        assert!(secrets.is_incomplete());
    }

    #[test]
    fn the_secrets_of_another_call_are_taken_over_within_the_limit() {
        let mut inner = Secrets::default();
        inner.add("hunter2\"", &Rule::path("card"));
        let mut outer = Secrets::default();
        assert!(outer.is_empty());
        outer.absorb(&inner);
        assert!(!outer.is_empty() && !outer.is_incomplete());
        let removals = vec![Removal::drop(Rule::path("card"))];
        let scrubbed = Rules::default().scrub("a hunter2\\\"", &outer);
        assert_eq!(scrubbed, Scrubbed { text: Some("a [redacted]".to_owned()), removals });
        (0..TEXTS_MAX).for_each(|n| inner.keep(format!("value {n}"), &Rule::path("all")));
        outer.absorb(&inner);
        assert!(outer.is_incomplete() && !outer.is_empty());
    }
}

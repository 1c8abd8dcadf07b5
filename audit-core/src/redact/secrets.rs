//! The scalars that were removed from one call's arguments, kept until the call's end so that they are removed from its
//! error text too.

use core::fmt;
use core::mem::size_of;
use core::ops::Range;

use super::Removal;
use super::rule::Rule;
use crate::canonical::write_string;
use crate::reused::{Reused, reuse};

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
    /// None until the first one: most calls remove nothing.
    forms: Option<Reused<Forms>>,
    /// Set when a removed value could not be kept: then no text of the call can be trusted to be free of it.
    incomplete: Option<Rule>,
}

/// Every form that a removed value may take in a text, with the rule that removed it.
#[derive(Default)]
struct Forms {
    /// One behind the other, so that keeping one more allocates nothing.
    texts: String,
    /// Where each stands, in the order of the forms, each of which is there once.
    places: Vec<(Range<usize>, Rule)>,
}

impl Forms {
    fn iter(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.places.iter().map(|(place, rule)| (self.form(place), rule))
    }

    fn form(&self, place: &Range<usize>) -> &str {
        self.texts.get(place.clone()).unwrap_or_default()
    }

    /// Returns where the form is listed, or where it would be.
    fn find(&self, form: &str) -> Result<usize, usize> {
        self.places.binary_search_by(|(place, _)| self.form(place).cmp(form))
    }

    fn insert(&mut self, form: &str, rule: &Rule) {
        if let Err(at) = self.find(form) {
            let start = self.texts.len();
            self.texts.push_str(form);
            self.places.insert(at, (start..self.texts.len(), rule.clone()));
        }
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.places.clear();
    }

    const fn capacity(&self) -> usize {
        self.texts.capacity() + self.places.capacity() * size_of::<(Range<usize>, Rule)>()
    }
}

reuse!(Forms, |forms| forms.capacity());

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("forms", &self.count()).finish_non_exhaustive()
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
        if self.is_incomplete() || self.has(text) {
            return;
        }
        if text.len() > BYTES_MAX {
            self.withhold(rule);
        } else if !text.trim().is_empty() {
            each_form(text, &mut |form| self.keep(form, rule));
        }
    }

    fn keep(&mut self, form: &str, rule: &Rule) {
        if self.is_incomplete() || self.has(form) {
            return;
        }
        if self.count() >= TEXTS_MAX || self.bytes() + form.len() > BYTES_MAX {
            self.withhold(rule);
            return;
        }
        self.forms.get_or_insert_default().insert(form, rule);
    }

    fn has(&self, form: &str) -> bool {
        self.forms.as_ref().is_some_and(|forms| forms.find(form).is_ok())
    }

    fn count(&self) -> usize {
        self.forms.as_ref().map_or(0, |forms| forms.places.len())
    }

    /// Returns the length of all forms, without the rules.
    fn bytes(&self) -> usize {
        self.forms.as_ref().map_or(0, |forms| forms.texts.len())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.forms.iter().flat_map(|forms| forms.iter())
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
        other.iter().for_each(|(form, rule)| self.keep(form, rule));
    }

    /// Tells whether a removed value is not known, so that every text is withheld.
    pub(crate) const fn is_incomplete(&self) -> bool {
        self.incomplete.is_some()
    }

    /// Tells whether nothing was removed.
    pub(crate) const fn is_empty(&self) -> bool {
        self.forms.is_none() && !self.is_incomplete()
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
        for (secret, rule) in self.iter() {
            let known = cuts.len();
            find_all(text, secret, &mut cuts);
            if cuts.len() > known && !removals.iter().any(|removal| removal.rule == *rule) {
                removals.push(Removal::drop(rule.clone()));
            }
        }
        (without(text, cuts), removals)
    }
}

/// Gives the forms that a scalar takes in texts: as it is, as `Debug` and JSON escape it, a number without exponent.
fn each_form(text: &str, keep: &mut dyn FnMut(&str)) {
    keep(text);
    // Most scalars look the same however they are escaped.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\');
    if !text.bytes().all(is_plain) {
        escaped(text).iter().for_each(|form| keep(form));
    }
    let trimmed = text.trim();
    if trimmed != text && !trimmed.is_empty() {
        keep(trimmed);
    }
    if text.contains(['e', 'E'])
        && is_number(text)
        && let Ok(number) = text.parse::<f64>()
    {
        keep(&number.to_string());
    }
}

fn escaped(text: &str) -> [String; 3] {
    let debug = format!("{text:?}");
    let mut json = Vec::with_capacity(text.len() + 2);
    write_string(&mut json, text);
    let json = String::from_utf8(json).unwrap_or_default();
    let unquoted = |quoted: &str| quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    [unquoted(&debug), unquoted(&json), text.escape_debug().to_string()]
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
        assert_eq!(secrets.count(), TEXTS_MAX);
        let mut long = Secrets::default();
        long.add(&"\"".repeat(BYTES_MAX), &Rule::path("all"));
        assert!(long.is_incomplete() && long.bytes() <= BYTES_MAX);
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
        (0..TEXTS_MAX).for_each(|n| inner.keep(&format!("value {n}"), &Rule::path("all")));
        outer.absorb(&inner);
        assert!(outer.is_incomplete() && !outer.is_empty());
    }

    #[test]
    fn what_is_used_again_knows_nothing_of_the_call_before() {
        let rule = Rule::path("card");
        let mut before = Secrets::default();
        before.add("hunter2", &rule);
        let place = core::ptr::from_ref(&**before.forms.as_ref().unwrap());
        drop(before);
        let mut after = Secrets::default();
        assert!(after.is_empty());
        after.add("swordfish", &rule);
        assert_eq!(core::ptr::from_ref(&**after.forms.as_ref().unwrap()), place);
        assert_eq!((after.count(), after.bytes()), (1, "swordfish".len()));
        assert_eq!(Rules::default().scrub("hunter2 swordfish", &after).text.unwrap(), "hunter2 [redacted]");
    }

    #[test]
    fn each_form_is_kept_once_in_their_order() {
        let mut secrets = Secrets::default();
        ["pear", "apple", "fig", "apple", "pear"].iter().for_each(|text| secrets.add(text, &Rule::path("fruit")));
        let forms: Vec<&str> = secrets.iter().map(|(form, _)| form).collect();
        assert_eq!(forms, ["apple", "fig", "pear"]);
    }
}

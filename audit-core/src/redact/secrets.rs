//! The scalars that were removed from one call's arguments, kept until the call's end so that they are removed from its
//! error text too; and the names of secrets in free text.

use core::fmt;
use core::ops::Range;
use std::collections::BTreeMap;

use super::names;
use crate::canonical::write_string;

/// How many texts and bytes one call keeps; beyond that its error text is withheld altogether.
const TEXTS_MAX: usize = 256;
const BYTES_MAX: usize = 64 << 10;

/// How many characters a text or a number has at least to be cut inside of words too.
const TEXT_CHARACTERS_MIN: usize = 4;
const NUMBER_CHARACTERS_MIN: usize = 6;

/// How many words the name of a secret in free text may have: `API key`.
const NAME_WORDS_MAX: usize = 4;

/// What stands in a text where a part was removed.
pub(crate) const REMOVED: &str = "[redacted]";

/// Removed values. They never leave this type but as places to cut.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Every form that a removed value may take in a text, with the rule that removed it.
    texts: BTreeMap<String, String>,
    /// The length of all of `texts`, without the rules.
    bytes: usize,
    /// Set when a removed value could not be kept: then no text of the call can be trusted to be free of it.
    incomplete: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

/// A text without secrets, and the rules that removed something from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    /// What is left; `None` if the text had to be withheld.
    pub(crate) text: Option<String>,
    pub(crate) rules: Vec<String>,
}

impl Secrets {
    /// Keeps one removed scalar, in the forms that it takes in texts.
    pub(crate) fn add(&mut self, text: &str, rule: &str) {
        if self.is_incomplete() || self.texts.contains_key(text) {
            return;
        }
        if text.len() > BYTES_MAX {
            self.withhold(rule);
        } else if !text.trim().is_empty() {
            forms(text).into_iter().for_each(|form| self.keep(form, rule));
        }
    }

    fn keep(&mut self, form: String, rule: &str) {
        if self.is_incomplete() || self.texts.contains_key(&form) {
            return;
        }
        if self.texts.len() >= TEXTS_MAX || self.bytes + form.len() > BYTES_MAX {
            self.withhold(rule);
            return;
        }
        self.bytes += form.len();
        self.texts.insert(form, rule.to_owned());
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
    pub(crate) fn withhold(&mut self, rule: &str) {
        self.incomplete.get_or_insert_with(|| rule.to_owned());
    }

    /// Takes the scalars out of a `Debug` text: what stands in quotes, and each run of letters and digits with a digit.
    pub(crate) fn add_debug(&mut self, text: &str, rule: &str) {
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

    /// Removes the secrets from a text, and everything after the name of a secret that is given a value. The text is
    /// withheld if a removed value is not known.
    pub(crate) fn scrub(&self, text: &str) -> Scrubbed {
        if let Some(rule) = &self.incomplete {
            return Scrubbed { text: None, rules: vec![rule.clone()] };
        }
        let (text, rules) = self.scrub_known(text);
        Scrubbed { text: Some(text), rules }
    }

    /// Removes the secrets that are known, for texts that the user chose: what identifies a target.
    ///
    /// The text is searched once for each secret, and never what was put in place of another.
    pub(crate) fn scrub_known(&self, text: &str) -> (String, Vec<String>) {
        let mut cuts: Vec<Range<usize>> = Vec::new();
        let mut rules: Vec<String> = Vec::new();
        for (secret, rule) in &self.texts {
            let known = cuts.len();
            find_all(text, secret, &mut cuts);
            if cuts.len() > known && !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
        let mut clean = without(text, cuts);
        if let Some((keep, name)) = named_value(&clean) {
            clean.truncate(keep);
            clean.push(' ');
            clean.push_str(REMOVED);
            rules.push(format!("name:{name}"));
        }
        (clean, rules)
    }
}

/// Removes the secrets from a value in canonical JSON, if it is a text. Returns by which rules.
pub(crate) fn clean_text(json: &mut Vec<u8>, secrets: &Secrets) -> Vec<String> {
    if secrets.is_empty() || json.first() != Some(&b'"') {
        return Vec::new();
    }
    let Ok(text) = serde_json::from_slice::<String>(json) else { return Vec::new() };
    let scrubbed = secrets.scrub(&text);
    if !scrubbed.rules.is_empty() {
        json.clear();
        write_string(json, scrubbed.text.as_deref().unwrap_or(REMOVED));
    }
    scrubbed.rules
}

/// Returns the forms that a scalar takes in texts: as it is, as `Debug` and JSON escape it, a number without exponent.
fn forms(text: &str) -> Vec<String> {
    let debug = format!("{text:?}");
    let mut json = Vec::with_capacity(text.len() + 2);
    write_string(&mut json, text);
    let json = String::from_utf8(json).unwrap_or_default();
    let unquoted = |quoted: &str| quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    let mut forms = vec![text.to_owned(), unquoted(&debug), unquoted(&json), text.escape_debug().to_string()];
    if text.trim() != text && !text.trim().is_empty() {
        forms.push(text.trim().to_owned());
    }
    if is_number(text) && text.contains(['e', 'E']) {
        forms.extend(text.parse::<f64>().map(|number| number.to_string()));
    }
    forms
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

/// Finds the first `name: value`, `name=value`, `Name(value)` or `Name { value }` whose name is that of a secret; returns
/// where the value starts.
///
/// Each look back ends at the separator before, so that the text is read a fixed number of times.
pub(crate) fn named_value(text: &str) -> Option<(usize, &'static str)> {
    // A name at the very end has no value.
    let end = text.trim_end().len();
    let separators = text.char_indices().filter(|&(_, character)| matches!(character, ':' | '=' | '(' | '{'));
    separators.take_while(|&(at, _)| at + 1 < end).find_map(|(at, separator)| {
        let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
        let name = match separator {
            '(' => variant(before),
            '{' => variant(before.strip_suffix(' ').unwrap_or(before)),
            // `token::parse` is a path.
            _ if after.starts_with(':') || before.ends_with(':') => None,
            _ => trailing_name(before),
        };
        Some((at + 1, name?))
    })
}

/// Returns the rule that the variant or type at the end of the text falls under.
fn variant(before: &str) -> Option<&'static str> {
    let name = last_run(before, |character| character.is_alphanumeric() || character == '_');
    names::secret(name).filter(|_| name.starts_with(char::is_uppercase))
}

/// Returns the rule that the last words of the text fall under: `password`, `"apiKey"`, `Invalid API key`.
fn trailing_name(before: &str) -> Option<&'static str> {
    let before = before.trim_end_matches(|character: char| " \t\"'`\\".contains(character));
    let mut start = before.len();
    let mut last = start;
    for words in 1..=NAME_WORDS_MAX {
        let mut rest = before.get(..start)?;
        if words > 1 {
            rest = rest.strip_suffix(' ')?;
        }
        let word = last_run(rest, |character| character.is_alphanumeric() || character == '_' || character == '-');
        if word.is_empty() {
            return None;
        }
        start = rest.len() - word.len();
        if words == 1 {
            last = start;
        }
        if let Some(rule) = names::secret(before.get(start..)?) {
            // The last word has to be a part of it: what follows `invalid token expected:` is no token.
            return Some(rule).filter(|_| names::secret(before.get(start..last).unwrap_or_default()).is_none());
        }
    }
    None
}

fn last_run(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let start = text.trim_end_matches(belongs).len();
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub(secrets: &[&str], text: &str) -> String {
        let mut kept = Secrets::default();
        secrets.iter().for_each(|secret| kept.add(secret, "path:card"));
        kept.scrub(text).text.unwrap()
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
    fn everything_after_a_named_secret_is_cut() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(&[], text), expected);
        check("login failed: password: hunter2, retry", "login failed: password: [redacted]");
        check(r#"bad body {"user":"bob","apiKey":"k"}"#, r#"bad body {"user":"bob","apiKey": [redacted]"#);
        check(r#"Login { user: "bob", user_password: "x" }"#, r#"Login { user: "bob", user_password: [redacted]"#);
        check("Authorization = Bearer abc", "Authorization = [redacted]");
        check("token::parse failed", "token::parse failed");
        check("no password:", "no password:");
        check("no password: \n", "no password: \n");
        check("input_tokens: 12", "input_tokens: 12");
    }

    #[test]
    fn the_name_of_a_secret_may_have_several_words() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(&[], text), expected);
        check("Invalid API key: sk-live", "Invalid API key: [redacted]");
        check("declined, card number: 4242 4242", "declined, card number: [redacted]");
        check(r#"{"private key": "x"}"#, r#"{"private key": [redacted]"#);
        check("bad token and api key = x", "bad token and api key = [redacted]");
        check("input tokens: 5", "input tokens: 5");
        check("invalid token expected: x", "invalid token expected: x");
        check("token,  expected: x", "token,  expected: x");
        check("api  key: x", "api  key: x");
    }

    #[test]
    fn everything_after_a_variant_named_as_a_secret_is_cut() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(&[], text), expected);
        check(r#"Password("hunter2")"#, "Password( [redacted]");
        check("Some(ApiKey { id: 1 })", "Some(ApiKey { [redacted]");
        check("Pin{1}", "Pin{ [redacted]");
        check("parse_token(x) Tokenizer(x) Login {}", "parse_token(x) Tokenizer(x) Login {}");
    }

    #[test]
    fn a_long_text_of_separators_is_read_through() {
        let text = "a=".repeat(1 << 18) + &" ".repeat(1 << 18) + &"\"".repeat(1 << 18) + &"= (".repeat(1 << 16);
        assert_eq!(named_value(&text), None);
    }

    #[test]
    fn a_text_is_withheld_when_a_removed_value_is_not_known() {
        let mut secrets = Secrets::default();
        secrets.withhold("path:card");
        assert_eq!(secrets.scrub("any"), Scrubbed { text: None, rules: vec!["path:card".to_owned()] });
        let mut many = Secrets::default();
        (0..=TEXTS_MAX).for_each(|n| many.add(&format!("value {n}"), "path:all"));
        assert_eq!(many.scrub("any").text, None);
    }

    #[test]
    fn no_form_of_a_value_passes_the_limit() {
        let mut secrets = Secrets::default();
        (0..TEXTS_MAX - 1).for_each(|n| secrets.add(&format!("value {n}"), "path:all"));
        assert!(!secrets.is_incomplete());
        secrets.add("value 7", "path:all");
        assert!(!secrets.is_incomplete());
        secrets.add("q\"q", "path:all");
        assert!(secrets.is_incomplete());
        assert_eq!(secrets.texts.len(), TEXTS_MAX);
        let mut long = Secrets::default();
        long.add(&"\"".repeat(BYTES_MAX), "path:all");
        assert!(long.is_incomplete() && long.bytes <= BYTES_MAX);
        secrets = Secrets::default();
        secrets.add(&"x".repeat(BYTES_MAX + 1), "path:all");
        assert!(secrets.is_incomplete());
    }

    #[test]
    fn the_secrets_of_another_call_are_taken_over_within_the_limit() {
        let mut inner = Secrets::default();
        inner.add("hunter2\"", "path:card");
        let mut outer = Secrets::default();
        assert!(outer.is_empty());
        outer.absorb(&inner);
        assert!(!outer.is_empty() && !outer.is_incomplete());
        let rules = vec!["path:card".to_owned()];
        assert_eq!(outer.scrub("a hunter2\\\""), Scrubbed { text: Some("a [redacted]".to_owned()), rules });
        (0..TEXTS_MAX).for_each(|n| inner.keep(format!("value {n}"), "path:all"));
        outer.absorb(&inner);
        assert!(outer.is_incomplete() && !outer.is_empty());
    }
}

//! The scalars that were removed from one call's arguments, kept until the call's end so that they are removed from its
//! error text too; and the names of secrets in free text.

use core::fmt;

use super::names;

/// How many scalars and bytes one call keeps; beyond that its error text is withheld altogether.
const TEXTS_MAX: usize = 256;
const BYTES_MAX: usize = 64 << 10;

/// What stands in a text where a part was removed.
pub(crate) const REMOVED: &str = "[redacted]";

/// Removed values. They never leave this type but as places to cut.
#[derive(Default)]
pub(crate) struct Secrets {
    texts: Vec<Secret>,
    bytes: usize,
    /// Set when a removed value could not be kept: then no text of the call can be trusted to be free of it.
    incomplete: Option<String>,
}

struct Secret {
    text: String,
    rule: String,
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
    /// Keeps one removed scalar.
    pub(crate) fn add(&mut self, text: &str, rule: &str) {
        if text.trim().is_empty() || self.texts.iter().any(|secret| secret.text == text) {
            return;
        }
        self.bytes += text.len();
        if self.texts.len() == TEXTS_MAX || self.bytes > BYTES_MAX {
            self.withhold(rule);
            return;
        }
        self.texts.push(Secret { text: text.to_owned(), rule: rule.to_owned() });
        let escaped = text.escape_debug().to_string();
        if escaped != text {
            self.texts.push(Secret { text: escaped, rule: rule.to_owned() });
        }
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

    /// Removes the secrets from a text, and everything after the name of a secret that is given a value.
    pub(crate) fn scrub(&self, text: &str) -> Scrubbed {
        if let Some(rule) = &self.incomplete {
            return Scrubbed { text: None, rules: vec![rule.clone()] };
        }
        let mut clean = text.to_owned();
        let mut rules: Vec<String> = Vec::new();
        let mut longest_first: Vec<&Secret> = self.texts.iter().collect();
        longest_first.sort_by_key(|secret| core::cmp::Reverse(secret.text.len()));
        for secret in longest_first {
            let cut = without(&clean, &secret.text);
            if cut != clean {
                clean = cut;
                if !rules.contains(&secret.rule) {
                    rules.push(secret.rule.clone());
                }
            }
        }
        if let Some((keep, name)) = named_value(&clean) {
            clean.truncate(keep);
            clean.push(' ');
            clean.push_str(REMOVED);
            rules.push(format!("name:{name}"));
        }
        Scrubbed { text: Some(clean), rules }
    }
}

/// Replaces the secret wherever it occurs; one of fewer than four characters, or a number, only as a whole word.
fn without(text: &str, secret: &str) -> String {
    let whole_words = secret.chars().count() < 4 || secret.parse::<f64>().is_ok();
    let in_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut clean = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, found) = rest.split_at(at);
        let after = found.get(secret.len()..).unwrap_or_default();
        let joined = before.chars().next_back().or_else(|| clean.chars().next_back()).is_some_and(in_word)
            || after.chars().next().is_some_and(in_word);
        clean.push_str(before);
        clean.push_str(if whole_words && joined { secret } else { REMOVED });
        rest = after;
    }
    clean + rest
}

/// Finds the first `name: value` or `name=value` whose name is that of a secret; returns where the value starts.
pub(crate) fn named_value(text: &str) -> Option<(usize, &'static str)> {
    let separators = text.char_indices().filter(|&(_, character)| character == ':' || character == '=');
    separators.into_iter().find_map(|(at, separator)| {
        let (before, after) = text.split_at_checked(at)?;
        let after = after.get(separator.len_utf8()..)?;
        // `token::parse` is a path, and a name at the very end has no value.
        if after.starts_with(':') || before.ends_with(':') || after.trim().is_empty() {
            return None;
        }
        let before = before.trim_end_matches(|character: char| " \t\"'`\\".contains(character));
        let name_part = |character: char| character.is_alphanumeric() || character == '_' || character == '-';
        let start = before.trim_end_matches(name_part).len();
        Some((at + separator.len_utf8(), names::secret(before.get(start..)?)?))
    })
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
        check("input_tokens: 12", "input_tokens: 12");
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
}

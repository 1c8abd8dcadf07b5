//! The names of secrets, and of types that have rules, in free text, where a value follows them.

use super::names::{NameRule, Names};
use super::rule::Rule;
use crate::privacy::types;

/// How many words the name of a secret in free text may have: `API key`.
const NAME_WORDS_MAX: usize = 4;

/// Finds where a text first tells the value of a secret, or shows a value whose type has rules. Returns where that starts,
/// and the rule.
pub(crate) fn first_told(text: &str, names: &Names) -> Option<(usize, Rule)> {
    let named = named_value(text, names).map(|(keep, name)| (keep, name.rule.clone()));
    named.into_iter().chain(shown_type(text)).min_by_key(|(keep, _)| *keep)
}

/// Finds where `Debug` shows a value whose type has rules: `Customer {`, `Card(`. Returns where its members start.
fn shown_type(text: &str) -> Option<(usize, Rule)> {
    let places = types::shown().filter_map(|(shown, name)| {
        let is_whole = |at: usize| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + shown.len()..).unwrap_or_default();
            !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
                && (after.starts_with('(') || after.trim_start_matches(' ').starts_with('{'))
        };
        let at = text.match_indices(shown).map(|(at, _)| at).find(|&at| is_whole(at))?;
        Some((at + shown.len(), Rule::of_type(name)))
    });
    places.min_by_key(|(keep, _)| *keep)
}

/// Finds the first `name: value`, `name=value`, `Name(value)` or `Name { value }` whose name is that of a secret; returns
/// where the value starts.
///
/// Each look back ends at the separator before, so that the text is read a fixed number of times.
fn named_value<'r>(text: &str, names: &'r Names) -> Option<(usize, &'r NameRule)> {
    // A name at the very end has no value.
    let end = text.trim_end().len();
    let separators = text.char_indices().filter(|&(_, character)| matches!(character, ':' | '=' | '(' | '{'));
    separators.take_while(|&(at, _)| at + 1 < end).find_map(|(at, separator)| {
        let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
        let name = match separator {
            '(' => variant(before, names),
            '{' => variant(before.strip_suffix(' ').unwrap_or(before), names),
            // `token::parse` is a path.
            _ if after.starts_with(':') || before.ends_with(':') => None,
            _ => trailing_name(before, names),
        };
        Some((at + 1, name?))
    })
}

/// Returns the rule that the variant or type at the end of the text falls under.
fn variant<'r>(before: &str, names: &'r Names) -> Option<&'r NameRule> {
    let name = last_run(before, |character| character.is_alphanumeric() || character == '_');
    names.find(name).filter(|_| name.starts_with(char::is_uppercase))
}

/// Returns the rule that the last words of the text fall under: `password`, `"apiKey"`, `Invalid API key`.
fn trailing_name<'r>(before: &str, names: &'r Names) -> Option<&'r NameRule> {
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
        if let Some(rule) = names.find(before.get(start..)?) {
            // The last word has to be a part of it: what follows `invalid token expected:` is no token.
            return Some(rule).filter(|_| names.find(before.get(start..last).unwrap_or_default()).is_none());
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
    use crate::redact::Rules;
    use crate::redact::secrets::Secrets;

    fn scrub(text: &str) -> String {
        Rules::default().scrub(text, &Secrets::default()).text.unwrap()
    }

    #[test]
    fn everything_after_a_named_secret_is_cut() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected);
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
        let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected);
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
        let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected);
        check(r#"Password("hunter2")"#, "Password( [redacted]");
        check("Some(ApiKey { id: 1 })", "Some(ApiKey { [redacted]");
        check("Pin{1}", "Pin{ [redacted]");
        check("parse_token(x) Tokenizer(x) Login {}", "parse_token(x) Tokenizer(x) Login {}");
    }

    #[test]
    fn a_long_text_of_separators_is_read_through() {
        let text = "a=".repeat(1 << 18) + &" ".repeat(1 << 18) + &"\"".repeat(1 << 18) + &"= (".repeat(1 << 16);
        assert!(named_value(&text, &Names::default()).is_none());
    }
}

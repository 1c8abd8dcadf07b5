//! Names of secrets that are removed wherever they occur.
//!
//! A rule matches consecutive words of a name, whatever its case and separators: `apiKey`, `API-KEY` and `user_password`
//! match, `input_tokens` and `shipping` do not.

/// The rules, without separators, and the name that they are reported under.
const RULES: &[(&str, &str)] = &[
    ("password", "password"),
    ("passwords", "password"),
    ("passphrase", "passphrase"),
    ("passphrases", "passphrase"),
    ("secret", "secret"),
    ("secrets", "secret"),
    ("token", "token"),
    ("apikey", "api_key"),
    ("apikeys", "api_key"),
    ("authorization", "authorization"),
    ("cookie", "cookie"),
    ("cookies", "cookie"),
    ("privatekey", "private_key"),
    ("privatekeys", "private_key"),
    ("cardnumber", "card_number"),
    ("cardnumbers", "card_number"),
    ("cvv", "cvv"),
    ("ssn", "ssn"),
    ("ssns", "ssn"),
    ("pin", "pin"),
];

/// Returns the rule that the name falls under.
pub(crate) fn secret(name: &str) -> Option<&'static str> {
    starts_of_rules(name).find_map(|start| {
        let rest = name.get(start..)?;
        RULES.iter().find(|(rule, _)| matches_words(rest, rule)).map(|&(_, reported)| reported)
    })
}

/// Returns where words of the name start with the letter that a rule starts with. Most names have no such place, and each
/// member of each captured value is asked for its name: so it is the letters that are looked at first.
fn starts_of_rules(name: &str) -> impl Iterator<Item = usize> {
    let letters = name.bytes().enumerate().filter(|(_, byte)| starts_rule(*byte));
    letters.map(|(at, _)| at).filter(|&at| starts_word(name, at))
}

const fn starts_rule(byte: u8) -> bool {
    matches!(byte | 0x20, b'a' | b'c' | b'p' | b's' | b't')
}

/// Tells whether the words at the start of `rest`, put together, are exactly the rule.
fn matches_words(rest: &str, rule: &str) -> bool {
    let mut expected = rule.bytes();
    for (at, character) in rest.char_indices() {
        if !character.is_alphanumeric() {
            continue;
        }
        match expected.next() {
            // The rule is used up: it matches if a word ends here.
            None => return starts_word(rest, at),
            Some(byte) if character.to_ascii_lowercase() == char::from(byte) => {}
            Some(_) => return false,
        }
    }
    expected.next().is_none()
}

/// Tells whether a word of the name starts at the character at `at`.
fn starts_word(name: &str, at: usize) -> bool {
    let (before, rest) = name.split_at_checked(at).unwrap_or((name, ""));
    let mut following = rest.chars();
    let Some(this) = following.next().filter(|character| character.is_alphanumeric()) else { return false };
    let Some(previous) = before.chars().next_back().filter(|character| character.is_alphanumeric()) else {
        return true;
    };
    if this.is_numeric() != previous.is_numeric() {
        return true;
    }
    let next_is_lower = following.next().is_some_and(char::is_lowercase);
    this.is_uppercase() && (!previous.is_uppercase() || next_is_lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(secret(name), expected, "{name}");
    }

    #[test]
    fn names_match_by_consecutive_words() {
        for name in ["password", "user_password", "userPassword", "PASSWORD", "Password1", "pass-word", "db.password"] {
            check(name, Some("password"));
        }
        for name in ["apiKey", "api_key", "API-KEY", "apikey", "x-api-key", "APIKey", "myApiKey2", "api key"] {
            check(name, Some("api_key"));
        }
        check("Authorization", Some("authorization"));
        check("HTTPAuthorization", Some("authorization"));
        check("oauth2token", Some("token"));
        check("accessToken", Some("token"));
        check("userSSN", Some("ssn"));
        check("cvv2", Some("cvv"));
        check("pin_code", Some("pin"));
        check("ünïcode_pin", Some("pin"));
        check("client_secrets", Some("secret"));
    }

    #[test]
    fn the_first_letters_of_all_rules_are_looked_for() {
        assert!(RULES.iter().all(|(rule, _)| starts_rule(rule.as_bytes()[0])));
    }

    #[test]
    fn names_that_only_contain_a_rule_do_not_match() {
        for name in [
            "input_tokens",
            "tokenizer",
            "shipping",
            "spin",
            "opinion",
            "secretary",
            "passwordless",
            "",
            "_",
            "é",
            "api",
        ] {
            check(name, None);
        }
    }
}

//! Names of secrets that are removed wherever they occur.
//!
//! A rule matches consecutive words of a name, whatever its case and separators: `apiKey`, `API-KEY` and `user_password`
//! match, `input_tokens` and `shipping` do not.

use super::rule::Rule;
use crate::privacy::Method;

/// The rules by default, without separators, and the name that they are reported under.
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

/// The names that one log removes.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    rules: Vec<NameRule>,
    /// Whole names that are no secrets, normalised, though a rule matches them.
    exceptions: Vec<String>,
    starts: Starts,
}

/// A name, and what is done with a member that is called so.
#[derive(Clone, Debug)]
pub(crate) struct NameRule {
    /// The name, normalised.
    letters: String,
    pub(crate) rule: Rule,
    pub(crate) method: Method,
}

impl Default for Names {
    fn default() -> Self {
        let rule = |&(letters, reported): &(&str, &'static str)| NameRule {
            letters: letters.to_owned(),
            rule: Rule::name(reported),
            method: Method::Drop,
        };
        Self::of(RULES.iter().map(rule).collect(), Vec::new())
    }
}

impl Names {
    /// Makes the list that removes nothing.
    pub(crate) fn none() -> Self {
        Self::of(Vec::new(), Vec::new())
    }

    fn of(rules: Vec<NameRule>, exceptions: Vec<String>) -> Self {
        Self { starts: Starts::of(&rules), rules, exceptions }
    }

    /// Adds a name, in the singular and the plural, or changes what is done with one that is there.
    pub(crate) fn add(&mut self, name: &str, rule: Rule, method: Method) {
        let letters = normalised(name);
        if letters.is_empty() {
            return;
        }
        self.exceptions.retain(|exception| *exception != letters);
        if let Some(known) = self.rules.iter().find(|known| known.letters == letters).map(|known| known.rule.clone()) {
            let same = self.rules.iter_mut().filter(|other| other.rule == known);
            same.for_each(|other| (other.rule, other.method) = (rule.clone(), method));
        } else {
            let plural = format!("{letters}s");
            let added = [plural, letters].map(|letters| NameRule { letters, rule: rule.clone(), method });
            self.rules.splice(0..0, added);
        }
        self.starts = Starts::of(&self.rules);
    }

    /// Takes a name off the list; one that is not on it is a name that no rule removes.
    pub(crate) fn except(&mut self, name: &str) {
        let letters = normalised(name);
        let known = self.rules.iter().find(|known| known.letters == letters).map(|known| known.rule.clone());
        match known {
            Some(known) => self.rules.retain(|other| other.rule != known),
            None => self.exceptions.push(letters),
        }
        self.starts = Starts::of(&self.rules);
    }

    /// Returns the rule that the name falls under.
    pub(crate) fn find(&self, name: &str) -> Option<&NameRule> {
        let found = self.starts_of_rules(name).find_map(|start| {
            let rest = name.get(start..)?;
            self.rules.iter().find(|rule| matches_words(rest, &rule.letters))
        });
        found.filter(|_| self.exceptions.is_empty() || !self.exceptions.contains(&normalised(name)))
    }

    /// Returns where words of the name start with the letters that a rule starts with. Most names have no such place, and
    /// each member of each captured value is asked for its name: so it is the letters that are looked at first.
    fn starts_of_rules<'n>(&self, name: &'n str) -> impl Iterator<Item = usize> + use<'_, 'n> {
        let bytes = name.as_bytes();
        let letters = bytes.iter().enumerate().filter(move |&(at, first)| self.starts.has(*first, bytes.get(at + 1)));
        letters.map(|(at, _)| at).filter(|&at| starts_word(name, at))
    }
}

/// The bytes that the rules start with.
#[derive(Clone, Debug)]
struct Starts {
    firsts: u64,
    /// By the place of each first byte, the bytes that follow it.
    seconds: [u64; 64],
}

impl Starts {
    fn of(rules: &[NameRule]) -> Self {
        let mut starts = Self { firsts: 0, seconds: [0; 64] };
        for rule in rules {
            let mut letters = rule.letters.chars().map(|letter| Self::place(u8::try_from(letter).unwrap_or(u8::MAX)));
            let (Some(Some(first)), second) = (letters.next(), letters.next()) else { continue };
            starts.firsts |= 1 << first;
            if let Some(seconds) = starts.seconds.get_mut(usize::from(first)) {
                // After a rule of one letter the next word may start with any.
                *seconds |= second.flatten().map_or(u64::MAX, |second| 1 << second);
            }
        }
        starts
    }

    /// Tells whether a rule may start with these bytes. What follows is known only if it is a letter or digit of ASCII: a
    /// separator counts for nothing, and other letters may have a lower case in ASCII.
    fn has(&self, first: u8, second: Option<&u8>) -> bool {
        let Some(first) = Self::place(first).filter(|first| self.firsts & 1 << first != 0) else { return false };
        let second = second.filter(|second| second.is_ascii()).and_then(|second| Self::place(*second));
        second
            .is_none_or(|second| self.seconds.get(usize::from(first)).is_none_or(|seconds| seconds & 1 << second != 0))
    }

    /// Letters have a place whatever their case, digits have one, and all characters beyond ASCII share one.
    const fn place(byte: u8) -> Option<u8> {
        match byte {
            b'a'..=b'z' => Some(byte - b'a'),
            b'A'..=b'Z' => Some(byte - b'A'),
            b'0'..=b'9' => Some(26 + byte - b'0'),
            0x80.. => Some(63),
            _ => None,
        }
    }
}

/// Returns the letters and digits of a name, in lower case.
fn normalised(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Tells whether the key of a map is a name rather than data: names of members are made of letters.
pub(crate) fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-')
}

/// Tells whether the words at the start of `rest`, put together, are exactly the rule.
fn matches_words(rest: &str, rule: &str) -> bool {
    let mut expected = rule.chars();
    for (at, character) in rest.char_indices() {
        if !character.is_alphanumeric() {
            continue;
        }
        match expected.next() {
            // The rule is used up: it matches if a word ends here.
            None => return starts_word(rest, at),
            Some(letter) if character.to_ascii_lowercase() == letter => {}
            Some(letter) if !character.is_ascii() && character.to_lowercase().eq([letter]) => {}
            Some(_) => return false,
        }
    }
    expected.next().is_none()
}

/// Tells whether a word of the name starts at the character at `at`.
fn starts_word(name: &str, at: usize) -> bool {
    // Most places are inside of a word.
    if let [.., previous, this] = name.as_bytes().get(..=at).unwrap_or_default()
        && previous.is_ascii_alphabetic()
        && this.is_ascii_lowercase()
    {
        return false;
    }
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
        let names = Names::default();
        let found = names.find(name).map(|found| found.rule.to_string());
        assert_eq!(found, expected.map(|word| format!("name:{word}")), "{name}");
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
    fn a_list_is_added_to_changed_and_excepted_from() {
        let mut names = Names::default();
        names.add("IBAN", Rule::name("iban"), Method::Token);
        names.add("Größe", Rule::name("größe"), Method::Drop);
        names.add("card_number", Rule::name("card"), Method::Mask { last_four: true });
        names.except("pin");
        names.except("page_token");
        let check = |name: &str, expected: Option<(&str, Method)>| {
            let found = names.find(name).map(|found| (found.rule.to_string(), found.method));
            assert_eq!(found, expected.map(|(rule, method)| (rule.to_owned(), method)), "{name}");
        };
        check("customerIban", Some(("name:iban", Method::Token)));
        check("ibans", Some(("name:iban", Method::Token)));
        check("GRÖSSE", None);
        check("größe", Some(("name:größe", Method::Drop)));
        check("Größe", Some(("name:größe", Method::Drop)));
        check("cardNumbers", Some(("name:card", Method::Mask { last_four: true })));
        check("pin", None);
        check("pageToken", None);
        check("page_token_secret", Some(("name:token", Method::Drop)));
        names.add("page_token", Rule::name("page_token"), Method::Drop);
        assert_eq!(names.find("pageToken").map(|found| found.rule.to_string()).as_deref(), Some("name:page_token"));
        assert!(Names::none().find("password").is_none());
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

    #[test]
    fn the_first_letters_of_a_rule_are_found_however_they_are_written() {
        let mut names = Names::default();
        ["x", "éa", "dé", "ok", "7z"].iter().for_each(|name| names.add(name, Rule::called(name), Method::Drop));
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(names.find(name).map(|found| found.rule.to_string()).as_deref(), expected, "{name}");
        };
        check("x", Some("x"));
        check("X_ray", Some("x"));
        check("theXRay", Some("x"));
        check("x1", Some("x"));
        check("xray", None);
        check("ÉA", Some("éa"));
        check("dÉ", Some("dé"));
        check("d_É", Some("dé"));
        check("de", None);
        // The sign of Kelvin has a `k` as its lower case.
        check("o\u{212a}", Some("ok"));
        check("O-K", Some("ok"));
        check("my7z", Some("7z"));
        check("p_in", Some("name:pin"));
    }
}

//! Canaries: secrets that a test plants, and looks for wherever they might come out.
//!
//! ```
//! use audited::audited;
//! use audited::canary::Canaries;
//!
//! #[audited(action = "card.charge", redact = [card])]
//! fn charge(order: u64, card: &str) -> Result<u64, String> {
//!     Err(format!("the card {card} was declined"))
//! }
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("audit");
//! let mut canaries = Canaries::seeded(7);
//! let guard = audited::init(&path)?;
//! charge(7, &canaries.card_number()).unwrap_err();
//! guard.close()?;
//!
//! // Where is it? Nowhere below the log's directory.
//! canaries.assert_absent_below(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A canary is found as it is, and as JSON, `Debug` and URLs escape it. What is encoded otherwise is not found: in
//! base64, in hexadecimal digits, compressed in other ways than the log's own. Give what a program prints to
//! [`Canaries::find`], and what other exporters write.
//!
//! A search that finds nothing shows something only if it could have found something: plant one canary that nothing
//! removes, and see that it [is found](Canaries::find).

use core::fmt;
use std::fs;
use std::io;
use std::path::Path;

use aho_corasick::AhoCorasick;

/// How long a canary is at least: a shorter one would be found by chance.
const CHARACTERS_MIN: usize = 8;

/// Secrets at random, and what is known of them.
#[derive(Debug)]
pub struct Canaries {
    random: fastrand::Rng,
    planted: Vec<Planted>,
}

#[derive(Debug)]
struct Planted {
    kind: &'static str,
    text: String,
}

/// A canary that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// What was searched: a file, or what the test calls it.
    pub place: String,
    /// Where in it the canary begins, in bytes.
    pub at: usize,
    /// What the canary was: `card number`, `text`.
    pub kind: &'static str,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, at, kind, found } = self;
        write!(f, "the {kind} {found:?} stands in {place}, from byte {at} on")
    }
}

impl Canaries {
    /// Makes canaries that are the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), planted: Vec::new() }
    }

    /// Plants a secret of the caller's own, of at least eight characters.
    ///
    /// # Panics
    /// It is shorter: it would be found by chance.
    pub fn plant(&mut self, text: impl Into<String>) -> String {
        self.known("text", text.into())
    }

    /// Returns sixteen letters and digits.
    pub fn text(&mut self) -> String {
        let text = self.letters(16);
        self.known("text", text)
    }

    /// Returns a text with quotes, backslashes, line feeds and characters beyond ASCII.
    pub fn odd_text(&mut self) -> String {
        let (before, after) = (self.letters(6), self.letters(6));
        let odd = self.pick(&["\"", "\\", "\n", "\u{e9}", "\u{1f424}", "\u{1}", "/", " ", "%"]);
        self.known("text", format!("{before}{odd}{after}"))
    }

    /// Returns a number of fifteen digits, which is exact in JSON.
    pub fn number(&mut self) -> u64 {
        let number = self.random.u64(100_000_000_000_000..1_000_000_000_000_000);
        self.known("number", number.to_string());
        number
    }

    /// Returns the number of a card, with its check digit (ISO/IEC 7812).
    pub fn card_number(&mut self) -> String {
        let mut digits = vec![4];
        digits.extend((0..14).map(|_| self.random.u32(0..10)));
        let doubled = |(index, digit): (usize, &u32)| match digit * (1 + u32::from(index % 2 == 0)) {
            more @ 10.. => more - 9,
            other => other,
        };
        let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
        digits.push((10 - sum % 10) % 10);
        let number = digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect();
        self.known("card number", number)
    }

    /// Returns an IBAN with its check digits (ISO 13616).
    pub fn iban(&mut self) -> String {
        let account: String = (0..18).filter_map(|_| char::from_digit(self.random.u32(0..10), 10)).collect();
        // `DE` is 13 14, and `00` stands where the check digits come.
        let remainder = account.chars().chain("131400".chars()).filter_map(|digit| digit.to_digit(10));
        let remainder = remainder.fold(0, |remainder, digit| (remainder * 10 + digit) % 97);
        self.known("IBAN", format!("DE{:02}{account}", 98 - remainder))
    }

    /// Returns a key in the form that GitHub gives its personal access tokens.
    pub fn api_key(&mut self) -> String {
        let key = format!("ghp_{}", self.letters(36));
        self.known("API key", key)
    }

    /// Returns a JSON Web Token; its signature is the canary.
    pub fn web_token(&mut self) -> String {
        let (body, signature) = (self.letters(32), self.letters(43));
        let signature = self.known("web token", signature);
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI{body}.{signature}")
    }

    /// Returns an address of electronic mail.
    pub fn email(&mut self) -> String {
        let name = self.letters(12);
        self.known("e-mail address", format!("{name}@example.org"))
    }

    /// Returns a URL that holds a password; the password is the canary.
    pub fn url_with_password(&mut self) -> String {
        let password = self.letters(14);
        let password = self.known("password", password);
        format!("postgres://service:{password}@db.example.org/orders")
    }

    /// Takes over the canaries of another, to look for all of them at once.
    pub fn absorb(&mut self, other: Self) {
        self.planted.extend(other.planted);
    }

    /// Returns how many canaries were planted.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.planted.len()
    }

    /// Returns the canaries that stand in the bytes; `place` says what these are.
    #[must_use]
    pub fn find(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        self.searcher().find(place, bytes)
    }

    /// Returns the canaries that stand in any file below a directory, or in the name of one. Compressed segments of a log
    /// are looked into.
    ///
    /// # Errors
    /// A file cannot be read, or a compressed one is broken.
    pub fn find_below(&self, directory: impl AsRef<Path>) -> io::Result<Vec<Leak>> {
        let searcher = self.searcher();
        let mut leaks = Vec::new();
        let mut open = vec![directory.as_ref().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                let place = path.display().to_string();
                leaks.extend(searcher.find(&format!("the name of {place}"), place.as_bytes()));
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let bytes = fs::read(&path)?;
                if path.extension().is_some_and(|extension| extension == "zst") {
                    leaks.extend(searcher.find(&place, &zstd::stream::decode_all(bytes.as_slice())?));
                }
                leaks.extend(searcher.find(&place, &bytes));
            }
        }
        Ok(leaks)
    }

    /// Makes sure that no canary stands in the bytes.
    ///
    /// # Panics
    /// One does.
    pub fn assert_absent(&self, place: &str, bytes: &[u8]) {
        refuse(&self.find(place, bytes));
    }

    /// Makes sure that no canary stands in any file below a directory, as [`find_below`](Self::find_below) looks.
    ///
    /// # Errors
    /// A file cannot be read, or a compressed one is broken.
    ///
    /// # Panics
    /// A canary is there.
    pub fn assert_absent_below(&self, directory: impl AsRef<Path>) -> io::Result<()> {
        refuse(&self.find_below(directory)?);
        Ok(())
    }

    fn known(&mut self, kind: &'static str, text: String) -> String {
        assert!(text.chars().count() >= CHARACTERS_MIN, "a canary has at least {CHARACTERS_MIN} characters: {text:?}");
        self.planted.push(Planted { kind, text: text.clone() });
        text
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| self.random.alphanumeric()).collect()
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        self.random.choice(from).copied().unwrap_or_default()
    }

    fn searcher(&self) -> Searcher {
        let forms =
            self.planted.iter().flat_map(|planted| forms(&planted.text).into_iter().map(|form| (planted.kind, form)));
        let forms: Vec<(&'static str, String)> = forms.collect();
        #[expect(clippy::expect_used, reason = "there are fewer forms than an automaton can have")]
        let automaton = AhoCorasick::new(forms.iter().map(|(_, form)| form)).expect("an automaton of some texts");
        Searcher { forms, automaton }
    }
}

/// Looks for all forms of all canaries at once.
struct Searcher {
    forms: Vec<(&'static str, String)>,
    automaton: AhoCorasick,
}

impl Searcher {
    fn find(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let leak = |at: usize, form: usize| {
            let (kind, form) = self.forms.get(form)?;
            Some(Leak { place: place.to_owned(), at, kind, found: form.clone() })
        };
        let found = self.automaton.find_iter(bytes);
        found.filter_map(|found| leak(found.start(), found.pattern().as_usize())).collect()
    }
}

/// Returns the ways in which a text is written: as it is, and as JSON, `Debug` and URLs escape it.
fn forms(text: &str) -> Vec<String> {
    let debug = format!("{text:?}");
    let ascii: String = text.escape_default().collect();
    let url: String = text.bytes().map(percent_encoded).collect();
    let mut forms = vec![text.to_owned(), unquoted(&debug), json_escaped(text), json_escaped_ascii(text), ascii, url];
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn unquoted(quoted: &str) -> String {
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// Escapes as JSON does that leaves what it may as it is (RFC 8785).
fn json_escaped(text: &str) -> String {
    let escape = |character: char| match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        control @ '\0'..'\u{20}' => format!("\\u{:04x}", u32::from(control)),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Escapes as JSON does that is all ASCII.
fn json_escaped_ascii(text: &str) -> String {
    let mut units = [0; 2];
    let mut escape = |character: char| match character {
        '\0'..='\u{7f}' => character.to_string(),
        other => other.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json_escaped(text).chars().map(&mut escape).collect()
}

fn percent_encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

#[expect(clippy::panic, reason = "it is the verdict of a test")]
fn refuse(leaks: &[Leak]) {
    let Some(first) = leaks.first() else { return };
    panic!("{} places hold a canary: {first}", leaks.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form() {
        let mut canaries = Canaries::seeded(1);
        let odd = canaries.plant("a\"b\\c\nd\u{e9}\u{1f424}\u{1}/ %");
        let number = canaries.number();
        for text in [
            odd.clone(),
            format!("{odd:?}"),
            r#"a\"b\\c\nd\u00e9\ud83d\udc24\u0001/ %"#.to_owned(),
            "a\\\"b\\\\c\\nd\u{e9}\u{1f424}\\u0001/ %".to_owned(),
            "a%22b%5Cc%0Ad%C3%A9%F0%9F%90%A4%01%2F%20%25".to_owned(),
            format!("{{\"n\":{number}}}"),
        ] {
            assert_eq!(canaries.find("it", text.as_bytes()).len(), 1, "{text}");
        }
        assert_eq!(canaries.find("it", b"nothing"), []);
    }

    #[test]
    fn what_has_check_digits_has_the_right_ones() {
        let mut canaries = Canaries::seeded(2);
        for _ in 0..100 {
            let card: Vec<u32> = canaries.card_number().chars().filter_map(|digit| digit.to_digit(10)).collect();
            let sum: u32 = card
                .iter()
                .rev()
                .enumerate()
                .map(|(index, digit)| if index % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
                .sum();
            assert_eq!((card.len(), sum % 10), (16, 0), "{card:?}");
            let iban = canaries.iban();
            let turned = format!("{}1314{}", &iban[4..], &iban[2..4]);
            assert_eq!(turned.chars().filter_map(|c| c.to_digit(10)).fold(0, |r, d| (r * 10 + d) % 97), 1, "{iban}");
        }
    }

    #[test]
    fn files_their_names_and_compressed_ones_are_looked_into() {
        let directory = tempfile::tempdir().unwrap();
        let mut canaries = Canaries::seeded(3);
        let [named, plain, packed] = [canaries.text(), canaries.text(), canaries.text()];
        fs::create_dir(directory.path().join("in")).unwrap();
        fs::write(directory.path().join("in").join(&named), &plain).unwrap();
        let bytes = zstd::stream::encode_all(packed.repeat(9).as_bytes(), 0).unwrap();
        fs::write(directory.path().join("a.jsonl.zst"), bytes).unwrap();
        let mut found: Vec<String> =
            canaries.find_below(directory.path()).unwrap().into_iter().map(|leak| leak.found).collect();
        found.sort();
        found.dedup();
        let mut expected = vec![named, plain, packed];
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    #[should_panic(expected = "1 places hold a canary: the text \"abcdefgh\" stands in it, from byte 1 on")]
    fn a_leak_is_told() {
        let mut canaries = Canaries::seeded(4);
        canaries.plant("abcdefgh");
        canaries.assert_absent("it", b"<abcdefgh>");
    }
}

//! Disclosures: a sealed value with its salt, whose digest stands in the record.
//!
//! Source: RFC 9901, §4.2. A disclosure is the base64url text of the JSON list `[salt, name, value]`; its digest, in base64url
//! too, is the SHA-256 of that text. Whoever has the record and a disclosure sees without any key that they belong together.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;

use crate::hash::Hash;

/// How many random bytes keep a value from being guessed by its digest.
pub const SALT_BYTES: usize = 16;

/// A sealed value that is opened: its salt, its name and the value itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The base64url text, of which the digest is made.
    text: String,
    name: String,
    /// The value as JSON text.
    value: String,
}

impl Disclosure {
    /// Makes the disclosure of a value that is given in canonical JSON.
    #[must_use]
    pub fn new(salt: [u8; SALT_BYTES], name: &str, value: &str) -> Self {
        // A text can always be written as JSON.
        let quoted = serde_json::to_string(name).unwrap_or_default();
        let json = format!(r#"["{}",{quoted},{value}]"#, URL_SAFE_NO_PAD.encode(salt));
        Self { text: URL_SAFE_NO_PAD.encode(json), name: name.to_owned(), value: value.to_owned() }
    }

    /// Reads a disclosure: base64url, without padding, of a JSON list of two texts and a value.
    ///
    /// # Errors
    /// Tells what the text is not; it never shows any of it.
    pub fn parse(text: &str) -> Result<Self, ParseDisclosureError> {
        const BASE64: ParseDisclosureError = ParseDisclosureError("base64url without padding");
        const LIST: ParseDisclosureError = ParseDisclosureError("a JSON list of a salt, a name and a value");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_fault| BASE64)?;
        let list: Result<(String, String, Box<RawValue>), _> = serde_json::from_slice(&json);
        let (_salt, name, value) = list.map_err(|_fault| LIST)?;
        Ok(Self { text: text.to_owned(), name, value: value.get().to_owned() })
    }

    /// Returns the base64url text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the name of the member that was sealed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value as JSON text.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the digest that stands in the record, 43 characters of base64url.
    #[must_use]
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Hash::of(self.text.as_bytes()).as_bytes())
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disclosure(…)")
    }
}

/// The text is no disclosure. The message never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDisclosureError(&'static str);

impl fmt::Display for ParseDisclosureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a disclosure: expected {}", self.0)
    }
}

impl core::error::Error for ParseDisclosureError {}

/// Returns the digest that stands in a record at a JSON Pointer from its root, where a sealed value is: `{"_sd":["<digest>"]}`
/// and nothing beside it.
#[must_use]
pub fn sealed_at<'a>(record: &'a serde_json::Value, pointer: &str) -> Option<&'a str> {
    let sealed = record.pointer(pointer)?.as_object().filter(|object| object.len() == 1)?;
    match sealed.get("_sd")?.as_array()?.as_slice() {
        [digest] => digest.as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_9901_has_its_digest() {
        // §4.2.1 and §4.2.3; that disclosure has spaces in its list, which ours have not.
        let text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
        let disclosure = Disclosure::parse(text).unwrap();
        assert_eq!((disclosure.name(), disclosure.value()), ("family_name", "\"Möbius\""));
        assert_eq!(disclosure.digest(), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
    }

    #[test]
    fn a_disclosure_is_read_back_as_it_was_made() {
        let made = Disclosure::new([7; 16], "say \"name\"", r#"{"city":"Entenhausen"}"#);
        assert_eq!(Disclosure::parse(made.as_str()), Ok(made.clone()));
        assert_eq!(made.digest().len(), 43);
        assert_eq!(format!("{made:?}"), "Disclosure(…)");
        assert_ne!(Disclosure::new([8; 16], "name", "1").digest(), Disclosure::new([7; 16], "name", "1").digest());
    }

    #[test]
    fn what_is_no_disclosure_is_refused_without_being_shown() {
        for (text, expect) in [
            ("=", "not a disclosure: expected base64url without padding"),
            ("e30", "not a disclosure: expected a JSON list of a salt, a name and a value"),
            ("WzEsMiwzXQ", "not a disclosure: expected a JSON list of a salt, a name and a value"),
        ] {
            assert_eq!(Disclosure::parse(text).unwrap_err().to_string(), expect, "{text}");
        }
    }

    #[test]
    fn a_digest_is_found_at_its_path_alone() {
        let record = serde_json::json!({"request": {"arguments": {"a": {"_sd": ["d"]}, "b": {"_sd": ["d"], "c": 1}, "d": {"_sd": []}}}});
        assert_eq!(sealed_at(&record, "/request/arguments/a"), Some("d"));
        for pointer in ["", "/request/arguments", "/request/arguments/b", "/request/arguments/d", "/x", "request"] {
            assert_eq!(sealed_at(&record, pointer), None, "{pointer}");
        }
    }
}

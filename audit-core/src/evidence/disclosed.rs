//! Sealed values that evidence discloses: each with the place in the record where its digest stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::lines;
use crate::privacy::Disclosure;
#[cfg(feature = "signatures")]
use crate::privacy::sealed_at;

/// The most sealed values that one evidence may disclose.
pub const DISCLOSURES_MAX: usize = 256;

/// A sealed value of the entry, opened.
///
/// ```text
/// disclosure L3JlcXVlc3QvYXJndW1lbnRzL25hbWU= WyJBUUlEQkFVR0J3Z0pDZ3NNRFE0UEVBIiwibmFtZSIsMV0⏎
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// Where the digest stands: a JSON Pointer from the record's root.
    pub path: String,
    /// The value with its salt.
    pub disclosure: Disclosure,
}

impl Disclosed {
    /// Parses a line of the extra data, without its line feed; none if it is not in its one canonical form.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(line.strip_prefix(DISCLOSURE)?).ok()?;
        let (path, disclosure) = text.split_once(' ')?;
        let path = String::from_utf8(lines::parse_base64(path.as_bytes())?).ok()?;
        Some(Self { path, disclosure: Disclosure::parse(disclosure).ok()? })
    }

    /// Appends the line that [`parse`](Self::parse) reads, and its line feed.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(DISCLOSURE);
        bytes.extend_from_slice(STANDARD.encode(&self.path).as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(self.disclosure.as_str().as_bytes());
        bytes.push(b'\n');
    }

    /// Tells whether the digest of the disclosure stands at its place in the record.
    #[cfg(feature = "signatures")]
    pub(super) fn is_of(&self, record: &serde_json::Value) -> bool {
        sealed_at(record, &self.path) == Some(self.disclosure.digest().as_str())
    }
}

/// Tells whether a line of the extra data is to be one of a disclosure.
pub(super) fn is_line(line: &[u8]) -> bool {
    line.starts_with(DISCLOSURE)
}

const DISCLOSURE: &[u8] = b"disclosure ";

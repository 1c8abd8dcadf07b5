//! Signed notes: a text and, below a blank line, the signatures of those who vouch for it.
//!
//! ```text
//! example.com/orders⏎21⏎x7Ad…kQY=⏎                            the text: here that of a checkpoint
//! ⏎
//! — example.com/orders base64(key id ‖ signature)⏎            one line for each signature
//! ```
//! Source: C2SP `signed-note` and, for the signatures of witnesses, `tlog-cosignature`.

mod key;
mod secret;

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use key::{Algorithm, ParseKeyError, VerificationKey};
pub use secret::{ParseSecretError, SecretKey, SignError, Signer};

/// How long a note may be, with its signatures.
pub const NOTE_BYTES_MAX: usize = 65_536;
/// How many signatures a note may have; the specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 128;
/// What a line of a signature begins with.
const SIGNATURE_START: &str = "\u{2014} ";

/// A text with its signatures, of which none is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature of a note, by the key of that name and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The first four bytes of a hash over the key.
    pub key_id: [u8; 4],
    /// What the key's algorithm made: 64 bytes of Ed25519, in a cosignature after 8 bytes of time.
    pub bytes: Vec<u8>,
}

impl Note {
    /// Makes a note of a text, which must end with a line feed.
    ///
    /// # Errors
    /// The text is empty, does not end with a line feed, or has a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, ParseNoteError> {
        let text = text.into();
        check_text(&text)?;
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Parses a note: text, blank line, at least one signature, and nothing after the last line feed.
    ///
    /// # Errors
    /// Tells which line is not as expected.
    pub fn parse(note: &str) -> Result<Self, ParseNoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(ParseNoteError::new(0, "a note of at most 65536 bytes"));
        }
        check_text(note)?;
        let Some(end) = note.rfind("\n\n") else {
            return Err(ParseNoteError::new(lines(note) + 1, "a blank line and signatures after the text"));
        };
        let (text, below) = note.split_at(end + 1);
        check_text(text)?;
        let mut signatures = Vec::new();
        for (index, line) in below.get(1..).unwrap_or_default().split_terminator('\n').enumerate() {
            let at = lines(text) + 2 + index;
            if signatures.len() == SIGNATURES_MAX {
                return Err(ParseNoteError::new(at, "at most 128 signatures"));
            }
            signatures.push(parse_signature(line).ok_or(ParseNoteError::new(at, SIGNATURE_EXPECTED))?);
        }
        if signatures.is_empty() {
            return Err(ParseNoteError::new(lines(text) + 2, SIGNATURE_EXPECTED));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Returns the text, with its last line feed: what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signatures as they stand.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature.
    pub fn push(&mut self, signature: Signature) {
        self.signatures.push(signature);
    }

    /// Tells whether the key signed the text. Signatures of other keys are passed over.
    ///
    /// # Errors
    /// A signature names the key and is not right: the note was altered, or is a forgery.
    pub fn is_signed_by(&self, key: &VerificationKey) -> Result<bool, BadSignature> {
        self.signature_of(key).map(|found| found.is_some())
    }

    /// Returns the time of a witness' cosignature, in seconds since 1970; none if the key did not cosign the text, or
    /// makes no cosignatures.
    ///
    /// # Errors
    /// As [`is_signed_by`](Self::is_signed_by).
    pub fn cosigned_at(&self, key: &VerificationKey) -> Result<Option<u64>, BadSignature> {
        Ok(self.signature_of(key)?.and_then(|signature| signature.time().filter(|_| key.is_cosigner())))
    }

    fn signature_of(&self, key: &VerificationKey) -> Result<Option<&Signature>, BadSignature> {
        let id = key.id();
        let mut found = None;
        for signature in self.signatures.iter().filter(|one| one.key_id == id && one.name == key.name()) {
            if !key.verifies(&self.text, signature) {
                return Err(BadSignature { key: key.clone() });
            }
            found = Some(signature);
        }
        Ok(found)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl Signature {
    /// Returns the time that a cosignature states.
    fn time(&self) -> Option<u64> {
        self.bytes.first_chunk().map(|time| u64::from_be_bytes(*time))
    }

    /// Parses the line of a signature, without its line feed.
    ///
    /// # Errors
    /// The line has another form.
    pub fn parse(line: &str) -> Result<Self, ParseNoteError> {
        parse_signature(line).ok_or(ParseNoteError::new(1, SIGNATURE_EXPECTED))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.bytes].concat();
        write!(f, "{SIGNATURE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

const SIGNATURE_EXPECTED: &str = "an em dash, a key's name and base64 of at least five bytes";

fn parse_signature(line: &str) -> Option<Signature> {
    let (name, base64) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
    if !key::is_name(name) {
        return None;
    }
    let bytes = STANDARD.decode(base64).ok()?;
    let (key_id, bytes) = bytes.split_first_chunk()?;
    (!bytes.is_empty()).then(|| Signature { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
}

fn check_text(text: &str) -> Result<(), ParseNoteError> {
    if let Some(at) = text.find(|letter: char| letter < ' ' && letter != '\n') {
        let line = lines(text.get(..at).unwrap_or_default()) + 1;
        return Err(ParseNoteError::new(line, "no control character but the line feed"));
    }
    if text.ends_with('\n') && text.len() > 1 {
        Ok(())
    } else {
        Err(ParseNoteError::new(lines(text) + 1, "a text that ends with a line feed"))
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// The text is not a note in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseNoteError {
    line: usize,
    expected: &'static str,
}

impl ParseNoteError {
    const fn new(line: usize, expected: &'static str) -> Self {
        Self { line, expected }
    }
}

impl fmt::Display for ParseNoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a signed note: expected {}", self.expected)?;
        if self.line > 0 { write!(f, " on line {}", self.line) } else { Ok(()) }
    }
}

impl std::error::Error for ParseNoteError {}

/// A signature names a known key and was not made by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSignature {
    key: VerificationKey,
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a signature of the key {}, found one that does not verify", self.key)
    }
}

impl std::error::Error for BadSignature {}

#[cfg(test)]
mod tests;

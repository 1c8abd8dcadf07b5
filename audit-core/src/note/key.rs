//! Verification keys in the form of C2SP: `name+<key id in 8 hexadecimal digits>+base64(algorithm ‖ public key)`.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as Ed25519, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::note::Signature;

/// What a key signs, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Type 0x01: Ed25519 over the text of a note.
    Ed25519,
    /// Type 0x04: Ed25519 over the time and the text of a checkpoint, as witnesses sign.
    Cosignature,
}

impl Algorithm {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
}

/// A public key with the name that it signs under.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerificationKey {
    name: String,
    algorithm: Algorithm,
    public: [u8; 32],
}

impl VerificationKey {
    /// Makes a key of the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// The name is empty or has a space, a control character or `+`; the bytes are no point of the curve, or one of the
    /// few that verify signatures of anything.
    pub fn new(name: impl Into<String>, algorithm: Algorithm, public: [u8; 32]) -> Result<Self, ParseKeyError> {
        let name = name.into();
        if !is_name(&name) {
            return Err(ParseKeyError("a name without spaces and `+`"));
        }
        match VerifyingKey::from_bytes(&public) {
            Ok(key) if !key.is_weak() => Ok(Self { name, algorithm, public }),
            _ => Err(ParseKeyError("a public key of Ed25519")),
        }
    }

    /// Returns the name that the key signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the public key, 32 bytes as in RFC 8032.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Tells whether the key makes cosignatures.
    #[must_use]
    pub fn is_cosigner(&self) -> bool {
        self.algorithm == Algorithm::Cosignature
    }

    /// Returns the key's id: the first four bytes of SHA-256 over name, line feed, algorithm and public key.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.algorithm.byte()])
            .chain_update(self.public)
            .finalize();
        *hash.first_chunk().unwrap_or(&[0; 4])
    }

    /// Tells whether the key made the signature over the text.
    pub(super) fn verifies(&self, text: &str, signature: &Signature) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => self.verifies_message(text.as_bytes(), &signature.bytes),
            Algorithm::Cosignature => {
                let Some((time, bytes)) = signature.bytes.split_first_chunk() else { return false };
                let time = u64::from_be_bytes(*time);
                i64::try_from(time).is_ok() && self.verifies_message(cosigned(time, text).as_bytes(), bytes)
            }
        }
    }

    pub(super) fn verifies_message(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Ed25519::from_slice(signature) else { return false };
        VerifyingKey::from_bytes(&self.public).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// What a witness signs.
pub(super) fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Tells whether a key may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let is_foreign = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    !name.is_empty() && !name.contains(is_foreign)
}

/// Takes `<8 hexadecimal digits>+base64(algorithm ‖ 32 bytes)` apart.
pub(super) fn parse_material(text: &str) -> Option<([u8; 4], u8, zeroize::Zeroizing<[u8; 32]>)> {
    let (id, base64) = text.split_once('+')?;
    if id.len() != 8 || id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut key_id = [0; 4];
    hex::decode_to_slice(id, &mut key_id).ok()?;
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(base64).ok()?);
    let (algorithm, key) = bytes.split_first()?;
    Some((key_id, *algorithm, zeroize::Zeroizing::new(key.try_into().ok()?)))
}

impl FromStr for VerificationKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: ParseKeyError = ParseKeyError("name+<8 hexadecimal digits>+base64 of 33 bytes");
        let (name, material) = text.split_once('+').ok_or(EXPECTED)?;
        let (id, algorithm, public) = parse_material(material).ok_or(EXPECTED)?;
        let algorithm = match algorithm {
            1 => Algorithm::Ed25519,
            4 => Algorithm::Cosignature,
            _ => return Err(ParseKeyError("a key of type 1 (Ed25519) or 4 (Ed25519 cosignatures)")),
        };
        let key = Self::new(name, algorithm, *public)?;
        if key.id() == id { Ok(key) } else { Err(ParseKeyError("the key id that belongs to name and key")) }
    }
}

impl fmt::Display for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [[self.algorithm.byte()].as_slice(), &self.public].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(material))
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a verification key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseKeyError(&'static str);

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a verification key: expected {}", self.0)
    }
}

impl std::error::Error for ParseKeyError {}

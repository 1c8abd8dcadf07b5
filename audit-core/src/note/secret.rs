//! Keys that sign: a secret of one's own, or a service that holds it.

use core::fmt;
use core::str::FromStr;
use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::note::key::{cosigned, is_name, parse_material};
use crate::note::{Algorithm, Signature, VerificationKey};

/// Signs with a key that it may hold elsewhere: in a key management service or a hardware module.
///
/// It is called once for each checkpoint, about once a second, on a thread of the log's own; calls do not wait for it.
pub trait Signer: Send + Sync {
    /// Returns the public key, 32 bytes as in RFC 8032. It stays the same as long as the log is open.
    fn public_key(&self) -> [u8; 32];

    /// Returns the Ed25519 signature over the message, 64 bytes.
    ///
    /// # Errors
    /// The key cannot be used now. The checkpoint is made again later; entries rest on the chain until then.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// Why nothing was signed.
#[derive(Debug)]
pub struct SignError(Box<dyn Error + Send + Sync>);

impl SignError {
    /// Keeps the reason.
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not sign: {}", self.0)
    }
}

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// A secret Ed25519 key and the name that it signs under; its memory is cleared when it is dropped.
///
/// Its text is `PRIVATE+KEY+<name>+<key id in 8 hexadecimal digits>+base64(0x01 ‖ 32 bytes of secret)`, as Go's
/// `golang.org/x/mod/sumdb/note` has it.
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

const PREFIX: &str = "PRIVATE+KEY+";
const ED25519: u8 = 1;

impl SecretKey {
    /// Makes a new key out of the system's randomness.
    ///
    /// # Errors
    /// The name is not one, or the system gives no randomness.
    pub fn generate(name: impl Into<String>) -> Result<Self, SignError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice()).map_err(|fault| SignError::new(fault.to_string()))?;
        Self::from_bytes(name, &secret).map_err(SignError::new)
    }

    /// Makes a key of its 32 secret bytes.
    ///
    /// # Errors
    /// The name is empty or has a space, a control character or `+`.
    pub fn from_bytes(name: impl Into<String>, secret: &[u8; 32]) -> Result<Self, ParseSecretError> {
        let name = name.into();
        if !is_name(&name) {
            return Err(ParseSecretError("a name without spaces and `+`"));
        }
        Ok(Self { name, key: SigningKey::from_bytes(secret) })
    }

    /// Returns the name that the key signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the same secret under another name.
    #[must_use]
    pub fn renamed(&self, name: &str) -> Option<Self> {
        is_name(name).then(|| Self { name: name.to_owned(), key: self.key.clone() })
    }

    /// Returns the key that verifies what this one signs.
    ///
    /// # Errors
    /// The secret is one of the few whose public key verifies signatures of anything.
    pub fn verification_key(&self) -> Result<VerificationKey, ParseSecretError> {
        verification_key(self, &self.name)
    }

    /// Returns the text that is kept in a file. Whoever reads it can sign.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let id = self.verification_key().map(|key| key.id()).unwrap_or_default();
        let material = Zeroizing::new([[ED25519].as_slice(), self.key.as_bytes()].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&*material));
        Zeroizing::new(format!("{PREFIX}{}+{}+{}", self.name, hex::encode(id), *encoded))
    }
}

/// Returns the key that verifies what a signer signs under a name.
///
/// # Errors
/// The name or the public key is not one.
pub(crate) fn verification_key(signer: &dyn Signer, name: &str) -> Result<VerificationKey, ParseSecretError> {
    let key = VerificationKey::new(name, Algorithm::Ed25519, signer.public_key());
    key.map_err(|_weak| ParseSecretError("a name without spaces and `+`, and a public key of Ed25519"))
}

impl Signer for SecretKey {
    fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.key.sign(message).to_bytes())
    }
}

impl Signature {
    /// Signs the text of a note with a signer whose verification key is `key`. What comes back is verified.
    ///
    /// # Errors
    /// The signer refuses, or what it made does not verify.
    pub fn make(text: &str, key: &VerificationKey, signer: &dyn Signer) -> Result<Self, SignError> {
        Self::over(text.as_bytes(), key, signer).map(|bytes| Self::of(key, bytes.to_vec()))
    }

    /// Cosigns the text of a checkpoint at a time in seconds since 1970, as a witness does; `key` makes cosignatures.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn cosign(text: &str, time: u64, key: &VerificationKey, signer: &dyn Signer) -> Result<Self, SignError> {
        let signature = Self::over(cosigned(time, text).as_bytes(), key, signer)?;
        Ok(Self::of(key, [time.to_be_bytes().as_slice(), &signature].concat()))
    }

    fn over(message: &[u8], key: &VerificationKey, signer: &dyn Signer) -> Result<[u8; 64], SignError> {
        let signature = signer.sign(message)?;
        if key.verifies_message(message, &signature) {
            return Ok(signature);
        }
        Err(SignError::new(format!("expected a signature of the key {key}, found another")))
    }

    fn of(key: &VerificationKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().to_owned(), key_id: key.id(), bytes }
    }
}

impl FromStr for SecretKey {
    type Err = ParseSecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: ParseSecretError =
            ParseSecretError("PRIVATE+KEY+name+<8 hexadecimal digits>+base64 of 33 bytes");
        let (name, material) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('+')).ok_or(EXPECTED)?;
        let (id, algorithm, secret) = parse_material(material).ok_or(EXPECTED)?;
        if algorithm != ED25519 {
            return Err(ParseSecretError("a key of type 1 (Ed25519)"));
        }
        let key = Self::from_bytes(name, &secret)?;
        if key.verification_key()?.id() == id {
            Ok(key)
        } else {
            Err(ParseSecretError("the key id that belongs to name and key"))
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The text is not a secret key. The message never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSecretError(&'static str);

impl fmt::Display for ParseSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a secret key: expected {}", self.0)
    }
}

impl Error for ParseSecretError {}

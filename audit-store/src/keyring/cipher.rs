//! The cipher, the keyed hash and the derivation of keys; `docs/spec/privacy.md` writes them down.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A secret of 32 bytes, cleared when it is dropped.
pub(crate) type Secret = Zeroizing<[u8; SECRET_BYTES]>;

pub(crate) const SECRET_BYTES: usize = 32;
pub(crate) const NONCE_BYTES: usize = 24;

/// How many bytes of a keyed hash are written: 32 hexadecimal digits.
const SHORT_BYTES: usize = 16;

/// Bytes that only the holder of a key reads, and whose change it notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encrypted {
    pub(crate) nonce: [u8; NONCE_BYTES],
    /// The ciphertext and the tag of 16 bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The operating system gives no random bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRandomness;

/// Returns random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|_fault| NoRandomness)?;
    Ok(bytes)
}

/// Encrypts with XChaCha20-Poly1305 under a random nonce.
pub(crate) fn encrypt(key: &Secret, associated: &[u8], plain: &[u8]) -> Result<Encrypted, NoRandomness> {
    let nonce = *random::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let encrypted = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: associated });
    // It refuses only what is longer than 256 GiB.
    Ok(Encrypted { nonce, bytes: encrypted.map_err(|_too_long| NoRandomness)? })
}

/// Decrypts; none if the key, the associated bytes or any of the bytes is another one.
pub(crate) fn decrypt(key: &Secret, associated: &[u8], encrypted: &Encrypted) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let payload = Payload { msg: &encrypted.bytes, aad: associated };
    cipher.decrypt(&XNonce::from(encrypted.nonce), payload).ok().map(Zeroizing::new)
}

/// Derives a key by HKDF-SHA-256; `info` is the label, a NUL byte and the context.
pub(crate) fn derive(secret: &Secret, salt: Option<&[u8]>, label: &str, context: &[u8]) -> Secret {
    let mut derived = Zeroizing::new([0; SECRET_BYTES]);
    // It refuses only more than 8,160 bytes.
    let _never_too_long = Hkdf::<Sha256>::new(salt, &**secret)
        .expand_multi_info(&[label.as_bytes(), b"\0", context], &mut *derived)
        .is_ok();
    derived
}

/// Returns the first 16 bytes of the HMAC-SHA-256 over all parts, one after the other, in hexadecimal digits.
pub(crate) fn keyed_hash(key: &[u8; SECRET_BYTES], parts: &[&[u8]]) -> String {
    // A key of any length is one.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return String::new() };
    parts.iter().for_each(|part| mac.update(part));
    let hash = mac.finalize().into_bytes();
    hex::encode(hash.get(..SHORT_BYTES).unwrap_or_default())
}

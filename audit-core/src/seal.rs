//! The seal: a one-way chain of keys over the checkpoints, so that cutting off the newest ones shows without a network.
//!
//! For checkpoint j, counted from 0: `μⱼ = HMAC-SHA-256(Kⱼ, j ‖ μⱼ₋₁ ‖ size ‖ root)` with j and size as 8 bytes, big-endian,
//! and `μ₋₁` of 32 zero bytes; then `Kⱼ₊₁ = SHA-256("evolve/v1" ‖ Kⱼ)`, and `Kⱼ` and `μⱼ₋₁` are forgotten. Whoever takes the
//! newest key cannot make an older value, and one value covers all checkpoints before it. `K₀` verifies.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::verify::Head;

const EVOLVE: &[u8] = b"evolve/v1";
const FILE_HEAD: &str = "audited seal 1";
const KEY_PREFIX: &str = "SEAL+KEY+";

/// The newest value of the seal and the key that makes the next one; its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Seal {
    /// How many checkpoints are sealed.
    count: u64,
    /// How long their notes are together: where the list of checkpoints goes on.
    bytes: u64,
    /// `μ` of the last of them.
    value: [u8; 32],
    /// `K` of the next one.
    key: [u8; 32],
}

impl Seal {
    /// Returns the seal over no checkpoint.
    #[must_use]
    pub fn new(key: &SealKey) -> Self {
        Self { count: 0, bytes: 0, value: [0; 32], key: key.0 }
    }

    /// Returns how many checkpoints are sealed.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns how long the notes of these checkpoints are together.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the value over them.
    #[must_use]
    pub const fn value(&self) -> [u8; 32] {
        self.value
    }

    /// Seals the next checkpoint, of which the note is so long, and forgets the key that did.
    pub fn absorb(&mut self, head: Head, note_bytes: u64) {
        let Head { size, root } = head;
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            let mac = mac.chain_update(self.count.to_be_bytes()).chain_update(self.value);
            let mac = mac.chain_update(size.to_be_bytes()).chain_update(root.as_bytes());
            self.value = mac.finalize().into_bytes().into();
        }
        let next = Sha256::new().chain_update(EVOLVE).chain_update(self.key).finalize();
        self.key.zeroize();
        self.key = next.into();
        self.count += 1;
        self.bytes += note_bytes;
    }

    /// Returns the text of the file `seal`. Whoever reads it can seal what comes next, and nothing before.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(hex::encode(self.key));
        Zeroizing::new(format!("{FILE_HEAD}\n{}\n{}\n{}\n{}\n", self.count, self.bytes, hex::encode(self.value), *key))
    }
}

impl Drop for Seal {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl FromStr for Seal {
    type Err = ParseSealError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: ParseSealError = ParseSealError(
            "not a seal: expected `audited seal 1`, two numbers and two values of 64 hexadecimal digits, each in its line",
        );
        let mut lines = text.strip_suffix('\n').ok_or(EXPECTED)?.split('\n');
        if lines.next() != Some(FILE_HEAD) {
            return Err(EXPECTED);
        }
        let mut number = || lines.next().and_then(|digits| digits.parse().ok()).ok_or(EXPECTED);
        let (count, bytes_sealed) = (number()?, number()?);
        let seal = Self {
            count,
            bytes: bytes_sealed,
            value: bytes(lines.next()).ok_or(EXPECTED)?,
            key: bytes(lines.next()).ok_or(EXPECTED)?,
        };
        // There is one text for each seal.
        if lines.next().is_none() && seal.to_text().as_str() == text { Ok(seal) } else { Err(EXPECTED) }
    }
}

fn bytes(digits: Option<&str>) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits?, &mut bytes).ok()?;
    Some(bytes)
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("count", &self.count).finish_non_exhaustive()
    }
}

/// The first key of a seal, `K₀`. It verifies the seal, and whoever has it can forge it: it is kept away from the log.
///
/// Its text is `SEAL+KEY+base64(32 bytes)`.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Makes a new key out of the system's randomness.
    ///
    /// # Errors
    /// The system gives none.
    pub fn generate() -> Result<Self, ParseSealError> {
        let mut key = Self([0; 32]);
        getrandom::fill(&mut key.0).map_err(|_fault| ParseSealError("the system gives no randomness"))?;
        Ok(key)
    }

    /// Makes the key of its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the key's text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{KEY_PREFIX}{}", *Zeroizing::new(STANDARD.encode(self.0))))
    }
}

impl Drop for SealKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl FromStr for SealKey {
    type Err = ParseSealError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: ParseSealError = ParseSealError("not a key of a seal: expected SEAL+KEY+base64 of 32 bytes");
        let encoded = text.strip_prefix(KEY_PREFIX).ok_or(EXPECTED)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_fault| EXPECTED)?);
        Ok(Self(bytes.as_slice().try_into().map_err(|_length| EXPECTED)?))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// The text is not a seal, or not the key of one. The message never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSealError(&'static str);

impl fmt::Display for ParseSealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseSealError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    fn head(size: u64, leaf: &[u8]) -> Head {
        Head { size, root: Hash::leaf(leaf) }
    }

    fn sealed(count: u64) -> Seal {
        let mut seal = Seal::new(&SealKey::from_bytes([3; 32]));
        (0..count).for_each(|index| seal.absorb(head(index + 1, &index.to_be_bytes()), 100));
        seal
    }

    /// Computed with Python's `hmac` and `hashlib`, by the definition above.
    #[test]
    fn the_value_is_the_one_of_the_definition() {
        assert_eq!(hex::encode(sealed(2).value()), EXPECTED_AFTER_TWO);
    }

    #[test]
    fn a_seal_goes_on_from_its_text() {
        let text = sealed(3).to_text();
        let mut again: Seal = text.parse().unwrap();
        again.absorb(head(4, &3_u64.to_be_bytes()), 100);
        assert_eq!((again.count(), again.value()), (4, sealed(4).value()));
        for altered in [
            text.replace('\n', ""),
            text.replace("seal 1", "seal 2"),
            text.replace("\n3\n", "\n03\n"),
            format!("{}\n", *text),
        ] {
            assert!(altered.parse::<Seal>().is_err(), "{altered:?}");
        }
    }

    #[test]
    fn every_checkpoint_and_its_place_count() {
        let mut other = sealed(2);
        other.absorb(head(4, &2_u64.to_be_bytes()), 100);
        assert_ne!(other.value(), sealed(3).value());
        let mut other = sealed(2);
        other.absorb(head(3, b"other"), 100);
        assert_ne!(other.value(), sealed(3).value());
    }

    #[test]
    fn keys_are_read_back_and_told_nowhere() {
        let key = SealKey::generate().unwrap();
        let again: SealKey = key.to_text().parse().unwrap();
        assert_eq!(Seal::new(&again).key, Seal::new(&key).key);
        assert!(!format!("{key:?} {:?}", Seal::new(&key)).contains(&hex::encode(key.0)));
        assert!("SEAL+KEY+AAAA".parse::<SealKey>().is_err());
    }

    const EXPECTED_AFTER_TWO: &str = "6e4479cb25bd7eb0bc049ba032c795d26a796553f78be42bdb55b680e427b532";
}

//! SHA-256 with the domain separation of RFC 6962 §2.1: `leaf = H(0x00 ‖ bytes)`, `node = H(0x01 ‖ left ‖ right)`.

mod batch;
mod lanes;

use core::fmt;
use core::str::FromStr;

use sha2::{Digest as _, Sha256};

use batch::Message;

/// A SHA-256 digest: 32 bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Hashes the bytes as they are, without a prefix.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        digest(batch::compress_end(batch::START, bytes, bytes.len()))
    }

    /// Hashes one leaf of the tree: the line of an entry without its line feed (RFC 6962 §2.1).
    #[must_use]
    pub fn leaf(line: &[u8]) -> Self {
        Self(Sha256::new().chain_update([LEAF]).chain_update(line).finalize().into())
    }

    /// Hashes an inner node of the tree from its two children (RFC 6962 §2.1).
    #[must_use]
    pub fn node(left: Self, right: Self) -> Self {
        Self(Sha256::new().chain_update([NODE]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// Wraps a digest that was computed or stored elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 lower-case hexadecimal digits as ASCII bytes, without allocating.
    pub(crate) fn to_hex(self) -> [u8; 64] {
        let mut digits = [[0; 2]; 32];
        for (pair, byte) in digits.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 0x0f];
        }
        let mut digits: [u8; 64] = digits.as_flattened().try_into().unwrap_or([0; 64]);
        for digit in &mut digits {
            // The letters stand 39 places behind the colon, which is the character after the digit 9.
            *digit += b'0' + if *digit > 9 { b'a' - b':' } else { 0 };
        }
        digits
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.to_hex()).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Marks a leaf of the tree (RFC 6962 §2.1).
const LEAF: u8 = 0x00;
/// Marks an inner node of the tree (RFC 6962 §2.1).
const NODE: u8 = 0x01;

/// Appends the leaf hash of every line, in order. Faster than one [`Hash::leaf`] after the other.
pub fn leaves<'a>(lines: impl IntoIterator<Item = &'a [u8]>, hashes: &mut Vec<Hash>) {
    let mut states = Vec::new();
    batch::compress_all(
        lines.into_iter().map(|line| Message { domain: LEAF, parts: [line, b""], is_whole: true }),
        &mut states,
    );
    hashes.extend(states.into_iter().map(digest));
}

/// Appends the node over every two hashes that stand side by side; a last one without a neighbour is left out.
pub fn nodes(children: &[Hash], hashes: &mut Vec<Hash>) {
    let mut states = Vec::new();
    let pairs = children.as_chunks::<2>().0.iter();
    batch::compress_all(
        pairs.map(|[left, right]| Message { domain: NODE, parts: [&left.0, &right.0], is_whole: true }),
        &mut states,
    );
    hashes.extend(states.into_iter().map(digest));
}

/// A leaf hash of which the beginning is done.
#[derive(Clone, Copy, Debug)]
pub struct LeafStart {
    state: [u32; 8],
    blocks: usize,
}

impl LeafStart {
    /// Hashes the rest of the line, which must begin with the bytes that this was made of.
    #[must_use]
    pub fn finish(&self, line: &[u8]) -> Hash {
        // The byte before the line makes its blocks begin one byte sooner than it.
        let Some(done) = (64 * self.blocks).checked_sub(1) else { return Hash::leaf(line) };
        digest(batch::compress_end(self.state, line.get(done..).unwrap_or_default(), line.len() + 1))
    }
}

/// Appends the start of the leaf hash of each line of which the beginning is given, as far as its blocks are whole.
pub fn start_leaves<'a>(beginnings: impl IntoIterator<Item = &'a [u8]>, starts: &mut Vec<LeafStart>) {
    let (mut states, at) = (Vec::new(), starts.len());
    let message = |beginning: &'a [u8]| {
        starts.push(LeafStart { state: [0; 8], blocks: (1 + beginning.len()) / 64 });
        Message { domain: LEAF, parts: [beginning, b""], is_whole: false }
    };
    batch::compress_all(beginnings.into_iter().map(message), &mut states);
    for (start, state) in starts.iter_mut().skip(at).zip(states) {
        start.state = state;
    }
}

fn digest(state: [u32; 8]) -> Hash {
    let mut bytes = [0; 32];
    for (place, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    Hash(bytes)
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseHashError(());

impl fmt::Display for ParseHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a hash of 64 lower-case hexadecimal digits")
    }
}

impl std::error::Error for ParseHashError {}

impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ParseHashError(()));
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_kind| ParseHashError(()))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaf_and_node_follow_rfc_6962() {
        // The empty leaf and the two-leaf tree of the certificate-transparency reference vectors.
        assert_eq!(Hash::leaf(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        let node = Hash::node(Hash::leaf(b""), Hash::leaf(b"\x00"));
        assert_eq!(node.to_string(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    }

    #[test]
    fn parsing_is_strict() {
        let text = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(text.parse::<Hash>().unwrap().to_string(), text);
        assert!(text.to_uppercase().parse::<Hash>().is_err());
        assert!(text[1..].parse::<Hash>().is_err());
    }

    /// Hashes all lines at once and each alone, and compares.
    fn check(lines: &[Vec<u8>]) {
        let (mut together, mut parents) = (vec![Hash::of(b"before")], Vec::new());
        leaves(lines.iter().map(Vec::as_slice), &mut together);
        let alone: Vec<Hash> = lines.iter().map(|line| Hash::leaf(line)).collect();
        assert_eq!(together.split_first(), Some((&Hash::of(b"before"), alone.as_slice())));
        nodes(&alone, &mut parents);
        assert_eq!(parents, alone.chunks_exact(2).map(|pair| Hash::node(pair[0], pair[1])).collect::<Vec<_>>());
    }

    #[test]
    fn many_hashes_at_once_are_those_of_each_alone() {
        let line = |length: usize| (0..length).map(|at| u8::try_from((at * 7 + length) % 251).unwrap()).collect();
        check(&(0..=1024).map(line).collect::<Vec<_>>());
        check(&(0..=1024).rev().step_by(3).map(line).collect::<Vec<_>>());
        // Of very different lengths, and at most as many as there are lanes.
        for count in 0..40 {
            check(&(0..count).map(|index| line(index * index * 37 % 65_536)).collect::<Vec<_>>());
        }
    }
}

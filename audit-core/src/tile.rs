//! Tiles: the Merkle tree of a log in files of 256 hashes, and their paths.
//!
//! Source: C2SP `tlog-tiles`. Tile n of level l holds the roots over entries `(256·n + i)·256^l` up to
//! `(256·n + i + 1)·256^l`, for i from 0 to 255; a partial tile, at the right edge of the tree, holds the first of them.

mod growth;
mod path;

use crate::hash::{self, Hash};

pub use growth::{Growth, growth, partial_tiles, tiles_of};
pub use path::ParseTileError;

/// How many hashes a full tile holds.
pub const WIDTH: u16 = 256;

/// The highest level that has a tile in a tree of fewer than 2^64 entries.
pub const LEVEL_MAX: u8 = 7;

/// How many levels of the tree a tile spans: 2^8 = [`WIDTH`].
const HEIGHT: u32 = 8;

/// The place of one tile in the tree, and how many hashes it holds.
///
/// The entries below a tile are always fewer than 2^64. That leaves the levels up to [`LEVEL_MAX`] of the 64 that C2SP
/// `tlog-tiles` has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    /// From 1 to [`WIDTH`].
    width: u16,
}

impl Tile {
    /// Returns the tile of a level (0 holds leaves), with its number in that level and the number of its hashes.
    ///
    /// `None` if the width is not from 1 to [`WIDTH`], or if no tree of fewer than 2^64 entries has such a tile.
    #[must_use]
    pub const fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        if level > LEVEL_MAX || width == 0 || width > WIDTH {
            return None;
        }
        let hashes_max = u64::MAX >> (HEIGHT * level as u32);
        let is_possible = index <= hashes_max >> HEIGHT && width as u64 <= hashes_max - (index << HEIGHT);
        if is_possible { Some(Self { level, index, width }) } else { None }
    }

    /// Returns the tile that a node is read or made from in a tree of `size` entries: the root over the leaves
    /// `index·2^level` up to `(index + 1)·2^level`; `None` unless these are all in the tree.
    #[must_use]
    pub fn of_node(level: u32, index: u64, size: u64) -> Option<Self> {
        if index >= size.checked_shr(level)? {
            return None;
        }
        let hashes = size >> (level - level % HEIGHT);
        let tile = (index << (level % HEIGHT)) >> HEIGHT;
        let width = (hashes - (tile << HEIGHT)).min(u64::from(WIDTH));
        Self::new(u8::try_from(level / HEIGHT).ok()?, tile, u16::try_from(width).ok()?)
    }

    /// Returns the level: each hash in the tile is the root over 256^level entries.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Returns the number of the tile in its level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns how many hashes the tile holds, from 1 to [`WIDTH`].
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Tells whether the tile holds [`WIDTH`] hashes, as it always will.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// Returns the full tile in this place; `None` if its entries would be 2^64 or more.
    #[must_use]
    pub const fn full(&self) -> Option<Self> {
        Self::new(self.level, self.index, WIDTH)
    }

    /// Returns the number of the first entry below the tile.
    #[must_use]
    pub const fn first_entry(&self) -> u64 {
        (self.index << HEIGHT) << (HEIGHT * self.level as u32)
    }

    /// Returns the number after that of the last entry below the hashes that the tile holds.
    #[must_use]
    pub const fn end_entry(&self) -> u64 {
        ((self.index << HEIGHT) + self.width as u64) << (HEIGHT * self.level as u32)
    }

    /// Reads the bytes of the tile's file; `None` unless they are 32 for each hash.
    #[must_use]
    pub fn hashes(&self, bytes: &[u8]) -> Option<Vec<Hash>> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let is_whole = rest.is_empty() && hashes.len() == usize::from(self.width);
        is_whole.then(|| hashes.iter().copied().map(Hash::from_bytes).collect())
    }

    /// Returns the root over all hashes of a full tile: the hash that stands for it in the level above.
    ///
    /// `None` unless the tile is full and the hashes are as many as it holds.
    #[must_use]
    pub fn root(&self, hashes: &[Hash]) -> Option<Hash> {
        self.node(HEIGHT * (u32::from(self.level) + 1), self.index, hashes)
    }

    /// Returns the root over the leaves `index·2^level` up to `(index + 1)·2^level`, from the tile's hashes.
    ///
    /// `None` unless the node is one of these hashes or is made from some of them, and they are as many as the tile holds.
    #[must_use]
    pub fn node(&self, level: u32, index: u64, hashes: &[Hash]) -> Option<Hash> {
        let height = level.checked_sub(HEIGHT * u32::from(self.level)).filter(|height| *height <= HEIGHT)?;
        let here = index.checked_sub(self.index << (HEIGHT - height))?;
        if here >> (HEIGHT - height) != 0 || hashes.len() != usize::from(self.width) {
            return None;
        }
        let below = usize::try_from(here).ok()? << height;
        perfect_root(hashes.get(below..below + (1 << height))?)
    }
}

/// Returns the bytes of the file of a tile with these hashes.
#[must_use]
pub fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect()
}

/// Returns the root over hashes, the number of which is a power of two.
fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    let (mut nodes, mut parents) = (hashes.to_vec(), Vec::new());
    while nodes.len() > 1 {
        parents.clear();
        hash::nodes(&nodes, &mut parents);
        core::mem::swap(&mut nodes, &mut parents);
    }
    nodes.pop()
}

#[cfg(test)]
mod tests;

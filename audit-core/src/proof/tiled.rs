//! Nodes out of tiles.

use core::fmt;

use crate::hash::Hash;
use crate::proof::Nodes;
use crate::tile::Tile;

/// The nodes of a tree of a given size, read from its tiles as they are needed.
///
/// A proof reads each of its tiles once, and at most two in each level: 16 in all, which are kept for the next proof. What the
/// tiles hold is not verified: check a proof made from them against a root that is trusted.
pub struct TiledNodes<F> {
    size: u64,
    read: F,
    /// At most [`KEPT_MAX`], the one that was used last at the end.
    kept: Vec<(Tile, Vec<Hash>)>,
}

impl<F> fmt::Debug for TiledNodes<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept: Vec<&Tile> = self.kept.iter().map(|(tile, _)| tile).collect();
        f.debug_struct("TiledNodes").field("size", &self.size).field("kept", &kept).finish_non_exhaustive()
    }
}

impl<F, E> TiledNodes<F>
where
    F: FnMut(Tile) -> Result<Vec<Hash>, E>,
{
    /// Takes the size of the tree and what reads a tile of it.
    ///
    /// `read` gets tiles that a tree of this size has, and gives as many hashes as the tile holds. Where a partial tile is no
    /// longer there it gives the first hashes of the full one ([`Tile::full`]).
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read, kept: Vec::new() }
    }

    /// Returns how many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    fn hashes(&mut self, tile: Tile) -> Result<&[Hash], TiledNodesError<E>> {
        let kept = match self.kept.iter().position(|(kept, _)| *kept == tile) {
            Some(place) => self.kept.remove(place),
            None => (tile, self.read(tile)?),
        };
        if self.kept.len() >= KEPT_MAX {
            self.kept.remove(0);
        }
        self.kept.push(kept);
        Ok(self.kept.last().map(|(_, hashes)| hashes.as_slice()).unwrap_or_default())
    }

    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, TiledNodesError<E>> {
        let hashes = (self.read)(tile).map_err(TiledNodesError::Read)?;
        if hashes.len() == usize::from(tile.width()) {
            Ok(hashes)
        } else {
            Err(TiledNodesError::Width { tile, found: hashes.len() })
        }
    }
}

impl<F, E> Nodes for TiledNodes<F>
where
    F: FnMut(Tile) -> Result<Vec<Hash>, E>,
{
    type Error = TiledNodesError<E>;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        let outside = TiledNodesError::Node { level, index, size: self.size };
        let Some(tile) = Tile::of_node(level, index, self.size) else { return Err(outside) };
        tile.node(level, index, self.hashes(tile)?).ok_or(outside)
    }
}

/// Why a node could not be had from tiles.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TiledNodesError<E> {
    /// The tile could not be read.
    Read(E),
    /// The tile that was read has too few or too many hashes.
    Width {
        /// The tile, which tells how many hashes it should have.
        tile: Tile,
        /// How many hashes were read.
        found: usize,
    },
    /// The node is not in the tree.
    Node {
        /// The level of the node.
        level: u32,
        /// The index of the node in its level.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
}

impl<E> fmt::Display for TiledNodesError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(_) => f.write_str("a tile could not be read"),
            Self::Width { tile, found } => {
                write!(f, "expected {} hashes in {}, found {found}", tile.width(), tile.path())
            }
            Self::Node { level, index, size } => {
                write!(f, "expected a node of the tree of size {size}, found number {index} of level {level}")
            }
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for TiledNodesError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(source) => Some(source),
            Self::Width { .. } | Self::Node { .. } => None,
        }
    }
}

/// Two tiles in each level: that on the way to a leaf or to the end of an older tree, and that at the right edge.
const KEPT_MAX: usize = 16;

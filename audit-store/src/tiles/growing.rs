//! A tree that grows leaf by leaf and gives away its tiles as they become full.

use audit_core::hash::Hash;
use audit_core::tile::{LEVEL_MAX, Tile, WIDTH};
use audit_core::tree::Frontier;

/// The tree of a log, of which only the tiles at its right edge are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growing {
    size: u64,
    /// The hashes of the partial tile of each level, from the leaves up: at most 255.
    edge: Vec<Vec<Hash>>,
}

impl Growing {
    /// Takes up a tree at a size, the hashes of whose partial tiles are given from the leaves up; none unless they are as
    /// many as such a tree has.
    pub(crate) fn resume(size: u64, edge: Vec<Vec<Hash>>) -> Option<Self> {
        let width =
            |level: usize| size.checked_shr(u32::try_from(8 * level).ok()?).map(|hashes| hashes % u64::from(WIDTH));
        let fits = |(level, hashes): (usize, &Vec<Hash>)| width(level) == Some(hashes.len() as u64);
        edge.iter().enumerate().all(fits).then_some(Self { size, edge })
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. Each tile that becomes full is given to `full`, the lower ones first.
    pub(crate) fn push<E>(
        &mut self,
        leaf: Hash,
        full: &mut impl FnMut(Tile, &[Hash]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..=usize::from(LEVEL_MAX) {
            if self.edge.len() <= level {
                self.edge.push(Vec::with_capacity(usize::from(WIDTH)));
            }
            let Some(hashes) = self.edge.get_mut(level) else { break };
            hashes.push(hash);
            if hashes.len() < usize::from(WIDTH) {
                break;
            }
            let tile = u8::try_from(level)
                .ok()
                .and_then(|level| Tile::new(level, full_tiles(self.size, level).checked_sub(1)?, WIDTH));
            let Some((tile, root)) = tile.and_then(|tile| Some((tile, tile.root(hashes)?))) else { break };
            full(tile, hashes)?;
            hashes.clear();
            hash = root;
        }
        Ok(())
    }

    /// Returns the partial tiles, from the leaves up.
    pub(crate) fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        (0_u8..).zip(&self.edge).filter_map(|(level, hashes)| {
            Some((
                Tile::new(level, full_tiles(self.size, level), u16::try_from(hashes.len()).ok()?)?,
                hashes.as_slice(),
            ))
        })
    }

    /// Returns the root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut tree = Frontier::new();
        for (level, hashes) in self.edge.iter().enumerate().rev() {
            let level = u32::try_from(8 * level).unwrap_or(u32::MAX);
            hashes.iter().for_each(|hash| tree.push_subtree(level, *hash));
        }
        tree.root()
    }
}

/// Returns how many tiles of a level are full.
fn full_tiles(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0)
}

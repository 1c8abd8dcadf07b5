//! The tiles of a log: its Merkle tree in files of 256 hashes, which anyone can make again from the segments.
//!
//! Nothing here is trusted. A proof that is made from tiles counts once it leads to the root of a checkpoint, and is made
//! again from the segments if it does not.

mod entries;
mod files;
mod growing;

use audit_core::hash::Hash;
use audit_core::proof::TiledNodes;
use audit_core::tile::{Tile, WIDTH};
use audit_core::verify::Fault;

use crate::Error;
use crate::layout::Layout;
use crate::verify::Finding;

pub(crate) use entries::{Entries, Lines, last_place};
pub(crate) use files::TileFiles;
pub(crate) use growing::Growing;

/// The tiles of a log for whoever reads it: from their files, or made from what is below them.
#[derive(Debug)]
pub(crate) struct Tiles {
    layout: Layout,
    entries: Entries,
    files: Option<TileFiles>,
}

impl Tiles {
    /// Reads files where there are any.
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { files: Some(TileFiles::new(layout)), ..Self::without_files(layout) }
    }

    /// Makes all tiles from the segments.
    pub(crate) fn without_files(layout: &Layout) -> Self {
        Self { layout: layout.clone(), entries: Entries::new(layout), files: None }
    }

    /// Returns the hashes of a tile, which the tree of the log has.
    pub(crate) fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, Error> {
        if let Some(hashes) = self.files.as_ref().and_then(|files| files.read(tile)) {
            return Ok(hashes);
        }
        let mut hashes = Vec::with_capacity(usize::from(tile.width()));
        let Some(below) = tile.level().checked_sub(1) else {
            if !self.entries.leaves(tile.first_entry()..tile.end_entry(), &mut hashes)? {
                return Err(self.missing(tile));
            }
            return Ok(hashes);
        };
        let first = tile.index() * u64::from(WIDTH);
        for index in first..first + u64::from(tile.width()) {
            let lower = Tile::new(below, index, WIDTH).ok_or_else(|| self.missing(tile))?;
            let root = lower.root(&self.tile(lower)?).ok_or_else(|| self.missing(tile))?;
            hashes.push(root);
        }
        Ok(hashes)
    }

    /// Returns what reads the nodes of the tree of so many entries.
    pub(crate) fn nodes(&mut self, size: u64) -> TiledNodes<impl FnMut(Tile) -> Result<Vec<Hash>, Error>> {
        TiledNodes::new(size, |tile| self.tile(tile))
    }

    fn missing(&self, tile: Tile) -> Error {
        let reason = format!("expected the entries up to {}, as a checkpoint says, found fewer", tile.end_entry());
        Error::finding(&self.layout.directory, Finding { file: None, fault: Fault::tampered(None, reason) })
    }
}

#[cfg(test)]
mod tests;

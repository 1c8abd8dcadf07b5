//! Which tiles a tree of a given size has.

use core::ops::Range;

use super::{HEIGHT, LEVEL_MAX, Tile, WIDTH};

/// Returns all tiles of a tree of `size` entries, full and partial: level by level from the leaves up, each from the left.
#[must_use]
pub const fn tiles_of(size: u64) -> Growth {
    growth(0..size)
}

/// Returns the tiles of a tree of `sizes.end` entries that the same tree did not have at `sizes.start` entries.
///
/// The order is that of [`tiles_of`]. A tile that was partial is among them if it is wider now. What the older tree had and
/// the newer has not are [`partial_tiles`] only.
#[must_use]
pub const fn growth(sizes: Range<u64>) -> Growth {
    let mut growth = Growth { level: 0, next: 0, sizes };
    growth.next = growth.first_index();
    growth
}

/// Returns the partial tiles of a tree of `size` entries, at most one in each level, from the leaves up.
pub fn partial_tiles(size: u64) -> impl Iterator<Item = Tile> {
    (0..=LEVEL_MAX).filter_map(move |level| {
        let hashes = size >> (HEIGHT * u32::from(level));
        Tile::new(level, hashes >> HEIGHT, u16::try_from(hashes % u64::from(WIDTH)).ok()?)
    })
}

/// The tiles that came to a tree, in order; see [`growth`].
#[derive(Clone, Debug)]
pub struct Growth {
    sizes: Range<u64>,
    level: u8,
    next: u64,
}

impl Growth {
    /// Returns the index of the first tile of the level that is new, if any of them is.
    const fn first_index(&self) -> u64 {
        self.hashes(self.sizes.start) >> HEIGHT
    }

    const fn hashes(&self, size: u64) -> u64 {
        size >> (HEIGHT * self.level as u32)
    }
}

impl Iterator for Growth {
    type Item = Tile;

    fn next(&mut self) -> Option<Tile> {
        while self.level <= LEVEL_MAX {
            let hashes = self.hashes(self.sizes.end);
            let left = hashes.saturating_sub(self.next << HEIGHT).min(u64::from(WIDTH));
            if left > 0 && hashes > self.hashes(self.sizes.start) {
                let tile = Tile::new(self.level, self.next, u16::try_from(left).ok()?);
                self.next += 1;
                return tile;
            }
            self.level += 1;
            // Beyond the last level there is nothing to shift.
            self.next = if self.level <= LEVEL_MAX { self.first_index() } else { 0 };
        }
        None
    }
}

impl core::iter::FusedIterator for Growth {}

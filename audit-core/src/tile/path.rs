//! The paths of tiles and of bundles of entries.

use core::fmt::{self, Write as _};

use super::{Tile, WIDTH};

impl Tile {
    /// Returns the path of the tile's file below the log: `tile/<level>/<index>[.p/<width>]`.
    ///
    /// The index is written in groups of three digits, all but the last after an `x`: `tile/0/x001/x234/067`.
    #[must_use]
    pub fn path(&self) -> String {
        self.below(&format!("tile/{}", self.level))
    }

    /// Returns the path of the bundle of entries with the tile's index and width: `tile/entries/<index>[.p/<width>]`.
    ///
    /// The bundle holds the entries of a tile of level 0.
    #[must_use]
    pub fn entries_path(&self) -> String {
        self.below("tile/entries")
    }

    /// Parses the path of a tile's file; only the form that [`Tile::path`] writes is one.
    ///
    /// # Errors
    /// Tells what was expected, and the beginning of what was found.
    pub fn parse_path(path: &str) -> Result<Self, ParseTileError> {
        let tile = path.strip_prefix("tile/").and_then(|rest| {
            let (level, place) = rest.split_once('/')?;
            parse_place(level.parse().ok()?, place)
        });
        tile.filter(|tile| tile.path() == path)
            .ok_or_else(|| ParseTileError::new("tile/<level>/<index>[.p/<width>]", path))
    }

    /// Parses the path of a bundle of entries; only the form that [`Tile::entries_path`] writes is one. The tile is of level 0.
    ///
    /// # Errors
    /// Tells what was expected, and the beginning of what was found.
    pub fn parse_entries_path(path: &str) -> Result<Self, ParseTileError> {
        let tile = path.strip_prefix("tile/entries/").and_then(|place| parse_place(0, place));
        tile.filter(|tile| tile.entries_path() == path)
            .ok_or_else(|| ParseTileError::new("tile/entries/<index>[.p/<width>]", path))
    }

    fn below(&self, directory: &str) -> String {
        let mut path = directory.to_owned();
        let digits = self.index().to_string();
        let digits = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        let groups = digits.as_bytes().as_chunks::<3>().0;
        for (place, group) in groups.iter().enumerate() {
            path.push_str(if place + 1 < groups.len() { "/x" } else { "/" });
            path.extend(group.iter().copied().map(char::from));
        }
        if !self.is_full() {
            // Writing into a text does not fail.
            let _ = write!(path, ".p/{}", self.width());
        }
        path
    }
}

/// Reads what can be the place of a tile; the caller compares how it is written.
fn parse_place(level: u8, place: &str) -> Option<Tile> {
    let (index, width) = match place.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok()?),
        None => (place, WIDTH),
    };
    // An index of more digits than 64 bits have is none.
    let digits: String = index.chars().filter(char::is_ascii_digit).take(21).collect();
    Tile::new(level, digits.parse().ok()?, width)
}

/// The text is not the path of a tile, or of a bundle of entries, in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTileError {
    expected: &'static str,
    found: String,
}

impl ParseTileError {
    fn new(expected: &'static str, path: &str) -> Self {
        Self { expected, found: path.chars().take(FOUND_CHARS_MAX).collect() }
    }
}

impl fmt::Display for ParseTileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected the path {} of a tile in a tree of fewer than 2^64 entries, found {:?}",
            self.expected, self.found
        )
    }
}

impl std::error::Error for ParseTileError {}

/// How much of a path that is none an error repeats.
const FOUND_CHARS_MAX: usize = 64;

//! The files of tiles below a log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use audit_core::hash::Hash;
use audit_core::tile::{self, Tile, WIDTH};

use crate::disk::open_plain;
use crate::layout::Layout;

/// The directory of tiles below a log.
const TILES: &str = "tile";
/// What is written before it has the name of a tile.
const WRITING: &str = "writing.tmp";

/// Reads and writes tiles, each whole or not at all as long as the machine goes on. Nothing is brought to the disk.
#[derive(Clone, Debug)]
pub(crate) struct TileFiles {
    directory: PathBuf,
}

impl TileFiles {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { directory: layout.directory.clone() }
    }

    /// Reads a tile, or the first hashes of the full one in its place; none if neither is there and of the right length.
    pub(crate) fn read(&self, tile: Tile) -> Option<Vec<Hash>> {
        let exact = self.read_whole(tile);
        if exact.is_some() || tile.is_full() {
            return exact;
        }
        let mut hashes = self.read_whole(tile.full()?)?;
        hashes.truncate(usize::from(tile.width()));
        Some(hashes)
    }

    fn read_whole(&self, tile: Tile) -> Option<Vec<Hash>> {
        let file = open_plain(OpenOptions::new().read(true), &self.directory.join(tile.path())).ok()?;
        let mut bytes = Vec::with_capacity(32 * usize::from(WIDTH) + 1);
        file.take(32 * u64::from(WIDTH) + 1).read_to_end(&mut bytes).ok()?;
        let hashes = tile.hashes(&bytes)?;
        // After a loss of power a file may have its length and not its bytes.
        (!hashes.contains(&Hash::from_bytes([0; 32]))).then_some(hashes)
    }

    /// Tells whether a tile is there, as far as its name and length tell.
    pub(crate) fn has(&self, tile: Tile) -> bool {
        let bytes = 32 * u64::from(tile.width());
        fs::symlink_metadata(self.directory.join(tile.path()))
            .is_ok_and(|found| found.is_file() && found.len() == bytes)
    }

    /// Writes a tile. Once a full one is there the partial ones in its place are removed.
    pub(crate) fn write(&self, tile: Tile, hashes: &[Hash]) -> io::Result<()> {
        let writing = self.directory.join(TILES).join(WRITING);
        let mut file = self.create(&writing)?;
        file.write_all(&tile::to_bytes(hashes))?;
        drop(file);
        let path = self.directory.join(tile.path());
        match fs::rename(&writing, &path) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), create_directories)?;
                fs::rename(&writing, &path)?;
            }
            renamed => renamed?,
        }
        if tile.is_full() {
            let mut partial = path.into_os_string();
            partial.push(".p");
            // What stays is as good as before.
            let _none_or_left = fs::remove_dir_all(partial);
        }
        Ok(())
    }

    fn create(&self, path: &std::path::Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match open_plain(&mut options, path) {
            // An attempt that was interrupted left it.
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(path)?,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => create_directories(&self.directory.join(TILES))?,
            opened => return opened,
        }
        open_plain(&mut options, path)
    }
}

/// Creates a directory and those above it, readable by their owner alone.
fn create_directories(path: &std::path::Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

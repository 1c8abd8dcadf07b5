//! A log as a directory that the tools of C2SP `tlog-tiles` read.
//!
//! ```text
//! <directory>/checkpoint                        the newest checkpoint of the log
//! <directory>/tile/<level>/<index>[.p/<width>]  the tree over the entries that it covers
//! <directory>/tile/entries/<index>[.p/<width>]  these entries, each after its length, a big-endian u16
//! ```

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use audit_core::hash::{self, Hash};
use audit_core::tile::{self, Tile, WIDTH};
use audit_core::verify::Fault;

use crate::Error;
use crate::checkpoints;
use crate::layout::{CHECKPOINT, Layout};
use crate::read::Segments;
use crate::tiles::{Entries, Growing};
use crate::verify::Finding;

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// How many entries the checkpoint covers.
    pub entries: u64,
    /// How many tiles of hashes were written.
    pub tiles: u64,
    /// How many bundles of entries were written.
    pub bundles: u64,
    /// False if the checkpoint has no signature, without which the tools of others refuse it.
    pub is_signed: bool,
}

/// Writes all entries that the newest checkpoint covers, their tree and the checkpoint into a directory, which is empty or
/// not there yet. The log may be growing.
///
/// Every entry is hashed; no file of the log but its segments and the checkpoint is looked at. The checkpoint is written
/// last: a directory without it is what an interrupted export left.
///
/// # Errors
/// The path is no log or has no checkpoint ([`Error::is_checkpoint_missing`]); the directory is not empty
/// ([`Error::is_io`]); the entries do not have the root that the checkpoint states ([`Error::is_tampered`]); something cannot
/// be read or written.
pub fn export_tlog(log: impl AsRef<Path>, directory: impl AsRef<Path>) -> Result<Exported, Error> {
    let layout = Layout::new(log.as_ref());
    // Tells what is no log.
    Segments::list(&layout.directory)?;
    let newest = checkpoints::newest(&layout)?.ok_or_else(|| Error::no_checkpoint(&layout.directory))?;
    let mut export = Export::new(directory.as_ref())?;
    let size = newest.checkpoint.size;
    let mut entries = Entries::new(&layout);
    let mut first = 0;
    while first < size {
        let end = size.min(first + u64::from(WIDTH));
        let mut bundle = Bundle::default();
        let found = entries.lines(first..end, |_number, line| bundle.push(line))?;
        if found < end {
            return Err(altered(&layout, format!("expected {size} entries, as the checkpoint says, found {found}")));
        }
        export.add(first, &bundle)?;
        first = end;
    }
    export.finish(&layout, &newest.note, newest.checkpoint.root)?;
    Ok(Exported { entries: size, is_signed: newest.note.contains("\n\n"), ..export.exported })
}

/// The entries of one bundle.
#[derive(Default)]
struct Bundle {
    bytes: Vec<u8>,
    lines: Vec<Vec<u8>>,
    is_too_long: bool,
}

impl Bundle {
    fn push(&mut self, line: &[u8]) {
        match u16::try_from(line.len()) {
            Ok(length) => self.bytes.extend_from_slice(&length.to_be_bytes()),
            Err(_longer_than_any_entry) => self.is_too_long = true,
        }
        self.bytes.extend_from_slice(line);
        self.lines.push(line.to_vec());
    }
}

struct Export {
    directory: PathBuf,
    tree: Growing,
    exported: Exported,
}

impl Export {
    fn new(directory: &Path) -> Result<Self, Error> {
        let failed = |source| Error::io(directory, "begin an export", source);
        fs::create_dir_all(directory).map_err(failed)?;
        if fs::read_dir(directory).map_err(failed)?.next().is_some() {
            let found = "expected an empty directory, found one with something in it";
            return Err(failed(io::Error::new(io::ErrorKind::DirectoryNotEmpty, found)));
        }
        let exported = Exported { entries: 0, tiles: 0, bundles: 0, is_signed: false };
        Ok(Self { directory: directory.to_owned(), tree: Growing::default(), exported })
    }

    /// Adds the entries from a multiple of 256 on.
    fn add(&mut self, first: u64, bundle: &Bundle) -> Result<(), Error> {
        let width = u16::try_from(bundle.lines.len()).unwrap_or(0);
        let failed = |source| Error::io(&self.directory, "export entries", source);
        let tile = Tile::new(0, first / u64::from(WIDTH), width).filter(|_tile| !bundle.is_too_long);
        let tile = tile.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
        write(&self.directory.join(tile.entries_path()), &bundle.bytes).map_err(failed)?;
        self.exported.bundles += 1;
        let mut leaves = Vec::with_capacity(bundle.lines.len());
        hash::leaves(bundle.lines.iter().map(Vec::as_slice), &mut leaves);
        let (directory, tiles) = (&self.directory, &mut self.exported.tiles);
        let mut full = |tile: Tile, hashes: &[Hash]| {
            *tiles += 1;
            write(&directory.join(tile.path()), &tile::to_bytes(hashes))
        };
        leaves.into_iter().try_for_each(|leaf| self.tree.push(leaf, &mut full)).map_err(failed)
    }

    /// Writes the partial tiles, and the checkpoint if the tree has its root.
    fn finish(&mut self, layout: &Layout, note: &str, root: Hash) -> Result<(), Error> {
        if self.tree.root() != root {
            let reason = "expected the root that the checkpoint states, found that of other entries";
            return Err(altered(layout, reason.to_owned()));
        }
        let failed = |source| Error::io(&self.directory, "export the tree", source);
        for (tile, hashes) in self.tree.partial() {
            self.exported.tiles += 1;
            write(&self.directory.join(tile.path()), &tile::to_bytes(hashes)).map_err(failed)?;
        }
        write(&self.directory.join(CHECKPOINT), note.as_bytes()).map_err(failed)
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = BufWriter::new(File::create_new(path)?);
    file.write_all(bytes)?;
    file.flush()
}

fn altered(layout: &Layout, reason: String) -> Error {
    Error::finding(&layout.directory, Finding { file: None, fault: Fault::tampered(None, reason) })
}

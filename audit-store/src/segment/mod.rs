//! Segments that no entry is added to any more: compressed, read in parts, split for parallel work.
//!
//! A sealed segment is `segments/<20 digits>.jsonl.zst`: the same lines in independent zstd frames (RFC 8878) of at most
//! 2 MiB of whole lines, and a seek table at the end as the [zstd seekable format] has it. `zstd -d` gives back the plain
//! segment; this module reads any frame without those before it. Hashes are always over the uncompressed lines, so what
//! is said here about the compressed form decides only which bytes are looked at, never whether they are the right ones.
//!
//! Nothing in a compressed segment is believed: the table must fill the file, each frame must be exactly what the table
//! says, and no frame is decompressed into more than [`CHUNK_BYTES_MAX`].
//!
//! [zstd seekable format]: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md

mod blocks;
mod chunks;
mod compact;
mod frame;
mod reader;
mod seal;
pub(crate) mod state;
mod table;

use core::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::verify::Fault;

use crate::Error;
use crate::layout;
use crate::verify::Finding;

pub(crate) use blocks::Blocks;
pub use chunks::{Chunk, Chunks};
pub use compact::{CompactReport, compact};
pub use frame::Buffer;
pub(crate) use frame::Compressed;
pub(crate) use reader::Reader;
pub(crate) use seal::{remove_leftovers, seal};

/// How many bytes of lines a chunk, and so a frame of a compressed segment, can hold: 4 MiB.
pub const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Something in a segment is not what it must be, told as an [`io::Error`] so that it passes through a reader.
#[derive(Debug)]
struct Altered(String);

impl fmt::Display for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Altered {}

fn altered(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Altered(reason.into()))
}

/// Makes the error of what failed while a segment was read; `file` is its name below the log's directory.
pub(crate) fn read_error(log: &Path, file: String, entry: Option<u64>, failed: io::Error) -> Error {
    match failed.downcast::<Altered>() {
        Ok(Altered(reason)) => Error::finding(log, Finding { file: Some(file), fault: Fault::tampered(entry, reason) }),
        Err(source) => Error::io(log, "read a segment", source),
    }
}

/// Opens a segment by its path, or by that of its compressed form if the plain one has gone; returns which it was.
pub(crate) fn open_either<T>(path: &Path, open: impl Fn(&Path) -> io::Result<T>) -> (PathBuf, io::Result<T>) {
    match open(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound && !layout::is_compressed(path) => {
            let compressed = layout::compressed(path);
            match open(&compressed) {
                // Neither is there: what was listed is what is missing.
                Err(absent) if absent.kind() == io::ErrorKind::NotFound => (path.to_owned(), Err(fault)),
                opened => (compressed, opened),
            }
        }
        opened => (path.to_owned(), opened),
    }
}

/// Fills the buffer from the given place of a file, without a position that threads would share.
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset);
    #[cfg(windows)]
    {
        let (mut rest, mut offset) = (bytes, offset);
        while !rest.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(file, rest, offset)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            rest = rest.get_mut(read..).unwrap_or_default();
            offset += read as u64;
        }
        Ok(())
    }
    #[cfg(not(any(unix, windows)))]
    return Err(io::ErrorKind::Unsupported.into());
}

/// Returns the place after the last line feed, 0 if there is none.
fn after_last_line_feed(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)
}

#[cfg(test)]
pub(crate) mod tests;

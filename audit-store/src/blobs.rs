//! Payloads too large for a line, each in a file that is named by its hash.
//!
//! `blobs/<64 hexadecimal digits>` holds bytes whose SHA-256 the name is. An entry that refers to a blob states that
//! hash, so the chain covers the bytes. A blob is written once, under a temporary name; the commit that covers its record
//! brings it to the disk and gives it its name, and so does the next opening if the process died before. At most
//! [`BLOB_BYTES_MAX`] bytes go into one, and memory is bounded by one.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use audit_core::hash::Hash;
use audit_core::verify::Fault;

use crate::Error;
use crate::disk::{self, Disk, Mode};
use crate::layout::{self, BLOBS, Layout};
use crate::verify::Finding;

/// How many bytes a blob can hold: 16 MiB.
pub const BLOB_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Keeps threads that write the same bytes at the same time from writing to one file.
static ATTEMPTS: AtomicU64 = AtomicU64::new(0);

/// A payload that is written and has yet to become a blob, or one that was there.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) hash: Hash,
    /// Where it lies until [`settle`]; none if the blob was there.
    temporary: Option<PathBuf>,
}

/// Writes a payload under a temporary name, where it survives the process, unless the blob is there.
pub(crate) fn stage(disk: &dyn Disk, layout: &Layout, bytes: &[u8]) -> Result<Staged, Error> {
    let directory = layout.blobs();
    let failed = |source| Error::io(&directory, "write a blob", source);
    if bytes.len() > BLOB_BYTES_MAX {
        let found = format!("expected at most {BLOB_BYTES_MAX} bytes, found {}", bytes.len());
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, found)));
    }
    let hash = Hash::of(bytes);
    if read(&layout.directory, hash)?.is_some() {
        return Ok(Staged { hash, temporary: None });
    }
    layout::create_below(disk, &directory).map_err(failed)?;
    let temporary = directory.join(format!("{hash}.{}.tmp", ATTEMPTS.fetch_add(1, Ordering::Relaxed)));
    let written = write_as(disk, &temporary, bytes);
    if written.is_err() {
        // What is left of it is no blob, and nobody takes it for one.
        let _left_behind = disk.remove(&temporary);
    }
    written.map_err(failed)?;
    Ok(Staged { hash, temporary: Some(temporary) })
}

fn write_as(disk: &dyn Disk, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    // Only an earlier process can have left it: this one counts its attempts.
    match disk.remove(temporary) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    disk::write_all(disk, &disk.open(temporary, Mode::New)?, bytes)
}

/// Makes blobs of payloads that were written, and brings them to the disk. None gets its name before its bytes are there.
pub(crate) fn settle(disk: &dyn Disk, layout: &Layout, staged: &[Staged]) -> io::Result<()> {
    for Staged { hash, temporary } in staged {
        let Some(temporary) = temporary else { continue };
        disk.sync(&disk.open(temporary, Mode::Existing)?)?;
        disk.rename(temporary, &layout.blobs().join(hash.to_string()))?;
    }
    disk.sync_directory(&layout.blobs())
}

/// Makes blobs of what a process that died had written, and removes what it had not finished.
pub(crate) fn settle_leftovers(disk: &dyn Disk, layout: &Layout) -> Result<(), Error> {
    let directory = layout.blobs();
    let failed = |source| Error::io(&directory, "look after the blobs of an earlier process", source);
    let entries = match fs::read_dir(&directory) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let mut staged = Vec::new();
    let mut bytes = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(hash) = hash_of_temporary(&name) else { continue };
        match read_checked(&path, hash, &mut bytes).map_err(failed)? {
            None => staged.push(Staged { hash, temporary: Some(path) }),
            Some(_unfinished) => disk.remove(&path).map_err(failed)?,
        }
    }
    if staged.is_empty() { Ok(()) } else { settle(disk, layout, &staged).map_err(failed) }
}

/// Reads a blob of the log at `log`; none if it is not there.
///
/// # Errors
/// The bytes are not those that the name states ([`Error::is_tampered`]), or the file cannot be read.
pub fn read(log: &Path, hash: Hash) -> Result<Option<Vec<u8>>, Error> {
    let layout = Layout::new(log);
    let path = layout.blobs().join(hash.to_string());
    let mut bytes = Vec::new();
    match read_checked(&path, hash, &mut bytes) {
        Ok(None) => Ok(Some(bytes)),
        Ok(Some(reason)) => Err(Error::finding(log, finding(&hash.to_string(), reason))),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(read_staged(&layout, hash, bytes)),
        Err(source) => Err(Error::io(&path, "read a blob", source)),
    }
}

/// Reads what has yet to become a blob; none where nothing of the kind is whole.
fn read_staged(layout: &Layout, hash: Hash, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let paths = fs::read_dir(layout.blobs()).into_iter().flatten().flatten().map(|entry| entry.path());
    let name = |path: &PathBuf| path.file_name().and_then(|name| hash_of_temporary(&name.to_string_lossy()));
    let mut staged = paths.filter(|path| name(path) == Some(hash));
    staged.any(|path| matches!(read_checked(&path, hash, &mut bytes), Ok(None))).then_some(bytes)
}

/// Lists the blobs of the log at `log`, sorted; their bytes are not looked at.
///
/// # Errors
/// Something in the directory is no blob ([`Error::is_tampered`]), or it cannot be read.
pub fn list(log: &Path) -> Result<Vec<Hash>, Error> {
    let mut found = Vec::new();
    for name in names(&Layout::new(log))? {
        found.push(name?.1);
    }
    found.sort();
    Ok(found)
}

/// What the check of all blobs came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
}

/// Checks that every blob has the bytes that its name states, one after the other.
///
/// # Errors
/// The first that has not, or is none, is a finding.
pub(crate) fn check(layout: &Layout) -> Result<Checked, Error> {
    let (mut checked, mut bytes) = (Checked::default(), Vec::new());
    for name in names(layout)? {
        let (path, hash) = name?;
        let read = read_checked(&path, hash, &mut bytes);
        if let Some(reason) = read.map_err(|source| Error::io(&path, "read a blob", source))? {
            return Err(Error::finding(&layout.directory, finding(&hash.to_string(), reason)));
        }
        checked.blobs += 1;
        checked.bytes += bytes.len() as u64;
    }
    Ok(checked)
}

/// Goes through the directory of blobs, what an interrupted writing left passed over.
fn names(layout: &Layout) -> Result<impl Iterator<Item = Result<(PathBuf, Hash), Error>>, Error> {
    let (log, directory) = (layout.directory.clone(), layout.blobs());
    let failed = move |source| Error::io(&directory, "list the blobs", source);
    let entries = match fs::read_dir(layout.blobs()) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => None,
        entries => Some(entries.map_err(&failed)?),
    };
    Ok(entries.into_iter().flatten().filter_map(move |entry| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(source) => return Some(Err(failed(source))),
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        if hash_of_temporary(&name).is_some() {
            return None;
        }
        Some(name.parse().map(|hash| (entry.path(), hash)).map_err(|_not_a_hash| {
            Error::finding(&log, finding(&name, "expected blobs named by the 64 digits of their hash, found this"))
        }))
    }))
}

/// Returns the hash of the payload in a file `<64 hexadecimal digits>.<number>.tmp`; none for other names.
fn hash_of_temporary(name: &str) -> Option<Hash> {
    let (hash, count) = name.strip_suffix(".tmp")?.split_once('.')?;
    count.parse::<u64>().ok()?;
    hash.parse().ok()
}

/// Reads a file into the buffer, and tells why it is not the blob of that hash if it is not.
fn read_checked(path: &Path, hash: Hash, bytes: &mut Vec<u8>) -> io::Result<Option<String>> {
    bytes.clear();
    match fs::symlink_metadata(path)? {
        metadata if !metadata.is_file() => return Ok(Some("expected a plain file, found something else".to_owned())),
        metadata if metadata.len() > BLOB_BYTES_MAX as u64 => {
            return Ok(Some(format!("expected at most {BLOB_BYTES_MAX} bytes, found {}", metadata.len())));
        }
        _ => {}
    }
    let file = disk::open_plain(OpenOptions::new().read(true), path)?;
    file.take(BLOB_BYTES_MAX as u64).read_to_end(bytes)?;
    let found = Hash::of(bytes);
    Ok((found != hash).then(|| format!("altered: its bytes have the hash {found}")))
}

fn finding(name: &str, reason: impl Into<String>) -> Finding {
    Finding { file: Some(format!("{BLOBS}/{}", name.escape_debug())), fault: Fault::tampered(None, reason) }
}

#[cfg(test)]
mod tests;

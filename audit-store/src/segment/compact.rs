//! The compression of a log that was written before its segments were sealed, or by a writer that did not get to it.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::Error;
use crate::disk::{Disk, Mode, SystemDisk};
use crate::layout::{Layout, Survey};
use crate::read::Segments;
use crate::segment::{remove_leftovers, seal};
use crate::verify;

/// What compacting a log came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// How many segments the log has.
    pub segments: u64,
    /// How many of them were compressed now.
    pub compressed: u64,
    /// How many of them had been compressed before.
    pub compressed_before: u64,
    /// How many bytes all segments took before.
    pub bytes_before: u64,
    /// How many they take now.
    pub bytes_after: u64,
}

/// Compresses the segments of the log at `path` that are full: all but the last one, to which the next entry goes.
///
/// No line changes, and so no hash and no checkpoint; what the lines hold is not looked at. A segment is compressed into
/// a file beside it, read back from there, compared, and only then removed. Compacting may be interrupted at any
/// instant and done again: what is compressed already stays as it is. While it works there must be room for one more
/// segment.
///
/// # Errors
/// The log is held ([`Error::is_held`]: a writer seals its own segments), the path is no log
/// ([`Error::is_not_a_log`]), a segment does not hold whole lines or is none ([`Error::is_tampered`]), or a file
/// operation failed ([`Error::is_io`]). The segments before are compressed then.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders");
/// let log = audit_store::Log::options().segment_bytes_max(700).compress(false).open(&path)?;
/// log.guard().close()?;
///
/// let report = audit_store::segment::compact(&path)?;
/// assert_eq!((report.segments, report.compressed), (2, 1));
/// assert!(audit_store::verify::verify_log(&path)?.is_intact());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compact(path: impl AsRef<Path>) -> Result<CompactReport, Error> {
    compact_on(&SystemDisk, path.as_ref())
}

pub(super) fn compact_on(disk: &dyn Disk, path: &Path) -> Result<CompactReport, Error> {
    let layout = Layout::new(path);
    match layout.survey().map_err(|source| Error::io(path, "look at the log's directory", source))? {
        Survey::Log if layout.segments().is_dir() => {}
        Survey::Log | Survey::Empty => return Ok(CompactReport::default()),
        Survey::Absent => return Err(Error::not_a_log(path, "nothing")),
        Survey::NotALog(found) => return Err(Error::not_a_log(path, found)),
    }
    let _held_to_the_end = hold(disk, &layout)?;
    remove_leftovers(disk, &layout)?;
    let segments = Segments::list(path)?;
    let mut report = CompactReport { segments: segments.as_slice().len() as u64, ..CompactReport::default() };
    let Some((last, full)) = segments.as_slice().split_last() else { return Ok(report) };
    for segment in full {
        let sealed = seal(disk, &layout, segment.first)?;
        if segment.is_compressed() {
            report.compressed_before += 1;
            report.bytes_before += sealed.compressed_bytes;
        } else {
            report.compressed += 1;
            report.bytes_before += sealed.plain_bytes;
        }
        report.bytes_after += sealed.compressed_bytes;
    }
    let metadata = fs::metadata(&last.path).map_err(|source| Error::io(&last.path, "look at the segment", source))?;
    report.compressed_before += u64::from(last.is_compressed());
    report.bytes_before += metadata.len();
    report.bytes_after += metadata.len();
    Ok(report)
}

/// Takes the two locks of a writer; they are released when the files are dropped.
fn hold(disk: &dyn Disk, layout: &Layout) -> Result<(File, Option<File>), Error> {
    verify::check_lock(layout)?;
    let path = layout.lock();
    let lock = disk.open(&path, Mode::Any).map_err(|source| Error::io(&path, "open the lock", source))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::held(&layout.directory)),
        Err(TryLockError::Error(source)) => return Err(Error::io(&path, "take the lock", source)),
    }
    // Only unix opens a directory as a file, and not every file system locks one.
    let Some(directory) = cfg!(unix).then(|| File::open(layout.segments())).and_then(Result::ok) else {
        return Ok((lock, None));
    };
    match directory.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::held(&layout.directory)),
        Ok(()) | Err(TryLockError::Error(_)) => Ok((lock, Some(directory))),
    }
}

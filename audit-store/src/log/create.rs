//! The creation of a log: each step can be the last one, and the next opening goes on from there.

use std::path::Path;

use crate::disk::{self, Disk, Mode};
use crate::journal::{self, Drain, Journal};
use crate::layout::{LOG_JSON, Layout, Survey};
use crate::log::writer::ActiveSegment;
use crate::{Error, read};

/// Creates the log's directory, and those above it, unless there is a log or an empty directory.
pub(super) fn create_directory(disk: &dyn Disk, layout: &Layout) -> Result<(), Error> {
    let path = &layout.directory;
    match layout.survey().map_err(|source| Error::io(path, "look at the log's directory", source))? {
        Survey::Log | Survey::Empty => Ok(()),
        Survey::NotALog(found) => Err(Error::not_a_log(path, found)),
        Survey::Absent => {
            let absent: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
            absent.into_iter().rev().try_for_each(|path| create_durably(disk, path))
        }
    }
}

/// Creates the directory of segments if it is missing.
pub(super) fn create_segments(disk: &dyn Disk, layout: &Layout) -> Result<(), Error> {
    if layout.segments().is_dir() { Ok(()) } else { create_durably(disk, &layout.segments()) }
}

fn create_durably(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    match disk.create_directory(path) {
        // Another process that creates the same log was faster; the lock decides between the two.
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => {}
        created => created.map_err(|source| Error::io(path, "create the directory", source))?,
    }
    let Some(parent) = path.parent() else { return Ok(()) };
    disk.sync_directory(parent).map_err(|source| Error::io(parent, "bring the directory to the disk", source))
}

/// Opens the last segment for appending, cut to its whole lines, or creates the one that begins with entry `size`, where
/// there is none that could be written to.
pub(super) fn open_segment(
    disk: &dyn Disk,
    layout: &Layout,
    last: Option<&read::Segment>,
    (size, tail_bytes): (u64, u64),
) -> Result<(ActiveSegment, u64), Error> {
    let path = last.map_or_else(|| layout.segment(size), |segment| segment.path.clone());
    let mode = if last.is_some() { Mode::Existing } else { Mode::New };
    let failed = |doing: &'static str| {
        let path = path.clone();
        move |source| Error::io(&path, doing, source)
    };
    let file = disk.open(&path, mode).map_err(failed("open the segment for appending"))?;
    let length = file.metadata().map_err(failed("read the length of the segment"))?.len();
    let whole = length.saturating_sub(tail_bytes);
    if tail_bytes > 0 {
        disk.truncate(&file, whole).map_err(failed("cut the unfinished line"))?;
        disk.sync(&file).map_err(failed("bring the cut segment to the disk"))?;
    }
    let directory = layout.segments();
    let synced = disk.sync_directory(&directory);
    synced.map_err(|source| Error::io(&directory, "bring the directory to the disk", source))?;
    let segment = ActiveSegment::new(file, path.clone()).map_err(failed("look at the segment"))?;
    Ok((segment, whole))
}

/// Writes `log.json`, the copy of entry 0 and its line feed.
pub(super) fn write_log_json(disk: &dyn Disk, layout: &Layout, entry_0: &[u8]) -> Result<(), Error> {
    let replaced = disk::replace(disk, &layout.directory, LOG_JSON, &[entry_0, b"\n"].concat());
    replaced.map_err(|fault| Error::io(&layout.log_json(), "write the copy of entry 0", fault.source))
}

/// Makes the two files of the journal anew; what they held is in the segments.
pub(super) fn create_journal(
    disk: &dyn Disk,
    layout: &Layout,
    bytes: u64,
    start: journal::Start,
) -> Result<(Journal, Drain), Error> {
    let path = layout.journal(0);
    // An old journal that came back after a loss of power would be taken for records that no segment has.
    let removed = remove_journal(disk, layout).and_then(|()| disk.sync_directory(&layout.directory));
    removed.map_err(|source| Error::io(&path, "remove the journal of an earlier process", source))?;
    let create = |half: usize| {
        let file = disk.create_mapped(&layout.journal(half))?;
        disk.allocate(&file, bytes)?;
        disk.map(&file)
    };
    let created = create(0).and_then(|first| Ok([first, create(1)?]));
    let started = created.and_then(|files| journal::start(files, start));
    started.map_err(|source| Error::io(&path, "create the journal", source))
}

/// Removes the files of a journal that holds nothing that is not in a segment.
pub(super) fn remove_journal(disk: &dyn Disk, layout: &Layout) -> std::io::Result<()> {
    [0, 1].into_iter().try_for_each(|half| match disk.remove(&layout.journal(half)) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    })
}

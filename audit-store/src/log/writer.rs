//! The writer: numbered lines into the active segment, the chain and the tree with them.

use core::time::Duration;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::entry::{self, Batch, RECORD_BYTES_MAX};
use audit_core::id::StreamId;
use audit_core::sink::{AppendError, AppendErrorKind, Appended};
use audit_core::verify::Tree;
use audit_core::vocabulary::Durability;

use crate::disk::{self, Disk, Identity, Mode};
use crate::layout::Layout;
use crate::log::calls::Calls;
use crate::log::events::Events;

/// How long a line is beside its record and the digits of its number, with its line feed.
const LINE_BYTES_AROUND: u64 = (entry::LINE_BYTES_MAX - RECORD_BYTES_MAX - 16 + 1) as u64;

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct ActiveSegment {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
}

impl ActiveSegment {
    pub(super) fn new(file: File, path: PathBuf) -> io::Result<Self> {
        let identity = Identity::of(&file)?;
        Ok(Self { file, path, identity })
    }
}

/// When a segment is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) segment_bytes_max: u64,
    pub(super) segment_age_max: Option<Duration>,
}

/// Writes entries: first into a batch in memory, then with one `write(2)`. One thread owns it.
pub(super) struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) layout: Layout,
    pub(super) events: Events,
    pub(super) stream_id: StreamId,
    pub(super) limits: Limits,
    /// Shared with a commit that runs while the writer goes on.
    pub(super) segment: Arc<ActiveSegment>,
    /// The number of the first entry of the segment.
    pub(super) segment_first: u64,
    /// The length up to which the segment holds whole lines; what a failed write left behind it is cut.
    pub(super) segment_bytes: u64,
    /// When the segment was begun, by the steady clock.
    pub(super) segment_time: Duration,
    /// The tree over what the segments hold.
    pub(super) tree: Tree,
    /// The lines that are not in the segment yet.
    pub(super) batch: Batch,
    /// The lines that were written last.
    pub(super) flushed: Batch,
    /// A rotation began and did not end. Until it does nothing may be written to the old segment: the new one, named
    /// by the number of its first entry, may exist already.
    pub(super) rotating: bool,
    /// The calls that the segments hold.
    pub(super) calls: Calls,
}

impl Writer {
    /// Tells whether a record belongs into the next segment, so that the batch must be flushed and the segment left.
    pub(super) fn is_full_for(&self, record_bytes: usize) -> bool {
        let bytes = self.segment_bytes + self.batch.bytes().len() as u64;
        let digits = self.next_number().checked_ilog10().unwrap_or(0) + 1;
        let line_bytes = record_bytes as u64 + LINE_BYTES_AROUND + u64::from(digits);
        let is_full = bytes.saturating_add(line_bytes) > self.limits.segment_bytes_max;
        bytes > 0 && (is_full || self.rotating || self.is_old())
    }

    fn is_old(&self) -> bool {
        // The clock is read only where an age is set, and only between batches.
        let Some(age) = self.limits.segment_age_max.filter(|_| self.batch.is_empty()) else { return false };
        self.events.clock.steady().saturating_sub(self.segment_time) >= age
    }

    /// Returns the number of the next record that is pushed.
    pub(super) fn next_number(&self) -> u64 {
        self.tree.frontier.size() + self.batch.len() as u64
    }

    /// Adds a record to the batch and returns its number, which holds once the batch is flushed.
    pub(super) fn push(&mut self, record: &[u8]) -> u64 {
        self.push_with(|bytes| bytes.extend_from_slice(record))
    }

    /// Adds the record that is appended to the bytes to the batch, like [`push`](Self::push).
    pub(super) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let number = self.next_number();
        self.batch.push_with(number, write);
        number
    }

    /// Writes the batch. If it fails, the segment and the batch are as they were.
    pub(super) fn flush(&mut self) -> Result<(), AppendError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.batch.seal(self.tree.last);
        if let Err(source) = disk::write_all(&*self.disk, &self.segment.file, self.batch.bytes()) {
            // What was written of it is cut again, so that what comes next does not join it.
            if let Err(source) = self.disk.truncate(&self.segment.file, self.segment_bytes) {
                return Err(poisoned("a line was left unfinished that could not be cut", source));
            }
            return Err(refusal("write an entry", source));
        }
        self.segment_bytes += self.batch.bytes().len() as u64;
        self.tree.frontier.push_all(self.batch.leaves());
        self.tree.last = self.batch.leaves().last().copied();
        core::mem::swap(&mut self.batch, &mut self.flushed);
        self.batch.clear();
        Ok(())
    }

    /// Returns the place of an entry that was written last.
    pub(super) fn place(&self, number: u64) -> Option<Appended> {
        let leaves = self.flushed.leaves();
        let first = self.tree.frontier.size() - leaves.len() as u64;
        let leaf_hash = *leaves.get(usize::try_from(number.checked_sub(first)?).ok()?)?;
        Some(Appended { number, leaf_hash, durable: Durability::Os })
    }

    /// Appends one record at once, before anyone else writes, and returns its number.
    pub(super) fn append(&mut self, record: &[u8]) -> Result<u64, AppendError> {
        if self.is_full_for(record.len()) {
            self.rotate()?;
        }
        let number = self.push(record);
        let flushed = self.flush();
        self.batch.clear();
        flushed.map(|()| number)
    }

    /// Begins the next segment; the batch must be empty. What is in the old one reaches the device first: a later segment
    /// must not survive a power failure that an earlier one does not.
    pub(super) fn rotate(&mut self) -> Result<(), AppendError> {
        self.rotating = true;
        if let Err(source) = self.disk.sync(&self.segment.file) {
            return Err(poisoned("a full segment could not be brought to the disk", source));
        }
        // No commit needs to look at the segment any more once the next one is open.
        if !self.segment.identity.is_at(&self.segment.path) {
            return Err(replaced(&self.segment.path));
        }
        let path = self.layout.segment(self.tree.frontier.size());
        let opened = match self.disk.open(&path, Mode::New) {
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => self.adopt(&path),
            opened => opened,
        };
        let segment = opened.and_then(|file| ActiveSegment::new(file, path));
        let segment = segment.map_err(|source| refusal("begin a segment", source))?;
        if let Err(source) = self.disk.sync_directory(&self.layout.segments()) {
            return Err(poisoned("the directory of segments could not be brought to the disk", source));
        }
        self.segment = Arc::new(segment);
        self.segment_first = self.tree.frontier.size();
        self.segment_bytes = 0;
        self.segment_time = self.events.clock.steady();
        self.rotating = false;
        Ok(())
    }

    /// Takes over the empty segment that an earlier attempt created before it failed.
    fn adopt(&self, path: &Path) -> io::Result<File> {
        let file = self.disk.open(path, Mode::Existing)?;
        match file.metadata()?.len() {
            0 => Ok(file),
            _ => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }
}

/// The error after which nothing more is accepted: what is on the disk is not known.
pub(super) fn poisoned(found: &'static str, source: io::Error) -> AppendError {
    AppendError::new(AppendErrorKind::Poisoned, format!("{found}: {source}")).caused_by(source)
}

/// Returns the bytes of the record in a line.
pub(super) fn record_of(line: &[u8]) -> &[u8] {
    const BEGIN: &[u8] = br#"{"record":"#;
    const END: &[u8] = br#","sequence":{"number":"#;
    let end = line.windows(END.len()).rposition(|window| window == END).unwrap_or(line.len());
    line.get(BEGIN.len()..end).unwrap_or_default()
}

/// Tells that a file that is held open is not the one at its path any more.
pub(super) fn replaced(path: &Path) -> AppendError {
    let found = format!("expected the open file at {}, found another or none", path.display());
    AppendError::new(AppendErrorKind::Replaced, found)
}

/// Refuses what could not be read back as the record of one line. That the bytes are canonical otherwise is the caller's
/// part.
pub(super) fn check(record: &[u8]) -> Result<(), AppendError> {
    check_length(record)?;
    let is_object = record.starts_with(b"{\"") && record.ends_with(b"}");
    // Without an early exit, so that the loop is vectorised: it runs over every record.
    let has_control = record.iter().fold(false, |found, byte| found | (*byte < 0x20));
    if !is_object || has_control {
        return Err(AppendError::new(
            AppendErrorKind::Invalid,
            "expected a record in canonical JSON, found other bytes",
        ));
    }
    entry::check_record(record).map_err(|fault| AppendError::new(AppendErrorKind::Invalid, fault.to_string()))
}

/// Refuses a record that does not fit a line.
pub(super) fn check_length(record: &[u8]) -> Result<(), AppendError> {
    if record.len() <= RECORD_BYTES_MAX {
        return Ok(());
    }
    let found = format!("expected a record of at most {RECORD_BYTES_MAX} bytes, found {}", record.len());
    Err(AppendError::new(AppendErrorKind::TooLarge, found))
}

/// Classes an error of the operating system that leaves the log as it was.
pub(super) fn refusal(doing: &str, source: io::Error) -> AppendError {
    let kind = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendErrorKind::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => AppendErrorKind::ReadOnly,
        _ => AppendErrorKind::Io,
    };
    AppendError::new(kind, format!("could not {doing}: {source}")).caused_by(source)
}

//! The writer: one line after the other into the active segment, the chain and the tree with it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::entry::{self, RECORD_BYTES_MAX, Sequence};
use audit_core::hash::Hash;
use audit_core::id::StreamId;
use audit_core::sink::{AppendError, AppendErrorKind, Appended};
use audit_core::time::Time;
use audit_core::unrecorded::Gap;
use audit_core::verify::Tree;
use audit_core::vocabulary::Durability;

use crate::disk::{self, Disk, Identity, Mode};
use crate::layout::Layout;
use crate::log::Process;
use crate::log::events::Events;

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

/// Writes entries; its owner serialises the calls.
pub(super) struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) layout: Layout,
    pub(super) events: Events,
    pub(super) process: Process,
    pub(super) stream_id: StreamId,
    pub(super) segment_bytes_max: u64,
    /// Shared with a commit that runs while the writer goes on.
    pub(super) segment: Arc<ActiveSegment>,
    /// The length up to which the segment holds whole lines; what a failed write left behind it is cut.
    pub(super) segment_bytes: u64,
    pub(super) tree: Tree,
    /// A rotation began and did not end. Until it does nothing may be written to the old segment: the new one, named
    /// by the number of its first entry, may exist already.
    pub(super) rotating: bool,
    /// A rotation ended since this was last reset.
    pub(super) rotated: bool,
    /// Records that were refused and are not yet counted in the log.
    pub(super) dropped: u64,
    /// When the first and the last of them were refused.
    pub(super) dropped_span: Option<(Time, Time)>,
    /// Records that were refused and are counted in the log, since it was opened.
    pub(super) dropped_recorded: u64,
    /// Why nothing more is accepted.
    pub(super) fault: Option<AppendError>,
    /// The buffer of a line, kept for its capacity.
    pub(super) line: Vec<u8>,
}

impl Writer {
    /// Returns the number of entries.
    pub(super) fn size(&self) -> u64 {
        self.tree.frontier.size()
    }

    /// Appends one record, and before it the count of those that failed.
    pub(super) fn append(&mut self, record: &[u8]) -> Result<Appended, AppendError> {
        self.append_checked(record, check(record))
    }

    /// Appends one record like [`append`](Self::append); `checked` is what [`check`] said of it.
    pub(super) fn append_checked(
        &mut self,
        record: &[u8],
        checked: Result<(), AppendError>,
    ) -> Result<Appended, AppendError> {
        let appended = self.fault().and(checked).and_then(|()| self.append_after_dropped(record));
        if appended.as_ref().is_err_and(|fault| !fault.is_final()) {
            let now = self.events.clock.now();
            self.dropped += 1;
            self.dropped_span = Some((self.dropped_span.map_or(now, |(first, _last)| first), now));
        }
        appended
    }

    /// Appends `log.closed`, which is not counted if it is refused: nobody handed it over.
    pub(super) fn append_last(&mut self, record: &[u8]) -> Result<Appended, AppendError> {
        self.fault().and_then(|()| self.append_after_dropped(record))
    }

    /// Leaves the records that were refused and are not counted in the log to the next one, and returns their number.
    pub(super) fn give_back_dropped(&mut self) -> u64 {
        let count = core::mem::take(&mut self.dropped);
        if let Some((first, last)) = self.dropped_span.take() {
            (self.process.put_back_gap)(Gap { count, first, last });
        }
        count
    }

    fn fault(&self) -> Result<(), AppendError> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    fn append_after_dropped(&mut self, record: &[u8]) -> Result<Appended, AppendError> {
        self.append_dropped().and_then(|()| self.append_entry(record))
    }

    /// Appends a record of calls that ran while no log could be reached.
    pub(super) fn append_gap(&mut self, count: u64, span: (Time, Time)) -> Result<(), AppendError> {
        let record = self.events.dropped(count, Some(span));
        self.append(&record)?;
        self.dropped_recorded += count;
        Ok(())
    }

    fn append_dropped(&mut self) -> Result<(), AppendError> {
        if self.dropped == 0 {
            return Ok(());
        }
        let record = self.events.dropped(self.dropped, None);
        self.append_entry(&record)?;
        self.dropped_recorded += self.dropped;
        self.dropped = 0;
        self.dropped_span = None;
        Ok(())
    }

    fn append_entry(&mut self, record: &[u8]) -> Result<Appended, AppendError> {
        let number = self.size();
        let sequence = Sequence { number, previous_hash: self.tree.last, stream_id: self.stream_id };
        let mut line = core::mem::take(&mut self.line);
        line.clear();
        entry::write_line(&mut line, record, &sequence);
        let leaf_hash = Hash::leaf(&line);
        line.push(b'\n');
        let written = self.write(&line);
        self.line = line;
        written?;
        self.tree.frontier.push(leaf_hash);
        self.tree.last = Some(leaf_hash);
        Ok(Appended { number, leaf_hash, durable: Durability::Os })
    }

    fn write(&mut self, line: &[u8]) -> Result<(), AppendError> {
        let length = line.len() as u64;
        let is_full = self.segment_bytes > 0 && self.segment_bytes.saturating_add(length) > self.segment_bytes_max;
        if self.rotating || is_full {
            self.rotate()?;
        }
        let written = disk::write_all(&*self.disk, &self.segment.file, line);
        if let Err(source) = written {
            // What was written of the line is cut again, so that the next entry does not join it.
            if let Err(source) = self.disk.truncate(&self.segment.file, self.segment_bytes) {
                return Err(self.poison("a line was left unfinished that could not be cut", source));
            }
            return Err(refusal("write an entry", source));
        }
        self.segment_bytes += length;
        Ok(())
    }

    /// Begins the next segment. What is in the old one reaches the device first: a later segment must not survive a
    /// power failure that an earlier one does not.
    fn rotate(&mut self) -> Result<(), AppendError> {
        self.rotating = true;
        if let Err(source) = self.disk.sync(&self.segment.file) {
            return Err(self.poison("a full segment could not be brought to the disk", source));
        }
        // No commit looks at the segment any more once the next one is open.
        if !self.segment.identity.is_at(&self.segment.path) {
            return Err(self.fail(replaced(&self.segment.path)));
        }
        let path = self.layout.segment(self.size());
        let opened = match self.disk.open(&path, Mode::New) {
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => self.adopt(&path),
            opened => opened,
        };
        let segment = opened.and_then(|file| ActiveSegment::new(file, path));
        let segment = segment.map_err(|source| refusal("begin a segment", source))?;
        if let Err(source) = self.disk.sync_directory(&self.layout.segments()) {
            return Err(self.poison("the directory of segments could not be brought to the disk", source));
        }
        self.segment = Arc::new(segment);
        self.segment_bytes = 0;
        self.rotating = false;
        self.rotated = true;
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

    /// Accepts nothing from now on, and returns why.
    pub(super) fn poison(&mut self, found: &'static str, source: io::Error) -> AppendError {
        let fault = AppendError::new(AppendErrorKind::Poisoned, format!("{found}: {source}")).caused_by(source);
        self.fail(fault)
    }

    /// Accepts nothing from now on; the first reason stays.
    pub(super) fn fail(&mut self, fault: AppendError) -> AppendError {
        self.fault.get_or_insert(fault).clone()
    }
}

/// Tells that a file that is held open is not the one at its path any more.
pub(super) fn replaced(path: &Path) -> AppendError {
    let found = format!("expected the open file at {}, found another or none", path.display());
    AppendError::new(AppendErrorKind::Replaced, found)
}

/// Refuses what could not be read back as the record of one line. That the bytes are canonical otherwise is the caller's
/// part.
pub(super) fn check(record: &[u8]) -> Result<(), AppendError> {
    if record.len() > RECORD_BYTES_MAX {
        let found = format!("expected a record of at most {RECORD_BYTES_MAX} bytes, found {}", record.len());
        return Err(AppendError::new(AppendErrorKind::TooLarge, found));
    }
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

/// Classes an error of the operating system that leaves the log as it was.
pub(super) fn refusal(doing: &str, source: io::Error) -> AppendError {
    let kind = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendErrorKind::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => AppendErrorKind::ReadOnly,
        _ => AppendErrorKind::Io,
    };
    AppendError::new(kind, format!("could not {doing}: {source}")).caused_by(source)
}

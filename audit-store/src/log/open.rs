//! The opening of a log: lock, verify, cut, recover.

use core::time::Duration;
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use audit_core::id::StreamId;

use crate::disk::{Disk, Identity, Mode};
use crate::layout::Layout;
use crate::log::events::Events;
use crate::log::state::{Locks, Phase, State};
use crate::log::writer::Writer;
use crate::log::{Handle, Log, Shared, commit as committer, create, recover};
use crate::read::Lines;
use crate::verify::{self, Scan};
use crate::{Error, Options};

/// Keeps a checkpoint that cannot be written from being tried without a pause.
const COMMIT_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// Opens the log at `path` through the given file layer, or creates it.
pub(crate) fn open(options: Options, path: &Path, disk: Arc<dyn Disk>) -> Result<Log, Error> {
    options.check_origin(path)?;
    let absolute = std::path::absolute(path).map_err(|source| Error::io(path, "find the absolute path", source))?;
    let layout = Layout::new(&absolute);
    create::create_directory(&*disk, &layout)?;
    verify::check_lock(&layout)?;
    let lock = lock(&*disk, &layout)?;
    create::create_segments(&*disk, &layout)?;
    let locks = Locks { lock, segments: lock_segments(&layout)? };
    let found = Found::read(&layout)?;
    found.check(&layout, &options)?;
    let shared = Arc::new(prepare(options, layout, disk, locks, &found)?);
    if let Some(entry_0) = &found.scan.entry_0 {
        complete_creation(&shared, &found, entry_0)?;
        recover::recover(&shared, &found.scan.summary)?;
    } else {
        create_entry_0(&shared)?;
        // Only a log of entry 0 alone may lack its checkpoint.
        commit(&shared)?;
    }
    append_gap(&shared)?;
    commit(&shared)?;
    start(shared)
}

/// Takes the lock; it is released when the file is dropped.
fn lock(disk: &dyn Disk, layout: &Layout) -> Result<File, Error> {
    let path = layout.lock();
    let file = disk.open(&path, Mode::Any).map_err(|source| Error::io(&path, "open the lock", source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::held(&layout.directory)),
        Err(TryLockError::Error(source)) => Err(Error::io(&path, "take the lock", source)),
    }
}

/// Takes the second lock, which holds where someone removed the file of the first one; none where the system does not
/// lock directories.
fn lock_segments(layout: &Layout) -> Result<Option<File>, Error> {
    // Only unix opens a directory as a file.
    if !cfg!(unix) {
        return Ok(None);
    }
    let path = layout.segments();
    let directory = File::open(&path).map_err(|source| Error::io(&path, "open the directory of segments", source))?;
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Err(Error::held(&layout.directory)),
        Err(TryLockError::Error(_not_supported)) => Ok(None),
    }
}

/// What the directory holds.
struct Found {
    scan: Scan,
    origin: Option<String>,
    /// How many entries the checkpoint covers; none without one.
    covered: Option<u64>,
    has_log_json: bool,
}

impl Found {
    /// Reads and verifies the whole log.
    fn read(layout: &Layout) -> Result<Self, Error> {
        verify::check_lock(layout)?;
        let checkpoint = verify::read_checkpoint(layout)?;
        let scan = verify::scan(&layout.directory, checkpoint.clone()).map_err(|stopped| stopped.error)?;
        let origin = verify::check_origin(checkpoint.as_ref(), &scan);
        let origin = origin.map_err(|finding| Error::finding(&layout.directory, finding))?;
        let has_log_json = verify::check_log_json(layout, scan.entry_0.as_deref())?;
        Ok(Self { scan, origin, covered: checkpoint.map(|checkpoint| checkpoint.size), has_log_json })
    }

    /// Refuses what only a creation that was interrupted may lack, and a name that is not the log's.
    fn check(&self, layout: &Layout, options: &Options) -> Result<(), Error> {
        let summary = &self.scan.summary;
        let is_created = summary.entries > 1 || (summary.entries == 1 && summary.unfinished_bytes > 0);
        if is_created && self.covered.is_none() {
            return Err(Error::checkpoint_missing(&layout.directory, summary.entries));
        }
        match (&options.origin, &self.origin) {
            (Some(expected), Some(found)) if expected != found => {
                Err(Error::origin_differs(&layout.directory, expected, found))
            }
            _ => Ok(()),
        }
    }
}

fn prepare(
    options: Options,
    layout: Layout,
    disk: Arc<dyn Disk>,
    locks: Locks,
    found: &Found,
) -> Result<Shared, Error> {
    let path = layout.lock();
    let lock_identity = Identity::of(&locks.lock).map_err(|source| Error::io(&path, "look at the lock", source))?;
    let summary = &found.scan.summary;
    let last = found.scan.segments.as_slice().last();
    let (segment, segment_bytes) = create::open_segment(&*disk, &layout, last, summary.unfinished_bytes)?;
    let stream_id = summary.stream_id.unwrap_or_else(|| StreamId::new(&*options.ids, options.clock.now()));
    let origin = found.origin.clone().or(options.origin).unwrap_or_else(|| format!("audited.local/{stream_id}"));
    let events = Events {
        clock: options.clock,
        ids: options.ids,
        origin: origin.clone(),
        heartbeat_seconds: options.heartbeat_seconds,
    };
    let writer = Writer {
        disk: Arc::clone(&disk),
        layout: layout.clone(),
        events,
        process: options.process,
        stream_id,
        segment_bytes_max: options.segment_bytes_max,
        segment: Arc::new(segment),
        segment_bytes,
        tree: found.scan.tree.clone(),
        rotating: false,
        rotated: false,
        dropped: 0,
        dropped_span: None,
        dropped_recorded: 0,
        fault: None,
        line: Vec::new(),
    };
    let state = State {
        writer,
        open_calls: HashMap::new(),
        waiters: Vec::new(),
        phase: Phase::Open,
        committed: found.covered.unwrap_or(0),
        committed_time: Duration::ZERO,
        locks: Some(locks),
        end: None,
        uncounted: 0,
    };
    Ok(Shared {
        layout,
        origin,
        stream_id,
        durability: options.durability,
        commit_interval: options.commit_interval.max(COMMIT_INTERVAL_MIN),
        close_timeout: options.close_timeout,
        process: options.process,
        process_id: (options.process.id)(),
        disk,
        lock_identity,
        abandoned: summary.open_calls.len() as u64,
        state: Mutex::new(state),
        work: Condvar::new(),
        progress: Condvar::new(),
        committer: Mutex::new(None),
        is_open: std::sync::atomic::AtomicBool::new(true),
    })
}

/// Writes entry 0 and brings it to the disk before its copy and its checkpoint say that it exists.
fn create_entry_0(shared: &Shared) -> Result<(), Error> {
    let opened = shared.state().writer.events.opened();
    append(shared, &opened)?;
    let segment = Arc::clone(&shared.state().writer.segment);
    let synced = shared.disk.sync(&segment.file);
    synced.map_err(|source| Error::io(&segment.path, "bring entry 0 to the disk", source))?;
    let mut lines = Lines::open(&shared.layout.directory)?;
    let line = lines.next_line().transpose()?;
    create::write_log_json(&*shared.disk, &shared.layout, line.map_or(b"", |line| line.bytes))
}

/// Writes what a creation that was interrupted after entry 0 did not.
fn complete_creation(shared: &Shared, found: &Found, entry_0: &[u8]) -> Result<(), Error> {
    if !found.has_log_json {
        create::write_log_json(&*shared.disk, &shared.layout, entry_0)?;
    }
    if found.covered.is_none() {
        commit(shared)?;
    }
    Ok(())
}

/// States the calls of this process that ran while there was no log to record them.
fn append_gap(shared: &Shared) -> Result<(), Error> {
    let Some(gap) = (shared.process.take_gap)() else { return Ok(()) };
    let appended = shared.state().writer.append_gap(gap.count, (gap.first, gap.last));
    appended.map_err(|fault| {
        (shared.process.put_back_gap)(gap);
        Error::append(&shared.layout.directory, fault)
    })
}

fn commit(shared: &Shared) -> Result<(), Error> {
    shared.commit().map_err(|fault| Error::append(&shared.layout.directory, fault))
}

pub(super) fn append(shared: &Shared, record: &[u8]) -> Result<(), Error> {
    let appended = shared.state().writer.append(record);
    appended.map(|_appended| ()).map_err(|fault| Error::append(&shared.layout.directory, fault))
}

/// Starts the committer and hands out the log.
fn start(shared: Arc<Shared>) -> Result<Log, Error> {
    let committing = Arc::clone(&shared);
    let builder = std::thread::Builder::new().name("audited-commit".to_owned());
    // Held until the handle is stored, so that the committer finds itself in it.
    let mut committer = shared.committer.lock().unwrap_or_else(PoisonError::into_inner);
    let spawned = builder.spawn(move || committer::run(&committing));
    let spawned = spawned.map_err(|source| Error::io(&shared.layout.directory, "start the committing thread", source));
    *committer = Some(spawned?);
    drop(committer);
    Ok(Log(Arc::new(Handle(shared))))
}

//! The opening of a log: lock, verify, cut, recover.

use core::time::Duration;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder;

use audit_core::entry::Batch;
use audit_core::id::StreamId;
use audit_core::note::Note;
use audit_core::privacy::{Privacy, Protect};
use audit_core::seal::{Seal, SealKey};
use audit_core::verify::{Declared, Fault, Head};

use crate::disk::{self, Disk, Mode, SystemDisk};
use crate::journal::{self, Drain};
use crate::layout::{CHECKPOINT, Layout, SEAL};
use crate::log::anchoring::Anchoring;
use crate::log::calls::Calls;
use crate::log::commit::{self as committer, Files};
use crate::log::drain::Writing;
use crate::log::events::Events;
use crate::log::issue::{Issuer, Listed};
use crate::log::recover::{self, Left};
use crate::log::seal::{Job, Sealer};
use crate::log::signing::{Named, Signing};
use crate::log::state::{Locks, State, Written};
use crate::log::tiles::Tiler;
use crate::log::vault::Vault;
use crate::log::writer::{Limits, Writer};
use crate::log::{Handle, Log, Shared, create, watch};
use crate::privacy::Payloads;
use crate::read::{Lines, Segments};
use crate::verify::{self, Finding, Scan};
use crate::{Error, Options, blobs, privacy, segment};

/// Keeps a checkpoint that cannot be written from being tried without a pause.
const COMMIT_INTERVAL_MIN: Duration = Duration::from_millis(1);

/// Opens the log at `path` through the given file layer, or creates it.
pub(crate) fn open(options: Options, path: &Path, disk: Arc<dyn Disk>) -> Result<Log, Error> {
    options.check_origin(path)?;
    // A forked process must not go on with the identifiers of the one that it was forked from.
    audit_core::id::renew();
    let absolute = std::path::absolute(path).map_err(|source| Error::io(path, "find the absolute path", source))?;
    let layout = Layout::new(&absolute);
    create::create_directory(&*disk, &layout)?;
    options.key_ring.as_ref().map_or(Ok(()), |ring| ring.check_log(&layout.directory))?;
    verify::check_lock(&layout)?;
    let lock = lock(&*disk, &layout)?;
    create::create_segments(&*disk, &layout)?;
    let locks = Locks { lock, segments: lock_segments(&layout)? };
    segment::remove_leftovers(&*disk, &layout)?;
    blobs::settle_leftovers(&*disk, &layout)?;
    let found = Found::read(&layout)?;
    found.check(&layout, &options)?;
    privacy::settle(&*disk, &layout, found.covered().unwrap_or(0))?;
    let mut opening = Opening::new(options, Files::of(disk, layout, &locks)?, found)?;
    opening.write()?;
    opening.start(locks)
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

/// Makes the seal of a log that nobody writes, or of one that is yet to be created.
pub(crate) fn create_seal(path: &Path, key: &SealKey) -> Result<(), Error> {
    let absolute = std::path::absolute(path).map_err(|source| Error::io(path, "find the absolute path", source))?;
    let layout = Layout::new(&absolute);
    let disk = SystemDisk;
    create::create_directory(&disk, &layout)?;
    verify::check_lock(&layout)?;
    let _lock = lock(&disk, &layout)?;
    let _segments = if layout.segments().is_dir() { lock_segments(&layout)? } else { None };
    if layout.seal().exists() {
        return Err(Error::key(&layout.seal(), "expected no seal, found one; it is never begun anew".to_owned()));
    }
    let text = Seal::new(key).to_text();
    let written = disk::replace(&disk, &layout.directory, SEAL, text.as_bytes());
    written.map_err(|fault| Error::io(&layout.seal(), "write the seal", fault.source))
}

/// What the directory holds.
struct Found {
    scan: Scan,
    origin: Option<String>,
    /// The newest checkpoint, and where the list of all of them ends.
    listed: Listed,
    has_log_json: bool,
}

impl Found {
    /// Reads and verifies the end of the log, or all of it.
    fn read(layout: &Layout) -> Result<Self, Error> {
        verify::check_lock(layout)?;
        let listed = Listed::read(layout)?;
        let checkpoint = listed.newest.as_ref().map(|stated| &stated.checkpoint);
        let scan = verify::scan_end(layout, checkpoint.cloned()).map_err(|stopped| stopped.error)?;
        let origin = verify::check_origin(checkpoint, &scan);
        let origin = origin.map_err(|finding| Error::finding(&layout.directory, finding))?;
        let has_log_json = verify::check_log_json(layout, scan.entry_0.as_deref())?;
        Ok(Self { scan, origin, listed, has_log_json })
    }

    /// Returns how many entries the newest checkpoint covers; none without one.
    fn covered(&self) -> Option<u64> {
        self.listed.newest.as_ref().map(|stated| stated.checkpoint.size)
    }

    /// Takes the keys that the log names, or those of a log that is created.
    fn signing(&self, options: &Options, files: &Files) -> Result<Option<Signing>, Error> {
        let (disk, layout, origin) = (&*files.disk, &files.layout, &files.origin);
        let Some(entry_0) = &self.scan.entry_0 else { return Signing::create(&options.keys, disk, layout, origin) };
        let declared = Declared::of_entry_0(entry_0);
        let declared = declared.map_err(|fault| Error::finding(&layout.directory, Finding { file: None, fault }))?;
        let rotations = &self.scan.summary.rotations;
        self.check_signed(layout, &declared)?;
        let named = Named { declared, rotations, covered: self.covered().unwrap_or(0) };
        Signing::open(&options.keys, disk, layout, origin, &named)
    }

    /// Refuses what only a creation that was interrupted may lack, and a name that is not the log's.
    fn check(&self, layout: &Layout, options: &Options) -> Result<(), Error> {
        let summary = &self.scan.summary;
        let is_created = summary.entries > 1 || (summary.entries == 1 && summary.unfinished_bytes > 0);
        if is_created && self.covered().is_none() {
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

impl Found {
    /// Refuses a newest checkpoint that none of the log's keys signed; which of them should have is for the whole
    /// verification to tell.
    fn check_signed(&self, layout: &Layout, declared: &Declared) -> Result<(), Error> {
        let (Some(first), Some(newest)) = (&declared.first, &self.listed.newest) else { return Ok(()) };
        let later =
            self.scan.summary.rotations.iter().rev().filter_map(|rotation| rotation.verification_key.parse().ok());
        let mut keys = later.chain([first.clone()]);
        let note = Note::parse(&newest.note);
        if note.is_ok_and(|note| keys.any(|key| note.is_signed_by(&key) == Ok(true))) {
            return Ok(());
        }
        let fault = Fault::tampered(None, "expected the signature of a key that the log names, found none");
        Err(Error::finding(&layout.directory, Finding::in_file(CHECKPOINT, fault)))
    }
}

/// A log that one thread is opening.
struct Opening {
    options: Options,
    files: Files,
    found: Found,
    writer: Writer,
    committed: u64,
    /// How many calls an earlier process left without an end.
    abandoned: u64,
    /// How many records the log states by now to have been dropped.
    dropped: u64,
}

impl Opening {
    fn new(options: Options, mut files: Files, found: Found) -> Result<Self, Error> {
        let summary = &found.scan.summary;
        // A segment is compressed when another follows; one whose successor is gone is not written to any more.
        let last = found.scan.segments.as_slice().last().filter(|segment| !segment.is_compressed());
        let lengths = (summary.entries, summary.unfinished_bytes);
        let (segment, segment_bytes) = create::open_segment(&*files.disk, &files.layout, last, lengths)?;
        let stream_id = summary.stream_id.unwrap_or_else(|| StreamId::new(&*options.ids, options.clock.now()));
        let origin = found.origin.clone().or_else(|| options.origin.clone());
        let origin = origin.map_or_else(|| options.keys.name(), |origin| Ok(Some(origin)))?;
        files.origin = origin.unwrap_or_else(|| format!("audited.local/{stream_id}"));
        let signing = found.signing(&options, &files)?;
        let issuer =
            Issuer::open(Arc::clone(&files.disk), files.layout.clone(), files.origin.clone(), &found.listed, signing)?;
        files.issuer = Mutex::new(Some(issuer));
        let events = Events {
            clock: Arc::clone(&options.clock),
            ids: Arc::clone(&options.ids),
            origin: files.origin.clone(),
            heartbeat_seconds: options.heartbeat_seconds,
        };
        let limits = Limits { segment_bytes_max: options.segment_bytes_max, segment_age_max: options.segment_age_max };
        let writer = Writer {
            disk: Arc::clone(&files.disk),
            layout: files.layout.clone(),
            segment_time: events.clock.steady(),
            events,
            stream_id,
            limits,
            segment: Arc::new(segment),
            segment_first: last.map_or(summary.entries, |segment| segment.first),
            segment_bytes,
            tree: found.scan.tree.clone(),
            batch: Batch::new(stream_id),
            flushed: Batch::new(stream_id),
            rotating: false,
            calls: Calls::found(summary),
        };
        let committed = found.covered().unwrap_or(0);
        Ok(Self { options, files, found, writer, committed, abandoned: 0, dropped: 0 })
    }

    /// Writes what an opening writes, and brings it to the disk.
    fn write(&mut self) -> Result<(), Error> {
        if let Some(entry_0) = self.found.scan.entry_0.take() {
            self.complete_creation(&entry_0)?;
            self.recover()?;
        } else {
            self.create_entry_0()?;
            // Only a log of entry 0 alone may lack its checkpoint.
            self.commit()?;
        }
        self.append_gap()?;
        self.rotate()?;
        self.commit()
    }

    /// Names the next key, if it is to be replaced now.
    fn rotate(&mut self) -> Result<(), Error> {
        let next_key = self.files.issuer().as_mut().and_then(|issuer| {
            let at_open = issuer.signing.as_ref().is_some_and(|signing| signing.rotation().at_open);
            issuer.prepare_rotation(at_open)
        });
        let Some(next_key) = next_key else { return Ok(()) };
        let record = self.writer.events.key_rotated(&next_key);
        self.append(&record)?;
        self.writer.calls.note_rotation(self.writer.tree.frontier.size() - 1, next_key);
        if let Some(issuer) = self.files.issuer().as_mut() {
            issuer.note_rotation(self.writer.tree.frontier.size() - 1);
        }
        Ok(())
    }

    /// Writes entry 0 and brings it to the disk before its copy and its checkpoint say that it exists.
    fn create_entry_0(&mut self) -> Result<(), Error> {
        let keys = self.files.issuer().as_ref().and_then(|issuer| Some(issuer.signing.as_ref()?.declared()));
        let opened = self.writer.events.created(&keys.unwrap_or_default());
        self.append(&opened)?;
        let segment = &self.writer.segment;
        let synced = self.files.disk.sync(&segment.file);
        synced.map_err(|source| Error::io(&segment.path, "bring entry 0 to the disk", source))?;
        let mut lines = Lines::open(&self.files.layout.directory)?;
        let line = lines.next_line().transpose()?;
        create::write_log_json(&*self.files.disk, &self.files.layout, line.map_or(b"", |line| line.bytes))
    }

    /// Writes what a creation that was interrupted after entry 0 did not.
    fn complete_creation(&mut self, entry_0: &[u8]) -> Result<(), Error> {
        if !self.found.has_log_json {
            create::write_log_json(&*self.files.disk, &self.files.layout, entry_0)?;
        }
        if self.found.covered().is_none() {
            self.commit()?;
        }
        Ok(())
    }

    /// Takes over what an earlier process left behind.
    fn recover(&mut self) -> Result<(), Error> {
        let left = journal::recover(&self.files.layout.directory, self.writer.stream_id.to_bytes());
        let left = left.map_err(|source| Error::io(&self.files.layout.directory, "read the journal", source))?;
        let drained = recover::drain_journal(&mut self.writer, &left)?;
        let summary = &self.found.scan.summary;
        self.abandoned = self.writer.calls.open.len() as u64;
        let left = Left { cut_bytes: summary.unfinished_bytes, drained, was_closed: summary.closed };
        recover::recover(&mut self.writer, &left)
    }

    /// States the calls of this process that ran while there was no log to record them.
    fn append_gap(&mut self) -> Result<(), Error> {
        let Some(gap) = (self.options.process.take_gap)() else { return Ok(()) };
        let record = self.writer.events.dropped(gap.count, Some((gap.first, gap.last)));
        let appended = self.append(&record);
        appended.inspect_err(|_fault| (self.options.process.put_back_gap)(gap))?;
        self.dropped += gap.count;
        Ok(())
    }

    fn append(&mut self, record: &[u8]) -> Result<(), Error> {
        let appended = self.writer.append(record);
        appended.map(drop).map_err(|fault| Error::append(&self.files.layout.directory, fault))
    }

    /// Brings all entries to the disk and writes the checkpoint over them.
    fn commit(&mut self) -> Result<(), Error> {
        let tree = &self.writer.tree.frontier;
        let synced = self.files.sync(&self.writer.segment, || false);
        let written = synced.and_then(|()| self.files.issuer().as_mut().map_or(Ok(()), |issuer| issuer.issue(tree)));
        written.map_err(|fault| Error::append(&self.files.layout.directory, fault))?;
        self.committed = tree.size();
        Ok(())
    }

    /// Makes the journal, starts the threads and hands out the log.
    fn start(self, locks: Locks) -> Result<Log, Error> {
        let Self { options, files, found, writer, committed, abandoned, dropped } = self;
        let directory = files.layout.directory.clone();
        let failed = |doing: &'static str| {
            let directory = directory.clone();
            move |source| Error::io(&directory, doing, source)
        };
        let size = writer.tree.frontier.size();
        let covered = Head { size, root: writer.tree.frontier.root() };
        let start = journal::Start { stream_id: writer.stream_id.to_bytes(), base_entry: size };
        let bytes = options.journal_bytes.clamp(journal::FILE_BYTES_MIN, journal::FILE_BYTES_MAX);
        let (journal, drain) = create::create_journal(&*files.disk, &files.layout, bytes, start)?;
        let tiler = options.tiles.then(|| Arc::new(Tiler::new(files.layout.clone())));
        let sealer = Sealer::new(Arc::clone(&files.disk), files.layout.clone(), options.compress);
        let payloads = Payloads::new(Arc::clone(&files.disk), &files.layout);
        let anchoring = Anchoring::new(files.layout.clone(), Arc::clone(&files.disk), options.anchor_pace);
        let written = Written {
            position: drain.position(),
            tree: writer.tree.frontier.clone(),
            segment: Arc::clone(&writer.segment),
        };
        let state = State::new(written, (committed, options.clock.steady()), dropped, locks);
        let shared = Arc::new(Shared {
            stream_id: writer.stream_id,
            durability: options.durability,
            append_timeout: options.append_timeout,
            commit_interval: options.commit_interval.max(COMMIT_INTERVAL_MIN),
            close_timeout: options.close_timeout,
            clock: options.clock,
            process: options.process,
            files,
            abandoned,
            journal,
            state: Mutex::new(state),
            void: AtomicUsize::new(0),
            drain: Condvar::new(),
            work: Condvar::new(),
            watch: Condvar::new(),
            progress: Condvar::new(),
            threads: Mutex::default(),
            is_open: AtomicBool::new(true),
            sealer: Arc::new(sealer),
            payloads,
            tiler,
            anchoring: (!options.anchors.is_empty()).then(|| Arc::new(anchoring)),
        });
        if options.compress {
            seal_the_rest(&shared.sealer, &found.scan.segments);
        }
        shared.start(writer, drain).map_err(failed("start the threads of the log"))?;
        // Dropped, it closes what was opened.
        let protect = options.key_ring.map(|ring| Arc::new(Vault::new(ring, &shared)) as Arc<dyn Protect>);
        let privacy = privacy_of(options.privacy, protect.as_ref());
        let log = Log(Arc::new(Handle { shared: Arc::clone(&shared), protect, privacy }));
        if let Some(anchoring) = &shared.anchoring {
            anchoring.start(&options.anchors, &shared).map_err(failed("start the threads of the anchors"))?;
            anchoring.cover(committed, 0..0);
        }
        shared.cover(covered);
        Ok(log)
    }
}

/// Puts the rules of a log and its keys together.
fn privacy_of(rules: Option<Privacy>, protect: Option<&Arc<dyn Protect>>) -> Option<Arc<Privacy>> {
    let Some(protect) = protect else { return rules.map(Arc::new) };
    Some(Arc::new(rules.unwrap_or_default().to_builder().protect(Arc::clone(protect)).build()))
}

/// Seals the full segments that no earlier process did.
fn seal_the_rest(sealer: &Arc<Sealer>, segments: &Segments) {
    let (_active, full) = segments.as_slice().split_last().unzip();
    for segment in full.unwrap_or_default().iter().filter(|segment| !segment.is_compressed()) {
        sealer.add(Job { first: segment.first, state: None });
    }
}

impl Shared {
    fn start(self: &Arc<Self>, writer: Writer, drain: Drain) -> std::io::Result<()> {
        let writing = Writing::new(Arc::clone(self), writer, drain);
        let (committing, watching) = (Arc::clone(self), Arc::clone(self));
        // Held until the handles are stored, so that a thread finds itself among them.
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| Builder::new().name(name.to_owned()).spawn(run);
        threads.push(spawn("audited-watch", Box::new(move || watch::run(&watching)))?);
        threads.push(spawn("audited-commit", Box::new(move || committer::run(&committing)))?);
        threads.push(spawn("audited-write", Box::new(move || writing.run()))?);
        Ok(())
    }
}

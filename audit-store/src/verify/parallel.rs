//! The reading of a log by several threads.
//!
//! One hands out chunks of lines, each thread reads what it is given, and the results are put together in order. The
//! outcome is only ever that everything fits. Where it does not, the log is read line by line to tell what.

use core::num::NonZero;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use audit_core::verify::{Bounds, Part, PartReader, State, Tail, Verifier};

use crate::read::{Segment, Segments};
use crate::segment::{Buffer, Chunk, Chunks, Compressed};
use crate::verify::Progress;

/// How many chunks of each thread may wait for those before them.
const WAITING_MAX: usize = 4;
/// How often progress is told.
pub(super) const TELLING_INTERVAL: Duration = Duration::from_millis(100);

/// What is to be read.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) path: &'a Path,
    pub(super) segments: &'a Segments,
    pub(super) threads: NonZero<usize>,
    pub(super) bounds: Bounds,
}

/// A log, or a range of it, whose lines fit.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) verifier: Verifier,
    /// The state at the cut, if it was met.
    pub(super) state_at_cut: Option<State>,
    /// The first line of all, where the reading began there.
    pub(super) entry_0: Option<Vec<u8>>,
    pub(super) end: End,
}

/// What follows the last line feed.
#[derive(Debug, Default)]
pub(super) struct End {
    start: Vec<u8>,
    bytes: u64,
}

impl End {
    pub(super) fn tail(&self) -> Tail<'_> {
        Tail { bytes: self.bytes, ..Tail::new(&self.start) }
    }
}

/// Reads the lines within the bounds on top of what the verifier knows; `None` if anything does not fit.
///
/// `tell` is called on this thread, now and then, with the progress and the verifier.
pub(super) fn read(
    reading: &Reading<'_>,
    verifier: Verifier,
    tell: &mut dyn FnMut(Progress, &Verifier),
) -> Option<Merged> {
    let shared = Shared {
        bounds: reading.bounds.clone(),
        source: Mutex::new(Source::new(reading)),
        merging: Mutex::new(Merging::new(verifier, reading)),
        merged: Condvar::new(),
        waiting_max: WAITING_MAX * reading.threads.get(),
    };
    let bytes_total = bytes_total(reading.segments, reading.bounds.first);
    std::thread::scope(|scope| {
        let mut running = 0;
        for _ in 0..reading.threads.get() {
            let thread = std::thread::Builder::new().name("audited-verify".to_owned());
            running += usize::from(thread.spawn_scoped(scope, || shared.work()).is_ok());
        }
        if running == 0 {
            // No thread is to be had: this one does it, and tells nothing meanwhile.
            shared.work();
        }
        shared.tell_until(running, bytes_total, tell);
    });
    let source = shared.source.into_inner().unwrap_or_else(PoisonError::into_inner);
    let merging = shared.merging.into_inner().unwrap_or_else(PoisonError::into_inner);
    let is_complete = source.is_complete && merging.next == source.handed_out;
    let is_ended = reading.bounds.end.is_some_and(|end| merging.verifier.next_number() == end);
    (!merging.failed && (is_complete || is_ended)).then_some(Merged {
        verifier: merging.verifier,
        state_at_cut: merging.state_at_cut,
        entry_0: merging.entry_0,
        end: source.end,
    })
}

/// What the threads share.
struct Shared {
    bounds: Bounds,
    source: Mutex<Source>,
    merging: Mutex<Merging>,
    /// Told when results were put together and when a thread ends.
    merged: Condvar,
    waiting_max: usize,
}

/// Hands out the chunks of all segments in order.
struct Source {
    log: PathBuf,
    segments: std::vec::IntoIter<Segment>,
    chunks: Option<Chunks>,
    handed_out: u64,
    /// True once all chunks were handed out and the segments end as they must.
    is_complete: bool,
    end: End,
}

/// A piece of work: a chunk, the beginning of a segment, or both.
struct Work {
    index: u64,
    /// The number of the entry that begins here, if this is where a segment begins.
    segment: Option<u64>,
    chunk: Option<Chunk>,
}

impl Source {
    fn new(reading: &Reading<'_>) -> Self {
        let segments = segments_from(reading.segments, reading.bounds.first);
        Self {
            log: reading.path.to_owned(),
            segments: segments.cloned().collect::<Vec<_>>().into_iter(),
            chunks: None,
            handed_out: 0,
            is_complete: false,
            end: End::default(),
        }
    }

    /// Returns the next piece of work; an error stands for whatever the reading line by line will find.
    fn next(&mut self) -> Result<Option<Work>, ()> {
        if self.is_complete {
            return Ok(None);
        }
        let mut segment = None;
        if self.chunks.is_none() {
            let Some(next) = self.segments.next() else {
                self.is_complete = true;
                return Ok(None);
            };
            self.chunks = Some(Chunks::open(&self.log, &next).map_err(|_found_again| ())?);
            segment = Some(next.first);
        }
        let chunk = self.chunks.as_mut().and_then(Chunks::next_chunk).transpose().map_err(|_found_again| ())?;
        if chunk.is_none()
            && let Some(ended) = self.chunks.take()
        {
            let tail = ended.tail();
            if tail.bytes > 0 && !self.segments.as_slice().is_empty() {
                return Err(());
            }
            self.end = End { start: tail.start.to_vec(), bytes: tail.bytes };
        }
        self.handed_out += 1;
        Ok(Some(Work { index: self.handed_out - 1, segment, chunk }))
    }
}

/// What one piece of work came to.
struct Done {
    segment: Option<u64>,
    /// None if the lines do not fit together.
    parts: Option<Vec<Part>>,
    bytes: u64,
    first_line: Option<Vec<u8>>,
}

/// Puts the results together.
struct Merging {
    verifier: Verifier,
    bounds: Bounds,
    /// The index of the next piece of work.
    next: u64,
    waiting: BTreeMap<u64, Done>,
    failed: bool,
    ended: usize,
    state_at_cut: Option<State>,
    entry_0: Option<Vec<u8>>,
    bytes: u64,
}

impl Merging {
    fn new(verifier: Verifier, reading: &Reading<'_>) -> Self {
        Self {
            verifier,
            bounds: reading.bounds.clone(),
            next: 0,
            waiting: BTreeMap::new(),
            failed: false,
            ended: 0,
            state_at_cut: None,
            entry_0: None,
            bytes: 0,
        }
    }

    fn is_over(&self) -> bool {
        self.failed || self.bounds.end == Some(self.verifier.next_number())
    }

    fn put(&mut self, index: u64, done: Done) {
        self.waiting.insert(index, done);
        while let Some(done) = self.waiting.remove(&self.next)
            && !self.is_over()
        {
            self.failed = !self.add(done);
            self.next += 1;
        }
    }

    fn add(&mut self, done: Done) -> bool {
        let next = self.verifier.next_number();
        // Where the reading began within a segment, that one began before.
        if done.segment.is_some_and(|first| first != next && (first > next || self.next > 0)) {
            return false;
        }
        self.bytes += done.bytes;
        if self.next == 0 {
            self.entry_0 = done.first_line;
        }
        let Some(parts) = done.parts else { return false };
        parts.iter().all(|part| {
            if part.first() > 0 && self.bounds.heads.covered() == part.first() {
                self.state_at_cut = self.verifier.state();
            }
            self.verifier.part(part)
        })
    }
}

impl Shared {
    /// What every thread does until nothing is left, or something does not fit.
    fn work(&self) {
        let (mut reader, mut buffer) = (PartReader::default(), Buffer::default());
        loop {
            let work = lock(&self.source).next();
            let Ok(Some(work)) = work else {
                lock(&self.merging).failed |= work.is_err();
                break;
            };
            let done = self.read(&work, &mut reader, &mut buffer);
            let mut merging = lock(&self.merging);
            merging.put(work.index, done);
            self.merged.notify_all();
            while !merging.is_over() && merging.waiting.len() >= self.waiting_max {
                merging = self.merged.wait(merging).unwrap_or_else(PoisonError::into_inner);
            }
            if merging.is_over() {
                break;
            }
        }
        lock(&self.merging).ended += 1;
        self.merged.notify_all();
    }

    fn read(&self, work: &Work, reader: &mut PartReader, buffer: &mut Buffer) -> Done {
        let mut done = Done { segment: work.segment, parts: Some(Vec::new()), bytes: 0, first_line: None };
        let Some(chunk) = &work.chunk else { return done };
        let Ok(bytes) = chunk.read(buffer) else { return Done { parts: None, ..done } };
        done.bytes = bytes.len() as u64;
        if work.index == 0 {
            done.first_line = bytes.split(|byte| *byte == b'\n').next().map(<[u8]>::to_vec);
        }
        done.parts = reader.read(bytes, &self.bounds);
        done
    }

    /// Tells the progress until so many threads have ended.
    fn tell_until(&self, running: usize, bytes_total: u64, tell: &mut dyn FnMut(Progress, &Verifier)) {
        let mut merging = lock(&self.merging);
        let mut told = Instant::now();
        while merging.ended < running {
            let waited = self.merged.wait_timeout(merging, TELLING_INTERVAL);
            merging = waited.unwrap_or_else(PoisonError::into_inner).0;
            if told.elapsed() >= TELLING_INTERVAL {
                told = Instant::now();
                let progress = Progress { entries: merging.verifier.next_number(), bytes: merging.bytes, bytes_total };
                tell(progress, &merging.verifier);
            }
        }
    }
}

/// Returns the segments from the one on that holds the given entry.
fn segments_from(segments: &Segments, number: u64) -> impl Iterator<Item = &Segment> {
    let first = segments.holding(number).map_or(0, |segment| segment.first);
    segments.as_slice().iter().filter(move |segment| segment.first >= first)
}

/// Returns how many bytes there are to read, for telling only: a segment that cannot be opened counts nothing.
pub(super) fn bytes_total(segments: &Segments, from: u64) -> u64 {
    let bytes = |segment: &Segment| {
        if segment.is_compressed() {
            return Compressed::open(&segment.path).map_or(0, |compressed| compressed.plain_bytes());
        }
        std::fs::metadata(&segment.path).map_or(0, |file| file.len())
    };
    segments_from(segments, from).map(bytes).sum()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

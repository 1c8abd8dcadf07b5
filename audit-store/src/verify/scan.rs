//! The reading of a whole log: on all cores, and line by line where that tells what does not fit.

use core::num::NonZero;
use std::path::Path;
use std::time::Instant;

use audit_core::checkpoint::Checkpoint;
use audit_core::hash::Hash;
use audit_core::verify::{Bounds, Heads, State, Summary, Tree, Verifier};

use crate::layout::Layout;
use crate::read::{Lines, Segments};
use crate::verify::parallel::{self, Reading};
use crate::verify::{Finding, Progress};
use crate::{Error, segment};

/// The lines of a log that verify.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) summary: Summary,
    pub(crate) tree: Tree,
    pub(crate) entry_0: Option<Vec<u8>>,
    pub(crate) segments: Segments,
    /// The state after all entries that the checkpoint covers, if the lines were read by several threads.
    pub(super) state_at_cut: Option<State>,
    /// The entry that the reading went on from, if it did not begin with entry 0.
    pub(super) resumed_at: Option<u64>,
}

/// The lines of a log do not verify.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) error: Error,
    /// How many entries were accepted before.
    pub(crate) entries: u64,
}

/// How a log is read.
pub(super) struct Way<'a> {
    pub(super) threads: Option<NonZero<usize>>,
    /// The state to go on from; the log is read from its beginning where it does not fit.
    pub(super) resume: Option<State>,
    pub(super) tell: &'a mut dyn FnMut(Progress, &Verifier),
}

/// Reads and verifies all lines.
#[cfg(test)]
pub(crate) fn scan(path: &Path, heads: impl Into<Heads>) -> Result<Scan, Stopped> {
    scan_by(path, &heads.into(), &mut Way { threads: None, resume: None, tell: &mut |_, _| {} })
}

/// Reads and verifies the end of a log: what follows the newest kept state that the checkpoint vouches for. All lines are
/// read where there is none, or where it does not fit.
///
/// The state is derived and not trusted: its tree must grow into the checkpoint's root. The calls it lists as open are
/// believed; whoever altered them finds calls given up, or not, and the whole verification tells.
pub(crate) fn scan_end(layout: &Layout, checkpoint: Option<Checkpoint>) -> Result<Scan, Stopped> {
    let resume = checkpoint.as_ref().and_then(|checkpoint| newest_state(layout, checkpoint.size));
    scan_by(&layout.directory, &checkpoint.into(), &mut Way { threads: None, resume, tell: &mut |_, _| {} })
}

/// Returns the state before the last segment that begins within the checkpoint.
fn newest_state(layout: &Layout, covered: u64) -> Option<State> {
    let segments = Segments::list(&layout.directory).ok()?;
    let within = segments.as_slice().iter().rev().find(|segment| segment.first <= covered)?;
    if within.first == 0 { None } else { segment::state::load(layout, within.first) }
}

/// Reads and verifies all lines: by several threads first, and one by one if anything does not fit.
pub(super) fn scan_by(path: &Path, heads: &Heads, way: &mut Way<'_>) -> Result<Scan, Stopped> {
    let resumed = way.resume.take().and_then(|state| resume(path, heads, state, way));
    match resumed.or_else(|| at_once(path, heads, Verifier::new(heads.clone()), way)) {
        Some(scan) => Ok(scan),
        None => one_by_one(path, heads, way),
    }
}

/// Goes on from a state whose last entry the log still has.
fn resume(path: &Path, heads: &Heads, state: State, way: &mut Way<'_>) -> Option<Scan> {
    let last = state.summary.entries.checked_sub(1)?;
    let line = line_of(path, last).ok()??;
    if state.tree.last != Some(Hash::leaf(&line)) {
        return None;
    }
    let entry_0 = line_of(path, 0).ok()??;
    let scan = at_once(path, heads, Verifier::resume(state, heads.clone())?, way)?;
    Some(Scan { entry_0: Some(entry_0), resumed_at: Some(last + 1), ..scan })
}

/// Returns the line of an entry, without its line feed; none if the log ends before it.
pub(super) fn line_of(path: &Path, number: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut lines = Lines::open_at(path, number)?;
    while let Some(line) = lines.next_line() {
        let line = line?;
        if line.number == number {
            return Ok(Some(line.bytes.to_vec()));
        }
    }
    Ok(None)
}

/// Reads the lines after those that the verifier knows by several threads; none if anything does not fit.
fn at_once(path: &Path, heads: &Heads, verifier: Verifier, way: &mut Way<'_>) -> Option<Scan> {
    let segments = Segments::list(path).ok()?;
    let bounds = Bounds { first: verifier.next_number(), end: None, heads: heads.clone() };
    let reading = Reading { path, segments: &segments, threads: threads(way.threads), bounds };
    let merged = parallel::read(&reading, verifier, way.tell)?;
    let state_at_cut = match merged.state_at_cut {
        None if heads.covered() == merged.verifier.next_number() => merged.verifier.state(),
        state => state,
    };
    let (summary, tree) = merged.verifier.finish_with_tree(merged.end.tail()).ok()?;
    Some(Scan { summary, tree, entry_0: merged.entry_0, segments, state_at_cut, resumed_at: None })
}

/// Returns how many threads read, given how many were asked for.
pub(super) fn threads(asked: Option<NonZero<usize>>) -> NonZero<usize> {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN)
}

/// Reads and verifies one line after the other: what this finds is what is told.
pub(super) fn one_by_one(path: &Path, heads: &Heads, way: &mut Way<'_>) -> Result<Scan, Stopped> {
    let mut lines = Lines::open(path).map_err(|error| Stopped { error, entries: 0 })?;
    let mut verifier = Verifier::new(heads.clone());
    let mut telling = Telling::new(parallel::bytes_total(lines.segments(), 0));
    let mut entry_0 = None;
    let found = loop {
        match lines.next_line() {
            None => break Ok(()),
            Some(Err(error)) => {
                let entries = verifier.next_number();
                return Err(Stopped { error: or_suspect(path, error, &verifier, lines.segments()), entries });
            }
            Some(Ok(line)) => {
                if let Err(fault) = verifier.line(line.bytes) {
                    break Err(fault);
                }
                if line.number == 0 {
                    entry_0 = Some(line.bytes.to_vec());
                }
                telling.count(line.bytes.len(), &verifier, way.tell);
            }
        }
    };
    let entries = verifier.next_number();
    let finished = found.and_then(|()| verifier.finish_with_tree(lines.tail()));
    let segments = lines.segments().clone();
    match finished {
        Ok((summary, tree)) => Ok(Scan { summary, tree, entry_0, segments, state_at_cut: None, resumed_at: None }),
        Err(fault) => {
            // All that a verifier leaves open is a schema that it does not know.
            let error = if fault.unverifiable { Error::newer_schema } else { Error::finding };
            Err(Stopped { error: error(path, Finding::in_segments(&segments, fault)), entries })
        }
    }
}

/// Tells the progress of a reading line by line, as often as that of one by several threads.
pub(super) struct Telling {
    progress: Progress,
    told: Instant,
}

impl Telling {
    pub(super) fn new(bytes_total: u64) -> Self {
        Self { progress: Progress { entries: 0, bytes: 0, bytes_total }, told: Instant::now() }
    }

    pub(super) fn count(&mut self, line: usize, verifier: &Verifier, tell: &mut dyn FnMut(Progress, &Verifier)) {
        self.progress.bytes += line as u64 + 1;
        self.progress.entries = verifier.next_number();
        // The clock is not asked after every line.
        if self.progress.entries.is_multiple_of(1024) && self.told.elapsed() >= parallel::TELLING_INTERVAL {
            self.told = Instant::now();
            tell(self.progress, verifier);
        }
    }
}

/// Puts an entry that the verifier suspects before what the reader found after it.
pub(super) fn or_suspect(path: &Path, error: Error, verifier: &Verifier, segments: &Segments) -> Error {
    match error.into_finding() {
        Ok(finding) => match verifier.or_suspect(finding.fault.clone()) {
            fault if fault == finding.fault => Error::finding(path, finding),
            fault => Error::finding(path, Finding::in_segments(segments, fault)),
        },
        Err(error) => error,
    }
}

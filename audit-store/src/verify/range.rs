//! The verification of a range of entries: of these against each other and the entry before them, not of the root.

use std::path::Path;

use audit_core::hash::Hash;
use audit_core::verify::{Bounds, Fault, Heads, Verifier};

use crate::Error;
use crate::read::{Lines, Segments};
use crate::verify::parallel::{self, Reading};
use crate::verify::scan::{Stopped, Telling, Way, line_of, or_suspect, threads};
use crate::verify::{Finding, Range};

/// Verifies the entries of a range; the last one verified is that of the range or of the log.
pub(super) fn scan(path: &Path, range: Range, way: &mut Way<'_>) -> Result<Verifier, Stopped> {
    let stopped = |error| Stopped { error, entries: range.from };
    let previous = match range.from.checked_sub(1) {
        None => None,
        Some(before) => match line_of(path, before).map_err(stopped)? {
            Some(line) => Some(Hash::leaf(&line)),
            None => return Err(stopped(beyond_end(path, range.from))),
        },
    };
    let end = range.to.map(|to| to.saturating_add(1));
    let verifier = || Verifier::range(range.from, previous);
    let segments = Segments::list(path).map_err(stopped)?;
    let bounds = Bounds { first: range.from, end, heads: Heads::default() };
    let reading = Reading { path, segments: &segments, threads: threads(way.threads), bounds: bounds.clone() };
    let verifier = match parallel::read(&reading, verifier(), way.tell) {
        Some(merged) => merged.verifier,
        None => one_by_one(path, &bounds, verifier(), way)?,
    };
    let next = verifier.next_number();
    if next == range.from || end.is_some_and(|end| next < end) {
        return Err(Stopped { error: beyond_end(path, range.to.unwrap_or(range.from)), entries: next });
    }
    Ok(verifier)
}

fn one_by_one(path: &Path, bounds: &Bounds, mut verifier: Verifier, way: &mut Way<'_>) -> Result<Verifier, Stopped> {
    let mut lines = Lines::open_at(path, bounds.first).map_err(|error| Stopped { error, entries: bounds.first })?;
    let mut telling = Telling::new(parallel::bytes_total(lines.segments(), bounds.first));
    loop {
        let entries = verifier.next_number();
        if bounds.end == Some(entries) {
            break;
        }
        let fault = match lines.next_line() {
            None => break,
            Some(Err(error)) => {
                let error = or_suspect(path, error, &verifier, lines.segments());
                return Err(Stopped { error, entries });
            }
            Some(Ok(line)) if line.number < bounds.first => continue,
            Some(Ok(line)) => {
                let length = line.bytes.len();
                let checked = verifier.line(line.bytes).map(|_head| ());
                telling.count(length, &verifier, way.tell);
                checked.err()
            }
        };
        if let Some(fault) = fault {
            return Err(stopped(path, lines.segments(), fault, entries));
        }
    }
    // What the end of the log says of its last lines is said here of those of the range.
    let entries = verifier.next_number();
    match verifier.clone().finish(audit_core::verify::Tail::default()) {
        Err(fault) => Err(stopped(path, lines.segments(), fault, entries)),
        Ok(_) => Ok(verifier),
    }
}

fn stopped(path: &Path, segments: &Segments, fault: Fault, entries: u64) -> Stopped {
    let error = if fault.unverifiable { Error::newer_schema } else { Error::finding };
    Stopped { error: error(path, Finding::in_segments(segments, fault)), entries }
}

fn beyond_end(path: &Path, entry: u64) -> Error {
    let fault = Fault::unverifiable(format!("expected the log to reach entry {entry}, found its end before it"));
    Error::finding(path, Finding { file: None, fault })
}

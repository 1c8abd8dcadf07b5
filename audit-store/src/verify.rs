//! Verification of a log on disk.

use core::fmt;
use std::path::Path;

use audit_core::checkpoint::Checkpoint;
use audit_core::hash::Hash;
use audit_core::verify::{Fault, Summary, Tree, Verifier};
use serde::Deserialize;

use crate::Error;
use crate::layout::{CHECKPOINT, LOCK, LOG_JSON, Layout, SmallFile, read_small};
use crate::read::{Lines, Segments};

/// What the verification of a log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was checked fits.
    Intact,
    /// Something was changed after the fact.
    Tampered,
    /// Nothing is known to be wrong, but something needed for the check is missing or not understood.
    Unverifiable,
}

impl Verdict {
    /// Returns the word that stands for the verdict on the command line and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Tampered => "tampered",
            Self::Unverifiable => "unverifiable",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What does not verify, and in which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file's name below the log's directory, as `segments/<20 digits>.jsonl`, where one can be named.
    pub file: Option<String>,
    /// What was expected and what was found.
    pub fault: Fault,
}

impl Finding {
    /// Names a file other than a segment.
    fn in_file(file: &str, fault: Fault) -> Self {
        Self { file: Some(file.to_owned()), fault }
    }

    /// Names the segment that holds the entry, or should.
    fn in_segments(segments: &Segments, fault: Fault) -> Self {
        let segment = fault.entry.and_then(|entry| segments.holding(entry));
        Self { file: segment.map(crate::read::Segment::name), fault }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file}: {}", self.fault),
            None => fmt::Display::fmt(&self.fault, f),
        }
    }
}

/// What a log holds and whether it is what was written.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// Why the verdict is not [`Verdict::Intact`].
    pub finding: Option<Finding>,
    /// What the log holds. If its lines do not verify, only `entries` is known: how many precede the fault.
    pub summary: Summary,
    /// The name of the log that entry 0 states.
    pub origin: Option<String>,
    /// How many segments there are.
    pub segments: usize,
    /// The checkpoint that the entries were checked against.
    pub checkpoint: Option<Checkpoint>,
    /// The root of the tree over all entries, if they verify and there are any.
    pub root: Option<Hash>,
}

impl Report {
    /// Tells whether everything that was checked fits.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.verdict == Verdict::Intact
    }
}

/// Verifies the log at `path`: every file of it that is not derived, from its bytes alone.
///
/// It may be called while the log is written: the checkpoint is read before the segments, so that every entry that it
/// covers is there, and entries beyond it rest on the chain alone.
///
/// A log without entries, without `checkpoint` or without `log.json` is [`Verdict::Unverifiable`]: a creation that was
/// interrupted looks the same. Bytes in `lock`, a `log.json` that is not entry 0 and its line feed, and a checkpoint of
/// another origin are [`Verdict::Tampered`].
///
/// # Errors
/// The path is no log ([`Error::is_not_a_log`]), or a file cannot be read ([`Error::is_io`]).
pub fn verify_log(path: impl AsRef<Path>) -> Result<Report, Error> {
    let layout = Layout::new(path.as_ref());
    let segments = segments_of(&layout)?;
    let mut report = Report {
        verdict: Verdict::Intact,
        finding: None,
        summary: Summary::default(),
        origin: None,
        segments,
        checkpoint: None,
        root: None,
    };
    // Findings are taken in this order, and the first that shows a change outweighs those that leave it open.
    let mut findings = Vec::new();
    match read_checkpoint(&layout) {
        Ok(checkpoint) => report.checkpoint = checkpoint,
        Err(fault) => findings.push(fault.into_finding()?),
    }
    if findings.is_empty() {
        match scan(&layout.directory, report.checkpoint.clone()) {
            Ok(scan) => findings.extend(check_files(&layout, &mut report, scan)?),
            Err(stopped) => {
                report.summary.entries = stopped.entries;
                findings.push(stopped.error.into_finding()?);
            }
        }
    }
    if let Err(fault) = check_lock(&layout) {
        findings.push(fault.into_finding()?);
    }
    report.finding = findings.iter().find(|finding| !finding.fault.unverifiable).or(findings.first()).cloned();
    report.verdict = match &report.finding {
        None => Verdict::Intact,
        Some(finding) if finding.fault.unverifiable => Verdict::Unverifiable,
        Some(_) => Verdict::Tampered,
    };
    Ok(report)
}

/// Counts the segments, so that a path that is no log is told before anything else.
fn segments_of(layout: &Layout) -> Result<usize, Error> {
    match Segments::list(&layout.directory) {
        Ok(segments) => Ok(segments.as_slice().len()),
        // What is wrong with them is found again, in its turn.
        Err(fault) if fault.found().is_some() => Ok(0),
        Err(fault) => Err(fault),
    }
}

/// Compares the files beside the segments with what the entries say.
fn check_files(layout: &Layout, report: &mut Report, scan: Scan) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    match check_origin(report.checkpoint.as_ref(), &scan) {
        Ok(origin) => report.origin = origin,
        Err(finding) => findings.push(finding),
    }
    match check_log_json(layout, scan.entry_0.as_deref()) {
        Ok(true) => {}
        Ok(false) => findings.push(Finding::in_file(LOG_JSON, Fault::unverifiable("missing"))),
        Err(fault) => findings.push(fault.into_finding()?),
    }
    if scan.entry_0.is_none() {
        findings.push(Finding { file: None, fault: Fault::unverifiable("the log has no entry yet") });
    }
    if report.checkpoint.is_none() {
        findings
            .push(Finding::in_file(CHECKPOINT, Fault::unverifiable("missing: the entries rest on the chain alone")));
    }
    report.segments = scan.segments.as_slice().len();
    report.root = scan.entry_0.as_ref().map(|_| scan.tree.frontier.root());
    report.summary = scan.summary;
    Ok(findings)
}

/// Reads the checkpoint; none if the file is missing, an error that is a finding if it is malformed.
pub(crate) fn read_checkpoint(layout: &Layout) -> Result<Option<Checkpoint>, Error> {
    let path = layout.checkpoint();
    let bytes = match read_small(&path).map_err(|source| Error::io(&path, "read the checkpoint", source))? {
        SmallFile::Missing => return Ok(None),
        SmallFile::Bytes(bytes) => bytes,
        SmallFile::Odd(found) => {
            return Err(altered_file(layout, CHECKPOINT, format!("expected a checkpoint, found {found}")));
        }
    };
    let parsed = core::str::from_utf8(&bytes).map_err(|fault| fault.to_string());
    let parsed = parsed.and_then(|text| Checkpoint::parse(text).map_err(|fault| fault.to_string()));
    parsed.map(Some).map_err(|reason| altered_file(layout, CHECKPOINT, reason))
}

/// Compares `log.json` with entry 0; false if the file is missing.
pub(crate) fn check_log_json(layout: &Layout, entry_0: Option<&[u8]>) -> Result<bool, Error> {
    let path = layout.log_json();
    let bytes = match read_small(&path).map_err(|source| Error::io(&path, "read the copy of entry 0", source))? {
        SmallFile::Missing => return Ok(false),
        SmallFile::Bytes(bytes) => bytes,
        SmallFile::Odd(found) => {
            return Err(altered_file(layout, LOG_JSON, format!("expected entry 0, found {found}")));
        }
    };
    match entry_0 {
        Some(entry_0) if bytes.strip_suffix(b"\n") == Some(entry_0) => Ok(true),
        Some(_) => Err(altered_file(layout, LOG_JSON, "altered: expected entry 0 and a line feed".to_owned())),
        None => {
            let fault = Fault::tampered(0, "missing: `log.json` is a copy of it");
            Err(Error::finding(&layout.directory, Finding { file: None, fault }))
        }
    }
}

/// Checks that nothing was written into the lock; a missing one is fine.
pub(crate) fn check_lock(layout: &Layout) -> Result<(), Error> {
    let path = layout.lock();
    let found = match read_small(&path).map_err(|source| Error::io(&path, "read the lock", source))? {
        SmallFile::Missing => return Ok(()),
        SmallFile::Bytes(bytes) if bytes.is_empty() => return Ok(()),
        SmallFile::Bytes(bytes) => format!("{} bytes", bytes.len()),
        SmallFile::Odd(found) => found,
    };
    Err(altered_file(layout, LOCK, format!("expected an empty file, found {found}")))
}

/// Returns the origin that entry 0 states, if the checkpoint states the same.
pub(crate) fn check_origin(checkpoint: Option<&Checkpoint>, scan: &Scan) -> Result<Option<String>, Finding> {
    let Some(line) = &scan.entry_0 else { return Ok(None) };
    let Some(origin) = stated_origin(line) else {
        return Err(Finding::in_segments(
            &scan.segments,
            Fault::tampered(0, "expected the origin in log.origin, found none"),
        ));
    };
    match checkpoint {
        Some(checkpoint) if checkpoint.origin != origin => {
            let reason = format!("expected the origin {origin:?} of entry 0, found {:?}", checkpoint.origin);
            Err(Finding::in_file(CHECKPOINT, Fault::tampered(None, reason)))
        }
        _ => Ok(Some(origin)),
    }
}

fn stated_origin(entry_0: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Entry {
        record: Record,
    }
    #[derive(Deserialize)]
    struct Record {
        log: Opened,
    }
    #[derive(Deserialize)]
    struct Opened {
        origin: String,
    }
    serde_json::from_slice::<Entry>(entry_0).ok().map(|entry| entry.record.log.origin)
}

fn altered_file(layout: &Layout, file: &str, reason: String) -> Error {
    Error::finding(&layout.directory, Finding::in_file(file, Fault::tampered(None, reason)))
}

/// The lines of a log that verify.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) summary: Summary,
    pub(crate) tree: Tree,
    pub(crate) entry_0: Option<Vec<u8>>,
    pub(crate) segments: Segments,
}

/// The lines of a log do not verify.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) error: Error,
    /// How many entries were accepted before.
    pub(crate) entries: u64,
}

/// Reads and verifies all lines.
pub(crate) fn scan(path: &Path, checkpoint: Option<Checkpoint>) -> Result<Scan, Stopped> {
    let mut lines = Lines::open(path).map_err(|error| Stopped { error, entries: 0 })?;
    let mut verifier = Verifier::new(checkpoint);
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
            }
        }
    };
    let entries = verifier.next_number();
    let finished = found.and_then(|()| verifier.finish_with_tree(lines.tail()));
    let segments = lines.segments().clone();
    match finished {
        Ok((summary, tree)) => Ok(Scan { summary, tree, entry_0, segments }),
        Err(fault) => {
            // All that a verifier leaves open is a schema that it does not know.
            let error = if fault.unverifiable { Error::newer_schema } else { Error::finding };
            Err(Stopped { error: error(path, Finding::in_segments(&segments, fault)), entries })
        }
    }
}

/// Puts an entry that the verifier suspects before what the reader found after it.
fn or_suspect(path: &Path, error: Error, verifier: &Verifier, segments: &Segments) -> Error {
    match error.into_finding() {
        Ok(finding) => match verifier.or_suspect(finding.fault.clone()) {
            fault if fault == finding.fault => Error::finding(path, finding),
            fault => Error::finding(path, Finding::in_segments(segments, fault)),
        },
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests;

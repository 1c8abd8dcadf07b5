//! Verification of a log on disk.

mod files;
mod options;
mod parallel;
mod range;
mod resume;
mod scan;
mod statements;
mod timestamps;
mod witnessed;

use core::fmt;
use std::path::Path;

use audit_core::checkpoint::Checkpoint;
use audit_core::hash::Hash;
use audit_core::note::VerificationKey;
use audit_core::time::Time;
use audit_core::verify::{Declared, Fault, Heads, Summary};

use crate::Error;
use crate::blobs;
use crate::layout::{CHECKPOINT, LOG_JSON, Layout};
use crate::read::Segments;
use statements::{Demands, Statements};

pub(crate) use files::{check_lock, check_log_json, check_origin};
pub use options::{Options, Progress};
#[cfg(test)]
pub(crate) use scan::scan;
pub(crate) use scan::{Scan, Stopped, scan_end};

/// What the verification of a log came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was checked fits.
    #[default]
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
    pub(crate) fn in_file(file: &str, fault: Fault) -> Self {
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
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// Why the verdict is not [`Verdict::Intact`].
    pub finding: Option<Finding>,
    /// What the log holds. If its lines do not verify, only `entries` is known: how many precede the fault.
    pub summary: Summary,
    /// The name of the log that entry 0 states.
    pub origin: Option<String>,
    /// The keys that entry 0 states; the entries that name later ones are in the summary.
    pub keys: Declared,
    /// How many segments there are.
    pub segments: usize,
    /// The newest checkpoint; the entries were checked against all of them.
    pub checkpoint: Option<Checkpoint>,
    /// What the entries were checked against, beside their chain and the log's own checkpoints.
    pub assurance: Assurance,
    /// The root of the tree over all entries, if they verify and there are any.
    pub root: Option<Hash>,
    /// The entries that were verified, if not all were to be: then nothing else was checked, and no root compared.
    pub range: Option<Range>,
    /// The entry from which a verification went on that was begun before; those before it were not read again.
    pub resumed_at: Option<u64>,
}

/// What a verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assurance {
    /// Whose key signed the checkpoints.
    pub signed: Signed,
    /// The checkpoints that the seal covers, where its first key was given.
    pub seal: Option<Sealed>,
    /// How many checkpoints that were kept elsewhere agree with the log.
    pub copies: usize,
    /// What a quorum of witnesses vouches for, where a policy was given.
    pub witnessed: Option<Witnessed>,
    /// The timestamps that lie beside the log, each of one of its checkpoints; whose they are is told where an authority was
    /// given.
    pub timestamps: Option<Timestamps>,
    /// How many bytes of an unfinished note follow the last listed checkpoint.
    pub unfinished_bytes: u64,
}

/// Whose key signed the checkpoints of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signed {
    /// Nobody: whoever can write the directory can rewrite it.
    #[default]
    No,
    /// The key that entry 0 itself names, and those that followed it; none of them was pinned.
    BySelf {
        /// How many checkpoints were checked.
        checkpoints: u64,
        /// In how many epochs, each with a key of its own.
        epochs: u64,
    },
    /// A key that was pinned, and those that it vouched for.
    Pinned {
        /// The key.
        key: VerificationKey,
        /// How many checkpoints were checked.
        checkpoints: u64,
        /// In how many epochs, each with a key of its own.
        epochs: u64,
    },
}

/// How far a quorum of witnesses vouches for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// How many entries of the log a quorum saw: each of its witnesses cosigned a checkpoint over them, or over more.
    pub size: u64,
    /// When the last of them did, by its own clock, in seconds since 1970.
    pub time: u64,
    /// The names of all witnesses that saw so many, as the policy has them.
    pub witnesses: Vec<String>,
}

/// Timestamps of RFC 3161 that are kept beside a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// How many there are.
    pub count: usize,
    /// How many entries the checkpoint of the newest one covers.
    pub size: u64,
    /// Those that were verified, where an authority was given.
    pub verified: Option<Stamped>,
}

/// Timestamps of RFC 3161 that were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// How many there are.
    pub count: usize,
    /// How many entries the newest checkpoint covers that has one.
    pub size: u64,
    /// When that checkpoint existed at the latest, by the authority's clock.
    pub time: Option<Time>,
}

/// How far a seal reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// How many checkpoints it covers.
    pub checkpoints: u64,
    /// How many were listed since: an unsealed tail.
    pub beyond: u64,
}

/// Entries in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first entry.
    pub from: u64,
    /// The last entry; none is the last one of the log.
    pub to: Option<u64>,
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
    Options::new().verify(path)
}

/// Verifies everything; the lines are read by `scan`, which is given the heads of all checkpoints.
fn verify_files(
    layout: &Layout,
    mut report: Report,
    demands: &Demands<'_>,
    scan: impl FnOnce(&Heads) -> Result<Scan, Stopped>,
) -> Result<Report, Error> {
    // Findings are taken in this order, and the first that shows a change outweighs those that leave it open.
    let mut findings = Vec::new();
    let statements = match Statements::read(layout, demands) {
        Ok(statements) => statements,
        Err(fault) => {
            findings.push(fault.into_finding()?);
            Statements::default()
        }
    };
    report.checkpoint.clone_from(&statements.newest);
    if findings.is_empty() {
        match scan(&statements.heads) {
            Ok(scan) => {
                if let Some(entry_0) = &scan.entry_0 {
                    let (assurance, found) = statements.check(layout, entry_0, &scan.summary, demands)?;
                    report.assurance = assurance;
                    report.keys = Declared::of_entry_0(entry_0).unwrap_or_default();
                    findings.extend(found);
                }
                findings.extend(check_files(layout, &mut report, scan)?);
            }
            Err(stopped) => {
                report.summary.entries = stopped.entries;
                findings.push(stopped.error.into_finding()?);
            }
        }
    }
    if let Err(fault) = check_lock(layout) {
        findings.push(fault.into_finding()?);
    }
    Ok(conclude(report, &findings))
}

/// Draws the verdict from what was found.
fn conclude(mut report: Report, findings: &[Finding]) -> Report {
    report.finding = findings.iter().find(|finding| !finding.fault.unverifiable).or(findings.first()).cloned();
    report.verdict = match &report.finding {
        None => Verdict::Intact,
        Some(finding) if finding.fault.unverifiable => Verdict::Unverifiable,
        Some(_) => Verdict::Tampered,
    };
    report
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
    if let Err(fault) = blobs::check(layout) {
        findings.push(fault.into_finding()?);
    }
    if scan.entry_0.is_none() {
        findings.push(Finding { file: None, fault: Fault::unverifiable("the log has no entry yet") });
    }
    if report.checkpoint.is_none() {
        findings
            .push(Finding::in_file(CHECKPOINT, Fault::unverifiable("missing: the entries rest on the chain alone")));
    }
    report.segments = scan.segments.as_slice().len();
    report.resumed_at = scan.resumed_at;
    report.root = scan.entry_0.as_ref().map(|_| scan.tree.frontier.root());
    report.summary = scan.summary;
    Ok(findings)
}

#[cfg(test)]
mod tests;

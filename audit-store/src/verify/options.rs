//! How a log is verified.

use core::fmt;
use core::num::NonZero;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::time::Instant;

use audit_core::note::VerificationKey;
use audit_core::policy::Policy;
use audit_core::seal::SealKey;
use audit_core::timestamp::Authority;
use audit_core::verify::Verifier;

use crate::Error;
use crate::layout::Layout;
use crate::verify::scan::{Way, scan_by};
use crate::verify::statements::Demands;
use crate::verify::{Range, Report, conclude, range, resume, segments_of, verify_files};

/// How often the point from which an interrupted verification could go on is written.
const SAVING_INTERVAL: Duration = Duration::from_secs(5);

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of the next entry.
    pub entries: u64,
    /// How many bytes of lines were read.
    pub bytes: u64,
    /// How many there are, as far as that was known at the beginning.
    pub bytes_total: u64,
}

/// How a log is verified. [`verify_log`](crate::verify::verify_log) is what these are by default.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders");
/// # audit_store::Log::options().open(&path)?.guard().close()?;
/// let report = audit_store::verify::Options::new().threads(2).from(1).verify(&path)?;
/// assert!(report.is_intact());
/// assert_eq!(report.range.map(|range| range.from), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Options<'a> {
    threads: Option<NonZero<usize>>,
    from: Option<u64>,
    to: Option<u64>,
    resume: Option<PathBuf>,
    progress: Option<&'a mut dyn FnMut(Progress)>,
    demands: Demands<'a>,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, from, to, resume, progress: _, demands } = self;
        let mut options = f.debug_struct("Options");
        options
            .field("threads", threads)
            .field("from", from)
            .field("to", to)
            .field("resume", resume)
            .field("demands", demands);
        options.finish_non_exhaustive()
    }
}

impl<'a> Options<'a> {
    /// Returns the options of a verification of everything, on all cores, without a word before its end.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many threads read; 0 means one for each core, which is the default.
    ///
    /// Each takes a few megabytes of memory, whatever the size of the log.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = NonZero::new(threads);
        self
    }

    /// Verifies a range that begins with this entry.
    ///
    /// The entries of a range are checked against each other and the first against the entry before it: form, numbers,
    /// stream and chain. No root is compared and no other file is looked at.
    #[must_use]
    pub fn from(mut self, entry: u64) -> Self {
        self.from = Some(entry);
        self
    }

    /// Verifies a range that ends with this entry, like [`from`](Self::from).
    #[must_use]
    pub fn to(mut self, entry: u64) -> Self {
        self.to = Some(entry);
        self
    }

    /// Goes on where the verification stopped that wrote this file, if there is one, and writes it anew.
    ///
    /// The file holds the state of the log after the entries that the checkpoint covers, and every few seconds before
    /// that the state so far. What it says is believed, so it is to be kept where the log's writer cannot write: the
    /// entries before its point are not read again, but for the last one, and still count for the checkpoint's root.
    /// Where the log does not fit it, the log is read from its beginning. Ignored for a range.
    #[must_use]
    pub fn resume(mut self, file: impl Into<PathBuf>) -> Self {
        self.resume = Some(file.into());
        self
    }

    /// Demands that the checkpoints are signed by this key, and by those that it vouched for.
    ///
    /// It is the log's first key or its identity key, and its name is the log's origin. Where several logs are verified
    /// each has its own: keys of other names are passed over. Ignored for a range.
    #[must_use]
    pub fn key(mut self, key: VerificationKey) -> Self {
        self.demands.keys.push(key);
        self
    }

    /// Demands the seal that begins with this key. Ignored for a range.
    #[must_use]
    pub fn seal_key(mut self, key: SealKey) -> Self {
        self.demands.seal = Some(key);
        self
    }

    /// Demands that the log agrees with a checkpoint that was kept elsewhere: the text of its note, as the file
    /// `checkpoint` has it. One of another log is passed over. Ignored for a range.
    #[must_use]
    pub fn copy(mut self, note: impl Into<String>) -> Self {
        self.demands.copies.push(note.into());
        self
    }

    /// Demands that a quorum of the policy's witnesses has cosigned a checkpoint of the log. Ignored for a range.
    ///
    /// What witnesses gave is taken from `<log>/anchors` and from the [copies](Self::copy). The log must agree with every
    /// checkpoint that a known witness cosigned, so that a log which ends before it, or was written anew, shows as tampered;
    /// [`Assurance::witnessed`](crate::verify::Assurance) tells how far a quorum vouches for it. Files that were removed from
    /// `<log>/anchors` are not missed, unless no quorum is left: keep copies of them elsewhere, or ask the witnesses.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.demands.policy = Some(policy);
        self
    }

    /// Demands timestamps of this authority. Ignored for a range.
    ///
    /// Each timestamp in `<log>/anchors` must be of the checkpoint of its size that the log lists, which is checked without an
    /// authority, too. With one, each must be the authority's, and there must be one. Else the log is unverifiable: an authority
    /// stamps whatever it is given, so that a file that is not what it should be does not show a change of the log.
    /// [`Assurance::timestamps`](crate::verify::Assurance) tells what was verified. Files that were removed are not missed,
    /// unless none is left.
    #[must_use]
    pub fn timestamps(mut self, authority: &'a dyn Authority) -> Self {
        self.demands.authority = Some(authority);
        self
    }

    /// Calls `tell` on this thread with how far the verification is, at most ten times a second.
    ///
    /// Where something does not fit the lines are read once more, one by one, and the progress begins anew.
    #[must_use]
    pub fn progress(mut self, tell: &'a mut dyn FnMut(Progress)) -> Self {
        self.progress = Some(tell);
        self
    }

    /// Verifies the log at `path`, as [`verify_log`](crate::verify::verify_log) tells.
    ///
    /// # Errors
    /// The path is no log ([`Error::is_not_a_log`]), or a file, that of the resume point included, cannot be read or
    /// written ([`Error::is_io`]).
    pub fn verify(self, path: impl AsRef<Path>) -> Result<Report, Error> {
        let Self { threads, from, to, resume: file, mut progress, demands } = self;
        let layout = Layout::new(path.as_ref());
        let report = Report { segments: segments_of(&layout)?, ..Report::default() };
        let mut told = |progressed: Progress| progress.iter_mut().for_each(|tell| tell(progressed));
        if from.is_some() || to.is_some() {
            let range = Range { from: from.unwrap_or(0), to };
            let mut way = Way { threads, resume: None, tell: &mut |progressed, _| told(progressed) };
            return verify_range(&layout, report, range, &mut way);
        }
        let state = file.as_deref().map(resume::load).transpose()?.flatten();
        let mut saved = Instant::now();
        let mut failed = None;
        let mut tell = |progressed: Progress, verifier: &Verifier| {
            told(progressed);
            if let Some(file) = &file
                && saved.elapsed() >= SAVING_INTERVAL
                && let Some(state) = verifier.state().filter(|state| verifier.covers(state.summary.entries))
            {
                saved = Instant::now();
                failed = resume::save(file, &state).err();
            }
        };
        let mut way = Way { threads, resume: state, tell: &mut tell };
        let mut found = None;
        let report = verify_files(&layout, report, &demands, |heads| {
            let scan = scan_by(&layout.directory, heads, &mut way)?;
            found.clone_from(&scan.state_at_cut);
            Ok(scan)
        })?;
        if let (Some(file), Some(state)) = (&file, found.filter(|_| report.is_intact())) {
            resume::save(file, &state)?;
        }
        failed.map_or(Ok(report), Err)
    }
}

fn verify_range(layout: &Layout, mut report: Report, range: Range, way: &mut Way<'_>) -> Result<Report, Error> {
    let mut findings = Vec::new();
    report.range = Some(range);
    match range::scan(&layout.directory, range, way) {
        Ok(verifier) => {
            report.summary.entries = verifier.next_number();
            report.range = Some(Range { to: verifier.next_number().checked_sub(1), ..range });
        }
        Err(stopped) => {
            report.summary.entries = stopped.entries;
            findings.push(stopped.error.into_finding()?);
        }
    }
    Ok(conclude(report, &findings))
}

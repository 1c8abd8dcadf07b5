//! The diagnosis: are calls recorded here, and what stands in the way of records and spans?
//!
//! [`doctor()`](fn@crate::doctor) makes one real call and looks at what became of it. It answers for the place where it
//! is asked: the thread, and the subscriber that is at work there.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("audit");
//! let guard = audited::init(&path)?;
//!
//! let diagnosis = audited::doctor();
//! assert!(diagnosis.is_recording());
//! println!("{diagnosis}");
//!
//! // A program that must not run unaudited stops here if anything is in the way:
//! diagnosis.strict()?;
//! # guard.close()?;
//! # Ok(())
//! # }
//! ```

mod cause;
mod examine;
mod self_test;

use core::fmt;

pub use cause::{Cause, Severity};

/// Makes a self-test call and tells whether calls made here are recorded, and what stands in the way of records and spans.
///
/// The call is a real one, so that the whole way is tried: it leaves the two records of a read under the action
/// `audited.doctor`, in the context of the place where it is made, and has a span like every audited call; a second span
/// of the same kind, which is no call, is opened where a filter of the layer is suspected. Without a log nothing is
/// counted as unrecorded. The doctor does not panic, writes nothing else, and waits for a log that is slow to confirm the
/// record for at most a second.
#[must_use]
pub fn doctor() -> Diagnosis {
    examine::examine()
}

/// What [`doctor()`](fn@crate::doctor) found out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    recording: bool,
    way: Way,
    span: bool,
    findings: Vec<Finding>,
}

/// How calls reach the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// Through the audit layer of the subscriber that is at work here.
    Layer,
    /// Through the process-wide recorder, as the layer is not reachable from here.
    Recorder,
    /// Not at all.
    None,
}

/// One thing that is in the way or worth knowing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    cause: Cause,
    hint: Option<String>,
}

impl Diagnosis {
    /// Tells whether both records of the self-test call are in the log.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.recording
    }

    /// Tells whether nothing is in the way, of records or of spans.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.recording && self.findings.iter().all(|finding| finding.severity() == Severity::Note)
    }

    /// Returns how calls made here reach the log.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Tells whether the span of the self-test call was enabled and, where the audit layer is in this subscriber, whether
    /// the layer saw it.
    #[must_use]
    pub const fn has_span(&self) -> bool {
        self.span
    }

    /// Returns what was found, the gravest first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Tells whether a cause of this [name](Cause::name) was found.
    #[must_use]
    pub fn names(&self, cause: &str) -> bool {
        self.findings.iter().any(|finding| finding.cause.name() == cause)
    }

    /// Refuses what is not [clear](Self::is_clear).
    ///
    /// # Errors
    /// Calls are not recorded here, or something stands in the way of their spans. Notes are no reason.
    pub fn strict(self) -> Result<Self, DoctorError> {
        if self.is_clear() { Ok(self) } else { Err(DoctorError(Box::new(self))) }
    }
}

impl Finding {
    const fn new(cause: Cause) -> Self {
        Self { cause, hint: None }
    }

    /// Returns what is in the way.
    #[must_use]
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns how much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.cause.severity()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.recording, self.way) {
            (true, Way::Layer) => "calls are recorded, through the audit layer",
            (true, _) => "calls are recorded, through the process-wide recorder",
            (false, _) => "calls are NOT recorded",
        })?;
        f.write_str(if self.span { "; their spans are enabled" } else { "; their spans are not" })?;
        for finding in &self.findings {
            let word = match finding.severity() {
                Severity::Blocks => "blocks",
                Severity::Degrades => "degrades",
                Severity::Note => "note",
            };
            write!(f, "\n  {word} [{}]: {finding}", finding.cause.name())?;
        }
        Ok(())
    }
}

/// Something stands in the way of records or spans, and [`Diagnosis::strict`] was asked to refuse that.
#[derive(Clone, Debug)]
pub struct DoctorError(Box<Diagnosis>);

impl DoctorError {
    /// Returns all that was found.
    #[must_use]
    pub fn diagnosis(&self) -> &Diagnosis {
        &self.0
    }
}

impl fmt::Display for DoctorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected nothing in the way of the audit, found: {}", self.0)
    }
}

impl std::error::Error for DoctorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.findings.iter().find_map(|finding| match &finding.cause {
            Cause::Refused(error) => Some(error as &(dyn std::error::Error + 'static)),
            _ => None,
        })
    }
}

//! Why a record is not in a log.

use core::fmt;
use std::sync::Arc;

/// Why a record is not in the log, or not as durably as demanded.
#[derive(Clone, Debug)]
pub struct AppendError {
    kind: AppendErrorKind,
    found: Arc<str>,
    source: Option<Arc<std::io::Error>>,
}

/// The kinds of [`AppendError`], each with its own consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppendErrorKind {
    /// The log is closed; nothing more is accepted.
    Closed,
    /// The device has no space left.
    DiskFull,
    /// The log lies on a read-only file system or may not be written.
    ReadOnly,
    /// A segment or the directory was removed or replaced while open.
    Replaced,
    /// The record's line would be longer than the limit.
    TooLarge,
    /// The bytes are not those of a record.
    Invalid,
    /// An earlier fsync failed: what is on the disk is unknown, and nothing more is accepted until the log is reopened.
    Poisoned,
    /// Another error of the operating system.
    Io,
    /// The log did not catch up within the time that the record could wait.
    Busy,
    /// The record is in the log; its place was not asked for ([`Prepared::unasked`](super::Prepared::unasked)).
    Unasked,
}

impl AppendError {
    /// Makes an error of the given kind; `found` says what was found and where.
    #[must_use]
    pub fn new(kind: AppendErrorKind, found: impl Into<Arc<str>>) -> Self {
        Self { kind, found: found.into(), source: None }
    }

    /// Keeps the operating system's error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: std::io::Error) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> AppendErrorKind {
        self.kind
    }

    /// Tells whether the log accepts nothing more until it is opened again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.kind, AppendErrorKind::Closed | AppendErrorKind::Poisoned | AppendErrorKind::Replaced)
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            AppendErrorKind::Closed => "the log is closed",
            AppendErrorKind::DiskFull => "the disk is full",
            AppendErrorKind::ReadOnly => "the log cannot be written",
            AppendErrorKind::Replaced => "the log was removed or replaced while open",
            AppendErrorKind::TooLarge => "the record is too large",
            AppendErrorKind::Invalid => "the record is malformed",
            AppendErrorKind::Poisoned => "the log accepts nothing more until it is opened again",
            AppendErrorKind::Io => "the log could not be written",
            AppendErrorKind::Busy => "the log is too slow",
            AppendErrorKind::Unasked => "the place of the record is not known",
        };
        write!(f, "{what}: {}", self.found)
    }
}

impl std::error::Error for AppendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

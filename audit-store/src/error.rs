//! The one error of this crate.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::sink::{AppendError, AppendErrorKind};

use crate::verify::Finding;

/// Why a log could not be opened, read or closed.
///
/// The message says what was expected, what was found and where; the predicates tell the kinds apart.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Held,
    NotALog(String),
    Finding(Finding),
    NewerSchema(Finding),
    CheckpointMissing { entries: u64 },
    OriginDiffers { expected: String, found: String },
    InvalidOrigin { found: String },
    Key(String),
    NotFound(String),
    Uncovered { number: u64, size: u64 },
    Uncosigned { number: u64 },
    Sizes { old: u64, new: u64 },
    NoCheckpoint,
    Evidence { bytes: usize },
    Append { source: AppendError, uncounted: u64 },
    Io { doing: &'static str, source: io::Error },
}

impl Error {
    fn new(path: &Path, kind: Kind) -> Self {
        Self(Box::new(Inner { path: path.to_owned(), kind }))
    }

    pub(crate) fn held(path: &Path) -> Self {
        Self::new(path, Kind::Held)
    }

    pub(crate) fn not_a_log(path: &Path, found: impl Into<String>) -> Self {
        Self::new(path, Kind::NotALog(found.into()))
    }

    pub(crate) fn finding(path: &Path, finding: Finding) -> Self {
        Self::new(path, Kind::Finding(finding))
    }

    pub(crate) fn newer_schema(path: &Path, finding: Finding) -> Self {
        Self::new(path, Kind::NewerSchema(finding))
    }

    pub(crate) fn checkpoint_missing(path: &Path, entries: u64) -> Self {
        Self::new(path, Kind::CheckpointMissing { entries })
    }

    pub(crate) fn origin_differs(path: &Path, expected: &str, found: &str) -> Self {
        Self::new(path, Kind::OriginDiffers { expected: expected.to_owned(), found: found.to_owned() })
    }

    pub(crate) fn invalid_origin(path: &Path, found: &str) -> Self {
        Self::new(path, Kind::InvalidOrigin { found: found.to_owned() })
    }

    /// `reason` says what was expected of a key and what was found, and holds nothing secret.
    pub(crate) fn key(path: &Path, reason: String) -> Self {
        Self::new(path, Kind::Key(reason))
    }

    /// `expected` names what was looked for.
    pub(crate) fn not_found(path: &Path, expected: String) -> Self {
        Self::new(path, Kind::NotFound(expected))
    }

    pub(crate) fn uncovered(path: &Path, number: u64, size: u64) -> Self {
        Self::new(path, Kind::Uncovered { number, size })
    }

    pub(crate) fn uncosigned(path: &Path, number: u64) -> Self {
        Self::new(path, Kind::Uncosigned { number })
    }

    pub(crate) fn sizes(path: &Path, old: u64, new: u64) -> Self {
        Self::new(path, Kind::Sizes { old, new })
    }

    pub(crate) fn no_checkpoint(path: &Path) -> Self {
        Self::new(path, Kind::NoCheckpoint)
    }

    pub(crate) fn too_many_rotations(path: &Path, bytes: usize) -> Self {
        Self::new(path, Kind::Evidence { bytes })
    }

    pub(crate) fn append(path: &Path, source: AppendError) -> Self {
        Self::closing(path, source, 0)
    }

    /// `uncounted` records were refused, and the log does not say so.
    pub(crate) fn closing(path: &Path, source: AppendError, uncounted: u64) -> Self {
        Self::new(path, Kind::Append { source, uncounted })
    }

    /// Takes the finding out of an error that is one, so that a report can carry it.
    pub(crate) fn into_finding(self) -> Result<Finding, Self> {
        match self.0.kind {
            Kind::Finding(finding) | Kind::NewerSchema(finding) => Ok(finding),
            kind => Err(Self::new(&self.0.path, kind)),
        }
    }

    /// `doing` completes the sentence "could not …".
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        Self::new(path, Kind::Io { doing, source })
    }

    /// Tells whether another process, or another handle of this one, writes the log.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self.0.kind, Kind::Held)
    }

    /// Tells whether a key is missing, is not the log's, or cannot be read.
    #[must_use]
    pub const fn is_key(&self) -> bool {
        matches!(self.0.kind, Kind::Key(_))
    }

    /// Tells whether the log has no such entry.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self.0.kind, Kind::NotFound(_))
    }

    /// Tells whether no checkpoint covers the entry, or the size, that was asked for.
    #[must_use]
    pub const fn is_uncovered(&self) -> bool {
        matches!(self.0.kind, Kind::Uncovered { .. })
    }

    /// Tells whether no checkpoint over an entry is known that a quorum of witnesses cosigned.
    #[must_use]
    pub const fn is_uncosigned(&self) -> bool {
        matches!(self.0.kind, Kind::Uncosigned { .. })
    }

    /// Tells whether the path names something else than a log.
    #[must_use]
    pub const fn is_not_a_log(&self) -> bool {
        matches!(self.0.kind, Kind::NotALog(_))
    }

    /// Tells whether the log is written in a schema that this version does not read.
    #[must_use]
    pub const fn is_newer_schema(&self) -> bool {
        matches!(self.0.kind, Kind::NewerSchema(_))
    }

    /// Tells whether the log does not verify; [`found`](Self::found) names the entry or the file.
    #[must_use]
    pub const fn is_tampered(&self) -> bool {
        matches!(&self.0.kind, Kind::Finding(finding) if !finding.fault.unverifiable)
    }

    /// Tells whether the log cannot be checked by this version, for a reason other than its schema.
    #[must_use]
    pub const fn is_unverifiable(&self) -> bool {
        matches!(&self.0.kind, Kind::Finding(finding) if finding.fault.unverifiable)
    }

    /// Tells whether the log has entries that only a checkpoint can vouch for, and no checkpoint.
    #[must_use]
    pub const fn is_checkpoint_missing(&self) -> bool {
        matches!(self.0.kind, Kind::CheckpointMissing { .. } | Kind::NoCheckpoint)
    }

    /// Tells whether the log has another origin than the one asked for.
    #[must_use]
    pub const fn is_origin_different(&self) -> bool {
        matches!(self.0.kind, Kind::OriginDiffers { .. })
    }

    /// Tells whether the origin asked for cannot be the name of a log.
    #[must_use]
    pub const fn is_invalid_origin(&self) -> bool {
        matches!(self.0.kind, Kind::InvalidOrigin { .. })
    }

    /// Tells whether the operating system refused an operation.
    #[must_use]
    pub const fn is_io(&self) -> bool {
        matches!(self.0.kind, Kind::Io { .. })
    }

    /// Returns the kind of the failed append, if appending one of the log's own entries failed or the log was
    /// poisoned or replaced before it was closed.
    #[must_use]
    pub const fn append_kind(&self) -> Option<AppendErrorKind> {
        match &self.0.kind {
            Kind::Append { source, .. } => Some(source.kind()),
            _ => None,
        }
    }

    /// Returns what does not verify, and in which file.
    #[must_use]
    pub const fn found(&self) -> Option<&Finding> {
        match &self.0.kind {
            Kind::Finding(finding) | Kind::NewerSchema(finding) => Some(finding),
            _ => None,
        }
    }

    /// Returns the log, or the file, that the error is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.path.display();
        match &self.0.kind {
            Kind::Held => write!(f, "{path}: expected a free log, found it held by another process or handle"),
            Kind::NotALog(found) => write!(f, "{path}: expected a log or an empty directory, found {found}"),
            Kind::Finding(finding) if finding.fault.unverifiable => {
                write!(f, "{path}: the log cannot be verified: {finding}")
            }
            Kind::Finding(finding) => write!(
                f,
                "{path}: the log does not verify: {finding}; keep the directory as evidence and start a new log elsewhere"
            ),
            Kind::NewerSchema(finding) => write!(f, "{path}: written by another version: {finding}"),
            Kind::CheckpointMissing { entries } => write!(
                f,
                "{path}: expected a checkpoint of a log with {entries} entries, found none; keep the directory as \
                 evidence and start a new log elsewhere"
            ),
            Kind::OriginDiffers { expected, found } => {
                write!(f, "{path}: expected the origin {expected:?}, found a log of the origin {found:?}")
            }
            Kind::InvalidOrigin { found } => write!(
                f,
                "{path}: expected an origin of 1 to 255 bytes without spaces, control characters or `+`, found {found:?}"
            ),
            Kind::Key(reason) => write!(f, "{path}: {reason}"),
            Kind::NotFound(expected) => write!(f, "{path}: expected {expected}, found none"),
            Kind::Uncovered { number, size } => write!(
                f,
                "{path}: expected a checkpoint that covers entry {number}, found the newest over {size} entries; there is \
                 one within a second, or once the log is closed"
            ),
            Kind::Sizes { old, new } => {
                write!(f, "{path}: expected an old size from 1 to the new one, {new}, found {old}")
            }
            Kind::Uncosigned { number } => write!(
                f,
                "{path}: expected a checkpoint over entry {number} in `anchors` that a quorum of the policy cosigned, found none"
            ),
            Kind::NoCheckpoint => write!(f, "{path}: expected a checkpoint, found none"),
            Kind::Evidence { bytes } => write!(
                f,
                "{path}: expected evidence of at most 1048576 bytes, found {bytes} with all rotations; a log with an \
                 identity key needs none of them"
            ),
            Kind::Append { source, uncounted: 0 } => write!(f, "{path}: {source}"),
            Kind::Append { source, uncounted } => {
                write!(
                    f,
                    "{path}: {source}; records that were refused before and are not counted in the log: {uncounted}"
                )
            }
            Kind::Io { doing, source } => write!(f, "{path}: could not {doing}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::Append { source, .. } => std::error::Error::source(source),
            Kind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

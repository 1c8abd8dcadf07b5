//! Why a checkpoint is not anchored.

use core::fmt;
use std::error::Error;

/// Why a checkpoint is not anchored.
#[derive(Debug)]
pub struct AnchorError {
    kind: AnchorErrorKind,
    found: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of [`AnchorError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnchorErrorKind {
    /// Passing: no connection could be made, or it broke.
    Unreachable,
    /// Passing: no answer came in time.
    Timeout,
    /// Passing: the other side says that it cannot take anything now.
    Unavailable,
    /// Passing: somebody else gives it checkpoints of this log at the same time.
    Contended,
    /// Passing: the answer has no form that is known; whatever answered may not be the anchor.
    Answer,
    /// Passing: the log could not make the proof that was asked for.
    NotProved,
    /// Refused: the anchor does not know the log.
    UnknownLog,
    /// Refused: the anchor does not know the key that signed the checkpoint.
    UnknownKey,
    /// Refused: the anchor does not accept the form of what it is given.
    Malformed,
    /// Refused: the anchor accepts nothing more until it is set up again.
    Ended,
    /// Refused: what the anchor gave was not made by the key that is known of it, or not for this checkpoint.
    NotByAnchor,
    /// Refused, and an alarm: the checkpoint does not continue the one that the anchor has.
    Inconsistent,
    /// Refused, and an alarm: the anchor has seen a longer log. This one was rolled back, or is a copy of it.
    Longer,
}

impl AnchorError {
    /// Makes an error of the given kind; `found` says what was expected, what was found, and where.
    #[must_use]
    pub fn new(kind: AnchorErrorKind, found: impl Into<String>) -> Self {
        Self { kind, found: found.into(), source: None }
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> AnchorErrorKind {
        self.kind
    }

    /// Tells whether the same checkpoint may be taken later. Otherwise somebody has to look: the other side refuses it, or
    /// cannot be believed.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        use AnchorErrorKind as Kind;
        match self.kind {
            Kind::Unreachable
            | Kind::Timeout
            | Kind::Unavailable
            | Kind::Contended
            | Kind::Answer
            | Kind::NotProved => true,
            Kind::UnknownLog
            | Kind::UnknownKey
            | Kind::Malformed
            | Kind::Ended
            | Kind::NotByAnchor
            | Kind::Inconsistent
            | Kind::Longer => false,
        }
    }

    /// Tells whether the anchor has seen another log under this origin: this one was changed, rolled back or forked.
    #[must_use]
    pub const fn contradicts_log(&self) -> bool {
        matches!(self.kind, AnchorErrorKind::Inconsistent | AnchorErrorKind::Longer)
    }
}

impl AnchorErrorKind {
    /// Returns the kind as one word, for records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Contended => "contended",
            Self::Answer => "answer",
            Self::NotProved => "not_proved",
            Self::UnknownLog => "unknown_log",
            Self::UnknownKey => "unknown_key",
            Self::Malformed => "malformed",
            Self::Ended => "ended",
            Self::NotByAnchor => "not_by_anchor",
            Self::Inconsistent => "inconsistent",
            Self::Longer => "longer",
        }
    }
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            AnchorErrorKind::Unreachable => "the anchor cannot be reached",
            AnchorErrorKind::Timeout => "the anchor did not answer in time",
            AnchorErrorKind::Unavailable => "the anchor takes nothing now",
            AnchorErrorKind::Contended => "the anchor is given other checkpoints of this log",
            AnchorErrorKind::Answer => "the answer is not an anchor's",
            AnchorErrorKind::NotProved => "the log made no proof for the anchor",
            AnchorErrorKind::UnknownLog => "the anchor does not know the log",
            AnchorErrorKind::UnknownKey => "the anchor does not know the log's key",
            AnchorErrorKind::Malformed => "the anchor does not accept the form",
            AnchorErrorKind::Ended => "the anchor accepts nothing more",
            AnchorErrorKind::NotByAnchor => "the answer was not made by the anchor for this checkpoint",
            AnchorErrorKind::Inconsistent => "the checkpoint does not continue the anchor's",
            AnchorErrorKind::Longer => "the anchor has seen a longer log",
        };
        write!(f, "{what}: {}", self.found)
    }
}

impl Error for AnchorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

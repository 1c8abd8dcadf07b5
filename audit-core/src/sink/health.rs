//! What a sink says of itself when it is asked how it is.

use super::AppendError;

/// How a sink is, for diagnosis.
///
/// ```
/// use audit_core::sink::{Condition, Health};
///
/// let health = Health::new(Condition::Open).with_abandoned(2);
/// assert_eq!((health.abandoned(), health.refused()), (2, 0));
/// ```
#[derive(Clone, Debug)]
pub struct Health {
    condition: Condition,
    refused: u64,
    abandoned: u64,
    failing_anchors: Vec<FailingAnchor>,
}

/// An anchor of a log that has not taken a checkpoint since it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingAnchor {
    /// Its name among the anchors of the log.
    pub name: String,
    /// Why it failed last.
    pub reason: String,
    /// Whether its answer contradicts the log: somebody has to look, at once.
    pub is_alarm: bool,
}

/// Whether a sink accepts records, and if not, why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Condition {
    /// It accepts records.
    Open,
    /// It was closed.
    Closed,
    /// This process is a forked copy of the one that the sink belongs to, which alone may write it.
    Forked,
    /// It failed and accepts nothing more.
    Failed(AppendError),
}

impl Health {
    /// Makes the health of a sink in this condition, which refused no record, found no call unresolved and has no
    /// failing anchor.
    #[must_use]
    pub const fn new(condition: Condition) -> Self {
        Self { condition, refused: 0, abandoned: 0, failing_anchors: Vec::new() }
    }

    /// Sets how many records the sink refused since it was opened.
    #[must_use]
    pub const fn with_refused(mut self, records: u64) -> Self {
        self.refused = records;
        self
    }

    /// Sets how many calls of an earlier process the sink found without an end when it was opened.
    #[must_use]
    pub const fn with_abandoned(mut self, calls: u64) -> Self {
        self.abandoned = calls;
        self
    }

    /// Sets which anchors of the sink are failing.
    #[must_use]
    pub fn with_failing_anchors(mut self, anchors: Vec<FailingAnchor>) -> Self {
        self.failing_anchors = anchors;
        self
    }

    /// Returns whether the sink accepts records, and if not, why.
    #[must_use]
    pub const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Returns how many records the sink refused since it was opened.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Returns how many calls of an earlier process the sink found without an end when it was opened.
    #[must_use]
    pub const fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// Returns the anchors of the sink that are failing, by their names. Records are accepted all the same, and what they
    /// cover is anchored later.
    #[must_use]
    pub fn failing_anchors(&self) -> &[FailingAnchor] {
        &self.failing_anchors
    }
}

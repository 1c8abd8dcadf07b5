//! How a secondary sink is.

use audit_core::sink::{AppendError, Condition};
use audit_core::time::Time;

/// How one secondary sink of a [`Fanout`](super::Fanout) is.
#[derive(Clone, Debug)]
pub struct SecondaryHealth {
    pub(super) name: String,
    pub(super) condition: Condition,
    pub(super) delivered: u64,
    pub(super) dropped: u64,
    pub(super) queued: usize,
    pub(super) last_error: Option<AppendError>,
    pub(super) stalled_since: Option<Time>,
}

impl SecondaryHealth {
    /// Returns the name that the sink was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the sink still gets records, and if not, why.
    #[must_use]
    pub const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Returns how many records the sink accepted.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Returns how many records the primary accepted that the sink did not, whether it was told of them or not.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns how many records wait for the sink, the one that it is being given included.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.queued
    }

    /// Returns the last error that the sink answered with, or its receipt's being late.
    #[must_use]
    pub const fn last_error(&self) -> Option<&AppendError> {
        self.last_error.as_ref()
    }

    /// Returns since when the sink takes nothing: it refused or did not confirm what it was given last, or has been at
    /// it for longer than the timeout. `None` while it works.
    #[must_use]
    pub const fn stalled_since(&self) -> Option<Time> {
        self.stalled_since
    }
}

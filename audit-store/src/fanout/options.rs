//! How a secondary sink is served.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use audit_core::id::{IdSource, RandomIds};
use audit_core::time::{Clock, SystemClock};

/// The settings of one secondary sink of a [`Fanout`](super::Fanout).
#[derive(Clone)]
pub struct SecondaryOptions {
    pub(super) queue_records_max: usize,
    pub(super) queue_bytes_max: usize,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
}

impl Default for SecondaryOptions {
    fn default() -> Self {
        Self {
            queue_records_max: 10_000,
            queue_bytes_max: 16 * 1024 * 1024,
            timeout: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }
}

impl SecondaryOptions {
    /// Returns the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits how many records wait for the sink, at least one. The default is 10,000.
    #[must_use]
    pub const fn queue_records_max(mut self, records: usize) -> Self {
        self.queue_records_max = records;
        self
    }

    /// Limits how many bytes the records that wait for the sink have together. The default is 16 MiB.
    ///
    /// One record always has room.
    #[must_use]
    pub const fn queue_bytes_max(mut self, bytes: usize) -> Self {
        self.queue_bytes_max = bytes;
        self
    }

    /// Limits how long a record is tried again that the sink refuses, how long its receipt is waited for, and how long
    /// closing waits for the sink; at least a millisecond. The default is five seconds.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes the times of records that were dropped from the given clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes the identifiers of `records.dropped` from the given source.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }
}

impl fmt::Debug for SecondaryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondaryOptions")
            .field("queue_records_max", &self.queue_records_max)
            .field("queue_bytes_max", &self.queue_bytes_max)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

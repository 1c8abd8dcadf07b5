//! How much a log has to do, for whoever watches it.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Weak};

use crate::log::{Handle, Log, Shared};

/// How much a log has to do, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// How many bytes of the journal are taken by records that are not in a segment yet.
    pub queued_bytes: u64,
    /// How many records wait in memory, as the journal has no room for them.
    pub queued_records: u64,
    /// How many records were refused since the log was opened.
    pub refused: u64,
    /// How many entries no checkpoint covers yet.
    pub uncovered: u64,
    /// How long ago the newest checkpoint of this opening was written.
    pub since_checkpoint: Duration,
}

impl Log {
    /// Tells how much the log has to do. This takes the log's lock, as a call never does.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.shared().figures()
    }

    /// Returns what tells that for as long as the log is open, and does not keep it so.
    #[must_use]
    pub fn gauge(&self) -> Gauge {
        Gauge(Arc::downgrade(&self.0))
    }
}

impl Shared {
    fn figures(&self) -> Figures {
        let (end, now) = (self.journal.end(), self.clock.steady());
        let state = self.state();
        Figures {
            queued_bytes: self.journal.bytes_between(state.written.position, end),
            queued_records: state.queue.len() as u64,
            refused: state.refusals.dropped.saturating_add(state.refusals.recorded),
            uncovered: state.size().saturating_sub(state.committed),
            since_checkpoint: now.saturating_sub(state.committed_time),
        }
    }
}

/// Reads the figures of a log without keeping it open.
pub struct Gauge(Weak<Handle>);

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gauge").field(&self.read()).finish()
    }
}

impl Gauge {
    /// Tells how much the log has to do; `None` once it has ended.
    #[must_use]
    pub fn read(&self) -> Option<Figures> {
        let handle = self.0.upgrade()?;
        handle.shared.is_open().then(|| handle.shared.figures())
    }
}

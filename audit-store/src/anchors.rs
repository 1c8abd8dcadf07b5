//! Anchoring: the checkpoints of a log given to those who keep them elsewhere, and what they gave back kept beside the log.
//!
//! A log that is opened with [`Options::anchor`](crate::Options::anchor) does this by itself, on a thread of its own for each
//! anchor. [`anchor`] does it once, for a log that nobody writes or that another process holds.
//!
//! What an anchor gave is kept as `<log>/anchors/<name of the anchor>/<20 digits of the size>.<form>`, and these files are all
//! that is remembered: whatever the newest of them does not cover is yet to be anchored, after a restart as before.

mod course;
mod receipts;

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use audit_core::anchor::{Anchor, AnchorName, Form};
use audit_core::time::Time;

use crate::disk::SystemDisk;
use crate::layout::Layout;
use crate::read::Segments;
use crate::{Error, Log};

pub(crate) use course::{Course, Gate};
pub(crate) use receipts::{Receipt, list};

/// How often an anchor is given a checkpoint, and how soon again what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub(crate) interval: Duration,
    pub(crate) retry_min: Duration,
    pub(crate) retry_max: Duration,
}

impl Pace {
    /// At most one checkpoint, or one record of those that were kept, in a minute; what failed is given again after one
    /// second, then ever later, up to five minutes.
    pub const DEFAULT: Self = Self {
        interval: Duration::from_secs(60),
        retry_min: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
    };

    /// Sets how long an anchor that takes the newest checkpoint is left alone after one was kept, and how far records of
    /// what was kept by one that takes each are apart.
    #[must_use]
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the first pause after a failure, and the longest one; each is twice the one before. What an anchor refuses it is
    /// given again after the longest.
    #[must_use]
    pub const fn retry(mut self, first: Duration, longest: Duration) -> Self {
        (self.retry_min, self.retry_max) = (first, longest);
        self
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Checkpoints that an anchor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// How many entries the newest of them covers.
    pub size: u64,
    /// How many they are.
    pub count: u64,
    /// The form of what was kept for the newest one.
    pub form: Form,
    /// The time that the anchor stated for it.
    pub time: Option<Time>,
}

/// Why an anchor does not have a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How many entries the checkpoint covers; 0 if none could be read.
    pub size: u64,
    /// The reason in a word: that of [`AnchorErrorKind`](audit_core::anchor::AnchorErrorKind), `not_read` if the log could
    /// not be read, or `not_kept` if what the anchor gave could not be written.
    pub kind: &'static str,
    /// What was expected and what was found.
    pub reason: String,
    /// True if the same may succeed later.
    pub is_passing: bool,
    /// True if the anchor has seen another log under this name, or a longer one: an alarm.
    pub contradicts_log: bool,
}

/// What came of giving an anchor what it did not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it has now.
    pub added: Option<Added>,
    /// What it then did not take.
    pub failed: Option<Failed>,
}

impl Outcome {
    /// Tells whether the anchor already had what there is.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.added.is_none() && self.failed.is_none()
    }
}

/// Gives an anchor the checkpoints of the log at `path` that it does not have, once, and keeps what it gives.
///
/// The log may be held by a process. Nothing is recorded: [`record`] does that.
///
/// # Errors
/// The path is no log ([`Error::is_not_a_log`]), or its receipts cannot be read ([`Error::is_io`]). What the anchor refuses
/// is in the [`Outcome`].
pub fn anchor(path: impl AsRef<Path>, anchor: Arc<dyn Anchor>) -> Result<Outcome, Error> {
    let layout = Layout::new(path.as_ref());
    Segments::list(&layout.directory)?;
    let directory = layout.anchors();
    let mut course = Course::open(layout, Arc::new(SystemDisk), anchor)
        .map_err(|source| Error::io(&directory, "read the receipts of an anchor", source))?;
    Ok(course.advance(&Gate::default()))
}

/// Records in a log what came of an anchor, as the log itself does: `anchor.added`, `anchor.failed`. The records are in the
/// log when it is [closed](Log::close), or soon.
pub fn record(log: &Log, name: &AnchorName, outcome: &Outcome) {
    outcome.added.iter().for_each(|added| log.post(Event::new(name, What::Added(*added))));
    outcome.failed.iter().for_each(|failed| log.post(Event::new(name, What::Failed(failed.clone()))));
}

/// What a log records of an anchor.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) anchor: AnchorName,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Added(Added),
    Failed(Failed),
}

impl Event {
    pub(crate) fn new(name: &AnchorName, what: What) -> Self {
        Self { anchor: name.clone(), what }
    }
}

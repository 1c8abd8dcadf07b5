//! What a sink is given: one record, and what it must know without parsing it.

use core::time::Duration;

use crate::id::CallId;
use crate::vocabulary::{Durability, Stage};

/// One record, ready to be appended: its canonical bytes and what a sink must know without parsing them.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    record: &'a [u8],
    call_id: Option<CallId>,
    stage: Stage,
    durability: Option<Durability>,
    when_full: WhenFull,
    timeout: Option<Duration>,
    is_asked: bool,
    is_checked: bool,
}

/// What a sink does with a record that it has no room for at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The calling thread waits for room.
    #[default]
    Block,
    /// A copy of the record waits for room, and the receipt with it: the thread belongs to an executor.
    Queue,
    /// The record is refused: nobody can wait.
    Refuse,
}

impl<'a> Prepared<'a> {
    /// Wraps the canonical JSON (RFC 8785) of one record that belongs to no call.
    #[must_use]
    pub const fn new(record: &'a [u8], stage: Stage) -> Self {
        Self {
            record,
            call_id: None,
            stage,
            durability: None,
            when_full: WhenFull::Block,
            timeout: None,
            is_asked: true,
            is_checked: false,
        }
    }

    /// Wraps the bytes of a record that this crate wrote, so that no sink needs to look whether they are one.
    #[must_use]
    pub(crate) const fn canonical(record: &'a [u8], stage: Stage) -> Self {
        Self { is_checked: true, ..Self::new(record, stage) }
    }

    /// Names the call that the record belongs to.
    #[must_use]
    pub const fn call(mut self, id: CallId) -> Self {
        self.call_id = Some(id);
        self
    }

    /// Demands at least this durability, whatever the log's own is.
    #[must_use]
    pub const fn durability(mut self, durability: Option<Durability>) -> Self {
        self.durability = durability;
        self
    }

    /// Says what happens if there is no room; the default is [`WhenFull::Block`].
    #[must_use]
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Limits how long the record waits for room, and for the disk where that is demanded; `None` leaves it to the log.
    #[must_use]
    pub const fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Says that nobody will ask for the record's place, which spares the sink to remember who does.
    ///
    /// The receipt then tells refusals, and waits where durability is demanded; waited for otherwise it resolves to an
    /// error of kind [`Unasked`](super::AppendErrorKind::Unasked).
    #[must_use]
    pub const fn unasked(mut self) -> Self {
        self.is_asked = false;
        self
    }

    /// Returns the canonical bytes of the record.
    #[must_use]
    pub const fn record(&self) -> &'a [u8] {
        self.record
    }

    /// Returns the call that the record belongs to.
    #[must_use]
    pub const fn call_id(&self) -> Option<CallId> {
        self.call_id
    }

    /// Returns the stage of the record.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns the durability that the record's action demands; `None` leaves it to the log.
    #[must_use]
    pub const fn durability_demanded(&self) -> Option<Durability> {
        self.durability
    }

    /// Returns what happens if there is no room.
    #[must_use]
    pub const fn if_full(&self) -> WhenFull {
        self.when_full
    }

    /// Returns how long the record may wait; `None` leaves it to the log.
    #[must_use]
    pub const fn patience(&self) -> Option<Duration> {
        self.timeout
    }

    /// Tells whether somebody may ask for the record's place.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Tells whether the bytes are known to be a record in canonical form, so that a sink need not look.
    #[must_use]
    pub const fn is_checked(&self) -> bool {
        self.is_checked
    }
}

//! What a log asks of the process that it runs in, so that tests can answer.

use audit_core::unrecorded::{self, Gap};

use crate::journal::Journal;

/// The process that a log runs in.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    /// Tells whether it is a forked copy of the one that made the journal.
    pub(crate) is_child: fn(&Journal) -> bool,
    /// Takes the calls that ran while there was no log to record them.
    pub(crate) take_gap: fn() -> Option<Gap>,
    /// Gives back what could not be stated in a log, for the next one.
    pub(crate) put_back_gap: fn(Gap),
}

impl Process {
    /// The process that is running.
    pub(crate) const CURRENT: Self =
        Self { is_child: Journal::is_child, take_gap: unrecorded::take, put_back_gap: unrecorded::put_back };
}

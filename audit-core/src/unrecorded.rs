//! Calls that ran although they could not be recorded: counted here until a log can state the gap.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::time::Time;

/// How many calls ran unrecorded, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many calls and events.
    pub count: u64,
    /// The time of the first of them.
    pub first: Time,
    /// The time of the last of them.
    pub last: Time,
}

static GAP: Mutex<Option<Gap>> = Mutex::new(None);

/// Returns how many calls ran unrecorded since a log last stated the gap.
#[must_use]
pub fn count() -> u64 {
    GAP.lock().unwrap_or_else(PoisonError::into_inner).map_or(0, |gap| gap.count)
}

/// Takes the gap, to be stated in a log. A log that fails to append it gives it back with [`put_back`].
#[must_use]
pub fn take() -> Option<Gap> {
    GAP.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Gives back a gap that could not be stated.
pub fn put_back(gap: Gap) {
    let mut current = GAP.lock().unwrap_or_else(PoisonError::into_inner);
    *current = Some(current.map_or(gap, |later| Gap {
        count: gap.count + later.count,
        first: gap.first.min(later.first),
        last: gap.last.max(later.last),
    }));
}

/// Counts one call; the first of a gap is told on stderr.
pub(crate) fn add(time: Time, why: &dyn core::fmt::Display) {
    let first = count() == 0;
    put_back(Gap { count: 1, first: time, last: time });
    if first {
        // The last resort has nowhere to report its own failure to.
        let _unheard = writeln!(std::io::stderr(), "audited: calls are running unrecorded and are only counted: {why}");
    }
}

//! Calls that ran although they could not be recorded: counted here until a log can state the gap.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::sink::AppendError;
use crate::time::Time;

/// How many calls and events went unrecorded, and when. A log that refuses a record and stays open states that itself
/// and is not counted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many.
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

/// Counts one call or event: without a cause there is no log at all. What a log refuses while it stays open it counts
/// and states itself.
pub(crate) fn add(time: Time, cause: Option<&AppendError>, why: &dyn fmt::Display) {
    if cause.is_none_or(AppendError::is_final) {
        put_back(Gap { count: 1, first: time, last: time });
    }
    tell(why);
}

/// Tells it on stderr, once in the life of the process.
fn tell(why: &dyn fmt::Display) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        // The last resort has nowhere to report its own failure to.
        let _unheard = writeln!(std::io::stderr(), "audited: calls are running unrecorded and are only counted: {why}");
    }
}

//! What is told of calls and of the log while the program runs, for metrics.
//!
//! Without an observer each place where something could be told costs one look at an address.

use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;

use crate::vocabulary::Status;

/// Takes what is told. It runs on the thread of a call or of the log: it returns at once and does not panic.
pub trait Observer: Send + Sync + 'static {
    /// A call has ended.
    fn called(&self, call: &Called<'_>);

    /// A record of a call was handed to the sink, which took this long: to copy it, and where the log has no room, to wait.
    fn appended(&self, duration: Duration);

    /// Entries were brought to the disk.
    fn synced(&self, duration: Duration);
}

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// The tool's name.
    pub tool: &'a str,
    /// How it ended.
    pub status: Status,
    /// The type of its error.
    pub error_type: Option<&'a str>,
    /// How long it took.
    pub duration: Duration,
}

/// Makes this the one observer of the process; false if there is one already.
pub fn register(observer: Box<dyn Observer>) -> bool {
    OBSERVER.set(observer).is_ok()
}

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();

/// Tells that a call has ended.
pub(crate) fn called(call: &Called<'_>) {
    if let Some(observer) = OBSERVER.get() {
        observer.called(call);
    }
}

/// Hands a record over, and tells how long that took.
pub(crate) fn timed<R>(append: impl FnOnce() -> R) -> R {
    let Some(observer) = OBSERVER.get() else { return append() };
    let start = Instant::now();
    let appended = append();
    observer.appended(start.elapsed());
    appended
}

/// Brings entries to the disk, and tells how long that took: for sinks.
pub fn syncing<R>(sync: impl FnOnce() -> R) -> R {
    let Some(observer) = OBSERVER.get() else { return sync() };
    let start = Instant::now();
    let synced = sync();
    observer.synced(start.elapsed());
    synced
}

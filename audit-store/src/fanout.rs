//! Secondary sinks: whoever keeps the records beside the log, and never holds it up.

mod health;
mod options;
mod queue;
mod shared;
mod statement;
mod worker;

use core::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::thread;

use audit_core::privacy::Privacy;
use audit_core::sink::{AppendError, AppendErrorKind, Hash, Health, Prepared, Receipt, Sink};

pub use health::SecondaryHealth;
pub use options::SecondaryOptions;
use queue::Record;
use shared::{Shared, Tell};
use worker::Worker;

/// A [`Sink`] that gives a copy of each record that its primary accepts to secondary sinks, each behind a queue and a
/// thread of its own.
///
/// Whoever appends gets the primary's answer, as if it were alone: a secondary that is slow, fails or hangs delays
/// nothing and fails nothing. What the log writes by itself, such as `log.opened`, is no record that was appended, and
/// is not copied.
///
/// ```
/// use audit_store::{Fanout, Log, SecondaryOptions};
/// # use audit_core::sink::{Prepared, Sink};
/// # use audit_core::vocabulary::Stage;
///
/// # let directory = tempfile::tempdir()?;
/// # let (path, elsewhere) = (directory.path().join("orders"), directory.path().join("elsewhere"));
/// let log = Log::open(&path)?;
/// let copy = Log::open(&elsewhere)?;
/// let fanout = Fanout::new(log.clone()).secondary("copy", copy, &SecondaryOptions::new());
/// // … hand `fanout` to whoever appends records, as one would the log …
/// # let record = br#"{"event_name":"run.created","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00Z"}"#;
/// # fanout.append(&Prepared::new(record, Stage::Event)).wait()?;
/// log.close()?;
/// let health = fanout.close().remove(0);
/// assert_eq!((health.name(), health.delivered(), health.dropped()), ("copy", 1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A handle can be cloned and used from any thread; it keeps its primary open as a clone of that does. Neither a layer
/// on it nor the process-wide recorder counts as one: keep a handle as long as records are to be copied. When the last
/// one is dropped the secondaries are closed as by [`close`](Self::close), while a layer on it goes on with the
/// primary, as long as that is open.
///
/// *Durability.* A copy is made in memory once the primary accepted the record, and is lost with the process. The
/// secondary keeps it as durably as it was set up to: what an action demands is demanded of the primary alone. A record
/// whose receipt of the primary fails later, as when an `fdatasync` does, may have been copied before.
///
/// *Ordering.* A secondary gets the records in the order in which the appends to the primary returned: those of one
/// thread, and any of which one was appended after the other had returned, in the order in which they were appended.
/// Only appends that overlap in time may change places.
///
/// *Retry.* One record at a time is handed over. One that the secondary refuses is tried again after a growing pause
/// until the [timeout](SecondaryOptions::timeout) is over, unless it is refused as malformed or too long; then it is
/// dropped. So is one whose receipt does not resolve in time: it may be there nevertheless, and is not tried again. A
/// refused record that is there nevertheless comes twice, with the same `record_id`. An error that
/// [is final](AppendError::is_final) ends the secondary: it gets nothing more.
///
/// *Overflow.* A queue has room for [so many records](SecondaryOptions::queue_records_max) and
/// [so many bytes](SecondaryOptions::queue_bytes_max). Without room the newest record is dropped.
///
/// *Drops.* The first one is told on stderr, all are counted in [`secondaries`](Self::secondaries), and
/// `records.dropped` in the place of the missing records tells the secondary how many there are, and when the first and
/// the last of them were appended. It is tried until the secondary takes it, before any other record, unless it is
/// refused as malformed. The primary, which has all records, says nothing of it. A secondary that is a log takes a call
/// whose end is missing for one that was left open.
///
/// *Threads.* Code that hangs cannot be interrupted: the thread of a secondary that hangs while it is closed is left
/// behind, and ends if ever its sink returns. A secondary makes no audited calls: each would give it another record.
///
/// *Forks.* A forked copy of the process has none of the threads. A primary such as [`Log`](crate::Log) refuses records
/// there, so that none is copied; closing and dropping a handle do nothing there.
#[derive(Clone)]
pub struct Fanout {
    primary: Arc<dyn Sink>,
    secondaries: Vec<Arc<Secondary>>,
}

impl Fanout {
    /// Makes a fan-out to this primary, which has no secondary sinks yet.
    #[must_use]
    pub fn new(primary: impl Sink) -> Self {
        Self { primary: Arc::new(primary), secondaries: Vec::new() }
    }

    /// Adds a secondary sink, which this handle and those that are cloned from it copy records to.
    ///
    /// The name, of which the first 100 characters count, stands in what is told of the sink. A sink whose thread
    /// cannot be started has failed from the beginning.
    #[must_use]
    pub fn secondary(self, name: &str, sink: impl Sink, options: &SecondaryOptions) -> Self {
        self.secondary_telling(name, sink, options, Arc::new(tell))
    }

    fn secondary_telling(mut self, name: &str, sink: impl Sink, options: &SecondaryOptions, tell: Tell) -> Self {
        let shared = Arc::new(Shared::new(name, options, tell));
        let worker = Worker::new(Arc::clone(&shared), Box::new(sink), Arc::clone(&options.ids));
        let thread = thread::Builder::new().name("audited-copy".to_owned()).spawn(|| worker.run());
        if let Err(error) = thread {
            let fault = AppendError::new(AppendErrorKind::Io, "found no thread for the sink").caused_by(error);
            shared.end(Some(fault));
            shared.note_done();
        }
        self.secondaries.push(Arc::new(Secondary(shared)));
        self
    }

    /// Returns how each secondary sink is, in the order in which they were added.
    #[must_use]
    pub fn secondaries(&self) -> Vec<SecondaryHealth> {
        self.secondaries.iter().map(|secondary| secondary.0.health()).collect()
    }

    /// Closes the secondary sinks for all handles, and returns how they ended.
    ///
    /// What is queued is delivered, which all secondaries together are granted the longest of their timeouts for; what
    /// is left then is dropped and told on stderr. The primary stays open: best it is closed before, so that nothing is
    /// appended any more. Closing again changes nothing.
    pub fn close(&self) -> Vec<SecondaryHealth> {
        for secondary in &self.secondaries {
            secondary.0.begin_closing();
        }
        for secondary in &self.secondaries {
            secondary.0.finish_closing();
        }
        self.secondaries()
    }
}

impl Sink for Fanout {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        append(&*self.primary, self.secondaries.iter().map(|secondary| &*secondary.0), prepared)
    }

    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        self.primary.keep(payload)
    }

    fn is_open(&self) -> bool {
        self.primary.is_open()
    }

    fn health(&self) -> Health {
        self.primary.health()
    }

    fn privacy(&self) -> Option<Arc<Privacy>> {
        self.primary.privacy()
    }

    fn weak(&self) -> Option<Arc<dyn Sink>> {
        let primary = self.primary.weak().unwrap_or_else(|| Arc::clone(&self.primary));
        let secondaries = self.secondaries.iter().map(|secondary| Arc::clone(&secondary.0)).collect();
        Some(Arc::new(WeakFanout { primary, secondaries }))
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        // All that end with this handle begin to end now, so that they do it in the same time.
        for secondary in self.secondaries.iter().filter(|secondary| Arc::strong_count(secondary) == 1) {
            secondary.0.begin_closing();
        }
    }
}

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.secondaries.iter().map(|secondary| &*secondary.0.name).collect();
        f.debug_struct("Fanout").field("secondaries", &names).finish_non_exhaustive()
    }
}

/// The handle for layers and the recorder: it keeps neither the primary open nor the secondaries at work.
struct WeakFanout {
    primary: Arc<dyn Sink>,
    /// They count what they do not get any more.
    secondaries: Vec<Arc<Shared>>,
}

impl Sink for WeakFanout {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        append(&*self.primary, self.secondaries.iter().map(|shared| &**shared), prepared)
    }

    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        self.primary.keep(payload)
    }

    fn is_open(&self) -> bool {
        self.primary.is_open()
    }

    fn health(&self) -> Health {
        self.primary.health()
    }

    fn privacy(&self) -> Option<Arc<Privacy>> {
        self.primary.privacy()
    }
}

/// What the handles share of one secondary sink; the last one closes it.
struct Secondary(Arc<Shared>);

impl Drop for Secondary {
    fn drop(&mut self) {
        self.0.begin_closing();
        self.0.finish_closing();
    }
}

/// Appends to the primary, and queues a copy for each secondary.
///
/// No lock is held while the primary works: that would make its callers wait for each other. So each copy is queued
/// before its append returns, and overlapping appends may be queued in another order than they have in the primary.
fn append<'a>(
    primary: &dyn Sink,
    secondaries: impl ExactSizeIterator<Item = &'a Shared>,
    prepared: &Prepared<'_>,
) -> Receipt {
    let receipt = primary.append(prepared);
    if secondaries.len() == 0 || receipt.is_refused() {
        return receipt;
    }
    let mut copy: Option<Record> = None;
    for secondary in secondaries {
        let record = copy.get_or_insert_with(|| Record {
            bytes: prepared.record().into(),
            call_id: prepared.call_id(),
            stage: prepared.stage(),
            time: secondary.clock.now(),
        });
        secondary.offer(record);
    }
    receipt
}

/// Tells it on stderr.
fn tell(what: &str) {
    // The last resort has nowhere to report its own failure to.
    let _unheard = writeln!(std::io::stderr(), "{what}");
}

#[cfg(test)]
mod tests;

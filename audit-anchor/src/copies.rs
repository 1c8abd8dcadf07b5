//! Copies of checkpoints in another sink.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use audit_core::anchor::{Anchor, AnchorError, AnchorErrorKind, AnchorName, Form, Kept, Request, Takes};
use audit_core::entry::RECORD_BYTES_MAX;
use audit_core::id::{RandomIds, RecordId};
use audit_core::sink::{AppendError, AppendErrorKind, Appended, Prepared, Receipt, Sink, WhenFull};
use audit_core::time::{Clock as _, SystemClock};
use audit_core::verify::SCHEMA_VERSION;
use audit_core::vocabulary::{Applied, Durability, EventName, Status};
use serde_json::json;

/// A copy of each checkpoint in a [`Sink`]: another log, best on another host, or what exports records.
///
/// A sink takes records, so each checkpoint comes as one: `anchor.added`, with the log's origin as its target (type `log`)
/// and the signed note, verbatim, in the annotation `checkpoint`.
///
/// What is kept says where the copy is: the number and leaf hash of the entry in the other log. That the sink is beyond the
/// reach of who writes this log is for you to see to: a directory beside it is not.
///
/// *Durability.* The record is to be on the other sink's disk before the checkpoint counts as copied. *Ordering.* As the
/// log made them. *Retry.* A checkpoint whose answer is lost is copied again: the other sink may have it twice, with two
/// values of `record_id`. *Overflow.* The checkpoint waits in the log's own queue.
pub struct Copies<S> {
    name: AnchorName,
    sink: S,
    timeout: Duration,
}

/// How long the sink may take unless set.
const TIMEOUT: Duration = Duration::from_secs(30);

impl<S: Sink> Copies<S> {
    /// Makes the anchor of a sink.
    #[must_use]
    pub const fn new(name: AnchorName, sink: S) -> Self {
        Self { name, sink, timeout: TIMEOUT }
    }

    /// Limits how long the sink may take for one checkpoint; 30 seconds unless set.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn fault(&self, kind: AnchorErrorKind, fault: &AppendError) -> AnchorError {
        let found = format!("expected the sink of {} to take the checkpoint, found: {fault}", self.name);
        AnchorError::new(kind, found).caused_by(fault.clone())
    }
}

impl<S: Sink> Anchor for Copies<S> {
    fn name(&self) -> &AnchorName {
        &self.name
    }

    fn takes(&self) -> Takes {
        Takes::Each
    }

    fn anchor(&self, request: &mut Request<'_>) -> Result<Kept, AnchorError> {
        let record = record(&self.name, request);
        if record.len() > RECORD_BYTES_MAX {
            let found = format!("expected a record of at most {RECORD_BYTES_MAX} bytes, found {}", record.len());
            return Err(AnchorError::new(AnchorErrorKind::Malformed, found));
        }
        let prepared = Prepared::new(&record, EVENT.stage())
            .durability(Some(Durability::Disk))
            .when_full(WhenFull::Block)
            .timeout(Some(self.timeout));
        match wait(self.sink.append(&prepared), Instant::now() + self.timeout) {
            Some(Ok(place)) => Ok(kept(place)),
            Some(Err(fault)) => Err(self.fault(kind_of(&fault), &fault)),
            None => {
                let found =
                    format!("expected the sink of {} to answer within {:?}, found nothing", self.name, self.timeout);
                Err(AnchorError::new(AnchorErrorKind::Timeout, found))
            }
        }
    }
}

impl<S> fmt::Debug for Copies<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copies").field("name", &self.name).finish_non_exhaustive()
    }
}

const EVENT: EventName = EventName::AnchorAdded;

/// Returns the canonical bytes of the record that holds the checkpoint.
fn record(name: &AnchorName, request: &Request<'_>) -> Vec<u8> {
    let now = SystemClock.now();
    let time = now.to_string();
    let record = json!({
        "action": EVENT.as_str(),
        "actor": { "system": { "id": "audited" } },
        "annotations": { "anchor": name.as_str(), "checkpoint": request.note().to_string() },
        "event_name": EVENT.as_str(),
        "observed_time": time,
        "outcome": { "effect": Applied::None.as_str(), "status": Status::Success.as_str() },
        "record_id": RecordId::new(&RandomIds, now).to_string(),
        "schema_version": SCHEMA_VERSION,
        "stage": EVENT.stage().as_str(),
        "target": [{ "id": request.checkpoint().origin, "type": "log" }],
        "time": time,
    });
    // JSON that is made here always has a canonical form.
    audit_core::canonical::to_vec(&record).unwrap_or_default()
}

fn kept(place: Appended) -> Kept {
    let place = json!({ "leaf_hash": place.leaf_hash.to_string(), "number": place.number });
    Kept::new(Form::Place, audit_core::canonical::to_vec(&place).unwrap_or_default())
}

const fn kind_of(fault: &AppendError) -> AnchorErrorKind {
    match fault.kind() {
        AppendErrorKind::TooLarge | AppendErrorKind::Invalid => AnchorErrorKind::Malformed,
        _ if fault.is_final() => AnchorErrorKind::Ended,
        _ => AnchorErrorKind::Unavailable,
    }
}

/// Waits for a receipt; `None` if the time is over.
fn wait(mut receipt: Receipt, deadline: Instant) -> Option<Result<Appended, AppendError>> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = Future::poll(Pin::new(&mut receipt), &mut context) {
            return Some(result);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

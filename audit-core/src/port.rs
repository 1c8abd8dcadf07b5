//! The port: how a call finds the sink, and the process-wide recorder behind it.

mod survey;
mod ties;

use core::time::Duration;
use core::{fmt, mem};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::{Dispatch, dispatcher, span};

use crate::audit_policy::AuditPolicy;
use crate::context::Ambient;
use crate::id::{self, CallId, IdSource, RandomIds, RecordId};
use crate::policed::Removals;
use crate::privacy::Privacy;
use crate::record::{Draft, Stamp};
use crate::sink::{Prepared, Receipt, Sink, WhenFull};
use crate::time::{Clock, SystemClock, Time};
use crate::vocabulary::Durability;

use survey::Installations;
pub use survey::{Identify, Installed, is_call_span, let_go};
use ties::Ties;

/// The way from a call to its sink.
///
/// A tracing layer hands one out through `downcast_raw`, where it is found whatever the filters say about spans. Sets
/// each record's `record_id` and `observed_time`.
#[derive(Clone)]
pub struct AuditPort(Arc<Inner>);

struct Inner {
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    spans: Option<SpanSide>,
    ties: Ties,
    /// Shared by all ports of one layer.
    installations: Arc<Installations>,
}

/// What the layer does for calls: it ties an [`Ambient`] to a span and finds the nearest one again.
#[derive(Clone, Copy, Debug)]
pub struct SpanSide {
    /// Ties the ambient to the span, by the port or in the span's extensions.
    pub attach: fn(&AuditPort, &Dispatch, &span::Id, &Ambient),
    /// Returns the ambient of the nearest span from the first one up to, but not including, the second.
    pub nearest: fn(&AuditPort, &Dispatch, &span::Id, Option<&span::Id>) -> Option<Ambient>,
}

/// What an action demands of its records, beside what the log does for all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    /// What a record must survive; `None` leaves it to the log.
    pub(crate) durability: Option<Durability>,
    /// How long a record may wait; `None` leaves it to the log.
    pub(crate) timeout: Option<Duration>,
}

impl fmt::Debug for AuditPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditPort").field("spans", &self.0.spans.is_some()).finish_non_exhaustive()
    }
}

impl AuditPort {
    /// Makes a port on a sink, with the system's clock and random identifiers.
    #[must_use]
    pub fn new(sink: Arc<dyn Sink>) -> Self {
        Self::with_sources(sink, Arc::new(SystemClock), Arc::new(RandomIds))
    }

    /// Makes a port with a clock and identifiers of its own, for tests.
    #[must_use]
    pub fn with_sources(sink: Arc<dyn Sink>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        // The process may have been forked off another one that has a port.
        id::renew();
        Self(Arc::new(Inner { sink, clock, ids, spans: None, ties: Ties::default(), installations: Arc::default() }))
    }

    /// Returns the same port with the layer's side of spans.
    #[must_use]
    pub fn with_spans(&self, spans: SpanSide) -> Self {
        let Inner { sink, clock, ids, installations, .. } = &*self.0;
        Self(Arc::new(Inner {
            sink: Arc::clone(sink),
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            spans: Some(spans),
            ties: Ties::new(),
            installations: Arc::clone(installations),
        }))
    }

    /// Makes this the process-wide recorder, which serves calls that no layer is reachable from, unless one with an
    /// open sink is set already. Returns whether it was made so.
    #[must_use]
    pub fn make_recorder(&self) -> bool {
        loop {
            let current = current_recorder();
            if current.as_ref().is_some_and(|port| port.0.sink.is_open()) {
                return false;
            }
            // Once more only if another thread was quicker.
            if replace_recorder(current.as_ref(), Some(self.clone())) {
                return true;
            }
        }
    }

    /// Finds the port of the current dispatcher, or the process-wide recorder.
    #[must_use]
    pub fn find() -> Option<Self> {
        let of_layer = dispatcher::get_default(|dispatch| dispatch.downcast_ref::<Self>().cloned());
        of_layer.filter(|port| port.0.sink.is_open()).or_else(recorder)
    }

    /// Returns this port, or the process-wide recorder if this one's sink is closed.
    pub(crate) fn or_recorder(&self) -> Option<Self> {
        if self.0.sink.is_open() { Some(self.clone()) } else { recorder() }
    }

    /// Returns what the log removes, and what its policy removes whichever rule decides.
    pub(crate) fn privacy(&self) -> Arc<Privacy> {
        let policy = self.policy().and_then(|policy| Removals::of_all(&policy, self.0.sink.privacy()));
        policy.unwrap_or_else(|| self.log_privacy())
    }

    /// Returns what the log removes.
    pub(crate) fn log_privacy(&self) -> Arc<Privacy> {
        self.0.sink.privacy().unwrap_or_else(Privacy::shared)
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn sink(&self) -> &dyn Sink {
        &*self.0.sink
    }

    /// Returns the policy of the sink.
    pub(crate) fn policy(&self) -> Option<Arc<AuditPolicy>> {
        let sink = self.sink();
        if sink.policy_serial() == 0 { None } else { sink.policy() }
    }

    pub(crate) fn new_call_id(&self, time: Time) -> CallId {
        CallId::new(&*self.0.ids, time)
    }

    pub(crate) fn attach(&self, dispatch: &Dispatch, id: &span::Id, ambient: &Ambient) {
        if let Some(spans) = self.0.spans {
            (spans.attach)(self, dispatch, id, ambient);
        }
    }

    pub(crate) fn nearest_ambient(&self, current: &span::Id, stop: Option<&span::Id>) -> Option<Ambient> {
        let spans = self.0.spans?;
        dispatcher::get_default(|dispatch| (spans.nearest)(self, dispatch, current, stop))
    }

    /// Ties what is at work inside a call to its span, for the layer that has seen the span begin; false if the layer has
    /// to keep it in the span's extensions.
    #[must_use]
    pub fn tie(&self, span: &span::Id, ambient: &Ambient) -> bool {
        self.0.ties.tie(span, ambient)
    }

    /// Returns what is tied to the span.
    #[must_use]
    pub fn tied(&self, span: &span::Id) -> Option<Ambient> {
        self.0.ties.find(span)
    }

    /// Unties the span, for the layer that sees it end; returns what was tied to it.
    pub fn untie(&self, span: &span::Id) -> Option<Ambient> {
        self.0.ties.untie(span)
    }

    /// Says that the layer is not the only one that looks for what is tied to spans: they are kept in the extensions then.
    pub fn share_spans(&self) {
        self.0.ties.share();
    }

    /// Returns where the port stands in memory: the same for all handles to it.
    #[must_use]
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Makes the identifier of a record of the given time.
    pub(crate) fn new_record_id(&self, time: Time) -> RecordId {
        RecordId::new(&*self.0.ids, time)
    }

    /// Stamps the record, writes its canonical bytes and appends them. Nobody learns its place.
    pub(crate) fn append(&self, draft: &Draft<'_>, demand: Demand) -> Receipt {
        self.append_under(self.new_record_id(draft.time), draft, demand)
    }

    /// Appends a record like [`append`](Self::append), under an identifier that was made for it.
    pub(crate) fn append_under(&self, record_id: RecordId, draft: &Draft<'_>, demand: Demand) -> Receipt {
        self.append_as(record_id, draft, |prepared| demand.made_of(prepared.unasked()))
    }

    /// Appends a record like [`append`](Self::append), for someone who may ask for its place.
    pub(crate) fn append_asked(&self, draft: &Draft<'_>) -> Receipt {
        self.append_as(self.new_record_id(draft.time), draft, |prepared| prepared)
    }

    // The sink's receipt is returned by nothing but its place: a copy of it here would wait for the bytes that the sink
    // has just written.
    fn append_as(
        &self,
        record_id: RecordId,
        draft: &Draft<'_>,
        demand: impl FnOnce(Prepared<'_>) -> Prepared<'_>,
    ) -> Receipt {
        // The program that makes a record observes it, at its own time: no clock is asked once more.
        let stamp = Stamp { record_id, observed: draft.time };
        let bytes = draft.write(stamp, &|payload| self.0.sink.keep(payload));
        // Whether the caller can block its thread is known to the one who waits for the receipt.
        let prepared = Prepared::canonical(&bytes, draft.event.stage()).when_full(WhenFull::Queue);
        let prepared = draft.call.as_ref().map_or(prepared, |call| prepared.call(call.id));
        self.0.sink.append(&demand(prepared))
    }
}

impl Demand {
    fn made_of(self, prepared: Prepared<'_>) -> Prepared<'_> {
        let prepared = prepared.durability(self.durability).timeout(self.timeout);
        // A queue would keep the record until somebody looks whether its time is over.
        if self.timeout == Some(Duration::ZERO) { prepared.when_full(WhenFull::Refuse) } else { prepared }
    }
}

/// A sink is the user's code, which may look for the recorder itself: none of it runs, neither `is_open` nor the drop of
/// the last port, while this is locked.
static RECORDER: RwLock<Option<AuditPort>> = RwLock::new(None);

fn current_recorder() -> Option<AuditPort> {
    RECORDER.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Replaces the recorder if it is still the expected one. Returns whether it was.
fn replace_recorder(expected: Option<&AuditPort>, new: Option<AuditPort>) -> bool {
    let mut recorder = RECORDER.write().unwrap_or_else(PoisonError::into_inner);
    let unchanged = match (recorder.as_ref(), expected) {
        (Some(found), Some(expected)) => Arc::ptr_eq(&found.0, &expected.0),
        (found, expected) => found.is_none() && expected.is_none(),
    };
    let unused = if unchanged { mem::replace(&mut *recorder, new) } else { new };
    drop(recorder);
    drop(unused);
    unchanged
}

/// Returns the process-wide recorder; one whose sink is closed is let go.
fn recorder() -> Option<AuditPort> {
    let current = current_recorder()?;
    if current.0.sink.is_open() {
        return Some(current);
    }
    survey::note_let_go(current.0.sink.health());
    let _was_first = replace_recorder(Some(&current), None);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{AppendError, AppendErrorKind};
    use core::sync::atomic::{AtomicUsize, Ordering};

    static LOOKED: AtomicUsize = AtomicUsize::new(0);

    /// A closed sink that looks for the recorder whenever it is asked or dropped.
    struct Curious;

    fn look() {
        drop(RECORDER.write());
        LOOKED.fetch_add(1, Ordering::Relaxed);
    }

    impl Sink for Curious {
        fn append(&self, _prepared: &Prepared<'_>) -> Receipt {
            Receipt::ready(Err(AppendError::new(AppendErrorKind::Closed, "always")))
        }

        fn is_open(&self) -> bool {
            look();
            false
        }
    }

    impl Drop for Curious {
        fn drop(&mut self) {
            look();
        }
    }

    #[test]
    fn a_sink_may_look_for_the_recorder_when_it_is_asked_and_dropped() {
        let make = || AuditPort::new(Arc::new(Curious)).make_recorder();
        assert!(make());
        // The second one asks the first whether it is open, and lets it go.
        assert!(make());
        assert!(LOOKED.load(Ordering::Relaxed) >= 2);
        assert!(recorder().is_none());
        assert!(LOOKED.load(Ordering::Relaxed) >= 4);
    }
}

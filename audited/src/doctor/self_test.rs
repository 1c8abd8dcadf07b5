//! The self-test: one real call, and what became of its records and its span.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

use audit_core::port::AuditPort;
use audit_core::sink::AppendError;
use audit_core::vocabulary::{Effect, Level, Status};
use audit_core::{Conclusion, manual, unrecorded};

use super::Cause;

/// How long a log may take to confirm one record.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What became of the self-test.
pub(super) struct Tested {
    pub(super) kept: Kept,
    /// Unknown if the body did not run.
    pub(super) span: Option<Span>,
}

/// What became of its records.
pub(super) enum Kept {
    Both,
    /// The first one is in the log, the second one is not.
    WithoutEnd,
    WithoutLog,
    Refused(AppendError),
    Unconfirmed,
}

/// What became of its span.
#[derive(Clone, Copy)]
pub(super) enum Span {
    Off,
    /// It is switched off, but not where the subscriber is asked anew.
    OffByMemory,
    On,
    /// It was enabled, but no audit layer saw it.
    Unseen(Again),
}

/// Whether a second span of the same kind was seen.
#[derive(Clone, Copy)]
pub(super) enum Again {
    Seen,
    Unseen,
}

/// Makes the call; `port` is the way that it goes.
pub(super) fn run(port: Option<&AuditPort>) -> Tested {
    let outer = tracing::Span::current().id();
    let call = manual::tool_call("audited.doctor", "doctor").effect(Effect::Read).level(Level::Metadata).deny();
    let mut call = match wait(call.begin().ready()) {
        None => return Tested { kept: Kept::Unconfirmed, span: None },
        Some(Ok(call)) => call,
        Some(Err(unavailable)) => {
            let cause = unavailable.source().and_then(|source| source.downcast_ref::<AppendError>());
            let kept = cause.cloned().map_or(Kept::WithoutLog, Kept::Refused);
            return Tested { kept, span: None };
        }
    };
    let span = Some(call.run(|| look(outer)));
    let before = missing(port);
    call.finish(Conclusion::from(Status::Success), None);
    Tested { kept: if missing(port) > before { Kept::WithoutEnd } else { Kept::Both }, span }
}

/// Counts the records that did not reach the log so far.
fn missing(port: Option<&AuditPort>) -> u64 {
    unrecorded::count().saturating_add(port.map_or(0, |port| port.health().refused()))
}

/// Looks, inside the call, at its span.
fn look(outer: Option<tracing::span::Id>) -> Span {
    let span = tracing::Span::current();
    let Some(id) = span.id().filter(|id| Some(id) != outer.as_ref()) else {
        return if is_wanted() { Span::OffByMemory } else { Span::Off };
    };
    if audit_layer::was_seen(&id) {
        return Span::On;
    }
    // What kept the first span from the layer may have been left over from something else, and is used up now.
    let again = tracing::info_span!(target: "audit", "execute_tool");
    let seen = again.id().is_some_and(|id| audit_layer::was_seen(&id));
    Span::Unseen(if seen { Again::Seen } else { Again::Unseen })
}

/// Tells whether the subscriber wants spans like that of a call, whatever tracing remembers of the call's own: this one is
/// made only where the subscriber with the layer is at work, so that it was not met anywhere else.
fn is_wanted() -> bool {
    AuditPort::of_dispatcher().is_some() && !tracing::info_span!(target: "audit", "execute_tool").is_disabled()
}

impl Kept {
    pub(super) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Both => None,
            Self::WithoutEnd => Some(Cause::EndRefused),
            Self::WithoutLog => Some(Cause::NoLog),
            Self::Refused(error) => Some(Cause::Refused(error.clone())),
            Self::Unconfirmed => Some(Cause::Unconfirmed),
        }
    }
}

/// Waits for the future, up to the limit.
fn wait<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let start = Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = WAIT_MAX.checked_sub(start.elapsed())?;
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

//! From a record to its trace: where the identifiers of the current span of OpenTelemetry come from.
//!
//! This crate knows nothing of OpenTelemetry. Who does registers a [`Source`], which is asked inside of the span of each
//! call, whatever the order of the subscriber's layers; what it answers stands in all records of that call. Without an
//! answer the identifiers are those of the context's `traceparent`.

use core::any::Any;
use std::sync::OnceLock;

use tracing::{Dispatch, Span, span};

/// The identifiers of a span, of which neither is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanIds {
    trace: [u8; 16],
    span: [u8; 8],
}

/// What knows OpenTelemetry.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Tells the identifiers of the given span, or without one those of whatever span is current.
    pub ids: fn(Option<(&Dispatch, &span::Id)>) -> Option<SpanIds>,
    /// Makes the remote parent current until what it returns is dropped, unless some span is current already.
    pub attach: fn(RemoteParent) -> Option<Box<dyn Any>>,
}

/// The span of another process that the context's `traceparent` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteParent {
    /// The span.
    pub ids: SpanIds,
    /// Whether it is sampled.
    pub is_sampled: bool,
}

impl SpanIds {
    /// Takes a trace and a span; `None` if one of them is zero, which means that there is none.
    #[must_use]
    pub fn new(trace: [u8; 16], span: [u8; 8]) -> Option<Self> {
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span })
    }

    /// Reads the identifiers from their hexadecimal digits.
    pub(crate) fn parse(trace: &str, span: &str) -> Option<Self> {
        let mut ids = Self { trace: [0; 16], span: [0; 8] };
        hex::decode_to_slice(trace, &mut ids.trace).ok()?;
        hex::decode_to_slice(span, &mut ids.span).ok()?;
        Self::new(ids.trace, ids.span)
    }

    /// Returns the trace.
    #[must_use]
    pub const fn trace(&self) -> [u8; 16] {
        self.trace
    }

    /// Returns the span.
    #[must_use]
    pub const fn span(&self) -> [u8; 8] {
        self.span
    }

    /// Returns the trace in hexadecimal digits, as W3C Trace Context writes it.
    #[must_use]
    pub fn trace_id(&self) -> String {
        digits(&self.trace)
    }

    /// Returns the span in hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        digits(&self.span)
    }
}

fn digits(bytes: &[u8]) -> String {
    let mut digits = [0; 32];
    let (digits, _) = digits.split_at_mut(bytes.len() * 2);
    // They have the room that they need, and are digits.
    let _fits = hex::encode_to_slice(bytes, digits);
    core::str::from_utf8(digits).unwrap_or_default().to_owned()
}

/// Registers the one source of this process; false if there is one already.
pub fn register(source: Source) -> bool {
    SOURCE.set(source).is_ok()
}

static SOURCE: OnceLock<Source> = OnceLock::new();

/// Returns the identifiers of a call's span, which is entered; where a filter keeps it from OpenTelemetry, those of the span
/// around it.
pub(crate) fn of_span(span: &Span) -> Option<SpanIds> {
    let ids = SOURCE.get()?.ids;
    span.with_subscriber(|(id, dispatch)| ids(Some((dispatch, id)))).flatten().or_else(|| ids(None))
}

/// Returns the identifiers of whatever span is current.
pub(crate) fn current() -> Option<SpanIds> {
    (SOURCE.get()?.ids)(None)
}

/// Returns the identifiers of a span that closes, if OpenTelemetry has not closed it yet.
pub(crate) fn of_closing(id: &span::Id) -> Option<SpanIds> {
    let ids = SOURCE.get()?.ids;
    tracing::dispatcher::get_default(|dispatch| ids(Some((dispatch, id))))
}

/// Makes the span that the context's `traceparent` names the parent of a span that is about to be made, unless that has one
/// in this process.
pub(crate) fn attach(parent: impl FnOnce() -> Option<RemoteParent>) -> Option<Box<dyn Any>> {
    let attach = SOURCE.get()?.attach;
    attach(parent()?)
}

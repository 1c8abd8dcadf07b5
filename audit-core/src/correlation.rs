//! From a record to its trace: where the identifiers of the current span of OpenTelemetry come from.
//!
//! This crate knows nothing of OpenTelemetry. Who does registers a [`Source`], which is asked inside of the span of each
//! call, whatever the order of the subscriber's layers; what it answers stands in all records of that call. Without an
//! answer the identifiers are those of the context's `traceparent`.

use std::sync::OnceLock;

use tracing::{Dispatch, Span, span};

/// The identifiers of a span, of which neither is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanIds {
    trace: [u8; 16],
    span: [u8; 8],
}

/// Tells the identifiers of the given span, or without one those of whatever span is current.
pub type Source = fn(Option<(&Dispatch, &span::Id)>) -> Option<SpanIds>;

impl SpanIds {
    /// Takes a trace and a span; `None` if one of them is zero, which means that there is none.
    #[must_use]
    pub fn new(trace: [u8; 16], span: [u8; 8]) -> Option<Self> {
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span })
    }

    /// Returns the trace in hexadecimal digits, as W3C Trace Context writes it.
    #[must_use]
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }

    /// Returns the span in hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        hex::encode(self.span)
    }
}

/// Registers the one source of this process; false if there is another one already.
pub fn register(source: Source) -> bool {
    SOURCE.set(source).is_ok() || SOURCE.get().is_some_and(|found| core::ptr::fn_addr_eq(*found, source))
}

static SOURCE: OnceLock<Source> = OnceLock::new();

/// Returns the identifiers of a call's span, which is entered; where a filter keeps it from OpenTelemetry, those of the span
/// around it.
pub(crate) fn of_span(span: &Span) -> Option<SpanIds> {
    let source = SOURCE.get()?;
    span.with_subscriber(|(id, dispatch)| source(Some((dispatch, id)))).flatten().or_else(|| source(None))
}

/// Returns the identifiers of whatever span is current.
pub(crate) fn current() -> Option<SpanIds> {
    SOURCE.get()?(None)
}

/// Returns the identifiers of a span that closes, if OpenTelemetry has not closed it yet.
pub(crate) fn of_closing(id: &span::Id) -> Option<SpanIds> {
    let source = SOURCE.get()?;
    tracing::dispatcher::get_default(|dispatch| source(Some((dispatch, id))))
}

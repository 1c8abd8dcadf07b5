//! The span of OpenTelemetry that a record belongs to.

use audit_core::correlation::{self, SpanIds};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::{Dispatch, span};

/// Lets all records of this process carry the trace and the span of OpenTelemetry that they were made in.
///
/// Those of a call are those of its own span, whatever the order of the subscriber's layers, sampled or not, and with a
/// remote parent those of its trace. Where a filter keeps the span from `tracing-opentelemetry`, they are those of the span
/// around it, or of what `opentelemetry::Context` is current. Calling it again changes nothing; `audited::layer` and
/// `audited::init` call it.
pub fn correlate() {
    // Another source than this one was there first, and stays.
    let _registered = correlation::register(ids);
}

fn ids(span: Option<(&Dispatch, &span::Id)>) -> Option<SpanIds> {
    match span {
        // Asked for by the span's identifier, it is found even if the layer does not make its contexts current.
        Some((dispatch, id)) => of(&tracing_opentelemetry::get_otel_context(id, dispatch)?),
        None => Context::map_current(of),
    }
}

fn of(context: &Context) -> Option<SpanIds> {
    let span = context.span();
    let span = span.span_context();
    SpanIds::new(span.trace_id().to_bytes(), span.span_id().to_bytes())
}

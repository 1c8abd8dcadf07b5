//! The span of OpenTelemetry that a record belongs to.

use core::any::Any;

use audit_core::correlation::{self, RemoteParent, Source, SpanIds};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::{Dispatch, span};

/// Lets all records of this process carry the trace and the span of OpenTelemetry that they were made in.
///
/// Those of a call are those of its own span, whatever the order of the subscriber's layers, sampled or not, and with a
/// remote parent, also the one that a context's `traceparent` names, those of its trace. Where a filter keeps the span from `tracing-opentelemetry`, they are those of the span
/// around it, or of what `opentelemetry::Context` is current. Calling it again changes nothing; `audited::layer` and
/// `audited::init` call it.
pub fn correlate() {
    // Another source than this one was there first, and stays.
    let _registered = correlation::register(Source { ids, attach });
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

/// Makes a remote span current, as the parent of the call's, where no other span is.
fn attach(parent: RemoteParent) -> Option<Box<dyn Any>> {
    let has_parent = Context::map_current(|context| context.span().span_context().is_valid());
    (!has_parent).then(|| Box::new(remote(parent).attach()) as Box<dyn Any>)
}

/// Returns the current context with a remote span in it.
pub(crate) fn remote(parent: RemoteParent) -> Context {
    let RemoteParent { ids, is_sampled } = parent;
    let (trace, span) = (TraceId::from_bytes(ids.trace()), SpanId::from_bytes(ids.span()));
    let flags = TraceFlags::default().with_sampled(is_sampled);
    Context::current().with_remote_span_context(SpanContext::new(trace, span, flags, true, TraceState::default()))
}

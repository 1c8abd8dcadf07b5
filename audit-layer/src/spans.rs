//! Spans and events written by hand, on the layer's side: where their calls live, and what is around them.

use audit_core::context::Ambient;
use audit_core::handwritten::{Around, Recorded, SpanCall, may_be_record, record_event};
use audit_core::port::AuditPort;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{Extensions, LookupSpan, SpanRef};

use crate::{filter, seen};

// Nothing is recorded, and none of the user's code runs, while the extensions of a span are locked.

pub(crate) fn open<S>(port: &AuditPort, attributes: &Attributes<'_>, id: &Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let metadata = attributes.metadata();
    if !filter::is_audit(metadata) {
        return;
    }
    if !may_be_record(metadata) {
        seen::note(id, port);
        return;
    }
    seen::forget(id);
    let Some(span) = context.span(id) else { return };
    let Some(call) = SpanCall::begin(port, attributes, span.parent().and_then(|parent| around(port, parent))) else {
        return;
    };
    let inside = call.inside();
    let mut extensions = span.extensions_mut();
    let before = (extensions.replace(call), extensions.replace(inside));
    drop(extensions);
    drop(before);
}

pub(crate) fn record<S>(port: &AuditPort, id: &Id, values: &Record<'_>, context: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    // Most of what is recorded on audit spans is the end of the call whose span was opened last.
    if seen::is_last(id, port) {
        return;
    }
    let Some(span) = context.span(id).filter(is_call) else { return };
    let recorded = Recorded::take(port, values);
    let mut extensions = span.extensions_mut();
    if let Some(call) = extensions.get_mut::<SpanCall>() {
        call.record(recorded);
    }
}

pub(crate) fn close<S>(port: &AuditPort, id: &Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    // What was tied is dropped here, with nothing locked.
    if port.untie(id).is_some() || seen::is_last(id, port) {
        return;
    }
    let Some(span) = context.span(id).filter(is_call) else { return };
    let call = span.extensions_mut().remove::<SpanCall>();
    if let Some(call) = call {
        call.finish(id);
    }
}

pub(crate) fn event<S>(port: &AuditPort, event: &Event<'_>, context: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    if is_record(event.metadata()) {
        record_event(port, event, context.event_span(event).and_then(|span| around(port, span)));
    }
}

fn is_record(metadata: &Metadata<'_>) -> bool {
    filter::is_audit(metadata) && may_be_record(metadata)
}

fn is_call<S: for<'lookup> LookupSpan<'lookup>>(span: &SpanRef<'_, S>) -> bool {
    is_record(span.metadata())
}

/// Returns the nearest call, from this span outwards.
fn around<S: for<'lookup> LookupSpan<'lookup>>(port: &AuditPort, span: SpanRef<'_, S>) -> Option<Around> {
    span.scope().find_map(|ancestor| {
        let extensions = ancestor.extensions();
        let ambient = attached(port, &ancestor, &extensions)?;
        Some(Around::new(ambient, extensions.get::<SpanCall>()))
    })
}

/// Returns what is at work inside the call that the span is of.
pub(crate) fn attached<S>(port: &AuditPort, span: &SpanRef<'_, S>, extensions: &Extensions<'_>) -> Option<Ambient>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    extensions.get::<Ambient>().cloned().or_else(|| port.tied(&span.id()))
}

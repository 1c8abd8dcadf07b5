//! The layer: the port behind `downcast_raw`, the ambient of each call in its span, and what it passes on of spans.

use core::any::TypeId;
use std::sync::Arc;

use audit_core::context::Ambient;
use audit_core::port::{AuditPort, SpanSide};
use audit_core::sink::Sink;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::{filter, seen, spans};

/// Makes a layer on a sink, and the sink the process-wide recorder if there is none yet.
///
/// The recorder serves calls that no layer is reachable from: on a thread with another subscriber, inside a callback of
/// a layer, behind `reload::Layer`. Neither it nor the layer keeps a log from being closed.
#[must_use]
pub fn layer<S: Sink + Clone>(sink: &S) -> AuditLayer {
    let weak = sink.weak();
    AuditLayer::new(AuditPort::new(weak.unwrap_or_else(|| Arc::new(sink.clone()))))
}

/// A tracing layer that hands out the port to a sink. See [`layer`].
#[derive(Clone, Debug)]
pub struct AuditLayer {
    port: AuditPort,
}

impl AuditLayer {
    /// Makes a layer on a port, and the port the process-wide recorder if there is none yet.
    #[must_use]
    pub fn new(port: AuditPort) -> Self {
        let _first = port.make_recorder();
        Self { port }
    }
}

impl<S> Layer<S> for AuditLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_layer(&mut self, _: &mut S) {
        // Only here is the type of the subscriber below known, which is what looks spans up.
        self.port = self.port.with_spans(SpanSide { attach: attach::<S>, nearest: nearest::<S> });
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.port.note_installed(dispatch, identify::<S>);
        let found = dispatch.downcast_ref::<AuditPort>();
        if let Some(another) = found.filter(|found| found.address() != self.port.address()) {
            another.share_spans();
        }
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        filter::interest(metadata, Interest::always())
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        spans::open(&self.port, attributes, id, &context);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        spans::record(&self.port, id, values, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        spans::event(&self.port, event, &context);
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        spans::close(&self.port, &id, &context);
    }

    #[allow(unsafe_code, reason = "the one way for a layer to be found through the dispatcher")]
    // SAFETY: the contract of `downcast_raw` is that the pointer, if any, points to a value of the type with the given
    // `TypeId` that lives as long as `self`. Both pointers are to `self` or a field of it, each under its own `TypeId`.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            Some(core::ptr::from_ref(self).cast())
        } else if id == TypeId::of::<AuditPort>() {
            Some(core::ptr::from_ref(&self.port).cast())
        } else {
            None
        }
    }
}

/// Tells where the subscriber below the layer stands, for diagnosis.
fn identify<S: Subscriber>(dispatch: &Dispatch) -> Option<usize> {
    dispatch.downcast_ref::<S>().map(|subscriber| core::ptr::from_ref(subscriber).addr())
}

fn attach<S>(port: &AuditPort, dispatch: &Dispatch, id: &span::Id, ambient: &Ambient)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    // A layer that a filter keeps the span from would not see it end.
    if seen::is_last(id, port) && port.tie(id, ambient) {
        return;
    }
    let span = dispatch.downcast_ref::<S>().and_then(|registry| registry.span(id));
    if let Some(span) = span {
        span.extensions_mut().replace(ambient.clone());
    }
}

fn nearest<S>(port: &AuditPort, dispatch: &Dispatch, from: &span::Id, stop: Option<&span::Id>) -> Option<Ambient>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let span = dispatch.downcast_ref::<S>()?.span(from)?;
    let mut before_stop = span.scope().take_while(|ancestor| Some(&ancestor.id()) != stop);
    before_stop.find_map(|ancestor| spans::attached(port, &ancestor, &ancestor.extensions()))
}

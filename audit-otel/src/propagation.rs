//! Trace and identifiers that come with a request, and that go on with others.
//!
//! The trace travels in `traceparent`, the identifiers of run, agent and user in W3C `baggage`: those alone that a list
//! allows, in both directions. MCP has both in `_meta`, which `audit-rmcp` reads.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};
use std::sync::Arc;

use audit_core::context::{self, Scoped, baggage::Carried};
use opentelemetry::Context;
use opentelemetry::propagation::{Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// What comes with a request: the trace, and the identifiers that are allowed.
#[derive(Clone, Debug)]
#[must_use = "it is at work in a scope"]
pub struct Incoming {
    trace: Context,
    context: context::Context,
}

impl Incoming {
    /// Reads a request's headers, which `header` finds by their names in lower case.
    pub fn read<'h>(allowed: &[Carried], header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let headers = Headers { traceparent: header("traceparent"), tracestate: header("tracestate") };
        let trace = TraceContextPropagator::new().extract(&headers);
        let mut context = context::context().baggage(header("baggage").unwrap_or_default(), allowed);
        if let Some(traceparent) = headers.traceparent {
            context = context.traceparent(traceparent);
        }
        Self { trace, context }
    }

    /// Runs a closure inside: the request's span is the parent of spans that have none, its identifiers are in records.
    pub fn in_scope<R>(self, body: impl FnOnce() -> R) -> R {
        let _attached = self.trace.attach();
        self.context.in_scope(body)
    }

    /// Runs a future inside, on whatever thread it is polled.
    pub fn scope<F: Future>(self, future: F) -> Inside<F> {
        Inside { trace: self.trace, future: self.context.scope(future) }
    }
}

/// Tells the headers that pass the current trace on, and those of the current context's identifiers that are allowed:
/// `set` is given each name and value.
pub fn outgoing(allowed: &[Carried], mut set: impl FnMut(&str, String)) {
    TraceContextPropagator::new().inject(&mut Sent(&mut set));
    let baggage = context::context().to_baggage(allowed);
    if !baggage.is_empty() {
        set("baggage", baggage);
    }
}

struct Headers<'h> {
    traceparent: Option<&'h str>,
    tracestate: Option<&'h str>,
}

impl opentelemetry::propagation::Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent,
            // Without one it is empty: the propagator wants both.
            "tracestate" => Some(self.tracestate.unwrap_or_default()),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

struct Sent<'s>(&'s mut dyn FnMut(&str, String));

impl Injector for Sent<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            (self.0)(key, value);
        }
    }
}

pin_project! {
    /// A future inside of a request.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Inside<F> {
        trace: Context,
        #[pin]
        future: Scoped<F>,
    }
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _attached = this.trace.clone().attach();
        this.future.poll(context)
    }
}

/// Makes the layer for axum, tonic and whatever else is made of tower's services: each request is handled inside of what
/// comes with it.
///
/// ```
/// # use audit_core::context::baggage::Carried;
/// # use audit_otel::propagation::requests;
/// # fn router<L: tower_layer::Layer<()>>(layer: L) -> L { layer }
/// // axum: `Router::new().route(…).layer(requests([Carried::Run]))`
/// let layer = requests([Carried::Run, Carried::Agent]);
/// # router(layer);
/// ```
pub fn requests(allowed: impl IntoIterator<Item = Carried>) -> Requests {
    Requests(allowed.into_iter().collect())
}

/// Reads what comes with each request: see [`requests`].
#[derive(Clone, Debug)]
pub struct Requests(Arc<[Carried]>);

/// A service whose requests are handled inside of what comes with them: see [`requests`].
#[derive(Clone, Debug)]
pub struct InRequests<S> {
    service: S,
    allowed: Arc<[Carried]>,
}

impl<S> Layer<S> for Requests {
    type Service = InRequests<S>;

    fn layer(&self, service: S) -> InRequests<S> {
        InRequests { service, allowed: Arc::clone(&self.0) }
    }
}

impl<S, B> Service<http::Request<B>> for InRequests<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Inside<S::Future>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let headers = request.headers();
        let incoming = Incoming::read(&self.allowed, |name| headers.get(name)?.to_str().ok());
        // What the service does before its future is polled belongs to the request, too.
        let inside = incoming.clone();
        incoming.scope(inside.in_scope(|| self.service.call(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TraceContextExt as _;

    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn header(name: &str) -> Option<&'static str> {
        match name {
            "traceparent" => Some(TRACEPARENT),
            "baggage" => Some("audit.run.id=run_1,user.id=usr_1"),
            _ => None,
        }
    }

    /// What would be sent on from here.
    fn sent(allowed: &[Carried]) -> Vec<String> {
        let mut sent = Vec::new();
        outgoing(allowed, |name, value| sent.push(format!("{name}: {value}")));
        sent
    }

    #[test]
    fn what_comes_goes_on_as_far_as_it_is_allowed_to() {
        let all = [Carried::Run, Carried::Agent, Carried::User];
        let incoming = |allowed: &[Carried]| Incoming::read(allowed, header);
        let traceparent = format!("traceparent: {TRACEPARENT}");
        let both = incoming(&all).in_scope(|| sent(&all));
        assert_eq!(both, [traceparent.as_str(), "baggage: audit.run.id=run_1,user.id=usr_1"]);
        assert_eq!(incoming(&[Carried::Run]).in_scope(|| sent(&all))[1], "baggage: audit.run.id=run_1");
        assert_eq!(incoming(&all).in_scope(|| sent(&[])), [traceparent]);
        assert_eq!(Incoming::read(&all, |_| None).in_scope(|| sent(&all)), [""; 0]);
    }

    #[test]
    fn a_service_handles_requests_inside() {
        struct Echo;
        impl Service<http::Request<()>> for Echo {
            type Response = String;
            type Error = ();
            type Future = Pin<Box<dyn Future<Output = Result<String, ()>>>>;

            fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), ()>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, _: http::Request<()>) -> Self::Future {
                let here = Context::map_current(|context| context.span().span_context().trace_id().to_string());
                Box::pin(async move { Ok(format!("{here} {}", sent(&[Carried::Run]).join(" "))) })
            }
        }
        let request =
            http::Request::builder().header("traceparent", TRACEPARENT).header("baggage", "audit.run.id=run_1");
        let mut service = requests([Carried::Run]).layer(Echo);
        let answer = futures_executor::block_on(service.call(request.body(()).unwrap())).unwrap();
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(answer, format!("{trace} traceparent: {TRACEPARENT} baggage: audit.run.id=run_1"));
    }
}

//! The trace and the span of each record: a table of what may stand between the two.

use audited::audited;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};
use serde_json::{Value, json};
use testkit::Memory;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    AuditFirst,
    AuditLast,
}

/// What keeps the call's span from OpenTelemetry, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Enabled,
    /// A filter of the layer's own.
    OffForTheLayer,
    /// A filter of the whole subscriber.
    Off,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    order: Order,
    sampled: bool,
    remote: bool,
    level: Level,
    /// Whether the layer makes its contexts current.
    activates: bool,
}

/// The trace and the span that OpenTelemetry has for the body of a call.
#[audited(action = "order.find", effect = "read")]
fn find() -> (String, String) {
    let context = opentelemetry::Context::current();
    let span = context.span().span_context().clone();
    (span.trace_id().to_string(), span.span_id().to_string())
}

fn remote_parent(sampled: bool) -> opentelemetry::Context {
    let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from_hex(TRACE).unwrap(), SpanId::from_hex(PARENT).unwrap());
    opentelemetry::Context::new().with_remote_span_context(SpanContext::new(
        trace,
        span,
        flags,
        true,
        TraceState::default(),
    ))
}

/// A trace and a span.
type Ids = (String, String);

/// Runs a call, and returns the trace and span that it was in, those of its records, and the spans that were exported.
fn run(case: Case) -> (Ids, Vec<Value>, Vec<Ids>) {
    let (memory, exporter) = (Memory::new(), InMemorySpanExporter::default());
    let sampler = if case.sampled { Sampler::AlwaysOn } else { Sampler::AlwaysOff };
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).with_sampler(sampler).build();
    let tracer = || provider.tracer("test");
    macro_rules! otel {
        () => {{
            let level = if case.level == Level::OffForTheLayer { LevelFilter::OFF } else { LevelFilter::TRACE };
            tracing_opentelemetry::layer()
                .with_tracer(tracer())
                .with_context_activation(case.activates)
                .with_filter(level)
        }};
    }
    let level = if case.level == Level::Off { LevelFilter::OFF } else { LevelFilter::TRACE };
    macro_rules! audit {
        () => {
            audited::layer(&memory).with_filter(audited::audit_filter())
        };
    }
    let dispatch: tracing::Dispatch = match case.order {
        Order::AuditFirst => tracing_subscriber::registry().with(audit!()).with(otel!()).with(level).into(),
        Order::AuditLast => tracing_subscriber::registry().with(otel!()).with(audit!()).with(level).into(),
    };
    let inside = tracing::dispatcher::with_default(&dispatch, || {
        let _remote = case.remote.then(|| remote_parent(case.sampled).attach());
        find()
    });
    drop(dispatch);
    provider.force_flush().unwrap();
    let exported = exporter.get_finished_spans().unwrap().into_iter().map(|span| {
        assert_eq!(span.name, "execute_tool find");
        (span.span_context.trace_id().to_string(), span.span_context.span_id().to_string())
    });
    (inside, memory.records(), exported.collect())
}

fn check(case: Case) {
    let (inside, records, exported) = run(case);
    assert_eq!(records.len(), 2, "{case:?}");
    let ids = |record: &Value| (record["correlation"]["trace_id"].clone(), record["correlation"]["span_id"].clone());
    assert_eq!(ids(&records[0]), ids(&records[1]), "{case:?}");
    let (trace, span) = ids(&records[0]);
    match (case.level, case.remote) {
        (Level::Enabled, remote) => {
            assert_eq!(exported.len(), usize::from(case.sampled), "{case:?}");
            if let Some(exported) = exported.first() {
                assert_eq!((json!(exported.0), json!(exported.1)), (trace.clone(), span.clone()), "{case:?}");
            }
            if case.activates {
                assert_eq!((json!(inside.0), json!(inside.1)), (trace.clone(), span.clone()), "{case:?}");
            }
            assert_eq!(trace == TRACE, remote, "{case:?}");
            assert!(span.is_string() && span != PARENT, "{case:?}");
        }
        // The span around it is the nearest there is.
        (_, true) => assert_eq!((trace, span), (json!(TRACE), json!(PARENT)), "{case:?}"),
        (_, false) => assert_eq!((trace, span), (Value::Null, Value::Null), "{case:?}"),
    }
}

#[test]
fn opentelemetry_records_carry_the_trace_and_the_span_of_their_call() {
    for order in [Order::AuditFirst, Order::AuditLast] {
        for (sampled, remote) in [(true, true), (true, false), (false, true), (false, false)] {
            for level in [Level::Enabled, Level::OffForTheLayer, Level::Off] {
                for activates in [true, false] {
                    check(Case { order, sampled, remote, level, activates });
                }
            }
        }
    }
}

#[test]
fn opentelemetry_is_asked_in_async_calls_events_and_nested_calls_too() {
    #[audited(action = "order.settle", effect = "write")]
    async fn settle() -> (String, String) {
        tokio::task::yield_now().await;
        audited::event("decision.proposed").record().unwrap();
        find()
    }
    let (memory, exporter) = (Memory::new(), InMemorySpanExporter::default());
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(audited::layer(&memory)).with(otel);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tracing::subscriber::with_default(subscriber, || runtime.block_on(settle()));
    let spans = exporter.get_finished_spans().unwrap();
    let by_name = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (outer, inner) = (by_name("execute_tool settle"), by_name("execute_tool find"));
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());
    for record in memory.records() {
        let span = if record["action"] == "order.find" { inner } else { outer };
        assert_eq!(record["correlation"]["span_id"], span.span_context.span_id().to_string(), "{record}");
        assert_eq!(record["correlation"]["trace_id"], outer.span_context.trace_id().to_string());
    }
    assert_eq!(memory.records().len(), 5);
}

/// Runs a call below a `traceparent`, in a span of this process or not; returns the `correlation` of its first record.
fn below_a_traceparent(with_layer: bool, in_a_span: bool) -> Value {
    let (memory, exporter) = (Memory::new(), InMemorySpanExporter::default());
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = with_layer.then(|| tracing_opentelemetry::layer().with_tracer(provider.tracer("test")));
    let subscriber = tracing_subscriber::registry().with(audited::layer(&memory)).with(otel);
    tracing::subscriber::with_default(subscriber, || {
        let _entered = in_a_span.then(|| tracing::info_span!("request").entered());
        audited::context().run("run_1").traceparent(&format!("00-{TRACE}-{PARENT}-01")).in_scope(find)
    });
    if let Some(span) = exporter.get_finished_spans().unwrap().iter().find(|span| span.name == "execute_tool find") {
        assert_eq!(span.parent_span_is_remote, !in_a_span);
        assert_eq!(span.parent_span_id.to_string() == PARENT, !in_a_span);
    }
    memory.records().swap_remove(0)["correlation"].take()
}

#[test]
fn opentelemetry_takes_a_traceparent_for_the_parent_where_there_is_no_nearer_one() {
    let without = below_a_traceparent(false, false);
    assert_eq!(without, json!({"run_id": "run_1", "span_id": PARENT, "trace_id": TRACE}));
    let with = below_a_traceparent(true, false);
    assert_eq!((&with["trace_id"], &with["run_id"]), (&json!(TRACE), &json!("run_1")));
    assert_ne!(with["span_id"], PARENT);
    assert_ne!(below_a_traceparent(true, true)["trace_id"], TRACE);
}

#[test]
fn opentelemetry_is_asked_for_what_is_written_by_hand() {
    let (memory, exporter) = (Memory::new(), InMemorySpanExporter::default());
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(audited::layer(&memory)).with(otel);
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("request").in_scope(|| {
            tracing::info_span!(target: "audit", "send_mail", audit.action = "mail.send").in_scope(|| {
                tracing::info!(target: "audit", { audit.action = "mail.send" }, "half of it");
            });
        });
    });
    let spans = exporter.get_finished_spans().unwrap();
    let id = |name: &str| {
        let span = spans.iter().find(|span| span.name == name).unwrap();
        json!(span.span_context.span_id().to_string())
    };
    let found: Vec<Value> = memory.records().iter().map(|record| record["correlation"]["span_id"].clone()).collect();
    // The beginning is recorded before OpenTelemetry knows of the span: it carries the one around it.
    assert_eq!(found, [id("request"), id("send_mail"), id("send_mail")]);
}

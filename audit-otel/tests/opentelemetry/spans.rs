//! What the span of a call looks like to OpenTelemetry.

use std::collections::BTreeMap;

use audited::{Mcp, audited};
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use testkit::Memory;
use tracing_subscriber::layer::SubscriberExt as _;

fn spans(body: impl FnOnce()) -> (Vec<SpanData>, Memory) {
    let (memory, exporter) = (Memory::new(), InMemorySpanExporter::default());
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("test"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    let subscriber = tracing_subscriber::registry().with(audited::layer(&memory)).with(otel);
    tracing::subscriber::with_default(subscriber, body);
    (exporter.get_finished_spans().unwrap(), memory)
}

fn attributes(span: &SpanData) -> BTreeMap<String, String> {
    span.attributes.iter().map(|attribute| (attribute.key.to_string(), attribute.value.to_string())).collect()
}

#[audited(action = "order.refund", name = "refund", redact = [card])]
fn refund(order: &str, card: &str) -> Result<String, String> {
    if order == "ORD-2" { Err(format!("declined {card}")) } else { Ok(format!("refunded {order}")) }
}

#[test]
fn opentelemetry_sees_a_call_under_the_names_of_the_conventions() {
    let (spans, memory) = spans(|| {
        let mcp = Mcp::new().method("tools/call").session_id("s-1").protocol_version("2025-11-25").request_id("7");
        let context = audited::context().agent("agent:7").agent_name("support").on_behalf_of("usr_1").run("run_1");
        context.conversation("conv_1").tool_call_id("call_1").mcp(mcp).in_scope(|| {
            refund("ORD-1", "4242424242424242").unwrap();
            refund("ORD-2", "4242424242424242").unwrap_err();
        });
    });
    let mut found = attributes(&spans[0]);
    let records = memory.records();
    assert_eq!(found.remove("audit.record.id").unwrap(), records[1]["record_id"].as_str().unwrap());
    assert_eq!(found.remove("audit.call.id").unwrap(), records[1]["call"]["id"].as_str().unwrap());
    assert!(found.remove("audit.duration_ms").unwrap().parse::<i64>().is_ok());
    let expected = [
        ("audit.action", "order.refund"),
        ("audit.outcome", "success"),
        ("audit.run.id", "run_1"),
        ("audit.sequence.number", "1"),
        ("audit.summary", "\"refunded ORD-1\""),
        ("gen_ai.agent.id", "agent:7"),
        ("gen_ai.agent.name", "support"),
        ("gen_ai.conversation.id", "conv_1"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.call.id", "call_1"),
        ("gen_ai.tool.name", "refund"),
        ("jsonrpc.request.id", "7"),
        ("mcp.method.name", "tools/call"),
        ("mcp.protocol.version", "2025-11-25"),
        ("mcp.session.id", "s-1"),
        ("user.id", "usr_1"),
    ];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
    assert_eq!((spans[0].name.as_ref(), &spans[0].span_kind), ("execute_tool refund", &SpanKind::Internal));
    assert_eq!(spans[0].status, Status::Unset);
    // The error's text may say too much for a trace: its type is enough.
    assert_eq!(spans[1].status, Status::error(""));
    assert_eq!(attributes(&spans[1])["error.type"], "String");
    assert!(!format!("{spans:?}").contains("4242424242424242"));
}

#[test]
fn opentelemetry_learns_the_number_of_an_entry_that_the_disk_was_waited_for() {
    #[audited(action = "order.note", durability = "disk")]
    fn note() {}
    let directory = tempfile::tempdir().unwrap();
    let log = audited::Log::open(directory.path().join("log")).unwrap();
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(audited::layer(&log)).with(otel);
    tracing::subscriber::with_default(subscriber, note);
    // `log.opened`, the intent, the end.
    assert_eq!(attributes(&exporter.get_finished_spans().unwrap()[0])["audit.sequence.number"], "2");
    log.close().unwrap();
}

#[audited(action = "a", level = "request_response", redact = [card, return.card], telemetry = "arguments")]
fn shown(order: &str, card: &str, cents: u32) -> serde_json::Value {
    serde_json::json!({"order": order, "card": card, "cents": cents, "password": "hunter2"})
}

#[audited(action = "a", level = "request_response", redact = [card, return.card], telemetry = "redacted_arguments")]
fn masked(order: &str, card: &str, cents: u32) -> serde_json::Value {
    serde_json::json!({"order": order, "card": card, "cents": cents, "password": "hunter2"})
}

#[audited(action = "a", level = "metadata", telemetry = "arguments")]
fn metadata_only(order: &str) -> String {
    order.to_owned()
}

#[test]
fn opentelemetry_sees_arguments_and_results_only_as_the_record_holds_them() {
    let card = "4242424242424242";
    let (spans, memory) = spans(|| {
        shown("ORD-1", card, 5);
        masked("ORD-1", card, 5);
        metadata_only("ORD-1");
        refund("ORD-1", card).unwrap();
    });
    let (arguments, result) = ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result");
    let of = |index: usize, name: &str| attributes(&spans[index]).get(name).cloned();
    let records = memory.records();
    assert_eq!(of(0, arguments).unwrap(), records[0]["request"]["arguments"].to_string());
    assert_eq!(of(0, arguments).as_deref(), Some(r#"{"cents":5,"order":"ORD-1"}"#));
    assert_eq!(of(0, result).unwrap(), records[1]["response"]["result"].to_string());
    assert_eq!(of(1, arguments).as_deref(), Some(r#"{"cents":5,"order":"****"}"#));
    assert_eq!(of(1, result).as_deref(), Some(r#"{"cents":5,"order":"****"}"#));
    assert_eq!((of(2, arguments), of(2, result)), (None, None));
    assert_eq!((of(3, arguments), of(3, result)), (None, None));
    let all = format!("{spans:?}");
    assert!(!all.contains(card) && !all.contains("hunter2"));
}

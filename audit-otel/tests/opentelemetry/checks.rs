//! The names and the rules, judged by the checks of others.

use std::path::{Path, PathBuf};

use audit_core::names;
use audit_export::otlp::{LogRecord, Mapping, write_request};
use audited::{Mcp, audited};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use serde_json::json;
use testkit::outside_data;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::receiver::python;

#[audited(action = "order.refund", target(type = "order", id = order), telemetry = "arguments")]
fn refund(order: &str, fail: bool) -> Result<u32, String> {
    if fail { Err("no".to_owned()) } else { Ok(1) }
}

/// Makes a log and its spans, with all that they can say.
fn record(log: &Path) -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("test"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    let log = audited::Log::open(log).unwrap();
    let subscriber = tracing_subscriber::registry().with(audited::layer(&log)).with(otel);
    tracing::subscriber::with_default(subscriber, || {
        let mcp = Mcp::new().method("tools/call").session_id("s-1").protocol_version("2025-11-25").request_id("7");
        let context =
            audited::context().agent("agent:7").agent_name("support").agent_version("1").run("run_1").mcp(mcp);
        context.on_behalf_of("usr_1").conversation("conv_1").tool_call_id("call_1").in_scope(|| {
            let _ended = (refund("ORD-1", false), refund("ORD-2", true));
            audited::event("run.completed").record().unwrap();
        });
    });
    log.close().unwrap();
    exporter.get_finished_spans().unwrap()
}

fn log_records(log: &Path, mapping: Mapping) -> Vec<LogRecord> {
    let mut lines = audit_store::read::Lines::open(log).unwrap();
    let mut records = Vec::new();
    while let Some(line) = lines.next_line() {
        records.push(mapping.entry(line.unwrap().bytes).unwrap());
    }
    records
}

/// Runs the check on a file; returns whether it passed and what it said.
pub(crate) fn check(file: &Path) -> Option<(bool, String)> {
    let script = outside_data("AUDITED_CHECKS", "checks")?.join("check_otel.py");
    let output = python(&[script.to_str().unwrap(), file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Some((output.status.success(), said))
}

pub(crate) fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn opentelemetry_log_records_keep_the_rules_of_the_audit_draft() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    record(&log);
    for user_as_actor in [false, true] {
        let mapping = Mapping::new().audit_draft(true).user_as_actor(user_as_actor);
        let text = write_request(&log_records(&log, mapping), &[("service.name".into(), "orders".into())]);
        let Some((passed, said)) = check(&write(directory.path(), "logs.json", &text)) else { return };
        assert!(passed && said.contains("OTLP parse OK"), "{said}");
    }
    // Without the setting there are two names of ours, and nothing else that the check knows not.
    let text = write_request(&log_records(&log, Mapping::new()), &[]);
    let Some((_, said)) = check(&write(directory.path(), "own.json", &text)) else { return };
    assert_eq!(unknown(&said), [names::CALL_ID, names::RUN_ID], "{said}");
}

#[test]
fn opentelemetry_spans_have_names_of_the_conventions_and_those_that_are_ours() {
    let directory = tempfile::tempdir().unwrap();
    let spans = record(&directory.path().join("audit"));
    let spans: Vec<_> = spans
        .iter()
        .map(|span| {
            let attributes = span.attributes.iter().map(|attribute| {
                json!({"key": attribute.key.as_str(), "value": {"stringValue": attribute.value.to_string()}})
            });
            json!({
                "traceId": span.span_context.trace_id().to_string(),
                "spanId": span.span_context.span_id().to_string(),
                "name": span.name,
                "kind": "SPAN_KIND_INTERNAL",
                "attributes": attributes.collect::<Vec<_>>(),
            })
        })
        .collect();
    let text = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
    let Some((_, said)) = check(&write(directory.path(), "spans.json", &text)) else { return };
    assert!(said.contains("OTLP parse OK"), "{said}");
    let mut own = names::OWN;
    own.sort_unstable();
    assert_eq!(unknown(&said), own, "{said}");
}

/// Reads the names that the check does not know.
fn unknown(said: &str) -> Vec<String> {
    let (_, list) = said.split_once("attribute names not in semconv/audit draft: ").unwrap();
    let list = list.trim().trim_matches(['[', ']']);
    list.split(", ").filter(|name| !name.is_empty()).map(|name| name.trim_matches('\'').to_owned()).collect()
}

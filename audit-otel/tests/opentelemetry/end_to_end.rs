//! One call of `audited::init` and the standard variables: every call's span and record arrives, and no secret.

use std::collections::BTreeMap;
use std::path::Path;

use audited::audited;
use audited::canary::Canaries;
use serde_json::Value;
use testkit::in_a_process_with;

use crate::checks::{check, write};
use crate::proxy::Proxy;
use crate::receiver::{LogRecord, Receiver, Span, eventually, free_port};

const TEST: &str = "end_to_end::opentelemetry_receives_each_calls_span_and_record_and_no_secret";
const LOG: &str = "AUDITED_TEST_LOG";

/// What nothing removes: that it is found shows that the search finds.
const VISIBLE: &str = "ORD-visible-7731";

#[derive(Debug)]
enum RefundError {
    Declined(#[expect(dead_code, reason = "shown by Debug")] String),
    Unrecorded(#[expect(dead_code, reason = "shown by Debug")] audited::Unavailable),
}

impl From<audited::Unavailable> for RefundError {
    fn from(unavailable: audited::Unavailable) -> Self {
        Self::Unrecorded(unavailable)
    }
}

#[audited(action = "order.refund", effect = "destructive", redact = [card], telemetry = "arguments")]
fn refund(order: &str, card: &str, api_key: &str, decline: bool) -> Result<String, RefundError> {
    if decline {
        return Err(RefundError::Declined(format!("card {card} of {order} with {api_key} was declined")));
    }
    Ok(order.to_owned())
}

#[audited(action = "support.answer", level = "request_response", redact = [card, return.note], telemetry = "redacted_arguments")]
async fn answer(order: &str, password: &str, card: &str, api_key: &str) -> Value {
    tokio::task::yield_now().await;
    let declined = refund(order, card, api_key, true).is_err();
    let refunded = refund(order, card, api_key, false).is_ok();
    serde_json::json!({"declined": declined, "refunded": refunded, "note": password})
}

/// The secrets, the same inside and outside.
fn secrets() -> (Canaries, [String; 3]) {
    let mut canaries = Canaries::seeded(7);
    let secrets = [canaries.text(), canaries.card_number(), canaries.api_key()];
    (canaries, secrets)
}

fn inside(log: &Path) {
    let guard = audited::init(log).unwrap();
    let (_, [password, card, api_key]) = secrets();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for _ in 0..20 {
        let _request = tracing::info_span!("request").entered();
        let context = audited::context().agent("agent:7").run("run_1").on_behalf_of("usr_1").conversation("conv_1");
        let value = runtime.block_on(context.scope(answer(VISIBLE, &password, &card, &api_key)));
        assert_eq!((&value["declined"], &value["refunded"]), (&true.into(), &true.into()));
    }
    guard.close().unwrap();
}

#[test]
fn opentelemetry_receives_each_calls_span_and_record_and_no_secret() {
    if let Some(log) = std::env::var_os(LOG) {
        return inside(log.as_ref());
    }
    let directory = tempfile::tempdir().unwrap();
    let (log, port) = (directory.path().join("audit"), free_port());
    let receiver = Receiver::start(directory.path(), port);
    let proxy = Proxy::before(port);
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", proxy.url()),
        ("OTEL_SERVICE_NAME", "orders".to_owned()),
        (LOG, log.display().to_string()),
    ];
    let environment = environment.each_ref().map(|(name, text)| (*name, text.as_str()));
    let output = in_a_process_with(TEST, &environment, || ()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // 1 + 1 of the log, 20 × 3 calls of two records.
    let lines = entries(&log);
    assert_eq!(lines.len(), 122);
    let received = eventually("the arrival of all records", || {
        let records = receiver.log_records();
        let is_last = |record: &LogRecord| record.event == "log.checkpoint" && record.body.contains("\n122\n");
        records.iter().any(is_last).then_some(records)
    });
    let spans = eventually("the arrival of all spans", || Some(receiver.spans()).filter(|spans| spans.len() >= 80));
    each_entry_arrived(&lines, &received);
    each_call_has_its_span(&lines, &spans);
    for name in ["gen_ai.execute_tool.duration", "audit.calls", "audit.append.duration", "audit.fsync.duration"] {
        eventually("the arrival of metrics", || receiver.text().contains(name).then_some(()));
    }

    let (canaries, _) = secrets();
    let sent = proxy.sent();
    canaries.assert_absent("what was sent", &sent);
    canaries.assert_absent("what was received", receiver.text().as_bytes());
    canaries.assert_absent_below(&log).unwrap();
    let mut visible = Canaries::seeded(8);
    visible.plant(VISIBLE);
    assert!(!visible.find("what was sent", &sent).is_empty());
}

const STRICT_TEST: &str =
    "end_to_end::opentelemetry_receives_spans_under_names_of_the_conventions_alone_where_asked_to";

#[test]
fn opentelemetry_receives_spans_under_names_of_the_conventions_alone_where_asked_to() {
    if let Some(log) = std::env::var_os(LOG) {
        return inside(log.as_ref());
    }
    let directory = tempfile::tempdir().unwrap();
    let (log, port) = (directory.path().join("audit"), free_port());
    let receiver = Receiver::start(directory.path(), port);
    let environment = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/v1/traces", receiver.url())),
        ("AUDITED_SPANS", "conventions".to_owned()),
        (LOG, log.display().to_string()),
    ];
    let environment = environment.each_ref().map(|(name, text)| (*name, text.as_str()));
    let output = in_a_process_with(STRICT_TEST, &environment, || ()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    let spans = eventually("the arrival of all spans", || Some(receiver.spans()).filter(|spans| spans.len() >= 80));
    assert_eq!(spans.iter().filter(|span| span.attributes.contains_key("audit.record.id")).count(), 60);
    let spans: Vec<Value> = spans.iter().map(exported).collect();
    let text = serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
    let Some((passed, said)) = check(&write(directory.path(), "spans.json", &text)) else { return };
    assert!(passed && said.contains("OTLP parse OK"), "{said}");
}

/// Writes a span as OTLP has it in JSON.
fn exported(span: &Span) -> Value {
    let attribute = |(name, text): (&String, &String)| serde_json::json!({"key": name, "value": {"stringValue": text}});
    serde_json::json!({
        "traceId": span.trace,
        "spanId": span.id,
        "name": span.name,
        "kind": span.kind,
        "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
    })
}

/// Reads the lines of a log that is intact.
pub(crate) fn entries(log: &Path) -> Vec<Value> {
    assert!(audited::verify_log(log).unwrap().is_intact());
    let mut lines = audit_store::read::Lines::open(log).unwrap();
    let mut entries = Vec::new();
    while let Some(line) = lines.next_line() {
        entries.push(serde_json::from_slice(line.unwrap().bytes).unwrap());
    }
    entries
}

/// Each entry arrived as it is, in order.
pub(crate) fn each_entry_arrived(entries: &[Value], received: &[LogRecord]) {
    let received: Vec<&LogRecord> = received.iter().filter(|record| record.event != "log.checkpoint").collect();
    let numbers: Vec<&str> = received.iter().map(|record| &*record.attributes["audit.sequence.number"]).collect();
    assert!(numbers.iter().map(|number| number.parse::<usize>().unwrap()).eq(0..entries.len()), "{numbers:?}");
    for (entry, record) in entries.iter().zip(received) {
        let expected = &entry["record"];
        assert_eq!(serde_json::from_str::<Value>(&record.body).unwrap(), *expected);
        assert_eq!(record.event, expected["event_name"].as_str().unwrap());
        assert_eq!(record.attributes["audit.record.id"], expected["record_id"].as_str().unwrap());
        assert_eq!(record.trace, expected["correlation"]["trace_id"].as_str().unwrap_or_default());
        assert_eq!(record.span, expected["correlation"]["span_id"].as_str().unwrap_or_default());
    }
}

/// Each call has one span, below the span of the call around it, which its records name.
fn each_call_has_its_span(entries: &[Value], spans: &[Span]) {
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (&*span.id, span)).collect();
    assert_eq!(by_id.len(), spans.len());
    let calls: BTreeMap<&str, &Span> =
        spans.iter().filter_map(|span| Some((&**span.attributes.get("audit.call.id")?, span))).collect();
    let ends = entries
        .iter()
        .map(|entry| &entry["record"])
        .filter(|record| record["call"].is_object() && record["event_name"] != "tool.called");
    let mut count = 0;
    for record in ends {
        let span = calls[record["call"]["id"].as_str().unwrap()];
        assert_eq!(span.name, format!("execute_tool {}", record["operation"]["tool"]["name"].as_str().unwrap()));
        assert_eq!(span.kind, "SPAN_KIND_INTERNAL");
        assert_eq!(span.id, record["correlation"]["span_id"].as_str().unwrap());
        assert_eq!(span.trace, record["correlation"]["trace_id"].as_str().unwrap());
        assert_eq!(span.attributes["audit.record.id"], record["record_id"].as_str().unwrap());
        let is_failure = record["outcome"]["status"] == "failure";
        assert_eq!(span.status == "STATUS_CODE_ERROR", is_failure, "{span:?}");
        let parent = by_id[span.parent.as_str()];
        match record["call"]["parent_id"].as_str() {
            Some(outer) => assert_eq!(parent.id, calls[outer].id),
            None => assert_eq!(parent.name, "request"),
        }
        assert_eq!(parent.trace, span.trace);
        count += 1;
    }
    assert_eq!((count, calls.len()), (60, 60));
}

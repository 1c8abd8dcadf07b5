//! The span of a call: what ordinary telemetry sees, and what it does not.

mod by_hand;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use audited::audited;
use testkit::Memory;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// The fields of a span, each as often as it was recorded.
type Recorded = BTreeMap<String, Vec<String>>;

/// Collects the names and fields of all spans.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(String, Recorded)>>>);

struct Fields<'a>(&'a mut Recorded);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.entry(field.name().to_owned()).or_default().push(format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.entry(field.name().to_owned()).or_default().push(format!("i64 {value}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        attributes.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push((attributes.metadata().name().to_owned(), fields));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap().last_mut().unwrap().1));
    }
}

#[audited(action = "order.refund", redact = [card, return.number], name = "refund_order")]
fn refund(card: &str, fail: bool) -> Result<serde_json::Value, String> {
    if fail { Err(format!("no {card}")) } else { Ok(serde_json::json!({"number": card, "n": 1})) }
}

fn spans(fail: bool) -> Recorded {
    let (spans, memory) = (Spans::default(), Memory::new());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()).with(spans.clone()), || {
        let context =
            audited::context().agent("agent:7").on_behalf_of("usr_1").conversation("c").tool_call_id("call_1");
        context.in_scope(|| assert_eq!(refund("4242424242424242", fail).is_err(), fail));
    });
    let mut all = spans.0.lock().unwrap().clone();
    let (name, fields) = all.pop().unwrap();
    assert_eq!((name.as_str(), all.len()), ("execute_tool", 0));
    let records = memory.records();
    assert_eq!(fields["audit.call.id"], [records[1]["call"]["id"].as_str().unwrap()]);
    assert_eq!(fields["audit.record.id"], [records[1]["record_id"].as_str().unwrap()]);
    fields
}

#[test]
fn a_span_tells_names_outcome_and_duration_and_no_argument() {
    let mut fields = spans(false);
    fields.remove("audit.call.id");
    fields.remove("audit.record.id");
    let found: Vec<String> = fields.iter().map(|(name, values)| format!("{name} = {}", values.join(" and "))).collect();
    let expected = [
        "audit.action = \"order.refund\"",
        "audit.duration_ms = i64 4",
        "audit.outcome = \"success\"",
        "audit.sequence.number = i64 1",
        "audit.summary = \"{\\\"n\\\":1}\"",
        "gen_ai.agent.id = \"agent:7\"",
        "gen_ai.conversation.id = \"c\"",
        "gen_ai.operation.name = \"execute_tool\"",
        "gen_ai.tool.call.id = \"call_1\"",
        "gen_ai.tool.name = \"refund_order\"",
        "otel.kind = \"internal\"",
        "otel.name = execute_tool refund_order",
        "user.id = \"usr_1\"",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_failed_call_tells_its_error_type() {
    let fields = spans(true);
    assert_eq!(fields["audit.outcome"], ["\"failure\""]);
    assert_eq!(fields["error.type"], ["\"String\""]);
    assert!(!fields.contains_key("audit.summary"));
}

#[test]
fn the_telemetry_filter_keeps_audit_spans_out_of_a_layer_and_the_audit_filter_all_others() {
    let (telemetry, audit) = (Spans::default(), Spans::default());
    let subscriber = tracing_subscriber::registry()
        .with(Memory::new().layer().with_filter(audited::audit_filter()))
        .with(telemetry.clone().with_filter(audited::telemetry_filter()))
        .with(audit.clone().with_filter(audited::audit_filter()));
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("ordinary").entered();
        refund("4", false).unwrap();
    });
    let names = |spans: &Spans| spans.0.lock().unwrap().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&telemetry), ["ordinary"]);
    assert_eq!(names(&audit), ["execute_tool"]);
}

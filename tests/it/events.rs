//! Agent events go through the port under the names of schema 1.

use audit_core::vocabulary::{EventName, Writer};
use audited::{Applied, Status, audited};
use serde_json::{Value, json};
use testkit::recorded;

#[test]
fn every_name_is_recorded_with_its_stage_or_refused_with_a_reason() {
    let names: serde_json::Map<String, Value> =
        serde_json::from_str(include_str!("../../docs/spec/events.json")).unwrap();
    for (name, stage) in names {
        let mut result = None;
        let records = recorded(|| result = Some(audited::event(&name).record().map(drop)));
        match (EventName::parse(&name).unwrap().writer(), result.unwrap()) {
            (Writer::Program, Ok(())) => {
                assert_eq!((&records[0]["event_name"], &records[0]["stage"]), (&json!(name), &stage));
                assert_eq!(records[0]["action"], name);
            }
            (Writer::Call, Err(error)) => assert!(error.to_string().contains("is a stage of a call"), "{error}"),
            (Writer::Log, Err(error)) => assert!(error.to_string().contains("of the log itself"), "{error}"),
            (writer, result) => panic!("{name} of {writer:?} gave {result:?}"),
        }
    }
}

#[test]
fn an_unknown_name_lists_what_is_allowed() {
    let error = audited::event("run.create").record().unwrap_err().to_string();
    assert!(error.contains("run.created, ") && error.ends_with("found `run.create`"), "{error}");
}

#[test]
fn an_event_carries_action_target_outcome_reason_and_annotations() {
    let records = recorded(|| {
        audited::context().conversation("c").in_scope(|| {
            audited::event("approval.rejected")
                .action("order.refund")
                .target("order", "ORD-1")
                .outcome(Status::Failure)
                .effect(Applied::None)
                .reason("not without a photo; token=abc")
                .annotation("limits", &json!({"max": 100, "api_key": "k-123"}))
                .annotation("password", "hunter2")
                .record()
                .unwrap();
        });
    });
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record["action"], "order.refund");
    assert_eq!(record["stage"], "approval_rejected");
    assert_eq!(record["target"], json!([{"id": "ORD-1", "type": "order"}]));
    assert_eq!(
        record["outcome"],
        json!({"effect": "none", "reason": "not without a photo; token= [redacted]", "status": "failure"})
    );
    assert_eq!(record["annotations"], json!({"limits": {"max": 100}}));
    assert_eq!(record["correlation"]["conversation_id"], "c");
    let rules: Vec<&Value> =
        record["redactions"].as_array().unwrap().iter().map(|redaction| &redaction["rule"]).collect();
    assert_eq!(rules, ["name:api_key", "name:password", "name:token"]);
}

#[test]
fn an_event_inside_a_call_belongs_to_it() {
    #[audited(action = "order.refund")]
    fn refund() {
        audited::event("tool.progress").annotation("done", &0.5).record().unwrap();
    }
    let records = recorded(refund);
    assert_eq!(records[1]["action"], "order.refund");
    assert_eq!(records[1]["call"], json!({"id": records[0]["call"]["id"]}));
    assert_eq!(records[1]["annotations"], json!({"done": 0.5}));
}

#[test]
fn events_and_spans_inside_a_call_do_not_show_what_was_removed_from_it() {
    #[audited(action = "card.charge", redact = [card])]
    fn charge(card: &str) {
        let why = format!("card {card} refused");
        let event = audited::event("decision.proposed").annotation("why", &why);
        drop(event.record().unwrap());
        tracing::info!(target: "audit", { audit.action = "card.note", error.r#type = %why, why = %why }, "{why}");
        let span = tracing::info_span!(target: "audit", "note", audit.action = "card.note", why = %why, late = tracing::field::Empty);
        span.record("late", why.as_str());
        span.record("error.type", why.as_str());
    }
    #[audited(action = "login")]
    fn login() {
        let _span = tracing::info_span!(target: "audit", "login", audit.action = "login.try", password = "hunter2hunter2", why = %"hunter2hunter2 is wrong");
    }
    let records = recorded(|| charge("4242424242424242"));
    assert_eq!(records.len(), 6, "{records:?}");
    assert!(!serde_json::to_string(&records).unwrap().contains("4242"), "{records:?}");
    assert_eq!(records[1]["annotations"]["why"], "card [redacted] refused");
    let records = recorded(login);
    assert!(!serde_json::to_string(&records).unwrap().contains("hunter2"), "{records:?}");
}

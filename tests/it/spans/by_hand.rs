//! Spans and events with the target `audit` that a program writes itself, and that become records.

use std::fmt;

use audit_core::sink::AppendErrorKind;
use audited::audited;
use serde_json::{Value, json};
use testkit::{Memory, recorded};
use tracing::{Instrument as _, Level, Span, event, info, info_span};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::lost::poll_once;

#[audited(action = "order.note", effect = "read")]
fn note() {}

#[audited(action = "order.send")]
fn send_inside(to: &str) {
    let _span = info_span!(target: "audit", "send_mail", audit.action = "mail.send", to = %to).entered();
    note();
}

fn events(records: &[Value]) -> Vec<(&str, &str)> {
    records.iter().map(|record| (text(&record["action"]), text(&record["event_name"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_span_is_a_call() {
    let records = recorded(|| {
        let context = audited::context().agent("agent:7").tool_call_id("call_1");
        context.in_scope(|| {
            let _span = info_span!(
                target: "audit", "send_mail", audit.action = "mail.send", audit.effect = "destructive", to = %"a@b.c",
                copies = 3, ratio = 0.5, urgent = true, text = "hello", list = ?[1, 2],
            );
        });
    });
    assert_eq!(events(&records), [("mail.send", "tool.called"), ("mail.send", "side_effect.applied")]);
    let (started, ended) = (&records[0], &records[1]);
    assert_eq!(started["stage"], "started");
    assert_eq!(
        started["operation"],
        json!({"name": "execute_tool", "tool": {"destructive": true, "name": "send_mail", "read_only": false}})
    );
    assert_eq!(
        started["request"]["arguments"],
        json!({"copies": 3, "list": "[1, 2]", "ratio": 0.5, "text": "hello", "to": "a@b.c", "urgent": true})
    );
    assert_eq!(started["actor"]["agent"]["id"], "agent:7");
    assert_eq!(started["call"]["tool_call_id"], "call_1");
    assert_eq!((&started["level"], &started["outcome"]["effect"]), (&json!("request"), &json!("none")));
    assert_eq!(ended["outcome"], json!({"effect": "applied", "status": "success"}));
    assert_eq!(ended["call"]["id"], started["call"]["id"]);
    assert!(ended["call"]["duration_ns"].as_u64().unwrap() > 0);
    assert_eq!(ended.get("request"), None);
}

#[test]
fn what_is_recorded_later_tells_the_end() {
    let end = |record: &dyn Fn(&Span)| {
        let mut records = recorded(|| {
            let span = info_span!(
                target: "audit::mail", "send_mail", audit.action = "mail.send", audit.outcome = tracing::field::Empty,
                error.type = tracing::field::Empty, id = tracing::field::Empty, token = tracing::field::Empty,
            );
            record(&span);
        });
        records.remove(1)
    };
    let failed = end(&|span| {
        span.record("error.type", "Bounced");
    });
    assert_eq!(failed["event_name"], "tool.failed");
    assert_eq!(failed["outcome"], json!({"effect": "unknown", "error_type": "Bounced", "status": "failure"}));
    let partial = end(&|span| {
        span.record("audit.outcome", "partial");
    });
    assert_eq!(partial["event_name"], "side_effect.applied");
    assert_eq!(partial["outcome"], json!({"effect": "partially_applied", "status": "partial"}));
    let late = end(&|span| {
        span.record("id", 1).record("id", 2).record("token", "hunter2");
    });
    assert_eq!(late["annotations"], json!({"id": 2}));
    assert_eq!(late["redactions"][0]["path"], "/annotations/token");
    assert!(!late.to_string().contains("hunter2"));
    // A word that is none stays visible.
    let odd = end(&|span| {
        span.record("audit.outcome", "splendid");
    });
    assert_eq!(
        (&odd["outcome"]["status"], &odd["annotations"]),
        (&json!("success"), &json!({"audit.outcome": "splendid"}))
    );
}

#[test]
fn the_end_of_a_read_and_of_a_panic() {
    let records = recorded(|| {
        drop(info_span!(target: "audit", "look", audit.action = "order.look", audit.effect = "read"));
        let panicked = std::panic::catch_unwind(|| {
            let _span = info_span!(target: "audit", "send_mail", audit.action = "mail.send").entered();
            panic!("no");
        });
        assert!(panicked.is_err());
    });
    assert_eq!(
        events(&records)[1..],
        [("order.look", "tool.completed"), ("mail.send", "tool.called"), ("mail.send", "tool.panicked")]
    );
    assert_eq!(records[3]["outcome"], json!({"effect": "unknown", "error_type": "panic", "status": "failure"}));
}

#[test]
fn secrets_are_removed_as_from_arguments() {
    struct Broken;
    impl fmt::Debug for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("as a test");
        }
    }
    let records = recorded(|| {
        let span = info_span!(
            target: "audit", "log_in", audit.action = "user.log_in", user = "u", user.password = "hunter2",
            login = ?("u", "password: hunter2"), broken = ?Broken, error.type = tracing::field::Empty,
        );
        span.record("error.type", "Wrong(hunter2)");
    });
    let text = serde_json::to_string(&records).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    let arguments = &records[0]["request"]["arguments"];
    assert_eq!((&arguments["user"], arguments.get("user.password")), (&json!("u"), None));
    let paths: Vec<&str> =
        records[0]["redactions"].as_array().unwrap().iter().map(|r| self::text(&r["path"])).collect();
    assert!(paths.contains(&"/request/arguments/user.password"), "{paths:?}");
    assert!(arguments["broken"]["type"].is_string(), "{arguments}");
}

fn batch() -> Span {
    info_span!(target: "audit", "batch", audit.action = "mail.batch")
}

/// Makes a span inside of a call inside of a span, entered by `run`, and looks at what became of them.
fn assert_nested(memory: &Memory, run: &dyn Fn(&dyn Fn())) {
    let before = memory.records().len();
    run(&|| send_inside("a@b.c"));
    let records = memory.records().split_off(before);
    assert_eq!(
        events(&records),
        [
            ("mail.batch", "tool.called"),
            ("order.send", "tool.called"),
            ("mail.send", "tool.called"),
            ("order.note", "tool.called"),
            ("order.note", "tool.completed"),
            ("mail.send", "side_effect.applied"),
            ("order.send", "side_effect.applied"),
            ("mail.batch", "side_effect.applied"),
        ]
    );
    for (inner, outer) in [(1, 0), (2, 1), (3, 2), (5, 1)] {
        assert_eq!(records[inner]["call"]["parent_id"], records[outer]["call"]["id"], "{inner} in {outer}");
    }
    assert_eq!(records[0]["call"].get("parent_id"), None);
    assert_eq!(records[3]["actor"]["agent"]["id"], "agent:7", "context is inherited through the spans");
}

fn assert_nested_either_way(memory: &Memory) {
    assert_nested(memory, &|body| audited::context().agent("agent:7").in_scope(|| batch().in_scope(body)));
    assert_nested(memory, &|body| {
        let span = audited::context().agent("agent:7").in_scope(batch);
        // A task that carries the span alone.
        poll_once(async { body() }.instrument(span));
    });
}

#[test]
fn calls_nest_in_spans_and_spans_in_calls() {
    let memory = Memory::new();
    let subscriber = tracing_subscriber::registry().with(memory.layer().with_filter(audited::audit_filter()));
    tracing::subscriber::with_default(subscriber, || assert_nested_either_way(&memory));
}

#[test]
fn they_nest_under_the_subscriber_of_the_process_too() {
    // Tracing hands it out inside of callbacks, other than one of a thread.
    let test = "spans::by_hand::they_nest_under_the_subscriber_of_the_process_too";
    let body = || {
        let memory = Memory::new();
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(memory.layer())).unwrap();
        assert_nested_either_way(&memory);
    };
    let Some(output) = testkit::in_a_process_of_its_own(test, body) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn spans_nest_in_each_other_inside_a_call() {
    #[audited(action = "order.send")]
    fn send() {
        let outer = info_span!(target: "audit", "outer", audit.action = "mail.outer").entered();
        let plain = info_span!("plain").entered();
        let inner = info_span!(target: "audit", "inner", audit.action = "mail.inner");
        drop((inner, plain, outer));
        drop(info_span!(target: "audit", parent: None, "root", audit.action = "mail.root"));
    }
    let records = recorded(send);
    let find = |action: &str| records.iter().find(|record| record["action"] == action).unwrap();
    let parent = |action: &str| find(action)["call"]["parent_id"].clone();
    let id = |action: &str| find(action)["call"]["id"].clone();
    assert_eq!(parent("mail.inner"), id("mail.outer"));
    assert_eq!(parent("mail.outer"), id("order.send"));
    assert_eq!(parent("mail.root"), id("order.send"));
    assert_eq!(records.len(), 8);
}

#[test]
fn an_event_is_a_record() {
    let records = recorded(|| {
        info!(target: "audit", { audit.action = "mail.send", size = 3, password = "hunter2" }, "half of it");
        event!(target: "audit", Level::INFO, audit.action = "mail.check", audit.event = "validation.failed", audit.outcome = "failure", error.type = "TooLarge");
        event!(target: "audit", Level::INFO, audit.action = "mail.send", audit.event = "tool.completed");
        let span = info_span!(target: "audit", "send_mail", audit.action = "mail.send").entered();
        event!(target: "audit", Level::INFO, audit.action = "mail.sent", audit.event = "alert.raised");
        drop(span);
    });
    assert_eq!(
        events(&records),
        [
            ("mail.send", "tool.progress"),
            ("mail.check", "validation.failed"),
            ("mail.send", "tool.progress"),
            ("mail.send", "tool.called"),
            ("mail.sent", "alert.raised"),
            ("mail.send", "side_effect.applied"),
        ]
    );
    assert_eq!(records[0]["annotations"], json!({"message": "half of it", "size": 3}));
    assert_eq!(records[0]["redactions"][0]["path"], "/annotations/password");
    assert_eq!(records[1]["outcome"], json!({"effect": "none", "error_type": "TooLarge", "status": "failure"}));
    assert_eq!(records[2]["annotations"], json!({"audit.event": "tool.completed"}), "a program may not say that");
    assert_eq!(records[4]["call"]["id"], records[3]["call"]["id"], "an event inside of a call belongs to it");
}

#[test]
fn what_has_no_action_or_another_target_is_no_record() {
    let records = recorded(|| {
        drop(info_span!(target: "audit", "plain"));
        drop(info_span!(target: "audit", "later", audit.action = tracing::field::Empty));
        drop(info_span!(target: "auditor", "other", audit.action = "mail.send"));
        info!(target: "audit", "plain");
        info!(audit.action = "mail.send");
    });
    assert!(records.is_empty(), "{records:?}");
}

#[test]
fn a_filter_silences_them_and_the_audit_filter_does_not() {
    let records = |memory: &Memory, subscriber: tracing::Dispatch| {
        tracing::dispatcher::with_default(&subscriber, || {
            drop(info_span!(target: "audit", "send_mail", audit.action = "mail.send"));
            // What a question leaves behind in the filters does not reach the layer behind its own.
            let _wanted = tracing::enabled!(target: "other", Level::INFO);
            event!(target: "audit", Level::INFO, audit.action = "mail.send");
        });
        memory.records().len()
    };
    let memory = Memory::new();
    let off = tracing_subscriber::registry().with(memory.layer()).with(LevelFilter::WARN);
    assert_eq!(records(&memory, off.into()), 0);
    let others = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::INFO);
    let through = tracing_subscriber::registry().with(others).with(memory.layer().with_filter(audited::audit_filter()));
    assert_eq!(records(&memory, through.into()), 3);
}

#[test]
fn a_span_that_is_not_recorded_is_counted_once_and_runs() {
    let test = "spans::by_hand::a_span_that_is_not_recorded_is_counted_once_and_runs";
    let body = || {
        let memory = Memory::new();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
            let span = || drop(info_span!(target: "audit", "send_mail", audit.action = "mail.send"));
            memory.refuse(AppendErrorKind::Poisoned);
            span();
            assert_eq!(audit_core::unrecorded::count(), 1);
            memory.close();
            span();
            event!(target: "audit", Level::INFO, audit.action = "mail.send");
            assert_eq!(audit_core::unrecorded::count(), 3);
        });
        assert!(memory.records().is_empty());
    };
    let Some(output) = testkit::in_a_process_of_its_own(test, body) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_subscribers_on_one_thread_are_told_apart() {
    let (one, other) = (Memory::new(), Memory::new());
    let subscriber = |memory: &Memory| tracing::Dispatch::new(tracing_subscriber::registry().with(memory.layer()));
    let (first, second) = (subscriber(&one), subscriber(&other));
    // Both registries give their first span the same identifier.
    let span =
        tracing::dispatcher::with_default(&second, || info_span!(target: "audit", "a", audit.action = "mail.send"));
    tracing::dispatcher::with_default(&first, || {
        note();
        drop(span);
    });
    assert_eq!((one.records().len(), other.records().len()), (2, 2));
}

#[audited(action = "order.send")]
fn send_elsewhere(to: &str) {
    let (span, dispatch) = (Span::current(), tracing::dispatcher::get_default(Clone::clone));
    let send =
        || span.in_scope(|| drop(info_span!(target: "audit", "send_mail", audit.action = "mail.send", to = %to)));
    // The other thread has nothing of the call but its span.
    std::thread::scope(|scope| drop(scope.spawn(|| tracing::dispatcher::with_default(&dispatch, send))));
}

#[test]
fn each_of_two_layers_finds_the_call_around_a_span() {
    let (inner, outer) = (Memory::new(), Memory::new());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(inner.layer()).with(outer.layer()), || {
        send_elsewhere("a@b.c");
    });
    let (inner, outer) = (inner.records(), outer.records());
    // The call goes through one port, the span written by hand through both.
    let call = inner.iter().chain(&outer).find(|record| record["action"] == "order.send").unwrap();
    for records in [&inner, &outer] {
        let mail = records.iter().find(|record| record["action"] == "mail.send").unwrap();
        assert_eq!(mail["call"]["parent_id"], call["call"]["id"]);
    }
}

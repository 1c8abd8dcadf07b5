//! Calls without the attribute, as adapters make them.

use audited::manual::tool_call;
use audited::sink::AppendErrorKind;
use audited::{Conclusion, Mcp, audited, context};
use serde_json::{Value, json};
use testkit::{Memory, recorded};
use tracing_subscriber::layer::SubscriberExt as _;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[audited(action = "step")]
fn step() {}

#[test]
fn a_call_is_named_when_it_is_made() {
    let tool = format!("tool_{}", 7);
    let arguments = json!({"order": "ORD-1", "card": "4242424242424242", "password": "hunter2hunter2"});
    let records = recorded(|| {
        let call = tool_call(format!("mcp.{tool}"), tool.clone()).arguments(&arguments).redact(["card"]);
        let mut call = call.target("order", "ORD-1").begin().call();
        call.run(step);
        call.finish(Conclusion::failure("refused").reason("card 4242424242424242 was refused"), Some(&"no"));
    });
    let (started, ended) = (&records[0], &records[3]);
    assert_eq!((&started["action"], &started["operation"]["tool"]["name"]), (&json!("mcp.tool_7"), &json!("tool_7")));
    assert_eq!(started["request"]["arguments"], json!({"order": "ORD-1"}));
    assert_eq!(started["target"], json!([{"id": "ORD-1", "type": "order"}]));
    assert_eq!(records[1]["call"]["parent_id"], started["call"]["id"]);
    assert_eq!(ended["outcome"]["reason"], "card [redacted] was refused");
    assert_eq!(ended["response"]["summary"], "no");
    assert!(!serde_json::to_string(&records).unwrap().contains("4242"));
}

#[test]
fn a_path_that_cannot_be_read_removes_all_arguments() {
    let arguments = json!({"card": "4242"});
    let begin = |path: &'static str| {
        let records = recorded(|| drop(tool_call("a", "t").arguments(&arguments).redact([path]).begin()));
        records[0]["request"]["arguments"].clone()
    };
    assert_eq!(begin("a..b"), json!({}));
    assert_eq!(begin("card"), json!({}));
    assert_eq!(begin("not_given"), arguments);
    assert_eq!(begin("card.number"), json!({}));
}

#[test]
fn a_call_without_a_body_and_one_that_is_dropped() {
    let records = recorded(|| {
        tool_call("a", "unknown").begin().call().finish(Conclusion::failure("unknown_tool").code("-32602"), None);
        drop(tool_call("b", "t").begin().call());
    });
    let stages: Vec<&str> = records.iter().map(|record| record["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["started", "completed", "started", "cancelled"]);
    assert_eq!((&records[0]["request"], &records[1]["outcome"]["code"]), (&Value::Null, &json!("-32602")));
}

#[test]
fn a_destructive_call_is_refused_unless_told_otherwise() {
    let memory = Memory::new();
    memory.refuse(AppendErrorKind::Io);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        let destructive = || tool_call("a", "t").effect(audited::Effect::Destructive);
        assert_eq!(destructive().begin().checked().unwrap_err().action(), "a");
        assert!(destructive().count().begin().checked().is_ok());
        assert!(tool_call("a", "t").begin().checked().is_ok());
        assert!(tool_call("a", "t").deny().begin().checked().is_err());
    });
}

#[test]
fn the_context_carries_the_request_and_its_trace() {
    let request = Mcp::new().method("tools/call").request_id("7").session_id("s");
    let records = recorded(|| context().mcp(request).traceparent(TRACEPARENT).in_scope(step));
    assert_eq!(records[0]["operation"]["mcp"], json!({"method": "tools/call", "request_id": "7", "session_id": "s"}));
    assert_eq!(records[0]["correlation"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(records[0]["correlation"]["span_id"], "b7ad6b7169203331");
    let records = recorded(|| context().traceparent("00-xyz").in_scope(step));
    assert_eq!(records[0]["correlation"], Value::Null);
}

#[test]
fn a_watch_tells_whether_a_call_of_the_tool_was_reached() {
    let _records = recorded(|| {
        let (watched, watch) = context().watch("step");
        watched.in_scope(|| assert!(!watch.reached()));
        let (watched, watch) = context().watch("other");
        watched.in_scope(step);
        assert!(!watch.reached());
        let (watched, watch) = context().watch("step");
        watched.in_scope(|| audited::call!("gate", { step() }));
        assert!(watch.reached());
    });
}

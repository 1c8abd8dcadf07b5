use super::*;
use crate::context::context;
use crate::redact::Removal;
use crate::redact::rule::Rule;
use crate::vocabulary::Trigger;

const ID: &str = "01a17cbc-f240-7dd1-8916-96e15e2ee293";

fn time(second: u64) -> Time {
    Time::from_unix(Duration::from_secs(1_792_000_000 + second))
}

fn check(draft: &Draft<'_>, expected: expect_test::Expect) {
    let bytes = draft.write(Stamp { record_id: ID.parse().unwrap(), observed: time(9) }, &|_payload| None);
    // What was written in order is what canonical JSON of it would be.
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(crate::canonical::to_vec(&value).unwrap(), *bytes);
    expected.assert_eq(&serde_json::to_string_pretty(&value).unwrap());
}

fn draft(ambient: &Ambient) -> Draft<'_> {
    Draft {
        event: EventName::SideEffectApplied,
        time: time(1),
        action: "order.refund",
        ambient,
        correlation: None,
        call: None,
        operation: None,
        outcome: &PENDING,
        level: None,
        request: None,
        response: None,
        targets: &[],
        redactions: &[],
        annotations: None,
        retention: None,
        limits: Limits::default(),
        trigger: true,
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "the expected record is long")]
fn a_full_record_is_canonical() {
    let context = context().agent("a").on_behalf_of("u").roles(["r"]).model("p", "m").conversation("c").turn(3);
    context.run("run").tenant("t").trigger(Trigger::Retry).in_scope(|| {
        let ambient = Ambient::current();
        let request = Payload::new(b"{\"n\":1}".to_vec());
        let response = Response::new(b"[1]".to_vec(), false, &[]);
        let call = CallPart {
            id: ID.parse().unwrap(),
            start: Some(time(0)),
            end: Some((time(1), Duration::from_millis(5))),
            tool_call_id: Some("call_1"),
            parent: Some(ID.parse().unwrap()),
        };
        let full = Draft {
            call: Some(call),
            operation: Some(Operation { tool: "refund", effect: Some(Effect::Destructive) }),
            level: Some(Level::Request),
            request: Some(&request),
            response: Some(&response),
            targets: &[Target { kind: "order".into(), id: "7".into() }],
            redactions: &[Redaction::new("/request/arguments/card".into(), Removal::drop(Rule::path("card")))],
            annotations: Some(&request),
            ..draft(&ambient)
        };
        check(
            &full,
            expect_test::expect![[r#"
            {
              "action": "order.refund",
              "actor": {
                "agent": {
                  "id": "a"
                },
                "model": {
                  "name": "m",
                  "provider": "p"
                },
                "on_behalf_of": {
                  "id": "u",
                  "roles": [
                    "r"
                  ]
                }
              },
              "annotations": {
                "n": 1
              },
              "call": {
                "duration_ns": 5000000,
                "end_time": "2026-10-14T17:46:41.000000000Z",
                "id": "01a17cbc-f240-7dd1-8916-96e15e2ee293",
                "parent_id": "01a17cbc-f240-7dd1-8916-96e15e2ee293",
                "start_time": "2026-10-14T17:46:40.000000000Z",
                "tool_call_id": "call_1"
              },
              "correlation": {
                "conversation_id": "c",
                "run_id": "run",
                "tenant_id": "t",
                "turn": 3
              },
              "event_name": "side_effect.applied",
              "level": "request",
              "observed_time": "2026-10-14T17:46:49.000000000Z",
              "operation": {
                "name": "execute_tool",
                "tool": {
                  "destructive": true,
                  "name": "refund",
                  "read_only": false
                }
              },
              "outcome": {
                "effect": "none",
                "status": "unknown"
              },
              "record_id": "01a17cbc-f240-7dd1-8916-96e15e2ee293",
              "redactions": [
                {
                  "method": "drop",
                  "path": "/request/arguments/card",
                  "rule": "path:card"
                }
              ],
              "request": {
                "arguments": {
                  "n": 1
                },
                "hash": "sha-256:2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd",
                "size": 7
              },
              "response": {
                "hash": "sha-256:080a9ed428559ef602668b4c00f114f1a11c3f6b02a435f0bdc154578e4d7f22",
                "size": 3,
                "summary": [
                  1
                ]
              },
              "schema_version": "1",
              "stage": "completed",
              "target": [
                {
                  "id": "7",
                  "type": "order"
                }
              ],
              "time": "2026-10-14T17:46:41.000000000Z",
              "trigger": "retry"
            }"#]],
        );
    });
}

#[test]
fn a_record_that_is_too_large_keeps_hash_and_size() {
    let ambient = Ambient::current();
    let long = format!("\"{}\"", "x".repeat(RECORD_BYTES_MAX));
    let request = Payload::new(format!("{{\"text\":{long}}}").into_bytes());
    let response = Response::new(long.into_bytes(), true, &[]);
    let redaction =
        |index| Redaction::new(format!("/request/arguments/list/{index}/pin"), Removal::drop(Rule::name("pin")));
    let large = Draft {
        request: Some(&request),
        response: Some(&response),
        redactions: &(0..10).map(redaction).collect::<Vec<_>>(),
        ..draft(&ambient)
    };
    check(
        &large,
        expect_test::expect![[r#"
        {
          "action": "order.refund",
          "actor": {},
          "event_name": "side_effect.applied",
          "observed_time": "2026-10-14T17:46:49.000000000Z",
          "outcome": {
            "effect": "none",
            "status": "unknown"
          },
          "record_id": "01a17cbc-f240-7dd1-8916-96e15e2ee293",
          "redactions": [
            {
              "method": "drop",
              "path": "/request/arguments/list",
              "rule": "name:pin"
            }
          ],
          "request": {
            "hash": "sha-256:c366cab868735f114cc1386155058bb3e9352f51458dcf8c97b8bf44a8fbfd64",
            "size": 65362,
            "truncated": true
          },
          "response": {
            "hash": "sha-256:65a0949f671b9520057dda380d5ede955418bf2b3655f42b00a3660b84d945fa",
            "size": 65353,
            "summary": {
              "size": 65351,
              "type": "text"
            },
            "truncated": true
          },
          "schema_version": "1",
          "stage": "completed",
          "time": "2026-10-14T17:46:41.000000000Z"
        }"#]],
    );
}

#[test]
fn a_payload_that_is_kept_beside_the_record_is_referred_to() {
    let ambient = Ambient::current();
    let long = format!("\"{}\"", "x".repeat(RECORD_BYTES_MAX));
    let request = Payload::new(format!("{{\"text\":{long}}}").into_bytes());
    let response = Response::new(b"\"short\"".to_vec(), true, &[]);
    let large = Draft { request: Some(&request), response: Some(&response), ..draft(&ambient) };
    let kept = core::cell::RefCell::new(Vec::new());
    let keep = |payload: &[u8]| {
        kept.borrow_mut().push(payload.to_vec());
        Some(Hash::of(payload))
    };
    let bytes = large.write(Stamp { record_id: ID.parse().unwrap(), observed: time(9) }, &keep);
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let hash = Hash::of(&kept.borrow()[0]);
    let expected = serde_json::json!({
        "hash": format!("sha-256:{hash}"),
        "ref": format!("blobs/{hash}"),
        "size": RECORD_BYTES_MAX + 11,
    });
    assert_eq!(value["request"], expected);
    assert_eq!(kept.borrow().len(), 2);
    assert!(value["response"]["ref"].is_string() && value["response"].get("truncated").is_none());
    assert_eq!(crate::canonical::to_vec(&value).unwrap(), *bytes);
    // One that is kept under another hash is not the one.
    let bytes = large.write(Stamp { record_id: ID.parse().unwrap(), observed: time(9) }, &|_| Some(hash));
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(value["response"]["truncated"], true);
}

/// Checks that the record fits, and returns it.
fn shortened(draft: &Draft<'_>) -> serde_json::Value {
    let bytes = draft.write(Stamp { record_id: ID.parse().unwrap(), observed: time(9) }, &|_payload| None);
    assert!(bytes.len() <= RECORD_BYTES_MAX, "{} bytes", bytes.len());
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(crate::canonical::to_vec(&value).unwrap(), *bytes);
    assert_eq!(value["annotations"], serde_json::json!({ "shortened": true }));
    assert!(value.get("redactions").is_none_or(|list| list != &serde_json::json!([])));
    value
}

#[test]
fn a_record_of_long_roles_keeps_the_identifiers_of_the_actor() {
    let roles = (0..64).map(|n| format!("{n:01024}"));
    context().agent("a").on_behalf_of("u").roles(roles).conversation("c").in_scope(|| {
        let ambient = Ambient::current();
        let record = shortened(&draft(&ambient));
        assert_eq!(record["actor"], serde_json::json!({ "agent": { "id": "a" }, "on_behalf_of": { "id": "u" } }));
        assert_eq!(record["correlation"], serde_json::json!({ "conversation_id": "c" }));
    });
}

#[test]
fn a_record_of_long_targets_keeps_their_beginnings() {
    let ambient = context().agent("a").in_scope(Ambient::current);
    let target = |text: &str| Target { kind: "doc".to_owned(), id: text.to_owned() };
    let long = [target(&"x".repeat(70_000))];
    let record = shortened(&Draft { targets: &long, ..draft(&ambient) });
    let id = format!("{}…(+69936 bytes)", "x".repeat(64));
    assert_eq!(record["target"], serde_json::json!([{ "id": id, "type": "doc" }]));
    assert_eq!(record["actor"], serde_json::json!({ "agent": { "id": "a" } }));
    let controls: Vec<_> = (0..20).map(|_| target(&"\u{1}".repeat(1_024))).collect();
    let record = shortened(&Draft { targets: &controls, ..draft(&ambient) });
    assert_eq!(record["target"].as_array().unwrap().len(), 16);
    assert_eq!(record["target"][0]["id"], format!("{}…(+1014 bytes)", "\u{1}".repeat(10)));
}

#[test]
fn a_record_that_is_too_long_in_every_part_fits() {
    let long = "\u{1}".repeat(RECORD_BYTES_MAX);
    let context = context().agent(&long).agent_name(&long).on_behalf_of(&long).roles([&long; 64]).model(&long, &long);
    context.conversation(&long).run(&long).tenant(&long).in_scope(|| {
        let ambient = Ambient::current();
        let payload = Payload::new(serde_json::to_vec(&long).unwrap());
        let response = Response::new(serde_json::to_vec(&long).unwrap(), true, &[]);
        let redaction =
            |n| Redaction::new(format!("/{n}{long}/{long}"), Removal::drop(Rule::called(&format!("path:{long}"))));
        let record = shortened(&Draft {
            action: &long,
            call: Some(CallPart {
                id: ID.parse().unwrap(),
                start: Some(time(0)),
                end: Some((time(1), Duration::MAX)),
                tool_call_id: Some(&long),
                parent: Some(ID.parse().unwrap()),
            }),
            operation: Some(Operation { tool: &long, effect: Some(Effect::Destructive) }),
            outcome: &Outcome { error_type: Some(long.clone()), reason: Some(long.clone()), ..Outcome::pending() },
            request: Some(&payload),
            response: Some(&response),
            targets: &core::array::from_fn::<_, 20, _>(|_| Target { kind: long.clone(), id: long.clone() }),
            redactions: &(0..20).map(redaction).collect::<Vec<_>>(),
            annotations: Some(&payload),
            ..draft(&ambient)
        });
        assert_eq!(record["redactions"].as_array().unwrap().len(), 17);
        assert!(record["outcome"].get("reason").is_none());
        assert!(record.get("correlation").is_none());
        assert_eq!(record["request"]["truncated"], true);
    });
}

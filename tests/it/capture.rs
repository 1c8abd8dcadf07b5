//! Capture through the best form that a type offers, with no bound on the user.

use std::fmt::Debug;

use audited::audited;
use serde::Serialize;
use serde_json::{Value, json};
use testkit::recorded;

fn arguments(body: impl FnOnce()) -> Value {
    recorded(body)[0].pointer("/request/arguments").cloned().unwrap()
}

#[derive(Serialize)]
struct OnlySerialize {
    n: u8,
}

#[derive(Debug)]
struct OnlyDebug {
    #[allow(dead_code, reason = "shown by Debug only")]
    n: u8,
}

struct Nothing;

#[derive(Debug)]
struct FailsToSerialize;

impl Serialize for FailsToSerialize {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

#[derive(Debug)]
struct PanicsInSerialize;

impl Serialize for PanicsInSerialize {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("inside Serialize")
    }
}

#[test]
fn each_type_is_captured_in_its_best_form() {
    #[allow(clippy::too_many_arguments, reason = "one for each form")]
    #[audited(action = "capture")]
    fn takes(a: OnlySerialize, b: OnlyDebug, c: Nothing, d: FailsToSerialize, e: PanicsInSerialize, f: &mut [u8; 2]) {
        let _all: (OnlySerialize, OnlyDebug, Nothing, FailsToSerialize, PanicsInSerialize, usize) =
            (a, b, c, d, e, f.len());
    }
    let found = arguments(|| {
        takes(OnlySerialize { n: 1 }, OnlyDebug { n: 2 }, Nothing, FailsToSerialize, PanicsInSerialize, &mut [3, 4]);
    });
    let expected = json!({
        "a": {"n": 1},
        "b": "OnlyDebug { n: 2 }",
        "c": {"type": "it::capture::Nothing"},
        "d": "FailsToSerialize",
        "e": "PanicsInSerialize",
        "f": [3, 4],
    });
    assert_eq!(found, expected);
}

#[test]
fn a_generic_parameter_is_captured_as_far_as_its_bounds_go() {
    #[audited(action = "capture")]
    fn takes<A: Serialize, B: Debug, C>(a: A, b: &B, c: C, d: impl Serialize + Copy) {
        let _all = (a, b, c, d);
    }
    let found = arguments(|| takes(1, &"two", 3u8, Some("four")));
    assert_eq!(found, json!({"a": 1, "b": "\"two\"", "c": {"type": "u8"}, "d": "four"}));
}

#[test]
fn arguments_are_captured_before_the_body_changes_them() {
    #[audited(action = "capture")]
    fn takes(list: &mut Vec<u8>, mut n: u8) -> u8 {
        list.clear();
        n += 1;
        n
    }
    assert_eq!(arguments(|| assert_eq!(takes(&mut vec![1], 1), 2)), json!({"list": [1], "n": 1}));
}

#[test]
fn too_large_arguments_keep_hash_and_size() {
    #[audited(action = "capture", level = "request_response")]
    fn echo(text: String) -> String {
        text
    }
    let records = recorded(|| assert_eq!(echo("x".repeat(70_000)).len(), 70_000));
    let canonical = format!(r#"{{"text":"{}"}}"#, "x".repeat(70_000));
    let hash = format!("sha-256:{}", audit_core::hash::Hash::of(canonical.as_bytes()));
    assert_eq!(records[0]["request"], json!({"hash": hash, "size": 70_011, "truncated": true}));
    assert_eq!(records[1]["response"]["truncated"], true);
    assert_eq!(records[1]["response"]["summary"], json!({"size": 70_000, "type": "text"}));
}

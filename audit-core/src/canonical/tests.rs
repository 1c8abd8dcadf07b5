use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::json;

use super::*;
use crate::redact::{Path, Root, Rules, Segment};

fn text<T: Serialize + ?Sized>(value: &T) -> String {
    String::from_utf8(to_vec(value).unwrap()).unwrap()
}

#[test]
fn values_have_one_form() {
    #[derive(Serialize)]
    struct Point {
        y: f64,
        x: u8,
    }
    #[derive(Serialize)]
    enum Shape {
        Empty,
        Round(Point),
        Pair(u8, char),
        Named { b: Option<()>, a: [bool; 2] },
    }
    assert_eq!(text(&Point { y: 0.5, x: 1 }), r#"{"x":1,"y":0.5}"#);
    assert_eq!(text(&Shape::Empty), r#""Empty""#);
    assert_eq!(text(&Shape::Round(Point { y: 1e21, x: 0 })), r#"{"Round":{"x":0,"y":1e+21}}"#);
    assert_eq!(text(&Shape::Pair(7, '"')), r#"{"Pair":[7,"\""]}"#);
    assert_eq!(text(&Shape::Named { b: None, a: [true, false] }), r#"{"Named":{"a":[true,false],"b":null}}"#);
    assert_eq!(text(&HashMap::from([(2, "b"), (10, "a")])), r#"{"10":"a","2":"b"}"#);
    assert_eq!(
        text(&(1u64 << 53, (1u64 << 53) - 1, i64::MIN)),
        r#"["9007199254740992",9007199254740991,"-9223372036854775808"]"#
    );
    assert_eq!(
        text(&(u128::MAX, f64::NAN, f64::NEG_INFINITY, -0.0)),
        r#"["340282366920938463463374607431768211455","NaN","-Infinity",0]"#
    );
    assert_eq!(text("\u{8}\t\n\u{c}\r\u{1b}\u{7f}\"\\/é"), "\"\\b\\t\\n\\f\\r\\u001b\u{7f}\\\"\\\\/é\"");
}

#[test]
fn members_are_sorted_by_utf16_code_units() {
    let names = BTreeMap::from([("\u{1F600}", 1), ("\u{FB33}", 2), ("b", 3), ("a", 4)]);
    assert_eq!(text(&names), "{\"a\":4,\"b\":3,\"\u{1F600}\":1,\"\u{FB33}\":2}");
}

#[test]
fn what_has_no_one_form_is_refused() {
    struct Twice;
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", 1), ("b", 2), ("a", 3)])
        }
    }
    assert_eq!(to_vec(&Twice).unwrap_err().to_string(), "expected each name once in an object, found `a` twice");
    let list_as_name = HashMap::from([(vec![1], 1)]);
    assert_eq!(to_vec(&list_as_name).unwrap_err().to_string(), "expected a text as the name of a member, found a list");
    let deep = (0..=DEPTH_MAX).fold(json!(null), |inner, _| json!([inner]));
    assert_eq!(to_vec(&deep).unwrap_err(), Error(Kind::TooDeep));
}

/// Checks what is left of a value and which `path rule` pairs say so.
fn redacted(paths: &'static [Path], value: &impl Serialize) -> Result<(String, Vec<String>), Error> {
    let mut canonical = Canonical::redacting(Rules::default().along(paths));
    canonical.write_at("/v", 0..paths.len(), &value)?;
    let (bytes, redactions, _secrets) = canonical.into_parts();
    let notes = redactions.into_iter().map(|note| format!("{} {}", note.path, note.removal.rule)).collect();
    Ok((String::from_utf8(bytes.into_inner()).unwrap(), notes))
}

const fn path(text: &'static str, segments: &'static [Segment]) -> Path {
    Path { text, root: Root::Parameter(0), segments, method: crate::privacy::Method::Drop }
}

const fn key(name: &'static str) -> Segment {
    Segment::Key { name, optional: false }
}

#[test]
fn secrets_are_removed_by_name_at_any_depth() {
    let value =
        json!({"user": "bob", "apiKey": 1, "list": [{"user_password": {"deep": ["x"]}, "n": 1}], "input_tokens": 5});
    let (left, notes) = redacted(&[], &value).unwrap();
    assert_eq!(left, r#"{"input_tokens":5,"list":[{"n":1}],"user":"bob"}"#);
    assert_eq!(notes, ["/v/apiKey name:api_key", "/v/list/0/user_password name:password"]);
}

#[test]
fn paths_reach_through_lists_and_any_key() {
    const PATHS: &[Path] = &[
        path("v.items[].token_id", &[key("items"), Segment::Each, key("token_id")]),
        path("v.accounts.*.iban", &[key("accounts"), Segment::Any, key("iban")]),
        path("v.lines[]", &[key("lines"), Segment::Each]),
        path("v.keyed.*", &[key("keyed"), Segment::Any]),
        path("v.maybe?", &[Segment::Key { name: "maybe", optional: true }]),
    ];
    let value = json!({
        "items": [{"token_id": 1, "n": 1}, {"n": 2, "token_id": null}],
        "accounts": {"a~/b": {"iban": "DE", "n": 3}},
        "lines": ["x", ["y"]],
        "keyed": {"bob@example.com": 1, "eve@example.com": 2},
    });
    let (left, notes) = redacted(PATHS, &value).unwrap();
    assert_eq!(left, r#"{"accounts":{"a~/b":{"n":3}},"items":[{"n":1},{"n":2}],"keyed":{},"lines":[null,null]}"#);
    let expected = [
        "/v/accounts/a~0~1b/iban path:v.accounts.*.iban",
        "/v/items/0/token_id path:v.items[].token_id",
        "/v/items/1/token_id path:v.items[].token_id",
        "/v/keyed path:v.keyed.*",
        "/v/lines/0 path:v.lines[]",
        "/v/lines/1 path:v.lines[]",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn a_path_that_is_not_met_is_an_error_unless_nothing_is_there() {
    const PATHS: &[Path] = &[path("v.customer.ssn_id", &[key("customer"), key("ssn_id")])];
    let met = |value| redacted(PATHS, &value).map(|(left, _)| left);
    let not_met = Err(Error(Kind::NotMet(0)));
    assert_eq!(met(json!({"customer": {"ssn_id": "1"}})), Ok(r#"{"customer":{}}"#.into()));
    assert_eq!(met(json!({"customer": null})), Ok(r#"{"customer":null}"#.into()));
    assert_eq!(met(json!({"customer": []})), Ok(r#"{"customer":[]}"#.into()));
    assert_eq!(met(json!(null)), Ok("null".into()));
    assert_eq!(met(json!({"customer": {"ssnId": "1"}})), not_met);
    assert_eq!(met(json!({"customer": [{"ssn_id": "1"}]})), not_met);
    assert_eq!(met(json!({"customer": "1"})), not_met);
    assert_eq!(met(json!({"Customer": {"ssn_id": "1"}})), not_met);
    assert_eq!(met(json!(true)), not_met);
}

#[test]
fn raw_json_is_looked_into() {
    // The shape in which `serde_json::value::RawValue` serialises itself.
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw {
        #[serde(rename = "$serde_json::private::RawValue")]
        text: &'static str,
    }
    let (left, notes) = redacted(&[], &vec![Raw { text: r#"{"z":1, "password":"x","a":[]}"# }]).unwrap();
    assert_eq!(left, r#"[{"a":[],"z":1}]"#);
    assert_eq!(notes, ["/v/0/password name:password"]);
}

#[test]
fn enum_variants_are_steps_of_a_path() {
    #[derive(Serialize)]
    enum Payer {
        Person { ssn_id: u32, name: &'static str },
        Pair(u8, u8),
    }
    const PATHS: &[Path] =
        &[path("v.Person?.ssn_id", &[Segment::Key { name: "Person", optional: true }, key("ssn_id")])];
    let person = Payer::Person { ssn_id: 1, name: "Ann" };
    assert_eq!(redacted(PATHS, &person).unwrap().0, r#"{"Person":{"name":"Ann"}}"#);
    assert_eq!(redacted(PATHS, &Payer::Pair(1, 2)).unwrap().0, r#"{"Pair":[1,2]}"#);
}

#[test]
fn a_number_has_all_of_its_digits() {
    let around = |power: u32| 10u64.pow(power).saturating_sub(1)..=10u64.pow(power) + 1;
    for number in
        (0..20).flat_map(around).chain((0..100_000_000).step_by(7_919)).chain([1 << 53, u64::MAX - 1, u64::MAX])
    {
        let mut out = b"[".to_vec();
        write_digits(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), format!("[{number}"));
    }
}

mod methods;

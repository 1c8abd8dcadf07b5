//! The ways by which secrets come into logs, each under its name: none of them is left open, but for the one that is known.

use std::collections::BTreeMap;
use std::fmt;

use audited::audited;
use serde::Serialize;
use serde_json::{Value, json};
use testkit::recorded;

/// Runs the call; no part of a secret may stand in any record of it. Returns the records.
fn assert_absent(secrets: &[&str], body: impl FnOnce()) -> Vec<Value> {
    let records = recorded(body);
    assert_eq!(records.len(), 2);
    let text = serde_json::to_string(&records).unwrap();
    for secret in secrets {
        assert!(!text.contains(secret), "`{secret}` stands in {text}");
    }
    records
}

fn rules(record: &Value) -> Vec<&str> {
    let redactions = record["redactions"].as_array().map(Vec::as_slice).unwrap_or_default();
    redactions.iter().map(|redaction| redaction["rule"].as_str().unwrap()).collect()
}

#[audited(action = "hole")]
fn take(value: Value) {
    drop(value);
}

#[audited(action = "hole")]
fn fail(value: Value, text: &str) -> Result<(), String> {
    drop(value);
    Err(text.to_owned())
}

const CARD: &str = "4242424242424242";
const KEY: &str = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";

#[test]
fn hole_lists() {
    let value = json!([[{"password": "hunter2x"}], [[CARD, ["https://ann:pw55@host/"]]], {"tokens": ["t"]}]);
    let records = assert_absent(&["hunter2x", CARD, "pw55"], || take(value));
    assert_eq!(
        records[0]["request"]["arguments"]["value"],
        json!([[{}], [["[redacted]", ["https://[redacted]@host/"]]], {"tokens": ["t"]}])
    );
}

#[test]
fn hole_names_in_other_spellings() {
    let value = json!({"apiKey": "k-111", "user_password": "k-222", "X-Api-Key": "k-333", "input_tokens": 7});
    let records = assert_absent(&["k-111", "k-222", "k-333"], || take(value));
    assert_eq!(records[0]["request"]["arguments"]["value"], json!({"input_tokens": 7}));
}

#[test]
fn hole_authorization_in_arrays() {
    let pairs = json!([["Authorization", "Opaque abc-def"], ["Accept", "text/html"]]);
    let listed = json!([{"name": "authorization", "value": "Opaque abc-def"}, {"value": "sid-1", "name": "Cookie"}]);
    let records = assert_absent(&["abc-def", "sid-1"], || take(json!({"pairs": pairs, "listed": listed})));
    let value = &records[0]["request"]["arguments"]["value"];
    assert_eq!(value["pairs"], json!([["Authorization", null], ["Accept", "text/html"]]));
    assert_absent(&["abc.def-123"], || take(json!(["-H", "Authorization: Bearer abc.def-123"])));
}

#[test]
fn hole_error_text_with_a_name_and_a_number() {
    #[audited(action = "hole", redact = [who, amount])]
    fn pay(who: &str, amount: u32) -> Result<(), String> {
        Err(format!("{who} has not {amount}.00 on {CARD}, key {KEY}, at postgres://root:toor9@db"))
    }
    let records =
        assert_absent(&["Ann Smith", "1234", CARD, KEY, "toor9"], || assert!(pay("Ann Smith", 1234).is_err()));
    let reason = "[redacted] has not [redacted] on [redacted], key [redacted], at postgres://[redacted]@db";
    assert_eq!(records[1]["outcome"]["reason"], reason);
    assert_eq!(
        rules(&records[1]),
        ["path:amount", "path:who", "pattern:card_number", "pattern:stripe_key", "pattern:url_credentials"]
    );
}

#[test]
fn hole_panic_messages() {
    #[audited(action = "hole")]
    fn panics() {
        panic!("refused {KEY}");
    }
    let records = assert_absent(&[KEY], || assert!(std::panic::catch_unwind(panics).is_err()));
    assert_eq!(records[1]["outcome"]["reason"], "refused [redacted]");
}

#[test]
fn hole_integers_and_booleans() {
    #[derive(Serialize)]
    struct Account {
        pin: u16,
        card: u64,
        password: bool,
        balance: f64,
    }
    #[audited(action = "hole")]
    fn open(account: Account) {
        let Account { pin: _, card: _, password: _, balance: _ } = account;
    }
    let account = Account { pin: 7391, card: 4_242_424_242_424_242, password: true, balance: 12.5 };
    let records = assert_absent(&["7391", CARD, "true"], || open(account));
    assert_eq!(records[0]["request"]["arguments"]["account"], json!({"balance": 12.5, "card": "[redacted]"}));
}

#[test]
fn hole_keys_of_maps() {
    let value = json!({"cards": {CARD: {"limit": 5}}, "keys": {KEY: true, "kept": false}});
    let records = assert_absent(&[CARD, KEY, "limit"], || take(value));
    assert_eq!(records[0]["request"]["arguments"]["value"], json!({"cards": {}, "keys": {"kept": false}}));
    let pointers: Vec<&str> =
        records[0]["redactions"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/request/arguments/value/cards", "/request/arguments/value/keys"]);
}

#[test]
fn hole_debug_of_nested_structs() {
    #[derive(Debug)]
    #[allow(dead_code, reason = "shown by Debug only")]
    struct Outer {
        id: u8,
        note: &'static str,
        inner: BTreeMap<&'static str, Inner>,
    }
    #[derive(Debug)]
    #[allow(dead_code, reason = "shown by Debug only")]
    struct Inner {
        api_key: &'static str,
    }
    #[audited(action = "hole")]
    fn show(outer: Outer) {
        drop(outer);
    }
    let inner = BTreeMap::from([("a", Inner { api_key: "hunter2x" })]);
    let records = assert_absent(&["hunter2x", KEY], || show(Outer { id: 1, note: KEY, inner }));
    assert_eq!(rules(&records[0]), ["name:api_key", "pattern:stripe_key"]);
}

#[test]
fn hole_credentials_in_urls() {
    let value = json!({"dsn": "postgres://ann:hunter2x@db:5432/x?y", "at": "https://example.org:8080/@ann"});
    let records = assert_absent(&["hunter2x"], || take(value));
    let value = &records[0]["request"]["arguments"]["value"];
    assert_eq!(value, &json!({"dsn": "postgres://[redacted]@db:5432/x?y", "at": "https://example.org:8080/@ann"}));
}

#[test]
fn hole_results_targets_fields_and_contexts() {
    #[audited(action = "hole", target(type = "key", id = id), fields(note = id))]
    fn read(id: &str) -> String {
        format!("it was {id}")
    }
    let context =
        audited::context().agent(KEY).on_behalf_of("usr_1").run("sk_live_run").conversation(format!("c {KEY}"));
    let records = assert_absent(&[KEY], || drop(context.in_scope(|| read(KEY))));
    assert_eq!(records[0]["actor"]["agent"]["id"], "[redacted]");
    assert_eq!(records[0]["correlation"]["conversation_id"], "c [redacted]");
    assert_eq!(records[0]["correlation"]["run_id"], "sk_live_run");
    assert_eq!(records[0]["target"][0]["id"], "[redacted]");
    assert_eq!(records[0]["annotations"]["note"], "[redacted]");
    assert_eq!(records[1]["response"]["summary"], "it was [redacted]");
    let pattern = |path: &str| json!({"method": "drop", "path": path, "rule": "pattern:stripe_key"});
    let redactions = records[1]["redactions"].as_array().unwrap();
    assert!(redactions.contains(&pattern("/actor/agent/id")) && redactions.contains(&pattern("/response/summary")));
}

#[test]
fn hole_events_and_spans_by_hand() {
    let records = recorded(|| {
        tracing::info!(target: "audit", { audit.action = "hole", note = KEY, password = "hunter2x" }, "said");
        let span = tracing::info_span!(target: "audit", "tool", audit.action = "hole", error.type = KEY, note = CARD, late = tracing::field::Empty);
        span.record("late", KEY);
        drop(span);
        let event = audited::event("decision.proposed").reason(format!("as {KEY}")).target("key", KEY);
        event.annotation("note", CARD).annotation("secret", KEY).record().unwrap();
    });
    assert_eq!(records.len(), 4);
    let text = serde_json::to_string(&records).unwrap();
    assert!(![KEY, CARD, "hunter2x"].iter().any(|secret| text.contains(secret)), "{text}");
    assert!(rules(&records[3]).contains(&"name:secret"));
}

#[test]
fn hole_types_of_secrets_that_only_debug_shows() {
    mod secrecy {
        pub(super) struct SecretBox<T>(pub(super) T);
    }
    impl<T> fmt::Debug for secrecy::SecretBox<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("SecretBox<_>([REDACTED])")
        }
    }
    #[audited(action = "hole")]
    fn login(user: &str, key: secrecy::SecretBox<&str>) {
        let _both = (user, key.0);
    }
    let records = recorded(|| login("ann", secrecy::SecretBox("hunter2x")));
    assert_eq!(records[0]["request"]["arguments"], json!({"user": "ann"}));
    assert_eq!(rules(&records[0]), ["type:SecretBox"]);
}

/// Known and documented: what is coded is not found.
#[test]
fn not_found_base64_of_a_secret() {
    let records = recorded(|| take(json!({"note": "NDI0MjQyNDI0MjQyNDI0Mg=="})));
    assert_eq!(records[0]["request"]["arguments"]["value"]["note"], "NDI0MjQyNDI0MjQyNDI0Mg==");
}

#[test]
fn ordinary_values_stay() {
    let value = json!({
        "user_id": "mia_li_3668", "flights": [{"number": "HAT136", "date": "2024-05-20"}], "amount": 1234.5,
        "at": 1_780_272_000_123_u64, "id": "550e8400-e29b-41d4-a716-446655440000", "mail": "ann@example.org",
        "phone": "+49 30 1234567", "hash": "9e107d9d372bb6826bd81d3542a419d6", "pair": ["a", "b"],
    });
    let records = recorded(|| assert!(fail(value.clone(), "no seat 12A on HAT136 for mia_li_3668").is_err()));
    assert_eq!(records[0]["request"]["arguments"]["value"], value);
    assert_eq!(records[1]["outcome"]["reason"], "no seat 12A on HAT136 for mia_li_3668");
    assert!(rules(&records[0]).is_empty() && rules(&records[1]).is_empty());
}

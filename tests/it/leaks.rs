//! Ways by which a secret could come out after all, each closed: no part of it stands in any record of the call.

use std::collections::HashMap;
use std::fmt::{self, Debug};

use audited::audited;
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use testkit::{Memory, recorded};
use tracing_subscriber::layer::SubscriberExt as _;

fn assert_absent(secrets: &[&str], body: impl FnOnce()) {
    let records = recorded(body);
    assert!(!records.is_empty() && records.iter().all(|record| !record.is_null()), "{records:?}");
    let text = serde_json::to_string(&records).unwrap();
    for secret in secrets {
        assert!(!text.contains(secret), "`{secret}` stands in {text}");
    }
}

const CARD: &str = "4242424242424242";

/// Ignores what its serializer says of each element.
struct Careless(Vec<Value>);

impl Serialize for Careless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for value in &self.0 {
            let _ignored = list.serialize_element(value);
        }
        list.end()
    }
}

/// Catches the panics of its elements.
struct Catching;

impl Serialize for Catching {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("n", "halfway")?;
                panic!("halfway")
            }
        }
        let mut list = serializer.serialize_seq(None)?;
        let _caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| list.serialize_element(&Panics)));
        list.serialize_element(&json!({"iban": "DE8937040044"}))?;
        list.end()
    }
}

#[test]
fn a_serialize_that_ignores_errors_or_catches_panics_is_withheld() {
    #[audited(action = "a", redact = [items[].iban])]
    fn ignores(items: Careless) {
        drop(items);
    }
    #[audited(action = "a", redact = [items[].iban])]
    fn catches(items: Catching) {
        let Catching = items;
    }
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        ignores(Careless(vec![json!({"IBAN": "DE8937040044"}), json!({"iban": "x"})]));
        catches(Catching);
    });
    for line in memory.text().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok() && !line.contains("DE89"), "{line}");
    }
    assert_eq!(memory.records()[0]["redactions"][0]["rule"], "path:items[].iban");
}

#[test]
fn a_removed_value_that_only_debug_shows_costs_the_error_text() {
    struct Email(&'static str);
    impl Debug for Email {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Email(***)")
        }
    }
    #[audited(action = "a", redact = [email], target(type = "letter", id = letter))]
    fn send(letter: u8, email: Email) -> Result<(), String> {
        Err(format!("no mailbox {} for {letter}", email.0))
    }
    assert_absent(&["ann@example"], || assert!(send(7, Email("ann@example.org")).is_err()));
    let records = recorded(|| assert!(send(7, Email("ann@example.org")).is_err()));
    assert_eq!(records[1]["outcome"]["reason"], Value::Null);
    assert_eq!(records[1]["target"], json!([{"id": "7", "type": "letter"}]));
}

#[test]
fn bytes_and_numbers_are_found_in_other_forms() {
    #[audited(action = "a", redact = [key, amount, fixed, dose])]
    fn take(key: &[u8], amount: f32, fixed: f64, dose: f64) -> Result<(), String> {
        Err(format!("{} has {amount} or {fixed:.2} and {dose}", String::from_utf8_lossy(key)))
    }
    assert_absent(&["hunter2secret", "1234.56", "7654.5", "12345"], || {
        assert!(take(b"hunter2secret", 1234.56, 7654.5, 0.000_000_123_45).is_err());
    });
}

#[test]
fn quotes_and_names_of_several_words_are_recognised_in_texts() {
    #[audited(action = "a")]
    fn login(password: &str) -> Result<(), String> {
        Err(format!("wrong {password:?}, Invalid API key: sk-live-abcdef"))
    }
    #[audited(action = "a", redact = [card])]
    fn pay(card: &str) -> Result<(), String> {
        Err(format!("ERR_{card}_declined, card number: 5105 1051"))
    }
    assert_absent(&["brien", "x99zz", "sk-live"], || assert!(login("o'brien\"x99zz").is_err()));
    assert_absent(&[CARD, "5105"], || assert!(pay(CARD).is_err()));
}

#[test]
fn a_debug_text_does_not_show_what_was_removed_before_it() {
    #[derive(Debug)]
    #[allow(dead_code, reason = "shown by Debug only")]
    enum Auth {
        Password(&'static str),
        Client(&'static str),
    }
    #[audited(action = "a")]
    fn call(api_key: &str, first: Auth, second: Auth) {
        let _all = (api_key, first, second);
    }
    assert_absent(&["sk-live-1", "hunter2"], || {
        call("sk-live-1", Auth::Client("sk-live-1"), Auth::Password("hunter2"))
    });
}

#[test]
fn keys_of_removed_maps_are_removed_from_the_error() {
    #[audited(action = "a", redact = [cards])]
    fn whole(cards: HashMap<String, u8>) -> Result<(), String> {
        Err(format!("{:?} is blocked", cards.keys().next()))
    }
    #[audited(action = "a", redact = [cards.*])]
    fn each(cards: HashMap<String, u8>) -> Result<(), String> {
        Err(format!("{:?} is blocked", cards.keys().next()))
    }
    assert_absent(&[CARD], || assert!(whole([(CARD.to_owned(), 1)].into()).is_err()));
    assert_absent(&[CARD], || assert!(each([(CARD.to_owned(), 1)].into()).is_err()));
}

#[test]
fn an_annotation_that_fails_panics_or_is_too_deep_says_so_and_nothing_else() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("cannot write hunter2xyz, api_key=sk-77"))
        }
    }
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("in user code")
        }
    }
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let records = recorded(|| {
        let event =
            audited::event("run.created").annotation("a", &Fails).annotation("b", &Panics).annotation("c", &deep);
        event.annotation("d", &0.907_303_832_202_868_9).record().unwrap();
    });
    let not = json!({"not_captured": true});
    assert_eq!(records[0]["annotations"], json!({"a": not, "b": not, "c": not, "d": 0.907_303_832_202_868_9}));
}

#[test]
fn a_secret_of_an_inner_call_does_not_come_out_of_the_outer_one() {
    #[audited(action = "charge", redact = [card])]
    fn charge(card: &str, how: &str) -> Result<(), String> {
        assert!(how != "panic", "no bank for {card}");
        Err(format!("card {card} refused"))
    }
    #[audited(action = "refund")]
    fn refund(how: &str) -> Result<(), String> {
        charge(CARD, how)
    }
    assert_absent(&[CARD], || assert!(refund("error").is_err()));
    assert_absent(&[CARD], || assert!(std::panic::catch_unwind(|| refund("panic")).is_err()));
}

#[test]
fn an_event_inside_a_call_does_not_show_what_the_call_withholds() {
    #[audited(action = "a", redact = [card])]
    fn pay(card: &str) {
        let event = audited::event("side_effect.blocked").reason(format!("card {card} is blocked"));
        event.target("card", card).record().unwrap();
    }
    assert_absent(&[CARD], || pay(CARD));
}

#[test]
fn skipping_or_renaming_a_secret_does_not_give_it_away() {
    struct Login {
        user: &'static str,
        password: &'static str,
    }
    #[audited(action = "a", skip(password))]
    fn skipped(password: &str) -> Result<(), String> {
        Err(format!("`{password}` is wrong"))
    }
    #[audited(action = "a")]
    fn renamed(Login { user, password: word }: Login) -> Result<(), String> {
        Err(format!("{user} is not {word}"))
    }
    assert_absent(&["hunter2xyz"], || assert!(skipped("hunter2xyz").is_err()));
    assert_absent(&["hunter2xyz"], || assert!(renamed(Login { user: "bob", password: "hunter2xyz" }).is_err()));
}

#[test]
fn an_optional_key_does_not_excuse_another_shape() {
    #[audited(action = "a", redact = [customers.iban?])]
    fn import(customers: Value) {
        drop(customers);
    }
    assert_absent(&["DE893704"], || import(json!([{"iban": "DE893704"}])));
    assert_eq!(recorded(|| import(json!({"n": 1})))[0]["request"]["arguments"], json!({"customers": {"n": 1}}));
}

#[test]
fn a_target_shows_scalars_only_and_no_beginning_of_a_secret() {
    #[derive(Serialize)]
    struct Patient {
        id: u32,
        positive: bool,
    }
    #[audited(action = "a", redact = [patient.positive], target(type = "patient", id = patient))]
    fn admit(patient: &Patient) -> u32 {
        patient.id + u32::from(patient.positive)
    }
    #[audited(action = "a", redact = [email], target(type = "url", id = format!("{}{email}", "x".repeat(1020))))]
    fn open(email: &str) -> usize {
        email.len()
    }
    assert_absent(&["positive\\\":true"], || assert_eq!(admit(&Patient { id: 7, positive: true }), 8));
    assert_absent(&["xann@"], || assert_eq!(open("ann@example.org"), 15));
}

#[test]
fn what_is_too_deep_for_json_is_named_by_its_type() {
    #[audited(action = "a")]
    fn take(value: &Value) {
        let _value = value;
    }
    let deep = (0..110).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(
        recorded(|| take(&deep))[0]["request"]["arguments"],
        json!({"value": {"type": "&serde_json::value::Value"}})
    );
}

#[test]
fn raw_json_keeps_its_numbers() {
    let raw: Box<serde_json::value::RawValue> =
        serde_json::from_str(r#"{"big":18446744073709551617,"exact":0.9073038322028689,"api_key":"k-1"}"#).unwrap();
    #[audited(action = "a")]
    fn take(raw: &serde_json::value::RawValue) {
        let _raw = raw;
    }
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || take(&raw));
    let text = memory.text();
    assert!(
        text.contains(r#"{"big":"18446744073709551617","exact":0.9073038322028689}"#) && !text.contains("k-1"),
        "{text}"
    );
}

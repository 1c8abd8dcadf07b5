//! Calls that seal, the way back to what was sealed, and its end.

use std::fs;

use audit_store::verify::Verdict;
use audited::keyring::KeyRing as _;
use audited::{Log, verify_log};
use serde_json::{Value, json};

use super::place::{Customer, Place, TENANT, key_id, recorded, ship};

const CUSTOMER: &str = "/request/arguments/customer";
const STREET: &str = "/request/arguments/customer/street";
const RESULT: &str = "/response/result/street";

/// A place with a log of one call each for two customers, one of which fails.
fn place() -> (tempfile::TempDir, Place, Log) {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::new(&directory.path().join("place"));
    let log = place.open();
    recorded(&log, || {
        drop(ship(4242, &Customer::new("customer-17", "Blumenweg 13")).unwrap());
        ship(0, &Customer::new("customer-18", "Gartenstr. 2")).unwrap_err();
    });
    log.flush().unwrap();
    (directory, place, log)
}

fn record_id(record: &Value) -> &str {
    record["record_id"].as_str().unwrap()
}

#[test]
fn a_call_seals_and_makes_tokens_and_its_record_says_with_which_key() {
    let (_directory, place, log) = place();
    let calls = place.calls("started");
    let (first, second) = (&calls[0], &calls[1]);
    let card = first["request"]["arguments"]["card"].as_str().unwrap();
    assert!(card.starts_with("token:k1:") && card.len() == 41, "{card}");
    let of_street = first["redactions"].as_array().unwrap().iter().find(|found| found["path"] == STREET).unwrap();
    let expect = json!({
        "key_id": key_id(first, STREET), "method": "seal", "path": STREET, "rule": "path:customer.street"
    });
    assert_eq!(of_street, &expect);
    assert_ne!(key_id(first, STREET), key_id(second, STREET));
    assert_eq!(place.read(first, STREET).as_deref(), Some("\"Blumenweg 13\""));
    let ended = place.calls("completed");
    assert_eq!(place.read(&ended[0], RESULT).as_deref(), Some("\"Blumenweg 13\""));
    assert_eq!(key_id(&ended[0], RESULT), key_id(first, STREET), "one subject, one key");
    assert_eq!(ended[1]["outcome"]["reason"], "nobody at [redacted]");

    let schema: Value =
        serde_json::from_str(&fs::read_to_string(testkit::workspace().join("docs/spec/record.schema.json")).unwrap())
            .unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    place.records().iter().for_each(|record| assert!(schema.is_valid(record), "{record}"));
    log.close().unwrap();
    for name in ["log", "ring"] {
        for secret in ["Blumenweg", "Gartenstr", "customer-17", "customer-18", "4242"] {
            assert!(!place.holds(name, secret), "{secret} in {name}");
        }
    }
}

#[test]
fn a_running_process_seals_for_an_erased_subject_under_another_key() {
    let (_directory, place, log) = place();
    let old = place.calls("started");
    // Another process, as the command line is.
    let destroyed = place.ring().erase(Some(TENANT), "customer-17").unwrap().destroyed;
    assert_eq!(destroyed, [key_id(&old[0], STREET)]);
    recorded(&log, || drop(ship(4242, &Customer::new("customer-17", "Am Markt 1")).unwrap()));
    log.close().unwrap();
    assert_eq!(place.read(&old[0], STREET), None);
    assert_eq!(place.read(&old[1], STREET).as_deref(), Some("\"Gartenstr. 2\""));
    let new = &place.calls("started")[2];
    assert_eq!(key_id(new, STREET), format!("{}.2", destroyed[0]));
    assert_eq!(place.read(new, STREET).as_deref(), Some("\"Am Markt 1\""));
    assert_eq!(verify_log(place.log()).unwrap().verdict, Verdict::Intact);
}

#[test]
fn what_calls_recorded_is_found_revealed_and_erased_from_the_command_line() {
    let (_directory, place, log) = place();
    let calls = place.calls("started");
    let found = |arguments: &str| {
        let (text, code) = place.run(&format!("lookup DIR/log --tenant acme --json --value {arguments}"));
        assert_eq!(code, 0, "{text}");
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let by_card = found("4242 --type number");
    assert_eq!((by_card.len(), by_card[0]["record_id"].as_str()), (1, Some(record_id(&calls[0]))));
    assert_eq!(found("customer-18").last().unwrap()["paths"], json!([format!("{CUSTOMER}/id")]));

    // The process holds the log meanwhile.
    let reveal = |record: &Value| place.run(&format!("reveal DIR/log {} --path {STREET}", record_id(record)));
    let (text, code) = reveal(&calls[0]);
    assert!(code == 0 && text.contains("\"Blumenweg 13\"") && text.contains("DIR/log.operator"), "{text}");
    let (text, code) = place.run("erase DIR/log --tenant acme --subject customer-17 --reason letter");
    assert!(code == 0 && text.contains(&key_id(&calls[0], STREET)), "{text}");
    assert_eq!(reveal(&calls[0]).1, 1);
    assert!(reveal(&calls[1]).0.contains("\"Gartenstr. 2\""));
    log.close().unwrap();
    let events: Vec<_> = place.records().iter().map(|record| record["event_name"].clone()).collect();
    assert_eq!(events.iter().filter(|name| *name == "log.read").count(), 2);
    assert_eq!(events.iter().filter(|name| *name == "subject.erased").count(), 1);
    assert!(!place.holds("log.operator", "Blumenweg") && !place.holds("log.operator", "customer-17"));
}

#[test]
fn without_a_key_a_value_is_dropped_under_the_same_rule() {
    let (_directory, place, log) = place();
    fs::remove_dir_all(place.path("ring")).unwrap();
    recorded(&log, || drop(ship(4242, &Customer::new("customer-17", "Blumenweg 13")).unwrap()));
    log.close().unwrap();
    let without = Log::open(place.path("without")).unwrap();
    recorded(&without, || drop(ship(4242, &Customer::new("customer-17", "Blumenweg 13")).unwrap()));
    without.close().unwrap();
    let of = |name: &str| Place::at(&place.path("")).path(name);
    let last = place.calls("started").pop().unwrap();
    let text = fs::read_to_string(of("without/segments/00000000000000000000.jsonl")).unwrap();
    let other = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].take());
    let other = other.into_iter().find(|record| record["event_name"] == "tool.called").unwrap();
    for record in [last, other] {
        let street = json!({ "method": "drop", "path": STREET, "rule": "path:customer.street" });
        let redactions = record["redactions"].as_array().unwrap();
        assert!(redactions.contains(&street), "{redactions:?}");
        assert!(record.pointer(STREET).is_none());
    }
    assert!(!place.holds("log", "Blumenweg") && !place.holds("without", "Blumenweg"));
}

#[audited::audited(action = "order.note", redact = [token(customer.id), seal(customer.street, subject = customer.id)])]
fn note(customer: &Customer, text: &str) -> usize {
    text.len()
}

#[test]
fn what_lies_in_a_blob_is_found_and_revealed_and_is_in_no_proof() {
    let (_directory, place, log) = place();
    recorded(&log, || {
        note(&Customer::new("customer-17", "Blumenweg 13"), &"long ".repeat(20_000));
    });
    log.close().unwrap();
    let records = place.records();
    let record = records.iter().find(|record| record["action"] == "order.note").unwrap();
    assert!(record["request"]["ref"].is_string(), "{record}");
    let (text, code) = place.run("lookup DIR/log --tenant acme --json --value customer-17");
    let found: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((code, found["record_id"].as_str()), (0, Some(record_id(record))));
    assert_eq!(found["paths"], json!([format!("{CUSTOMER}/id")]));
    let (text, code) = place.run(&format!("reveal DIR/log {} --path {STREET}", record_id(record)));
    assert!(code == 0 && text.contains("\"Blumenweg 13\""), "{text}");
    let (text, code) = place.run(&format!("prove DIR/log {} -o - --disclose {STREET}", record_id(record)));
    assert_eq!(code, 2);
    assert!(
        text.contains("expected a sealed value at /request/arguments/customer/street in the entry itself"),
        "{text}"
    );
}

//! The recorded agent runs, replayed by the example as a user runs it: complete, intact, and without personal data.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::{outside_data, workspace};

/// Runs an example and returns what it printed.
pub(crate) fn run_example(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "examples", "--example", name, "--"])
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn records(log: &Path) -> Vec<Value> {
    lines(&log.join("segments/00000000000000000000.jsonl"))
        .into_iter()
        .map(|mut entry| entry["record"].take())
        .collect()
}

/// Every byte of every file of the log; what is no text, as tiles are, with other characters in its place.
pub(crate) fn all_bytes(directory: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        text += &if path.is_dir() {
            all_bytes(&path)
        } else {
            String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()
        };
    }
    text
}

/// Visits every member of a value with its name.
pub(crate) fn visit(value: &Value, name: &str, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| visit(member, name, see)),
        Value::Array(items) => items.iter().for_each(|item| visit(item, name, see)),
        _ => {}
    }
    see(name, value);
}

pub(crate) fn tokens(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|token| !token.is_empty())
        .collect()
}

#[test]
fn the_example_runs_without_arguments() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    let text = run_example("support_agent", &["--log", log.to_str().unwrap()]);
    for part in ["verdict          intact", "10 calls: 9 ok, 1 failed", "approval.granted", "Go on with:"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let bytes = all_bytes(&log);
    for secret in [
        "ada.moreau@example.org",
        "1984-02-11",
        "12 Rue des Lilas",
        "credit_card_900017",
        "\"4417\"",
        "certificate_700001",
    ] {
        assert!(!bytes.contains(secret), "{secret} stands in the log");
    }
}

#[test]
fn the_recorded_runs_leave_two_records_a_call_and_no_personal_data() {
    let Some(data) = outside_data("AUDITED_DATA", "data/airline") else { return };
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    let calls = data.join("calls.jsonl");
    let text = run_example("support_agent", &["--calls", calls.to_str().unwrap(), "--log", log.to_str().unwrap()]);
    assert!(text.contains("verdict          intact"), "{text}");

    let calls = lines(&calls);
    let records = records(&log);
    let of_calls: Vec<&Value> = records.iter().filter(|record| record.get("call").is_some()).collect();
    assert_eq!((calls.len(), of_calls.len()), (1_164, 2_328));
    assert_eq!(of_calls.iter().filter(|record| record["outcome"]["status"] == "failure").count(), 73);
    let ids: BTreeSet<&str> = of_calls.iter().map(|record| record["call"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1_164);

    let bytes = all_bytes(&log);
    let (personal, last_fours) = personal_data(&data);
    for secret in &personal {
        assert!(!bytes.contains(secret), "{secret} stands in the log");
    }
    for record in &of_calls {
        for part in [&record["request"], &record["response"], &record["outcome"]["reason"]] {
            let text = part.to_string();
            let found: Vec<&str> = tokens(&text).into_iter().filter(|token| last_fours.contains(*token)).collect();
            assert!(found.is_empty(), "the last four digits {found:?} stand in {text}");
        }
    }
    for wanted in kept(&calls) {
        assert!(bytes.contains(&wanted), "{wanted} is missing in the log");
    }
}

/// Emails, birth dates, streets and payment ids of all users; and the last four digits of their cards.
pub(crate) fn personal_data(data: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let users: Value = serde_json::from_str(&std::fs::read_to_string(data.join("users.json")).unwrap()).unwrap();
    let (mut personal, mut last_fours) = (BTreeSet::new(), BTreeSet::new());
    visit(&users, "", &mut |name, value| match (name, value) {
        ("email" | "dob" | "address1", Value::String(text)) => drop(personal.insert(text.clone())),
        ("payment_methods", Value::Object(methods)) => personal.extend(methods.keys().cloned()),
        ("last_four", Value::String(text)) => drop(last_fours.insert(text.clone())),
        _ => {}
    });
    assert!(personal.len() > 3_000 && last_fours.len() > 400);
    (personal, last_fours)
}

/// What the log must still hold of the arguments.
pub(crate) fn kept(calls: &[Value]) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    for call in calls {
        visit(&call["arguments"], "", &mut |name, value| match name {
            "reservation_id" | "flight_number" => drop(kept.insert(value.as_str().unwrap().to_owned())),
            "amount" => drop(kept.insert(format!("\"amount\":{value}"))),
            _ => {}
        });
    }
    assert!(kept.len() > 200);
    kept
}

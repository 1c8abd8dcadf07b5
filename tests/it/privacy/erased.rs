//! The recorded agent runs, sealed by a policy alone, and one of the customers erased.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use audit_store::privacy::{Opened, open};
use audited::keyring::KeyRing as _;
use audited::{Log, context};
use serde_json::Value;
use testkit::outside_data;

use super::airline::replay;
use super::place::{Place, TENANT, recorded};
use crate::airline::{all_bytes, lines, records, tokens, visit};

/// `SUBJECT` is where it is said whose values they are.
const POLICY: &str = r#"
[redaction]
subject = SUBJECT
token = ["user_id"]
seal = ["passengers", "payment_methods", "payment_id", "thought", "summary"]

[[rule]]
name = "customers"
tool = "get_user_details"
subject = SUBJECT
seal = ["return.name", "return.address", "return.email", "return.dob", "return.payment_methods", "return.saved_passengers"]

[[rule]]
name = "reservations"
tool = "*_reservation*"
subject = SUBJECT
token = ["return.user_id"]
seal = ["return.passengers", "return.payment_history"]

[[rule]]
name = "certificates"
tool = "send_certificate"
subject = SUBJECT
seal = ["return"]

[default]
level = "request_response"
"#;

/// The recorded calls, each with the customer whom it is about as far as the agent can know.
struct Runs {
    calls: Vec<(Value, Option<String>)>,
    users: BTreeMap<String, Value>,
}

impl Runs {
    fn read(data: &Path, is_wanted: impl Fn(&Value) -> bool) -> Self {
        let users: BTreeMap<String, Value> =
            serde_json::from_str(&fs::read_to_string(data.join("users.json")).unwrap()).unwrap();
        let mut owners = BTreeMap::new();
        for (user, known) in &users {
            let reservations = known["reservations"].as_array().unwrap();
            owners.extend(reservations.iter().map(|id| (id.as_str().unwrap().to_owned(), user.clone())));
        }
        let mut conversations = BTreeMap::new();
        let mut with_customer = |call: Value| {
            let conversation = (call["task_id"].clone().to_string(), call["trial"].to_string());
            let arguments = &call["arguments"];
            let named = arguments["user_id"].as_str().filter(|user| users.contains_key(*user)).map(str::to_owned);
            let reservation = arguments["reservation_id"].as_str();
            let customer = named.or_else(|| reservation.and_then(|id| owners.get(id).cloned()));
            match &customer {
                Some(customer) => drop(conversations.insert(conversation, customer.clone())),
                None => return (call, conversations.get(&conversation).cloned()),
            }
            (call, customer)
        };
        let calls = lines(&data.join("calls.jsonl"));
        let calls = calls.into_iter().filter(is_wanted).map(&mut with_customer).collect();
        Self { calls, users }
    }

    /// Makes the calls; `name` is what the agent calls a customer.
    fn replay(&self, log: &Log, name: impl Fn(&str) -> String) {
        recorded(log, || {
            for (call, customer) in &self.calls {
                let as_recorded = context().conversation(format!("task-{}-trial-{}", call["task_id"], call["trial"]));
                let context = match customer {
                    Some(customer) => as_recorded.on_behalf_of(name(customer)),
                    None => as_recorded,
                };
                context.in_scope(|| replay(call));
            }
        });
    }
}

/// A value that was sealed, and what it was.
struct Sealed {
    record_id: String,
    path: String,
    digest: String,
    key_id: String,
    customer: String,
    value: Value,
}

/// Finds all sealed values of the log, which holds two records of each call in their order.
fn sealed(log: &Path, runs: &Runs) -> Vec<Sealed> {
    let of_calls: Vec<Value> = records(log).into_iter().filter(|record| record.get("call").is_some()).collect();
    assert_eq!(of_calls.len(), 2 * runs.calls.len());
    let mut found = Vec::new();
    for (record, (call, customer)) in of_calls.iter().zip(runs.calls.iter().flat_map(|call| [call, call])) {
        let observation = call["observation"].as_str().unwrap();
        let result: Value = serde_json::from_str(observation).unwrap_or_else(|_| observation.into());
        for redaction in record["redactions"].as_array().into_iter().flatten() {
            let text = |name: &str| redaction[name].as_str().unwrap().to_owned();
            if text("method") != "seal" {
                continue;
            }
            let path = text("path");
            let argument = path.strip_prefix("/request/arguments").and_then(|rest| call["arguments"].pointer(rest));
            let value = argument.or_else(|| result.pointer(path.strip_prefix("/response/result")?)).unwrap().clone();
            found.push(Sealed {
                record_id: record["record_id"].as_str().unwrap().to_owned(),
                digest: record.pointer(&path).unwrap()["_sd"][0].as_str().unwrap().to_owned(),
                key_id: text("key_id"),
                customer: customer.clone().unwrap(),
                path,
                value,
            });
        }
    }
    found
}

/// Opens a value in a log, through the library.
fn opened(log: &Path, place: &Place, sealed: &[&Sealed]) -> Vec<Opened> {
    let ring = place.ring();
    sealed.iter().map(|sealed| open(log, &sealed.digest, &ring, Some(TENANT)).unwrap()).collect()
}

/// What is known of a person: texts that stand for nobody else, and words that may.
fn known_of(user: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut texts, mut words) = (BTreeSet::new(), BTreeSet::new());
    visit(user, "", &mut |name, value| match (name, value) {
        ("email" | "dob" | "address1" | "address2" | "id", Value::String(text)) => texts.extend([text.clone()]),
        ("first_name" | "last_name" | "city" | "zip" | "last_four", Value::String(text)) => {
            words.extend([text.clone()])
        }
        _ => {}
    });
    (texts, words)
}

/// Returns which words of a person stand in the records of calls about that person.
fn words_in(log: &Path, runs: &Runs, erased: &str, words: &BTreeSet<String>) -> BTreeSet<String> {
    let of_calls = records(log).into_iter().filter(|record| record.get("call").is_some());
    let customers = runs.calls.iter().flat_map(|(_, customer)| [customer, customer]);
    let mut found = BTreeSet::new();
    for (record, _) in of_calls.zip(customers).filter(|(_, customer)| customer.as_deref() == Some(erased)) {
        for part in ["request", "response", "outcome", "target", "annotations"] {
            visit(&record[part], "", &mut |name, value| {
                let text = value.as_str().filter(|_| name != "_sd").unwrap_or_default();
                found.extend(tokens(text).into_iter().filter(|token| words.contains(*token)).map(str::to_owned));
            });
        }
    }
    found
}

/// What a test does differently.
struct Case<'c> {
    /// Whose values they are, as the policy says it.
    subject: &'c str,
    /// What the agent calls a customer.
    name: &'c dyn Fn(&str) -> String,
    /// True if a record may tell on whose behalf the agent acted by the customer's own name.
    names_the_customer: bool,
    sealed_min: usize,
}

/// Seals the runs, erases the customer of most sealed values, and looks for what is left of each.
fn check(runs: &Runs, case: &Case<'_>) {
    let Case { subject, name, names_the_customer, sealed_min } = *case;
    let directory = tempfile::tempdir().unwrap();
    let place = Place::new(&directory.path().join("place"));
    fs::write(place.path("policy.toml"), POLICY.replace("SUBJECT", subject)).unwrap();
    let (vkey, _) = place.run_plain("key new DIR/key --name example.com/airline");
    let options = Log::options().key_file(place.path("key")).key_ring(Arc::new(place.ring()));
    let log = options.policy_file(place.path("policy.toml")).open(place.log()).unwrap();
    runs.replay(&log, name);
    log.close().unwrap();

    let sealed = sealed(&place.log(), runs);
    let mut counts = BTreeMap::<&str, usize>::new();
    sealed.iter().for_each(|sealed| *counts.entry(&sealed.customer).or_default() += 1);
    assert!(sealed.len() > sealed_min && counts.len() > 20, "{} values of {} customers", sealed.len(), counts.len());
    let ring = place.ring();
    for sealed in &sealed {
        let key = ring.subject_key(Some(TENANT), &name(&sealed.customer)).unwrap();
        assert_eq!(sealed.key_id, key.id(), "{} of {}", sealed.path, sealed.record_id);
    }
    let erased = *counts.iter().max_by_key(|(_, count)| **count).unwrap().0;
    let (of_erased, of_others): (Vec<&Sealed>, Vec<&Sealed>) =
        sealed.iter().partition(|sealed| sealed.customer == erased);

    // What somebody has kept from before: the log, and evidence of records of which a part was sealed for the customer.
    copy(&place.log(), &place.path("copy"));
    for (index, sealed) in of_erased.iter().take(2).enumerate() {
        let (text, code) = place.run_plain(&format!("prove DIR/log {} -o DIR/proof{index}", sealed.record_id));
        assert_eq!(code, 0, "{text}");
    }
    let before = opened(&place.path("copy"), &place, &of_erased);
    assert!(before.iter().zip(&of_erased).all(|(opened, sealed)| is_value(opened, &sealed.value)));

    let subject = name(erased);
    let erase = format!("erase DIR/log --tenant {TENANT} --subject {subject} --reason letter-7 --key-file DIR/key");
    let (text, code) = place.run(&erase);
    assert!(code == 0 && text.contains(&of_erased[0].key_id) && text.contains("recorded in      DIR/log\n"), "{text}");

    // The verdict, of the log, of the copy and of old evidence.
    for log in ["log", "copy"] {
        let (text, code) = place.run_plain(&format!("verify DIR/{log} --key {}", vkey.trim()));
        assert!(code == 0 && text.starts_with("verdict          intact"), "{text}");
    }
    for index in 0..2 {
        let (text, code) = place.run_plain(&format!("check DIR/proof{index} --key {}", vkey.trim()));
        assert_eq!(code, 0, "{text}");
    }

    // The customer's data nowhere.
    let (mut texts, words) = known_of(&runs.users[erased]);
    assert!(texts.len() > 4 && words.len() > 4);
    if !names_the_customer {
        texts.insert(erased.to_owned());
    }
    for at in ["log", "copy", "ring"] {
        let bytes = all_bytes(&place.path(at));
        let found: Vec<&String> = texts.iter().filter(|text| bytes.contains(*text)).collect();
        assert!(found.is_empty(), "{found:?} in {at}");
    }
    for log in ["log", "copy"] {
        assert_eq!(words_in(&place.path(log), runs, erased, &words), BTreeSet::new());
        let erased = opened(&place.path(log), &place, &of_erased);
        assert!(erased.iter().all(|opened| matches!(opened, Opened::Erased { .. })));
        reveal_all(&place, log, &of_erased, |text, code| code == 1 && text.contains("was erased"));
    }

    // All others' readable.
    let others = opened(&place.log(), &place, &of_others);
    for (opened, sealed) in others.iter().zip(&of_others) {
        assert!(is_value(opened, &sealed.value), "{} of {}", sealed.path, sealed.record_id);
    }
    let some: Vec<&Sealed> = of_others.into_iter().step_by(500).collect();
    for log in ["log", "copy"] {
        reveal_all(&place, log, &some, |text, code| code == 0 && !text.contains("was erased"));
    }
}

fn is_value(opened: &Opened, value: &Value) -> bool {
    let Opened::Value { disclosure, .. } = opened else { return false };
    serde_json::from_str::<Value>(disclosure.value()).unwrap() == *value
}

/// Runs the command for each record that has some of the values.
fn reveal_all(place: &Place, log: &str, sealed: &[&Sealed], is_right: impl Fn(&str, u8) -> bool) {
    let mut paths = BTreeMap::<&str, String>::new();
    for sealed in sealed {
        *paths.entry(&sealed.record_id).or_default() += &format!(" --path {}", sealed.path);
    }
    for (record_id, paths) in paths {
        let (text, code) = place.run(&format!("reveal DIR/{log} {record_id}{paths}"));
        let shown = text.lines().filter(|line| line.starts_with("value ")).count();
        assert!(is_right(&text, code) && shown == paths.matches("--path").count(), "{text}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn of_a_customer_who_is_erased_from_the_recorded_runs_nothing_is_left_and_of_all_others_everything() {
    let Some(data) = outside_data("AUDITED_DATA", "data/airline") else { return };
    // The agent knows its customers by numbers of its own.
    let step = |sum: u64, byte: u8| sum * 31 % 1_000_003 + u64::from(byte);
    let name = |customer: &str| format!("account-{}", customer.bytes().fold(7, step));
    let case = Case { subject: "\"context.user\"", name: &name, names_the_customer: false, sealed_min: 1_500 };
    check(&Runs::read(&data, |_| true), &case);
}

#[test]
fn a_policy_seals_for_the_customer_whom_a_call_is_about_and_the_erased_one_is_gone() {
    let Some(data) = outside_data("AUDITED_DATA", "data/airline") else { return };
    // Here the record says on whose behalf the agent acts by the name that the arguments have.
    let subject = "[\"user_id\", \"return.user_id\", \"context.user\"]";
    let case = Case { subject, name: &str::to_owned, names_the_customer: true, sealed_min: 200 };
    check(&Runs::read(&data, |call| call["trial"] == 0), &case);
}

//! A policy decides, call by call, how much is recorded, and a log can be given another one while it is open.

use std::path::PathBuf;

use audit_store::verify::Verdict;
use audited::{Log, Options, audited, context, verify_log};
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing_subscriber::layer::SubscriberExt as _;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A log under a policy, and what is recorded in it.
struct Policed {
    log: Log,
    file: PathBuf,
    directory: TempDir,
}

impl Policed {
    fn open(policy: &str) -> Self {
        Self::open_with(policy, Log::options())
    }

    fn open_with(policy: &str, options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("policy.toml");
        std::fs::write(&file, policy).unwrap();
        let log = options.policy_file(&file).open(directory.path().join("audit")).unwrap();
        Self { log, file, directory }
    }

    fn run<R>(&self, code: impl FnOnce() -> R) -> R {
        let subscriber = tracing_subscriber::registry().with(audited::layer(&self.log));
        tracing::subscriber::with_default(subscriber, code)
    }

    fn replace(&self, policy: &str) {
        let new = self.directory.path().join("new.toml");
        std::fs::write(&new, policy).unwrap();
        std::fs::rename(new, &self.file).unwrap();
        self.log.reload_policy().unwrap();
    }

    /// Closes the log and returns its records without those of the log itself.
    fn close(self) -> Vec<Value> {
        let records = self.close_all();
        records.into_iter().filter(|record| record["actor"]["system"]["id"] != "audited").collect()
    }

    fn close_all(self) -> Vec<Value> {
        self.log.close().unwrap();
        let path = self.directory.path().join("audit");
        assert_eq!(verify_log(&path).unwrap().verdict, Verdict::Intact);
        let mut lines = audit_store::read::Lines::open(&path).unwrap();
        let mut records = Vec::new();
        while let Some(line) = lines.next_line() {
            let mut entry: Value = serde_json::from_slice(line.unwrap().bytes).unwrap();
            records.push(entry["record"].take());
        }
        records
    }
}

/// What is recorded under a policy.
fn recorded(policy: &str, code: impl FnOnce()) -> Vec<Value> {
    let policed = Policed::open(policy);
    policed.run(code);
    policed.close()
}

fn names(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["event_name"].as_str().unwrap()).collect()
}

#[audited(action = "order.find", effect = "read")]
fn find(order: u32) -> Result<Vec<u32>, String> {
    if order == 0 { Err("no such order".to_owned()) } else { Ok(vec![order; 3]) }
}

#[audited(action = "order.note", level = "request_response")]
async fn note(order: u32, text: &str) -> String {
    format!("{order}: {text}")
}

#[audited(action = "order.wipe", effect = "destructive", on_unavailable = "count")]
fn wipe(order: u32) -> u32 {
    order
}

#[test]
fn a_rule_lowers_and_raises_the_level_of_a_site() {
    let policy = r#"
        [[rule]]
        name = "quiet"
        action = "order.note"
        level = "metadata"

        [[rule]]
        name = "loud"
        tool = "find"
        level = "request_response"
        retention = "7y"
    "#;
    let records = recorded(policy, || {
        assert_eq!(block_on(note(7, "hush")), "7: hush");
        find(5).unwrap();
        wipe(3);
    });
    let level = |index: usize| records[index]["level"].as_str().unwrap();
    assert_eq!(
        (0..6).map(level).collect::<Vec<_>>(),
        ["metadata", "metadata", "request_response", "request_response", "request", "request"]
    );
    assert!(records[0].get("request").is_none() && records[1].get("response").is_none());
    assert_eq!(records[2]["request"]["arguments"], json!({ "order": 5 }));
    assert_eq!(records[3]["response"]["result"], json!([5, 5, 5]));
    assert_eq!(records[2]["retention"], json!({ "class": "7y" }));
    assert_eq!(records[3]["retention"], json!({ "class": "7y" }));
    assert!(records[4].get("retention").is_none());
}

#[test]
fn none_leaves_a_call_unrecorded_and_counts_it_but_never_a_destructive_one() {
    let policed = Policed::open("[[rule]]\nname = \"all\"\nlevel = \"none\"");
    policed.run(|| {
        (1..4).for_each(|order| drop(find(order)));
        assert_eq!(block_on(note(7, "hush")), "7: hush");
        wipe(3);
    });
    let health = audited::sink::Sink::health(&policed.log);
    assert_eq!(health.policy().unrecorded, [("all".to_owned(), 4)]);
    let records = policed.close_all();
    assert_eq!(names(&records), ["log.opened", "policy.loaded", "tool.called", "side_effect.applied", "log.closed"]);
    assert_eq!(records[2]["level"], "metadata");
    assert_eq!(records[4]["annotations"]["unrecorded"], json!({ "all": 4 }));
}

#[test]
fn stages_follow_the_policy_and_a_destructive_intent_is_always_recorded() {
    let policy = "[default]\nstages = \"completed\"";
    let records = recorded(policy, || {
        find(5).unwrap();
        wipe(3);
    });
    assert_eq!(names(&records), ["tool.completed", "tool.called", "side_effect.applied"]);
    assert_eq!(records[0]["request"]["arguments"], json!({ "order": 5 }));
}

#[test]
fn where_only_failures_are_recorded_they_have_their_arguments() {
    let policy = r#"
        [[rule]]
        name = "failures"
        outcome = ["failure", "unknown"]
        level = "request"

        [[rule]]
        name = "successes"
        effect = "read"
        level = "none"
    "#;
    let policed = Policed::open(policy);
    policed.run(|| {
        find(5).unwrap();
        find(0).unwrap_err();
    });
    assert_eq!(audited::sink::Sink::health(&policed.log).policy().unrecorded, [("successes".to_owned(), 1)]);
    let records = policed.close();
    assert_eq!(names(&records), ["tool.failed"]);
    assert_eq!(records[0]["request"]["arguments"], json!({ "order": 0 }));
    assert_eq!(records[0]["outcome"]["reason"], "no such order");
}

#[test]
fn the_outcome_decides_about_the_closing_record() {
    let policy = r#"
        [[rule]]
        name = "successes"
        outcome = "success"
        level = "request_response"
        [default]
        level = "metadata"
    "#;
    let records = recorded(policy, || {
        find(5).unwrap();
        find(0).unwrap_err();
    });
    let level = |index: usize| records[index]["level"].as_str().unwrap();
    assert_eq!((0..4).map(level).collect::<Vec<_>>(), ["metadata", "request_response", "metadata", "metadata"]);
    assert_eq!(records[1]["response"]["result"], json!([5, 5, 5]));
}

#[test]
fn a_rule_may_be_about_a_tenant() {
    let policy = "[[rule]]\nname = \"acme\"\ntenant = \"acme*\"\nlevel = \"metadata\"";
    let records = recorded(policy, || {
        for tenant in ["acme-1", "other", "acme-2"] {
            let _entered = context().tenant(tenant).enter();
            find(5).unwrap();
        }
    });
    let level = |record: &Value| record["level"].as_str().unwrap().to_owned();
    let levels: Vec<String> = records.iter().map(level).collect();
    assert_eq!(levels, ["metadata", "metadata", "request", "request", "metadata", "metadata"]);
}

#[test]
fn another_policy_is_in_force_from_its_record_on() {
    let policed = Policed::open("[default]\nlevel = \"metadata\"");
    policed.run(|| {
        find(1).unwrap();
        policed.replace("[default]\nlevel = \"request\"");
        find(2).unwrap();
    });
    let records = policed.close_all();
    let expected = ["log.opened", "policy.loaded", "tool.called", "tool.completed"];
    let after = ["policy.loaded", "tool.called", "tool.completed", "log.closed"];
    assert_eq!(names(&records), [expected, after].concat());
    assert_eq!((&records[2]["level"], &records[5]["level"]), (&json!("metadata"), &json!("request")));
    assert_ne!(records[1]["annotations"]["policy_hash"], records[4]["annotations"]["policy_hash"]);
}

#[test]
fn large_arguments_and_results_are_summed_up_or_kept_beside() {
    #[audited(action = "order.import", effect = "read", level = "request_response")]
    fn import(name: &str, lines: Vec<u32>) -> Vec<u32> {
        let _name = name;
        lines
    }
    let limits = "arguments_bytes_max = 1000\nresult_bytes_max = 1000\nlevel = \"request_response\"";
    let lines: Vec<u32> = (0..1_000).collect();
    let summary = json!({ "count": 1000, "first": 0, "last": 999, "type": "list" });
    let records =
        recorded(&format!("[default]\n{limits}\noversize = \"summary\""), || drop(import("x", lines.clone())));
    let request = &records[0]["request"];
    assert_eq!(request["arguments"], json!({ "lines": summary, "name": "x" }));
    assert_eq!((&request["truncated"], request.get("ref")), (&json!(true), None));
    let response = &records[1]["response"];
    assert_eq!((&response["summary"], &response["truncated"], response.get("result")), (&summary, &json!(true), None));
    let whole = serde_json::to_vec(&lines).unwrap();
    assert_eq!(response["hash"], format!("sha-256:{}", audited::sink::Hash::of(&whole)));
    assert_eq!(response["size"], whole.len());

    let records = recorded(&format!("[default]\n{limits}"), || drop(import("x", lines.clone())));
    let (request, response) = (&records[0]["request"], &records[1]["response"]);
    assert!(request["ref"].is_string() && request.get("truncated").is_none() && request.get("arguments").is_none());
    assert!(response["ref"].is_string() && response.get("truncated").is_none());
    assert_eq!(response["summary"], summary);
}

#[test]
fn an_event_is_kept_as_long_as_the_policy_says() {
    let records = recorded("[default]\nretention = \"standard\"\nlevel = \"none\"", || {
        drop(audited::event("decision.proposed").action("order.refund").record().unwrap());
    });
    assert_eq!(names(&records), ["decision.proposed"]);
    assert_eq!(records[0]["retention"], json!({ "class": "standard" }));
}

#[test]
fn the_example_of_the_documentation_is_a_policy() {
    let text = std::fs::read_to_string(testkit::workspace().join("docs/policy.md")).unwrap();
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let policy = audited::policy::parse(example).unwrap();
    let names: Vec<&str> = policy.rules().iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["failed reads", "reads", "refunds", "default"]);
}

/// The redactions of a record as `pointer method rule`.
fn redactions(record: &Value) -> Vec<String> {
    let list = record["redactions"].as_array().cloned().unwrap_or_default();
    let text = |redaction: &Value, member: &str| redaction[member].as_str().unwrap().to_owned();
    let line =
        |redaction| format!("{} {} {}", text(redaction, "path"), text(redaction, "method"), text(redaction, "rule"));
    list.iter().map(line).collect()
}

#[test]
fn a_policy_removes_by_path_name_and_pattern_beside_the_attribute() {
    #[derive(serde::Serialize)]
    struct Customer {
        name: &'static str,
        phone: &'static str,
        email: &'static str,
    }
    #[audited(action = "order.ship", redact = [customer.phone])]
    fn ship(customer: Customer, note: &str) -> Result<Customer, String> {
        if note.is_empty() { Err(format!("no note for {}", customer.name)) } else { Ok(customer) }
    }
    let customer = || Customer { name: "Ann Example", phone: "555-0199", email: "ann@example.org" };
    let policy = r#"
        [redaction]
        names.mask = "email"
        patterns.redact = ["us_ssn"]

        [[rule]]
        name = "shipping"
        tool = "ship"
        redact = ["customer.name", "return.name", "absent.iban"]
    "#;
    let records = recorded(policy, || {
        drop(ship(customer(), "ssn 078-05-1120"));
        drop(ship(customer(), ""));
    });
    assert_eq!(records[0]["request"]["arguments"]["customer"], json!({ "email": "****" }));
    assert_eq!(records[1]["response"]["summary"], json!({ "email": "****", "phone": "555-0199" }));
    assert_eq!(
        redactions(&records[0]),
        [
            "/request/arguments/customer/name drop policy:shipping/customer.name",
            "/request/arguments/customer/phone drop path:customer.phone",
            "/request/arguments/customer/email mask policy:redaction/email",
            "/request/arguments/note drop policy:redaction/us_ssn",
        ]
    );
    assert_eq!(
        redactions(&records[1]),
        [
            "/response/summary/name drop policy:shipping/return.name",
            "/response/summary/email mask policy:redaction/email",
        ]
    );
    let text = serde_json::to_string(&records).unwrap();
    for secret in ["Ann Example", "ann@example.org", "078-05-1120"] {
        assert!(!text.contains(secret), "`{secret}` stands in {text}");
    }
    assert_eq!(records[3]["outcome"]["status"], "failure");
}

#[test]
fn a_path_of_a_policy_is_found_in_the_arguments_of_a_call_without_an_attribute() {
    let policy = "[redaction]\nredact = [\"card\", \"account.iban\", \"absent.iban\"]";
    let records = recorded(policy, || {
        let arguments = json!({ "card": "4242", "account": { "iban": "DE00", "n": 1 }, "plain": 2 });
        let call = audited::manual::tool_call("order.pay", "pay").arguments(&arguments).begin().call();
        call.finish(audited::Conclusion::success(), None);
    });
    assert_eq!(records[0]["request"]["arguments"], json!({ "account": { "n": 1 }, "plain": 2 }));
}

#[test]
fn a_path_of_a_policy_that_meets_nothing_withholds_the_parameter_unless_it_is_optional() {
    #[audited(action = "order.pay")]
    fn pay(customer: Value, count: u32) {
        let _all = (customer, count);
    }
    let run = |path: &str| {
        let policy = format!("[redaction]\nredact = [\"{path}\"]");
        recorded(&policy, || pay(json!({ "id": 7 }), 3)).remove(0)["request"]["arguments"].take()
    };
    assert_eq!(run("customer.ssn"), json!({ "count": 3 }));
    assert_eq!(run("customer.ssn?"), json!({ "count": 3, "customer": { "id": 7 } }));
    // A number has no members: it is withheld.
    assert_eq!(run("*.id"), json!({ "customer": {} }));
}

#[test]
fn a_value_that_needs_a_key_is_dropped_where_there_is_none() {
    let policy = "[redaction]\ntoken = [\"order\"]\nseal = { paths = [\"text\"], subject = \"context.user\" }";
    let records = recorded(policy, || drop(block_on(note(7, "hush"))));
    assert_eq!(records[0]["request"]["arguments"], json!({}));
    let rules = redactions(&records[0]);
    assert_eq!(
        rules,
        ["/request/arguments/order drop policy:redaction/order", "/request/arguments/text drop policy:redaction/text"]
    );
}

#[test]
fn a_policy_decides_about_spans_written_by_hand() {
    let policy = r#"
        [redaction]
        names.redact = "phone"
        [[rule]]
        name = "quiet"
        action = "order.peek"
        level = "none"
        [[rule]]
        name = "brief"
        action = "order.look"
        level = "metadata"
        retention = "short"
        [[rule]]
        name = "single"
        action = "order.show"
        stages = "completed"
        redact = ["card.number"]
    "#;
    let policed = Policed::open(policy);
    policed.run(|| {
        drop(tracing::info_span!(target: "audit", "peek", audit.action = "order.peek", n = 1).entered());
        drop(tracing::info_span!(target: "audit", "look", audit.action = "order.look", n = 2).entered());
        let show = tracing::info_span!(target: "audit", "show", audit.action = "order.show", card = "4111", phone = "1", n = 3);
        drop(show.entered());
        drop(tracing::info_span!(target: "audit", "wipe", audit.action = "order.peek", audit.effect = "destructive").entered());
    });
    assert_eq!(audited::sink::Sink::health(&policed.log).policy().unrecorded, [("quiet".to_owned(), 1)]);
    let records = policed.close();
    let level = |index: usize| records[index]["level"].as_str().unwrap();
    assert_eq!((0..5).map(level).collect::<Vec<_>>(), ["metadata", "metadata", "request", "metadata", "metadata"]);
    assert!(records[0].get("request").is_none());
    assert_eq!(records[1]["retention"], json!({ "class": "short" }));
    assert_eq!(records[2]["request"]["arguments"], json!({ "n": 3 }));
    let mut removed = redactions(&records[2]);
    removed.sort();
    assert_eq!(
        removed,
        [
            "/request/arguments/card drop policy:single/card.number",
            "/request/arguments/phone drop policy:redaction/phone",
        ]
    );
    assert_eq!(records[2]["operation"]["tool"]["destructive"], false);
}

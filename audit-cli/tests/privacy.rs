//! `key-ring`, `lookup`, `reveal`, `erase`, and disclosures in `prove` and `check`: the binary itself.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use audit_core::privacy::{Protect, Sealing};
use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::Stage;
use audit_store::keyring::{FileKeyRing, KeyRing as _, TenantKey};
use audit_store::privacy::Opened;
use audit_store::{Log, Options};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::TempDir;

const TENANT: &str = "acme";
const ORIGIN: &str = "example.com/orders";
const FIRST: &str = "01a17cbd-e826-77ed-86a8-000000000001";
const SECOND: &str = "01a17cbd-e826-77ed-86a8-000000000002";

/// A key ring, a signed log beside it, and what the binary says of them.
struct Place {
    directory: TempDir,
    vkey: String,
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Place {
    /// Makes a log of two calls for two customers, closed.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = Self { directory, vkey: String::new() };
        place.ok("key-ring new DIR/ring --tenant-key-file DIR/tenant.key");
        let vkey = place.ok(&format!("key new DIR/key --name {ORIGIN}")).trim().to_owned();
        let place = Self { vkey, ..place };
        let log = place.open("log");
        place.write(&log, FIRST, "customer-17", "Blumenweg 13");
        place.write(&log, SECOND, "customer-18", "Gartenstr. 2");
        log.close().unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn ring(&self) -> FileKeyRing {
        FileKeyRing::open(self.path("ring"), TenantKey::read(self.path("tenant.key")).unwrap()).unwrap()
    }

    fn options(&self) -> Options {
        Log::options().key_file(self.path("key")).key_ring(Arc::new(self.ring()))
    }

    fn open(&self, name: &str) -> Log {
        self.options().open_or_sibling(self.path(name)).unwrap()
    }

    /// Records a call whose street is sealed and whose card is a token.
    fn write(&self, log: &Log, record_id: &str, subject: &str, street: &str) {
        let protect: Arc<dyn Protect> = log.protect().unwrap();
        let value = json!(street).to_string();
        let sealing = Sealing { tenant: Some(TENANT), subject, name: "street", value: value.as_bytes() };
        let sealed = protect.seal(&sealing).unwrap();
        let token = protect.token(Some(TENANT), b"4242").unwrap();
        let record = json!({
            "action": "order.ship", "actor": {"agent": {"id": "agent:support-7"}},
            "correlation": {"tenant_id": TENANT}, "event_name": "decision.proposed", "level": "request",
            "observed_time": "2026-10-27T09:42:00Z", "outcome": {"status": "success"}, "record_id": record_id,
            "redactions": [
                {"key_id": token.key_id, "method": "token", "path": "/request/arguments/card", "rule": "path:card"},
                {"key_id": sealed.key_id, "method": "seal", "path": "/request/arguments/customer/street",
                 "rule": "path:customer.street"},
            ],
            "request": {"arguments": {"card": token.text, "customer": {"street": {"_sd": [sealed.digest]}}, "order": "ORD-1"}},
            "schema_version": "1", "stage": "event", "time": "2026-10-27T09:42:00Z",
        });
        log.append(&Prepared::new(record.to_string().as_bytes(), Stage::Event)).wait().unwrap();
    }

    fn run_with(&self, arguments: &str, stdin: &str) -> Ran {
        let directory = self.directory.path().to_str().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
        command.args(arguments.split(' ').map(|argument| argument.replace("DIR", directory)));
        command.env("USER", "operator-3").current_dir(self.directory.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that does not read its standard input may have ended.
        let _not_read = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(directory, "DIR");
        Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn run(&self, arguments: &str) -> Ran {
        self.run_with(&format!("{arguments} --key-ring DIR/ring --tenant-key-file DIR/tenant.key"), "")
    }

    fn ok(&self, arguments: &str) -> String {
        let ran = self.run_with(arguments, "");
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments}: {}", ran.stdout);
        ran.stdout
    }

    fn check(&self, arguments: &str, code: i32, stdout: &Expect, stderr: &str) {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, stderr), "{}", ran.stdout);
        stdout.assert_eq(&ran.stdout);
    }

    /// The events of a log, and their annotations.
    fn events(&self, log: &str) -> Vec<(String, Value)> {
        let shown = self.run_with(&format!("show DIR/{log} --json"), "").stdout;
        let records = shown.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].take());
        let told = records.map(|record| (record["event_name"].as_str().unwrap().to_owned(), record));
        told.filter(|(name, _)| matches!(&**name, "log.read" | "subject.erased")).collect()
    }

    /// Every byte of a directory.
    fn bytes(&self, name: &str) -> Vec<u8> {
        let (mut bytes, mut open) = (Vec::new(), vec![self.path(name)]);
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                bytes.extend(fs::read(path).unwrap());
            }
        }
        bytes
    }

    fn holds(&self, name: &str, text: &str) -> bool {
        self.bytes(name).windows(text.len()).any(|part| part == text.as_bytes())
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

const STREET: &str = "--path /request/arguments/customer/street";

#[test]
fn a_value_is_shown_once_that_is_recorded() {
    let place = Place::new();
    assert!(!place.holds("log", "Blumenweg") && !place.holds("log", "4242"));
    place.check(
        &format!("reveal DIR/log {FIRST} {STREET} --key-file DIR/key"),
        0,
        &expect![[r#"
            log              log
            entry            2
            recorded in      DIR/log
            path             /request/arguments/customer/street
            value            "Blumenweg 13"
        "#]],
        "",
    );
    let events = place.events("log");
    assert_eq!(events.len(), 1);
    let (name, record) = &events[0];
    assert_eq!((name.as_str(), &record["target"][0]["id"]), ("log.read", &json!(FIRST)));
    assert_eq!(record["annotations"]["paths"], json!(["/request/arguments/customer/street"]));
    assert_eq!(record["annotations"]["purpose"], "reveal");
    assert_eq!(record["actor"]["on_behalf_of"]["id"], "operator-3");
    assert!(!place.holds("log", "Blumenweg"), "the record tells no value");
    place.ok(&format!("verify DIR/log --key {}", place.vkey));

    let ran = place.run(&format!("reveal DIR/log {SECOND} {STREET} --by auditor-1 --key-file DIR/key --json"));
    let account: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(account["values"][0]["value"], "Gartenstr. 2");
    assert_eq!(place.events("log")[1].1["actor"]["on_behalf_of"]["id"], "auditor-1");
}

#[test]
fn while_the_log_is_held_it_is_recorded_beside_it() {
    let place = Place::new();
    let held = place.open("log");
    let beside = place.open("log");
    place.write(&beside, "01a17cbd-e826-77ed-86a8-000000000003", "customer-19", "Am Markt 1");
    beside.flush().unwrap();
    // What stands in LOG.1 is found, too.
    place.check(
        &format!("reveal DIR/log 01a17cbd-e826-77ed-86a8-000000000003 {STREET}"),
        0,
        &expect![[r#"
            log              log.1
            entry            2
            recorded in      DIR/log.operator
            path             /request/arguments/customer/street
            value            "Am Markt 1"
        "#]],
        "",
    );
    // Without its secrets a log with keys is not written to either.
    beside.close().unwrap();
    held.close().unwrap();
    let ran = place.run(&format!("reveal DIR/log {FIRST} {STREET}"));
    assert!(
        ran.code == 0 && ran.stdout.contains("recorded in      DIR/log.operator\n"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(place.events("log.operator").len(), 2);
    assert_eq!(place.events("log.operator")[0].1["annotations"]["log"], "log.1");
}

#[test]
fn what_cannot_be_recorded_is_not_shown() {
    let place = Place::new();
    let _held = place.open("log");
    fs::write(place.path("log.operator"), "no log").unwrap();
    let ran = place.run(&format!("reveal DIR/log {FIRST} {STREET}"));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.starts_with("audited: nothing is shown that cannot be recorded: DIR/log.operator"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_cannot_be_revealed_says_why() {
    let place = Place::new();
    let nothing = expect![[r#"
        log              log
        entry            2
        path             /request/arguments/order
        value            is not sealed
    "#]];
    place.check(&format!("reveal DIR/log {FIRST} --path /request/arguments/order"), 1, &nothing, "");
    let unknown = "01a17cbd-e826-77ed-86a8-00000000ffff";
    let told = format!("audited: no entry with the record {unknown}\n");
    place.check(&format!("reveal DIR/log {unknown} {STREET}"), 1, &expect![""], &told);
    assert!(place.events("log").is_empty() && !place.path("log.operator").exists());

    fs::remove_dir_all(place.path("log/payloads")).unwrap();
    let ran = place.run(&format!("reveal DIR/log {FIRST} {STREET}"));
    assert!(ran.code == 1 && ran.stdout.contains("value            is not in the log's payloads"), "{}", ran.stdout);

    // Another tenant's key, no key, no ring.
    place.ok("key-ring new DIR/other --tenant-key-file DIR/other.key");
    let reveal = format!("reveal DIR/log {FIRST} {STREET}");
    for (rest, told) in [
        ("", "expected --key-ring, the directory of the key ring"),
        (" --key-ring DIR/ring", "expected --tenant-key-file or --tenant-key-env, found neither"),
        (
            " --key-ring DIR/none --tenant-key-file DIR/tenant.key",
            "DIR/none: expected a key ring, found nothing; `audited key-ring new` makes one",
        ),
        (
            " --key-ring DIR/ring --tenant-key-env NOT_SET_ANYWHERE",
            "NOT_SET_ANYWHERE: expected a tenant key in the environment, found the variable unset",
        ),
    ] {
        let ran = place.run_with(&format!("{reveal}{rest}"), "");
        assert_eq!((ran.code, ran.stderr), (2, format!("audited: {told}\n")));
    }
}

#[test]
fn a_wrong_tenant_key_is_an_error() {
    let place = Place::new();
    place.ok("key-ring new DIR/other --tenant-key-file DIR/other.key");
    let ran = place
        .run_with(&format!("reveal DIR/log {FIRST} {STREET} --key-ring DIR/ring --tenant-key-file DIR/other.key"), "");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    let told = "expected a key that the tenant key given opens, found one wrapped by another tenant key, or altered\n";
    assert!(ran.stderr.ends_with(told), "{}", ran.stderr);
}

#[test]
fn records_are_found_by_a_value_that_is_stored_nowhere() {
    let place = Place::new();
    place.ok("key-ring rotate DIR/ring --tenant acme --tenant-key-file DIR/tenant.key");
    let log = place.open("log");
    let third = "01a17cbd-e826-77ed-86a8-000000000003";
    place.write(&log, third, "customer-17", "Blumenweg 13");
    log.close().unwrap();
    let lookup = "lookup DIR/log --tenant acme --type number --value";
    let expect = expect![[r#"
        log  2  2026-10-27T09:42:00.000Z  01a17cbd-e826-77ed-86a8-000000000001  order.ship  /request/arguments/card
        log  3  2026-10-27T09:42:00.000Z  01a17cbd-e826-77ed-86a8-000000000002  order.ship  /request/arguments/card
        log  8  2026-10-27T09:42:00.000Z  01a17cbd-e826-77ed-86a8-000000000003  order.ship  /request/arguments/card
    "#]];
    place.check(&format!("{lookup} 4242"), 0, &expect, "");
    let ran = place.run_with(
        "lookup DIR/log --tenant acme --type number --value - --json --key-ring DIR/ring --tenant-key-file DIR/tenant.key",
        "4242\n",
    );
    let keys: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["key_id"].take()).collect();
    assert_eq!(keys, ["k1", "k1", "k2"]);
    assert!(!place.holds("ring", "4242") && !place.holds("log", "4242"));

    let none = "audited: no record holds the token of this value\n";
    place.check(&format!("{lookup} 4243"), 1, &expect![""], none);
    place.check("lookup DIR/log --tenant acme --value 4242", 1, &expect![""], none);
    let told = "audited: expected token keys of the tenant in the key ring, found none\n";
    place.check("lookup DIR/log --tenant globex --value 4242", 2, &expect![""], told);
    let told = "audited: expected --value to be a number, found another text\n";
    place.check(&format!("{lookup} x"), 2, &expect![""], told);
}

#[test]
fn an_erased_subject_is_gone_from_the_log_and_every_copy_of_it() {
    let place = Place::new();
    copy(&place.path("log"), &place.path("copy"));
    let proof = place.ok(&format!("prove DIR/log {FIRST} -o -"));
    fs::write(place.path("proof"), proof).unwrap();

    let erase = "erase DIR/log --subject customer-17 --tenant acme --reason letter --key-file DIR/key";
    let ran = place.run(erase);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("destroyed        subject:") && ran.stdout.contains("recorded in      DIR/log\n"));
    place.ok(&format!("verify DIR/log --key {}", place.vkey));
    place.ok(&format!("verify DIR/copy --key {}", place.vkey));
    place.ok(&format!("check DIR/proof --key {}", place.vkey));
    for log in ["log", "copy"] {
        let ran = place.run(&format!("reveal DIR/{log} {FIRST} {STREET}"));
        assert!(ran.code == 1 && ran.stdout.contains("was erased"), "{log}: {}{}", ran.stdout, ran.stderr);
        let ran = place.run(&format!("reveal DIR/{log} {SECOND} {STREET}"));
        assert!(ran.code == 0 && ran.stdout.contains("Gartenstr. 2"), "{log}: {}{}", ran.stdout, ran.stderr);
    }
    // Every key that is left is tried on every payload.
    for payload in place.bytes("copy/payloads").split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let payload: Value = serde_json::from_slice(payload).unwrap();
        let key = place.ring().sealing_key(Some(TENANT), payload["key_id"].as_str().unwrap());
        let digest = payload["digest"].as_str().unwrap();
        let opened = audit_store::privacy::open(&place.path("copy"), digest, &place.ring(), Some(TENANT)).unwrap();
        let is_value = matches!(opened, Opened::Value { .. });
        assert_eq!(key.unwrap().is_some(), is_value);
    }
    assert!(!place.holds("ring", "customer-17") && !place.holds("log", "customer-17"));
    let (name, record) = place.events("log").remove(0);
    assert_eq!((name.as_str(), &record["annotations"]["reason"]), ("subject.erased", &json!("letter")));
    assert_eq!(record["annotations"]["key_ids"].as_array().unwrap().len(), 1);

    place.check(erase, 1, &expect![""], "audited: the subject was erased before\n");
    let nobody = "erase DIR/log --subject nobody --tenant acme --reason letter --key-file DIR/key";
    place.check(nobody, 1, &expect![""], "audited: the key ring has no key of this subject\n");
    let shown = place.ok("key-ring show DIR/ring --tenant acme --tenant-key-file DIR/tenant.key");
    assert!(shown.contains("subject keys     1\nerased           1\n"), "{shown}");
}

#[test]
fn a_process_that_holds_the_log_goes_on_after_an_erasure_and_cannot_read_what_was() {
    let place = Place::new();
    let held = place.open("log");
    let third = "01a17cbd-e826-77ed-86a8-000000000003";
    place.write(&held, third, "customer-17", "Am Markt 1");
    held.flush().unwrap();
    let erase = "erase DIR/log --subject customer-17 --tenant acme --reason letter --key-file DIR/key";
    let ran = place.run(erase);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("recorded in      DIR/log.operator\n"), "{}", ran.stdout);
    let events = place.events("log.operator");
    assert_eq!((events.len(), events[0].0.as_str()), (1, "subject.erased"));

    // It knew the key, and does not use it again.
    let fourth = "01a17cbd-e826-77ed-86a8-000000000004";
    place.write(&held, fourth, "customer-17", "Kirchgasse 5");
    held.flush().unwrap();
    for (record_id, code, told) in [
        (FIRST, 1, "was erased"),
        (third, 1, "was erased"),
        (SECOND, 0, "\"Gartenstr. 2\""),
        (fourth, 0, "\"Kirchgasse 5\""),
    ] {
        let ran = place.run(&format!("reveal DIR/log {record_id} {STREET}"));
        assert!(ran.code == code && ran.stdout.contains(told), "{record_id}: {}{}", ran.stdout, ran.stderr);
    }
    held.close().unwrap();
    place.ok("verify DIR/log");
    // The log beside it has no keys, which the verdict under a pinned one says; that of the log itself is what it was.
    let ran = place.run_with(&format!("verify DIR/log --key {}", place.vkey), "");
    assert!(ran.stdout.contains("intact           DIR/log\nunverifiable     DIR/log.operator\n"), "{}", ran.stdout);
    assert!(["Blumenweg", "Am Markt", "Kirchgasse", "customer-17"].iter().all(|text| !place.holds("log", text)));
    assert!(!place.holds("log.operator", "customer-17"));
}

#[test]
fn an_erasure_that_was_not_recorded_is_recorded_by_the_next() {
    let place = Place::new();
    place.ring().erase(Some(TENANT), "customer-17").unwrap();
    let ran = place.run_with(
        "erase DIR/log --subject - --tenant acme --reason letter --key-ring DIR/ring --tenant-key-file DIR/tenant.key",
        "customer-17\n",
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout.contains("before           subject:") && ran.stdout.contains("recorded in      DIR/log.operator\n")
    );
    assert_eq!(place.events("log.operator").len(), 1);
    let again = "erase DIR/log --subject customer-17 --tenant acme --reason letter";
    place.check(again, 1, &expect![""], "audited: the subject was erased before\n");
}

#[test]
fn nothing_is_destroyed_that_cannot_be_recorded() {
    let place = Place::new();
    fs::write(place.path("log.operator"), "no log").unwrap();
    let erase = "--subject customer-17 --tenant acme --reason letter";
    assert_eq!(place.run(&format!("erase DIR/log {erase}")).code, 2);
    assert_eq!(place.run(&format!("erase DIR/none {erase}")).code, 2);
    assert_eq!(place.run("erase DIR/log --subject customer-17 --tenant acme --reason ").code, 2);
    let shown = place.ok("key-ring show DIR/ring --tenant acme --tenant-key-file DIR/tenant.key --json");
    let count: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&count["subject_keys"], &count["erased"]), (&json!(2), &json!(0)));
}

#[test]
fn a_proof_discloses_a_value_that_is_checked_without_any_key_of_the_ring() {
    let place = Place::new();
    let disclose = "--disclose /request/arguments/customer/street";
    place.check(
        &format!("prove DIR/log {FIRST} -o DIR/first {disclose}"),
        0,
        &expect![[r#"
            entry            2
            file             DIR/first
        "#]],
        "",
    );
    assert_eq!(place.events("log.operator")[0].1["annotations"]["purpose"], "proof");
    let checked = place.ok(&format!("check DIR/first --key {}", place.vkey));
    assert!(checked.ends_with("disclosed        /request/arguments/customer/street \"Blumenweg 13\"\n"), "{checked}");
    let json: Value = serde_json::from_str(&place.ok(&format!("check DIR/first --key {} --json", place.vkey))).unwrap();
    assert_eq!(json["disclosed"][0]["value"], "Blumenweg 13");

    // A disclosure of another record is refused.
    place.run(&format!("prove DIR/log {SECOND} -o DIR/second {disclose}"));
    let moved = {
        let read = |name: &str| audit_core::evidence::Evidence::parse(&fs::read(place.path(name)).unwrap()).unwrap();
        let (mut first, second) = (read("first"), read("second"));
        let mut extra = first.parse_extra().unwrap().unwrap();
        extra.disclosures = second.parse_extra().unwrap().unwrap().disclosures;
        first.extra = Some(extra.to_bytes());
        first.to_string()
    };
    fs::write(place.path("moved"), moved).unwrap();
    let ran = place.run_with(&format!("check DIR/moved --key {}", place.vkey), "");
    let told = "audited: DIR/moved: refused: expected the digest of the disclosure at \
                \"/request/arguments/customer/street\" in the record, found none or another\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, told));

    // What was given away stays readable after an erasure; nothing more is.
    place.run("erase DIR/log --subject customer-17 --tenant acme --reason letter");
    place.ok(&format!("check DIR/first --key {}", place.vkey));
    let ran = place.run(&format!("prove DIR/log {FIRST} -o - {disclose}"));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("found one that was erased"), "{}", ran.stderr);
    let ran = place.run(&format!("prove DIR/log {FIRST} -o - --disclose /request/arguments/order"));
    let told = "found none; sealed in this record: /request/arguments/customer/street\n";
    assert!(ran.code == 2 && ran.stderr.ends_with(told), "{}", ran.stderr);
}

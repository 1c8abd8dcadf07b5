//! Verification by what witnesses saw, and the command that asks them.

use std::fs;
use std::path::{Path, PathBuf};

use audit_cli::{Exit, run};
use audit_core::policy::Policy;
use audit_store::Log;
use audit_store::verify::{Options, Report, Verdict, verify_log};
use tempfile::TempDir;
use testkit::http::Reply;
use testkit::witness::{Fault, Witness};

use super::queue::{ORIGIN, key, secret};

/// Two witnesses that both have to have seen a log, and the log.
struct Setting {
    directory: TempDir,
    east: Witness,
    west: Witness,
}

impl Setting {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let start = |name, seed| Witness::start(name, seed, &[key()], None).unwrap();
        let setting = Self { directory, east: start("witness.example/e", 9), west: start("witness.example/w", 10) };
        fs::write(setting.policy(), setting.text()).unwrap();
        setting
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.path("orders")
    }

    fn policy(&self) -> PathBuf {
        self.path("policy")
    }

    fn text(&self) -> String {
        let Self { east, west, .. } = self;
        format!(
            "log {}\nwitness east {} {}\nwitness west {} {}\ngroup both all east west\nquorum both\n",
            key(),
            east.key(),
            east.url(),
            west.key(),
            west.url()
        )
    }

    fn verify(&self, log: &Path) -> Report {
        Options::new().policy(Policy::parse(self.text().as_bytes()).unwrap()).verify(log).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> (Exit, String) {
        let (log, policy) = (self.log(), self.policy());
        let first = ["audited", arguments[0], log.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = run(first.iter().chain(&arguments[1..]), &mut stdout, &mut stderr);
        let text = String::from_utf8([stdout, stderr].concat()).unwrap();
        (exit, text)
    }
}

/// Opens and closes a log, which adds two entries.
fn grow(log: &Path) {
    Log::options().origin(ORIGIN).signer(std::sync::Arc::new(secret())).open(log).unwrap().close().unwrap();
}

fn check(report: &Report, verdict: Verdict, reason: &str) {
    let found = report.finding.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(report.verdict, verdict, "{found}");
    assert!(found.contains(reason), "{found}");
}

#[test]
fn a_quorum_may_have_seen_different_sizes() {
    let setting = Setting::new();
    grow(&setting.log());
    check(&setting.verify(&setting.log()), Verdict::Unverifiable, "no checkpoint with a quorum of witnesses");

    let (exit, text) = setting.command(&["anchor"]);
    assert_eq!(exit, Exit::Success, "{text}");
    let report = setting.verify(&setting.log());
    check(&report, Verdict::Intact, "");
    let witnessed = report.assurance.witnessed.unwrap();
    assert_eq!((witnessed.size, &*witnessed.witnesses), (2, &["east".to_owned(), "west".to_owned()][..]));

    // The west sees no more: what both saw is still what a quorum saw.
    grow(&setting.log());
    setting.west.fail(Fault::Says(Reply::answer(503, "text/plain", "later")));
    let (exit, text) = setting.command(&["anchor"]);
    assert_eq!(exit, Exit::Error, "{text}");
    assert!(text.contains("the anchor takes nothing now"), "{text}");
    let witnessed = setting.verify(&setting.log()).assurance.witnessed.unwrap();
    assert_eq!((witnessed.size, &*witnessed.witnesses), (2, &["east".to_owned(), "west".to_owned()][..]));
}

#[test]
fn a_log_that_was_cut_below_what_a_witness_saw_is_tampered() {
    let setting = Setting::new();
    grow(&setting.log());
    let old = setting.path("old");
    copy(&setting.log(), &old);
    grow(&setting.log());
    assert_eq!(setting.command(&["anchor"]).0, Exit::Success);
    check(&verify_log(&old).unwrap(), Verdict::Intact, "");
    // The older state of the whole log in the place of the newer one; what the witnesses gave is still there, or kept.
    let anchors = setting.log().join("anchors");
    let kept = fs::read_to_string(anchors.join("east/00000000000000000004.note")).unwrap();
    copy(&anchors, &old.join("anchors"));
    check(&setting.verify(&old), Verdict::Tampered, "4");
    fs::remove_dir_all(old.join("anchors")).unwrap();
    let with_copy = Options::new().policy(Policy::parse(setting.text().as_bytes()).unwrap()).copy(kept);
    check(&with_copy.verify(&old).unwrap(), Verdict::Tampered, "4");
    check(&setting.verify(&old), Verdict::Unverifiable, "no checkpoint with a quorum of witnesses");
    // To the witnesses it is an alarm.
    fs::remove_dir_all(setting.log()).unwrap();
    copy(&old, &setting.log());
    let (exit, text) = setting.command(&["anchor"]);
    assert_eq!(exit, Exit::Negative, "{text}");
    assert!(text.contains("ALARM, the anchor has seen a longer log"), "{text}");
}

#[test]
fn a_log_that_was_written_anew_is_tampered() {
    let setting = Setting::new();
    grow(&setting.log());
    assert_eq!(setting.command(&["anchor"]).0, Exit::Success);
    let other = setting.path("other");
    (0..2).for_each(|_| grow(&other));
    check(&verify_log(&other).unwrap(), Verdict::Intact, "");
    copy(&setting.log().join("anchors"), &other.join("anchors"));
    check(&setting.verify(&other), Verdict::Tampered, "root");
}

#[test]
fn a_cosignature_that_does_not_verify_is_tampered() {
    let setting = Setting::new();
    grow(&setting.log());
    assert_eq!(setting.command(&["anchor"]).0, Exit::Success);
    let note = setting.log().join("anchors/east/00000000000000000002.note");
    let text = fs::read_to_string(&note).unwrap();
    let east = text.lines().find(|line| line.starts_with("— witness.example/e ")).unwrap();
    let (rest, last) = east.split_at(east.len() - 8);
    let altered =
        format!("{rest}{}", if last.starts_with('A') { last.replace('A', "B") } else { format!("A{}", &last[1..]) });
    fs::write(&note, text.replace(east, &altered)).unwrap();
    check(&setting.verify(&setting.log()), Verdict::Tampered, "anchors/east/00000000000000000002.note");
    fs::write(&note, "").unwrap();
    check(&setting.verify(&setting.log()), Verdict::Tampered, "anchors/east/00000000000000000002.note");
    check(&verify_log(setting.log()).unwrap(), Verdict::Intact, "");
}

#[test]
fn the_command_records_in_the_log_or_beside_it_and_then_finds_nothing_to_do() {
    let setting = Setting::new();
    // Held, or opened without its secrets: beside it.
    let log = Log::options().origin(ORIGIN).signer(std::sync::Arc::new(secret())).open(setting.log()).unwrap();
    let (exit, text) = setting.command(&["anchor", "--json"]);
    assert_eq!(exit, Exit::Success, "{text}");
    let account: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(account["recorded_in"].as_str().unwrap().ends_with("orders.operator"), "{text}");
    assert_eq!((&account["anchors"][0]["name"], &account["anchors"][0]["state"]), (&"east".into(), &"added".into()));
    let operator = fs::read_to_string(setting.path("orders.operator/segments/00000000000000000000.jsonl")).unwrap();
    assert_eq!(operator.matches(r#""event_name":"anchor.added""#).count(), 2);
    log.close().unwrap();
    setting.command(&["anchor"]);
    let (exit, text) = setting.command(&["anchor"]);
    assert_eq!(exit, Exit::Success);
    assert!(text.contains("had the newest checkpoint") && !text.contains("recorded in"), "{text}");

    // A log without keys is free, and no witness takes it.
    let bare = setting.path("bare");
    Log::open(&bare).unwrap().close().unwrap();
    let witness = format!("w1={}={}", setting.east.key(), setting.east.url());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let arguments = ["audited", "anchor", bare.to_str().unwrap(), "--witness", &witness];
    assert_eq!(run(arguments, &mut stdout, &mut stderr), Exit::Negative);
    let lines = fs::read_to_string(bare.join("segments/00000000000000000000.jsonl")).unwrap();
    assert_eq!(lines.matches(r#""event_name":"anchor.failed""#).count(), 1);
    check(&verify_log(&bare).unwrap(), Verdict::Intact, "");

    // The report tells what the witnesses saw.
    fs::remove_dir_all(setting.path("orders.operator")).unwrap();
    let (exit, text) = setting.command(&["verify"]);
    assert_eq!(exit, Exit::Success, "{text}");
    assert!(text.contains("witnesses; a quorum of witnesses saw all 2 entries"), "{text}");
    let (_exit, text) = setting.command(&["verify", "--json"]);
    let account: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(account["witnessed"]["size"], 2, "{text}");
    assert_eq!(account["witnessed"]["time"], "2023-11-14T22:13:20.000000000Z");
}

#[test]
fn an_entry_is_proved_under_the_newest_checkpoint_that_a_quorum_cosigned() {
    let setting = Setting::new();
    let evidence = setting.path("receipt");
    let prove = |number: &str| {
        let _none_yet = fs::remove_file(&evidence);
        setting.command(&["prove", "--number", number, "-o", evidence.to_str().unwrap()])
    };
    let check = || {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (file, policy) = (evidence.to_str().unwrap(), setting.policy());
        let arguments = ["audited", "check", file, "--policy", policy.to_str().unwrap(), "--json"];
        let exit = run(arguments, &mut stdout, &mut stderr);
        (exit, String::from_utf8([stdout, stderr].concat()).unwrap())
    };
    grow(&setting.log());
    let (exit, text) = prove("0");
    assert_eq!(exit, Exit::Error, "{text}");
    assert!(
        text.contains("expected a checkpoint over entry 0 in `anchors` that a quorum of the policy cosigned"),
        "{text}"
    );

    // Each witness is asked apart; what both gave is one checkpoint.
    assert_eq!(setting.command(&["anchor"]).0, Exit::Success);
    assert_eq!(prove("0").0, Exit::Success);
    let (exit, text) = check();
    assert_eq!(exit, Exit::Success, "{text}");
    let account: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&account["cosigners"][0]["name"], &account["cosigners"][1]["name"]), (&"east".into(), &"west".into()));
    assert_eq!(account["cosigners"][0]["time"], "2023-11-14T22:13:20.000000000Z");

    // Without a policy the newest one is taken with what is known for it.
    let known = audit_store::proof::prove(setting.log(), audit_store::proof::Which::Number(0)).unwrap();
    assert_eq!(known.checkpoint.matches("\u{2014} witness.example/").count(), 2, "{}", known.checkpoint);

    // The log goes on, and one witness does not: the older checkpoint proves the older entries, and no newer ones.
    grow(&setting.log());
    setting.west.fail(Fault::Says(Reply::answer(503, "text/plain", "later")));
    assert_eq!(setting.command(&["anchor"]).0, Exit::Error);
    assert_eq!(prove("1").0, Exit::Success);
    let (exit, text) = check();
    assert_eq!(exit, Exit::Success, "{text}");
    assert!(text.contains(r#""checkpoint":{"size":2,"#), "{text}");
    assert_eq!(prove("2").0, Exit::Error);

    // What was put among the files of anchors spoils nothing.
    let note = setting.log().join("anchors/east/00000000000000000002.note");
    let text = fs::read_to_string(&note).unwrap();
    fs::create_dir(setting.log().join("anchors/aaa")).unwrap();
    let east = text.lines().find(|line| line.contains("witness.example/e ")).unwrap();
    let forged = text.replace(east, &format!("{}AAAA{}", &east[..40], &east[44..]));
    fs::write(setting.log().join("anchors/aaa/00000000000000000002.note"), forged).unwrap();
    fs::write(setting.log().join("anchors/aaa/00000000000000000003.note"), "nothing").unwrap();
    assert_eq!(prove("1").0, Exit::Success);
    assert_eq!(check().0, Exit::Success);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

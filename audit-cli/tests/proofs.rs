//! `prove`, `check` and `export`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use audit_cli::{Exit, run};
use audit_core::note::SecretKey;
use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::Stage;
use audit_store::keys::create_key_file;
use expect_test::expect;
use tempfile::TempDir;

const ORIGIN: &str = "example.com/orders";
const RECORD: &str = "01a17cbd-e826-77ed-86a8-000000000007";

struct Log {
    directory: TempDir,
    vkey: String,
}

impl Log {
    /// A log of ten decisions, closed; its key was replaced when it was opened and when it was closed.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key_file = directory.path().join("key");
        let vkey = create_key_file(&key_file, ORIGIN).unwrap().verification_key().unwrap().to_string();
        let log = audit_store::Log::options().key_file(key_file).open(directory.path().join("log")).unwrap();
        for number in 0..10 {
            let record = format!(
                r#"{{"action":"refund","event_name":"decision.proposed","observed_time":"2026-10-27T09:42:00Z","outcome":{{"status":"success"}},"record_id":"01a17cbd-e826-77ed-86a8-{number:012}","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00Z"}}"#
            );
            log.append(&Prepared::new(record.as_bytes(), Stage::Event)).wait().unwrap();
        }
        log.close().unwrap();
        Self { directory, vkey }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What a command prints and how it ends; the names of the directory are replaced.
    fn run(&self, arguments: &[&str]) -> (Exit, String, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let place = self.directory.path().display().to_string();
        let arguments = arguments.iter().map(|argument| argument.replace("DIR", &place));
        let exit = run(std::iter::once("audited".to_owned()).chain(arguments), &mut stdout, &mut stderr);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&place, "DIR");
        (exit, text(stdout), text(stderr))
    }
}

/// Removes from a line what differs from run to run: ids and keys.
fn without_keys(text: &str) -> String {
    let word = |word: &str| match word.split_once('+') {
        Some((name, _id_and_key)) if name == ORIGIN => {
            format!("{name}+KEY{}", if word.ends_with(',') { "," } else { "" })
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_entry_is_proved_and_its_proof_checked() {
    let log = Log::new();
    let (exit, stdout, stderr) = log.run(&["prove", "DIR/log", RECORD, "-o", "DIR/receipt.tlog-proof"]);
    assert_eq!((exit, stderr.as_str()), (Exit::Success, ""));
    let number = stdout.lines().next().unwrap().split_whitespace().last().unwrap().to_owned();
    let (exit, stdout, stderr) = log.run(&["check", "DIR/receipt.tlog-proof", "--key", &log.vkey]);
    assert_eq!((exit, stderr.as_str()), (Exit::Success, ""));
    let lines: Vec<String> = stdout.lines().map(without_keys).collect();
    assert_eq!(lines[0], "origin           example.com/orders");
    assert!(lines[1].starts_with(&format!("entry            {number}, in the tree of ")), "{}", lines[1]);
    assert_eq!(lines[2], format!("record           {RECORD}"));
    assert!(lines[4].contains("after the key given"), "{}", lines[4]);
    assert!(lines[5].starts_with(r#"line             {"record":{"action":"refund""#), "{}", lines[5]);

    let (exit, stdout, _stderr) = log.run(&["check", "DIR/receipt.tlog-proof", "--key", &log.vkey, "--json"]);
    let account: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(exit, Exit::Success);
    assert_eq!(account["entry"]["record"]["record_id"], RECORD);
    assert_eq!(account["number"].to_string(), number);
    assert_eq!((account["key"].as_str(), account["origin"].as_str()), (Some(log.vkey.as_str()), Some(ORIGIN)));

    // By number, on the standard output; the same bytes.
    let (exit, stdout, _stderr) = log.run(&["prove", "DIR/log", "--number", &number, "-o", "-"]);
    assert_eq!((exit, stdout), (Exit::Success, fs::read_to_string(log.path("receipt.tlog-proof")).unwrap()));
}

#[test]
fn what_does_not_hold_is_refused() {
    let log = Log::new();
    log.run(&["prove", "DIR/log", RECORD, "-o", "DIR/receipt"]);
    let other = SecretKey::from_bytes(ORIGIN, &[9; 32]).unwrap().verification_key().unwrap().to_string();
    let (exit, stdout, stderr) = log.run(&["check", "DIR/receipt", "--key", &other]);
    assert_eq!((exit, stdout.as_str()), (Exit::Negative, ""));
    expect![[r#"
        audited: DIR/receipt: refused: rotation 1: expected a checkpoint of "example.com/orders" signed by a key given, or one that its rotations lead to
    "#]]
    .assert_eq(&stderr);
    let text = fs::read_to_string(log.path("receipt")).unwrap();
    fs::write(log.path("receipt"), format!("{text}\n")).unwrap();
    let (exit, _stdout, stderr) = log.run(&["check", "DIR/receipt", "--key", &log.vkey]);
    assert_eq!(exit, Exit::Negative);
    assert!(stderr.contains("refused"), "{stderr}");
    let (exit, _stdout, stderr) = log.run(&["check", "DIR/none", "--key", &log.vkey]);
    assert_eq!(exit, Exit::Error);
    assert!(stderr.starts_with("audited: could not read DIR/none"), "{stderr}");
    assert_eq!(log.run(&["check", "DIR/receipt"]).0, Exit::Error);
    assert_eq!(log.run(&["check", "DIR/receipt", "--key", "no key"]).0, Exit::Error);
}

#[test]
fn an_entry_that_is_not_there_is_not_proved() {
    let log = Log::new();
    let absent = "01a17cbd-e826-77ed-86a8-00000000ffff";
    let (exit, _stdout, stderr) = log.run(&["prove", "DIR/log", absent]);
    assert_eq!(exit, Exit::Negative);
    expect![[r#"
        audited: DIR/log: expected an entry with the record 01a17cbd-e826-77ed-86a8-00000000ffff, found none
    "#]]
    .assert_eq(&stderr);
    assert_eq!(log.run(&["prove", "DIR/none", "--number", "1"]).0, Exit::Error);
    assert_eq!(log.run(&["prove", "DIR/log"]).0, Exit::Error);
    fs::write(log.path("taken"), b"mine").unwrap();
    assert_eq!(log.run(&["prove", "DIR/log", "--number", "1", "-o", "DIR/taken"]).0, Exit::Error);
    assert_eq!(fs::read(log.path("taken")).unwrap(), b"mine");
}

#[test]
fn a_log_is_shown_to_have_grown() {
    let log = Log::new();
    let (exit, stdout, stderr) = log.run(&["prove", "DIR/log", "--consistency", "3", "DIR/log/checkpoint"]);
    assert_eq!((exit, stderr.as_str()), (Exit::Success, ""));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("old 3 ") && lines[1].starts_with("new ") && lines.len() > 3, "{stdout}");
    let checkpoint = fs::read_to_string(log.path("log/checkpoint")).unwrap();
    assert!(checkpoint.contains(lines[1].split(' ').next_back().unwrap()));
    assert_eq!(log.run(&["prove", "DIR/log", "--consistency", "3", "2"]).0, Exit::Error);
    assert_eq!(log.run(&["prove", "DIR/log", "--consistency", "3", "1000"]).0, Exit::Error);
    assert_eq!(log.run(&["prove", "DIR/log", "--consistency", "3", "DIR/none"]).0, Exit::Error);
}

#[test]
fn a_log_is_exported_once() {
    let log = Log::new();
    let (exit, stdout, stderr) = log.run(&["export", "tlog", "DIR/log", "DIR/tlog", "--json"]);
    assert_eq!((exit, stderr.as_str()), (Exit::Success, ""));
    let account: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((account["tiles"].as_u64(), account["bundles"].as_u64()), (Some(1), Some(1)));
    assert!(Path::new(&log.path("tlog/checkpoint")).is_file());
    let (exit, _stdout, stderr) = log.run(&["export", "tlog", "DIR/log", "DIR/tlog"]);
    assert_eq!(exit, Exit::Error);
    expect![[r#"
        audited: DIR/tlog: could not begin an export: expected an empty directory, found one with something in it
    "#]]
    .assert_eq(&stderr);
}

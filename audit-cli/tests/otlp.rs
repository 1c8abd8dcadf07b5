//! `export otlp`, and `verify --against-otlp`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![cfg(feature = "otlp")]

#[allow(dead_code, reason = "shared with other tests")]
mod common;

use std::fs;
use std::path::Path;

use audit_cli::{Exit, run};
use common::Log;
use expect_test::expect;

/// What a command prints and how it ends.
fn audited(arguments: &[&str]) -> (Exit, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = run([&["audited"], arguments].concat(), &mut stdout, &mut stderr);
    (exit, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn record(number: u64) -> String {
    format!(
        r#"{{"action":"order.find","event_name":"decision.proposed","observed_time":"2026-10-27T09:42:00Z","outcome":{{"status":"success"}},"record_id":"01a17cbd-e826-77ed-86a8-{number:012}","schema_version":"1","stage":"proposed","time":"2026-10-27T09:42:00Z"}}"#
    )
}

fn records(count: u64) -> Vec<String> {
    (1..=count).map(record).collect()
}

/// Exports a log to a file in its own directory.
fn export(log: &Log) -> String {
    let (path, file) = (log.path().display().to_string(), log.path().join("export.jsonl").display().to_string());
    let (exit, stdout, stderr) = audited(&["export", "otlp", &path, "--output", &file]);
    assert_eq!((exit, stderr.as_str()), (Exit::Success, ""), "{stdout}");
    file
}

/// Compares a log with an export: how it ends, and the lines that tell of it.
fn compare(log: &Log, file: &str) -> (Exit, String) {
    let path = log.path().display().to_string();
    let (exit, stdout, stderr) = audited(&["verify", &path, "--against-otlp", file]);
    let of_interest = ["verdict", "first bad entry", "reason", "assurance", "received"];
    let lines = stdout.lines().filter(|line| of_interest.iter().any(|name| line.starts_with(name)));
    (exit, lines.chain(stderr.lines()).map(|line| format!("{line}\n")).collect())
}

#[test]
fn a_log_that_was_exported_agrees_with_what_was() {
    let log = Log::samples();
    let (exit, told) = compare(&log, &export(&log));
    assert_eq!(exit, Exit::Success);
    expect![[r#"
        verdict          intact
        assurance        copy kept elsewhere; no key was pinned: what came after the copy can be rewritten
        received         21 entries, 1 checkpoints
    "#]]
    .assert_eq(&told);
    let path = log.path().display().to_string();
    let (_, stdout, _) = audited(&["verify", &path, "--json", "--against-otlp", &export(&log)]);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let expected = serde_json::json!({
        "equal": 21, "altered": 0, "missing": 0, "beyond": 0, "unsent": 0, "duplicates": 0, "checkpoints": 1,
    });
    assert_eq!(report["received"], expected);
}

#[test]
fn a_log_that_was_cut_or_written_anew_answers_for_what_was_exported() {
    let (log, directory) = (Log::of_records(&records(5)), tempfile::tempdir().unwrap());
    let file = change_records(&fs::read_to_string(export(&log)).unwrap(), directory.path(), &|_| {});
    // Each is a whole log of the same stream, with a checkpoint of its own.
    let mut other = records(5);
    other[2] = other[2].replace("success", "failure");
    for log in [Log::of_records(&records(3)), Log::of_records(&other)] {
        let (exit, told) = compare(&log, &file);
        assert_eq!(exit, Exit::Negative);
        assert!(told.contains("verdict          tampered"), "{told}");
    }
}

#[test]
fn without_checkpoints_the_entries_tell_by_themselves() {
    let (log, directory) = (Log::of_records(&records(5)), tempfile::tempdir().unwrap());
    let text = fs::read_to_string(export(&log)).unwrap();
    let check = |log: &Log, change: &dyn Fn(&mut Vec<serde_json::Value>), exit: Exit, expect: expect_test::Expect| {
        let file = change_records(&text, directory.path(), change);
        let (found, told) = compare(log, &file);
        expect.assert_eq(&told);
        assert_eq!(found, exit);
    };
    let entries_only =
        |records: &mut Vec<serde_json::Value>| records.retain(|record| record["eventName"] != "log.checkpoint");
    check(
        &Log::of_records(&records(3)),
        &entries_only,
        Exit::Negative,
        expect![[r#"
        verdict          tampered
        first bad entry  4
        reason           expected at least 6 entries, which the receiver has, found 4
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        received         4 entries, 0 checkpoints; 2 that the log has not
    "#]],
    );
    let mut other = records(5);
    other[2] = other[2].replace("success", "failure");
    check(
        &Log::of_records(&other),
        &entries_only,
        Exit::Negative,
        expect![[r#"
        verdict          tampered
        first bad entry  3
        reason           expected the entry that the receiver has, found another: its body differs
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        received         3 entries, 0 checkpoints; 3 altered
    "#]],
    );
    let missing = |records: &mut Vec<serde_json::Value>| drop(records.remove(2));
    check(
        &log,
        &missing,
        Exit::Error,
        expect![[r#"
        verdict          unverifiable
        reason           the receiver has later entries and not these 1, the first of which is 2: whether they were sent is not known
        assurance        copy kept elsewhere; no key was pinned: what came after the copy can be rewritten
        received         5 entries, 1 checkpoints; 1 missing
    "#]],
    );
    let unsent = |records: &mut Vec<serde_json::Value>| records.truncate(4);
    check(
        &log,
        &unsent,
        Exit::Success,
        expect![[r#"
        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        received         4 entries, 0 checkpoints; 2 not there yet
    "#]],
    );
}

#[test]
fn an_export_that_holds_nothing_of_the_log_vouches_for_nothing() {
    let (log, directory) = (Log::of_records(&records(5)), tempfile::tempdir().unwrap());
    let text = fs::read_to_string(export(&log)).unwrap();
    let file = change_records(&text, directory.path(), &|records| records.clear());
    let (exit, told) = compare(&log, &file);
    assert_eq!(exit, Exit::Error);
    expect![[r#"
        verdict          unverifiable
        reason           the receiver has no entry of this log
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        received         0 entries, 0 checkpoints; 6 not there yet
    "#]]
    .assert_eq(&told);
}

/// Changes the log records of an export of one line.
fn change_records(text: &str, directory: &Path, change: &dyn Fn(&mut Vec<serde_json::Value>)) -> String {
    let mut request: serde_json::Value = serde_json::from_str(text).unwrap();
    let records = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array_mut().unwrap();
    change(records);
    let file = directory.join("changed.jsonl");
    fs::write(&file, request.to_string()).unwrap();
    file.display().to_string()
}

#[test]
fn what_is_no_export_and_a_receiver_that_is_away_are_errors() {
    let log = Log::samples();
    let path = log.path().display().to_string();
    let file = log.path().join("no-export");
    fs::write(&file, "{").unwrap();
    let (exit, told) = compare(&log, &file.display().to_string());
    assert_eq!(exit, Exit::Error);
    assert!(told.contains("line 1: expected OTLP JSON"), "{told}");
    let (exit, _, stderr) = audited(&["export", "otlp", &path, "--endpoint", "http://127.0.0.1:9"]);
    assert_eq!(exit, Exit::Error);
    assert!(stderr.starts_with("audited: expected the receiver to take log records, found: "), "{stderr}");
    let (exit, _, stderr) = audited(&["export", "otlp", "/no/log", "--endpoint", "http://127.0.0.1:9"]);
    assert_eq!((exit, stderr.contains("expected a log")), (Exit::Error, true), "{stderr}");
}

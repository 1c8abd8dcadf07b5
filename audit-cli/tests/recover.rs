//! `audited recover` on logs that were closed, left behind, held and altered.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "other tests use what these do not")]
mod common;

use std::fs;
use std::path::Path;

use audit_cli::run;
use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::Stage;
use audit_store::Log;
use audit_store::verify::verify_log;

const RECORD: &str = r#"{"action":"order.refund","actor":{},"call":{"id":"01a17cbd-e826-77ed-86a8-000000000001"},"event_name":"tool.called","observed_time":"2026-10-27T09:43:02.950456000Z","outcome":{"status":"unknown"},"record_id":"01a17cbc-f240-7dd1-8916-96e15e2ee293","schema_version":"1","stage":"started","time":"2026-10-27T09:43:02.950456000Z"}"#;

/// Runs a command on the log; returns its output and messages with the log's path as `LOG`, and the exit code.
fn session(log: &Path, arguments: &str) -> (String, u8) {
    let path = log.to_str().unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let words = arguments.split(' ').map(|argument| argument.replace("LOG", path));
    let exit = run(std::iter::once("audited".to_owned()).chain(words), &mut stdout, &mut stderr);
    stdout.extend(stderr);
    (String::from_utf8(stdout).unwrap().replace(path, "LOG"), exit.code())
}

/// Makes a log as a killed process leaves it: a call has begun, and its record is in the journal.
fn killed() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let live = directory.path().join("live");
    let log = Log::options().journal_bytes(0).open(&live).unwrap();
    let call = "01a17cbd-e826-77ed-86a8-000000000001".parse().unwrap();
    let prepared = Prepared::new(RECORD.as_bytes(), Stage::Started).call(call).unasked();
    assert!(log.append(&prepared).wait().is_err_and(|answer| !answer.is_final()));
    let left = directory.path().join("left");
    copy(&live, &left);
    log.close().unwrap();
    (directory, left)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_log_that_a_killed_process_left_is_finished() {
    let (_directory, path) = killed();
    let (report, _code) = session(&path, "verify LOG");
    assert!(report.contains("journal          in use, or left by a process that died"), "{report}");
    let (report, code) = session(&path, "recover LOG");
    assert!(report.contains("calls given up   1\n") && code == 0, "{report}");
    let summary = verify_log(&path).unwrap().summary;
    assert_eq!((summary.calls, summary.abandoned, summary.closed), (1, 1, true));
    let (report, _code) = session(&path, "verify LOG");
    assert!(!report.contains("journal"), "{report}");
    let entries = summary.entries;
    let expected = format!(r#"{{"log":"LOG","entries_before":{entries},"entries":{entries},"abandoned":0}}"#);
    assert_eq!(session(&path, "recover LOG --json"), (expected + "\n", 0));
}

#[test]
fn what_is_held_altered_or_no_log_is_left_as_it_is() {
    let (_directory, path) = killed();
    let log = Log::open(&path).unwrap();
    let (report, code) = session(&path, "recover LOG");
    assert!(report.contains("held") && code == 2, "{report}");
    log.close().unwrap();

    let altered = common::Log::samples();
    altered.alter("order.refund", "order.rebate");
    let before = fs::read(altered.segment()).unwrap();
    let (report, code) = session(altered.path(), "recover LOG");
    assert!(report.contains("the log is tampered, and is left as it is") && code == 2, "{report}");
    assert_eq!(fs::read(altered.segment()).unwrap(), before);

    let nothing = tempfile::tempdir().unwrap();
    let (report, code) = session(&nothing.path().join("none"), "recover LOG");
    assert!(report.contains("expected a log") && code == 2, "{report}");
    assert!(!nothing.path().join("none").exists());
}

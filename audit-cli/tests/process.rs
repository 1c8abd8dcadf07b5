//! The binary itself: exit codes, streams, closed pipes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use common::Log;

fn audited() -> Command {
    Command::new(env!("CARGO_BIN_EXE_audited"))
}

fn output(arguments: &[&str], log: &Log) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = audited().args(arguments).arg(log.path()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_exit_code_tells_the_verdict() {
    let log = Log::samples();
    let (code, stdout, stderr) = output(&["verify"], &log);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");

    log.alter("\"approver\":\"usr_boss\"", "\"approver\":\"usr_moss\"");
    let (code, stdout, _) = output(&["verify"], &log);
    assert_eq!(code, Some(1));
    assert!(stdout.starts_with("verdict          tampered\nfirst bad entry  7\n"), "{stdout}");

    let empty = tempfile::tempdir().unwrap();
    assert_eq!(audited().arg("verify").arg(empty.path()).output().unwrap().status.code(), Some(2));
    assert_eq!(audited().arg("verify").arg(empty.path().join("none")).output().unwrap().status.code(), Some(2));
    assert_eq!(audited().output().unwrap().status.code(), Some(2));
}

#[test]
fn the_exit_code_tells_whether_something_was_found() {
    let log = Log::samples();
    let code = |arguments: &[&str]| output(arguments, &log).0;
    assert_eq!(code(&["show", "--tool", "refund"]), Some(0));
    assert_eq!(code(&["show", "--tool", "none"]), Some(1));
    assert_eq!(code(&["timeline", "--run", "run_01HZX"]), Some(0));
    assert_eq!(code(&["timeline", "--run", "none"]), Some(1));
    assert_eq!(code(&["stats", "--by", "none"]), Some(2));
}

#[test]
fn a_reader_that_goes_early_is_no_error() {
    // Far more than a pipe holds, so that the writer meets the closed end.
    let record = r#"{"action":"a","event_name":"run.created","outcome":{"status":"unknown"},"schema_version":"1","stage":"event","time":"2026-10-27T09:43:00Z"}"#;
    let log = Log::of_records(&vec![record.to_owned(); 10_000]);
    for more in [None, Some("--json")] {
        let mut child = audited()
            .arg("show")
            .arg(log.path())
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("log.opened"), "{line}");
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        assert_eq!((status.code(), String::from_utf8(stderr).unwrap().as_str()), (Some(0), ""));
    }
}

#[test]
fn a_verdict_stands_though_nobody_reads_it() {
    let log = Log::samples();
    let code = |more: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let Output { status, stderr, .. } =
            audited().arg("verify").args(more).arg(log.path()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    assert_eq!((code(&[]), code(&["--json"])), ((Some(0), String::new()), (Some(0), String::new())));
    log.alter("\"approver\":\"usr_boss\"", "\"approver\":\"usr_moss\"");
    assert_eq!((code(&[]), code(&["--json"])), ((Some(1), String::new()), (Some(1), String::new())));
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_takes_no_more_is_an_error() {
    let log = Log::samples();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let Output { status, stderr, .. } =
        audited().arg("verify").arg(log.path()).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(stderr.starts_with("audited: could not write to the standard output: No space left"), "{stderr}");
}

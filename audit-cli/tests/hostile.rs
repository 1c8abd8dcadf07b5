//! Nothing that a record or a file name holds can steer the terminal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;

use audit_cli::run;
use common::Log;

/// Erase the screen, forge a line, 8-bit control sequence, reorder, hide, retitle.
const HOSTILE: &str =
    "\u{1b}[2J\r\nentry 0 intact\u{7f}\u{9b}31m\u{202e}\u{2066}\u{2028}\u{feff}\u{e0041}\u{1b}]0;x\u{7}";

fn hostile_record(stage: &str, event_name: &str) -> String {
    let text = serde_json::to_string(HOSTILE).unwrap();
    let error = if stage == "started" { String::new() } else { format!(r#""error_type":{text},"reason":{text},"#) };
    format!(
        r#"{{"action":{text},"actor":{{"agent":{{"id":{text}}},"model":{{"name":{text}}},"on_behalf_of":{{"id":{text}}}}},"call":{{"id":{text}}},"correlation":{{"conversation_id":{text},"run_id":"r"}},"event_name":{event_name},"observed_time":"2026-10-27T09:43:00Z","operation":{{"name":"execute_tool","tool":{{"name":{text}}}}},"outcome":{{{error}"status":"unknown"}},"record_id":{text},"request":{{"arguments":{{{text}:{text}}}}},"schema_version":"1","stage":"{stage}","time":{text}}}"#
    )
}

fn hostile_log() -> Log {
    let text = serde_json::to_string(HOSTILE).unwrap();
    Log::of_records(&[
        hostile_record("started", "\"tool.called\""),
        hostile_record("cancelled", "\"tool.cancelled\""),
        hostile_record("event", &text),
    ])
}

fn is_safe(text: &str) -> bool {
    let is_unsafe = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
            || matches!(c, '\u{e0000}'..='\u{e007f}')
    };
    !text.chars().any(is_unsafe)
}

/// Runs a command and returns both streams, which must be safe and have as many lines as expected.
fn check(arguments: &[&str], lines: (usize, usize)) -> (String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    run(std::iter::once(&"audited").chain(arguments), &mut stdout, &mut stderr);
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(is_safe(&stdout) && is_safe(&stderr), "{arguments:?}: {stdout:?} {stderr:?}");
    assert_eq!((stdout.lines().count(), stderr.lines().count()), lines, "{arguments:?}\n{stdout}{stderr}");
    (stdout, stderr)
}

#[test]
fn records_reach_the_terminal_escaped() {
    let log = hostile_log();
    let path = log.path().to_str().unwrap();
    let (stdout, _) = check(&["show", path], (4, 0));
    assert!(stdout.contains(r"\u{1b}[2J\u{d}\u{a}entry"), "{stdout}");
    check(&["timeline", path, "--run", "r"], (9, 0));
    check(&["timeline", path, "--conversation", HOSTILE], (9, 0));
    for by in ["tool", "action", "user", "agent"] {
        check(&["stats", path, "--by", by], (3, 0));
        check(&["stats", path, "--by", by, "--json"], (1, 0));
    }
}

#[test]
fn json_with_nothing_to_escape_is_printed_as_stored() {
    let log = Log::samples();
    let path = log.path().to_str().unwrap();
    let (stdout, _) = check(&["show", path, "--json"], (21, 0));
    assert_eq!(stdout, fs::read_to_string(log.segment()).unwrap());
    let (stdout, _) = check(&["show", path, "--json", "--outcome", "partial"], (1, 0));
    assert!(stdout.contains("\"number\":12,"));
}

#[test]
fn json_is_escaped_and_keeps_its_value() {
    let log = hostile_log();
    let (stdout, _) = check(&["show", log.path().to_str().unwrap(), "--json"], (4, 0));
    let stored = fs::read_to_string(log.segment()).unwrap();
    assert!(!is_safe(&stored));
    let values = |text: &str| -> Vec<serde_json::Value> {
        text.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(values(&stdout), values(&stored));
}

#[test]
fn a_carriage_return_between_values_does_not_reach_the_terminal() {
    let log = hostile_log();
    log.alter("\"outcome\":{", "\"outcome\":\r\t{");
    let (stdout, _) = check(&["show", log.path().to_str().unwrap(), "--json"], (4, 0));
    assert!(stdout.contains("\"outcome\":  {"));
}

#[test]
fn bytes_that_are_not_utf_8_are_not_shown() {
    let log = hostile_log();
    let mut bytes = fs::read(log.segment()).unwrap();
    let at = bytes.windows(5).position(|bytes| bytes == b"agent").unwrap();
    bytes[at] = 0x9b;
    fs::write(log.segment(), bytes).unwrap();
    check(&["show", log.path().to_str().unwrap(), "--json"], (3, 1));
}

#[test]
fn messages_that_quote_a_record_or_a_file_name_are_escaped() {
    let log = hostile_log();
    let path = log.path().to_str().unwrap();
    // The parser's message quotes the text where a number should be.
    log.alter("\"correlation\":{", &format!("\"correlation\":{{\"turn\":{},", serde_json::to_string(HOSTILE).unwrap()));
    log.alter(
        "\"actor\":{\"agent\":{",
        &format!("\"actor\":{{\"model\":{},\"agent\":{{", serde_json::to_string(HOSTILE).unwrap()),
    );
    check(&["show", path], (3, 1));

    let (_, stderr) = check(&["show", &format!("{path}/{HOSTILE}")], (0, 1));
    assert!(stderr.contains(r"\u{1b}[2J\u{d}\u{a}entry"), "{stderr}");
    check(&["verify", &format!("{path}/{HOSTILE}")], (0, 1));
    check(&["verify", path, HOSTILE], (0, 6));
}

#[test]
fn files_with_hostile_names_and_contents_are_reported_escaped() {
    let log = hostile_log();
    let path = log.path().to_str().unwrap();
    let name = HOSTILE.replace('/', "");
    fs::write(log.path().join("segments").join(&name), "").unwrap();
    check(&["show", path], (0, 1));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    run(["audited", "verify", path], &mut stdout, &mut stderr);
    assert!(is_safe(&String::from_utf8(stdout).unwrap()) && is_safe(&String::from_utf8(stderr).unwrap()));
    fs::remove_file(log.path().join("segments").join(&name)).unwrap();

    for file in ["checkpoint", "log.json", "lock"] {
        let kept = fs::read(log.path().join(file)).unwrap();
        fs::write(log.path().join(file), HOSTILE).unwrap();
        for arguments in [vec!["verify", path], vec!["verify", path, "--json"]] {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            run(std::iter::once(&"audited").chain(&arguments), &mut stdout, &mut stderr);
            assert!(is_safe(&String::from_utf8(stdout).unwrap()) && is_safe(&String::from_utf8(stderr).unwrap()));
        }
        fs::write(log.path().join(file), kept).unwrap();
    }
}

#[test]
fn origins_and_event_names_that_do_not_verify_are_reported_escaped() {
    let text = serde_json::to_string(HOSTILE).unwrap();
    for (from, to) in
        [("\"example.com/orders\"", &text), ("\"schema_version\":\"1\"", &format!("\"schema_version\":{text}"))]
    {
        let log = hostile_log();
        log.alter(from, to);
        for arguments in
            [["verify", log.path().to_str().unwrap()].as_slice(), &["verify", log.path().to_str().unwrap(), "--json"]]
        {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            run(std::iter::once(&"audited").chain(arguments), &mut stdout, &mut stderr);
            assert!(is_safe(&String::from_utf8(stdout).unwrap()) && is_safe(&String::from_utf8(stderr).unwrap()));
        }
    }
}

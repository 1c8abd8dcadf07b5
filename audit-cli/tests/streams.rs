//! Several logs at once: those of processes that write at the same time, and the ones in a directory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::PathBuf;

use audit_cli::run;
use common::Log;
use expect_test::{Expect, expect};
use serde_json::Value;
use tempfile::TempDir;

/// A directory of logs.
struct Logs(TempDir);

impl Logs {
    /// Makes a log for each name, which holds records of one stage of a call at the given second: `started a 01`.
    fn new(logs: &[(&str, &[&str])]) -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        for (name, records) in logs {
            directory.add(name, &Log::of_records(&records.iter().map(|words| record(words)).collect::<Vec<_>>()));
        }
        directory
    }

    fn add(&self, name: &str, log: &Log) {
        fs::rename(log.path(), self.path(name)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces the first occurrence of a text in the segment of a log.
    fn alter(&self, name: &str, from: &str, to: &str) {
        let segment = self.path(name).join("segments/00000000000000000000.jsonl");
        let text = fs::read_to_string(&segment).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(segment, text.replacen(from, to, 1)).unwrap();
    }

    /// Runs a command whose argument `DIR` stands for the directory; its path is written `DIR` in what is returned too.
    fn audited(&self, arguments: &str) -> (String, String, u8) {
        let directory = self.0.path().to_str().unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let arguments = arguments.split(' ').map(|argument| argument.replace("DIR", directory));
        let exit = run(std::iter::once("audited".to_owned()).chain(arguments), &mut stdout, &mut stderr);
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(directory, "DIR");
        (text(stdout), text(stderr), exit.code())
    }

    /// Runs a command and compares everything that it does: output, messages, exit code.
    fn check(&self, arguments: &str, expect: Expect) {
        let (stdout, stderr, code) = self.audited(arguments);
        let stderr = if stderr.is_empty() { stderr } else { format!("-- stderr\n{stderr}") };
        expect.assert_eq(&format!("$ audited {arguments}\n{stdout}{stderr}-- exit {code}\n"));
    }
}

/// A record of a call: its stage, its id, the second after 12:00, and perhaps the call within which it was made.
fn record(words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let (stage, id, second) = (words[0], words[1], words[2]);
    let (event_name, status) =
        if stage == "started" { ("tool.called", "unknown") } else { ("tool.completed", "success") };
    let parent = words.get(3).map(|id| format!(r#","parent_id":"{}""#, uuid(id))).unwrap_or_default();
    format!(
        r#"{{"action":"job.{id}","actor":{{"agent":{{"id":"agent"}}}},"call":{{"id":"{}"{parent}}},"correlation":{{"run_id":"r"}},"event_name":"{event_name}","observed_time":"2026-11-21T12:00:{second}Z","operation":{{"name":"execute_tool","tool":{{"name":"tool_{id}"}}}},"outcome":{{"effect":"none","status":"{status}"}},"record_id":"01a17cbd-e1b4-7d0f-8631-ca1ddba8db3b","schema_version":"1","stage":"{stage}","time":"2026-11-21T12:00:{second}Z"}}"#,
        uuid(id)
    )
}

fn uuid(id: &str) -> String {
    format!("01a17cbd-e1b4-7d0f-8631-00000000000{id}")
}

/// Two processes and what was recorded by hand; a call in the one is made within a call of the other.
fn processes() -> Logs {
    Logs::new(&[
        ("orders", &["started a 01", "completed a 05", "started c 06"]),
        ("orders.1", &["started b 02 a", "completed b 04"]),
        ("orders.operator", &["completed d 03"]),
    ])
}

#[test]
fn show_merges_the_logs_by_time_and_names_them() {
    let logs = processes();
    let expect = expect![[r#"
        $ audited show DIR/orders
        orders           0  2026-10-27T09:42:00.000Z  log.opened      log.opened  -       success  audited  -  -  {"origin":"example.com/orders"}
        orders.1         0  2026-10-27T09:42:00.000Z  log.opened      log.opened  -       success  audited  -  -  {"origin":"example.com/orders"}
        orders.operator  0  2026-10-27T09:42:00.000Z  log.opened      log.opened  -       success  audited  -  -  {"origin":"example.com/orders"}
        orders           1  2026-11-21T12:00:01.000Z  tool.called     job.a       tool_a  -        agent    -  -
        orders.1         1  2026-11-21T12:00:02.000Z  tool.called     job.b       tool_b  -        agent    -  -
        orders.operator  1  2026-11-21T12:00:03.000Z  tool.completed  job.d       tool_d  success  agent    -  -
        orders.1         2  2026-11-21T12:00:04.000Z  tool.completed  job.b       tool_b  success  agent    -  -
        orders           2  2026-11-21T12:00:05.000Z  tool.completed  job.a       tool_a  success  agent    -  -
        orders           3  2026-11-21T12:00:06.000Z  tool.called     job.c       tool_c  -        agent    -  -
        -- exit 0
    "#]];
    logs.check("show DIR/orders", expect);
    assert_eq!(logs.audited("show DIR").0, logs.audited("show DIR/orders").0);
    logs.check("show DIR/orders.1 --limit 2", expect![[r#"
        $ audited show DIR/orders.1 --limit 2
        0  2026-10-27T09:42:00.000Z  log.opened   log.opened  -       success  audited  -  -  {"origin":"example.com/orders"}
        1  2026-11-21T12:00:02.000Z  tool.called  job.b       tool_b  -        agent    -  -
        -- exit 0
    "#]]);
}

#[test]
fn a_line_of_json_names_its_log() {
    let logs = processes();
    let (stdout, ..) = logs.audited("show DIR --json --action job.*");
    let seen: Vec<(Value, Value)> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|mut line| (line["log"].take(), line["record"]["action"].take()))
        .collect();
    let expect = [
        ("orders", "job.a"),
        ("orders.1", "job.b"),
        ("orders.operator", "job.d"),
        ("orders.1", "job.b"),
        ("orders", "job.a"),
        ("orders", "job.c"),
    ];
    assert_eq!(seen, expect.map(|(log, action)| (log.into(), action.into())));
    // An entry has no member of that name; a line that claims one does not pass for another log's.
    logs.alter("orders", "{\"record\":{\"action\":\"job.c\"", "{\"log\":\"orders.9\",\"record\":{\"action\":\"job.c\"");
    let (stdout, ..) = logs.audited("show DIR --json --action job.c");
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap()["log"], "orders");
    assert!(stdout.trim_end().ends_with(",\"log\":\"orders\"}"), "{stdout}");
}

#[test]
fn a_timeline_joins_what_several_processes_did() {
    processes().check(
        "timeline DIR --run r",
        expect![[r#"
        $ audited timeline DIR --run r
        run           r
        agent         agent

        2026-11-21
        orders           12:00:01.000    ✓ ok      tool_a
        orders.1         12:00:02.000    ✓ ok        tool_b
        orders.operator  12:00:03.000    ✓ ok      tool_d
        orders           12:00:06.000    … open    tool_c

        4 calls: 3 ok, 1 unresolved (1 open)
        -- exit 0
    "#]],
    );
}

#[test]
fn stats_count_the_calls_of_all_logs() {
    let logs = processes();
    logs.check(
        "stats DIR",
        expect![[r#"
        $ audited stats DIR
             calls  ok  failed  partial  unresolved  denied  success  average  p50  p95  max  users
        all      4   3       0        0           1       0  100.0 %        -    -    -    -      0
        -- exit 0
    "#]],
    );
    let (stdout, ..) = logs.audited("stats DIR --json");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(told["logs"], serde_json::json!(["orders", "orders.1", "orders.operator"]));
    assert_eq!((&told["total"]["calls"], &told["total"]["open"]), (&4.into(), &1.into()));
    let (stdout, ..) = logs.audited("stats DIR/orders.1 --json");
    assert!(stdout.starts_with("{\"by\":null,"), "{stdout}");
}

#[test]
fn several_logs_that_are_intact_verify() {
    processes().check(
        "verify DIR/orders",
        expect![[r#"
        $ audited verify DIR/orders
        verdict          intact: the worst of 3 logs
        intact           DIR/orders
        intact           DIR/orders.1
        intact           DIR/orders.operator

        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          4, not closed
        calls            2, 1 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:06.000Z
        segments         1
        checkpoint       unsigned, 4 entries with root +7BE/wvXuJ2S+oap/BBILLuIStHqFfumzX/2eiFzp9w=; 0 entries beyond it

        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders.1
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          3, not closed
        calls            1, 0 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:04.000Z
        segments         1
        checkpoint       unsigned, 3 entries with root 1dyZJbtcGTdemcg6qJGwt84Gjl+GufPL4P5oiM8c3V8=; 0 entries beyond it

        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders.operator
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          2, not closed
        calls            1, 0 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:03.000Z
        segments         1
        checkpoint       unsigned, 2 entries with root qu4vYgu7VVO4QiJ3hnLRl4gkCkaz2t8nQzWjbwXV1Zg=; 0 entries beyond it
        -- exit 0
    "#]],
    );
}

#[test]
fn each_log_has_its_verdict_and_the_worst_counts() {
    let logs = processes();
    logs.alter("orders.1", "tool_b", "tool_x");
    fs::remove_file(logs.path("orders.operator/checkpoint")).unwrap();
    logs.check(
        "verify DIR",
        expect![[r#"
        $ audited verify DIR
        verdict          tampered: the worst of 3 logs
        intact           DIR/orders
        tampered         DIR/orders.1
        unverifiable     DIR/orders.operator

        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          4, not closed
        calls            2, 1 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:06.000Z
        segments         1
        checkpoint       unsigned, 4 entries with root +7BE/wvXuJ2S+oap/BBILLuIStHqFfumzX/2eiFzp9w=; 0 entries beyond it

        verdict          tampered
        first bad entry  1
        file             segments/00000000000000000000.jsonl
        reason           altered: its bytes do not have the hash that the entry after it, or the checkpoint, states
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders.1
        entries          3 read until the check ended
        segments         1
        checkpoint       3 entries with root 1dyZJbtcGTdemcg6qJGwt84Gjl+GufPL4P5oiM8c3V8=

        verdict          unverifiable
        file             checkpoint
        reason           missing: the entries rest on the chain alone
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders.operator
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          2, not closed
        calls            1, 0 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:03.000Z
        segments         1
        checkpoint       none
        -- exit 1
    "#]],
    );
    let (stdout, _, code) = logs.audited("verify DIR --json");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&told["log"], &told["verdict"], code), (&"DIR".into(), &"tampered".into(), 1));
    let logs_told = told["logs"].as_array().unwrap();
    let verdicts: Vec<&Value> = logs_told.iter().map(|log| &log["verdict"]).collect();
    assert_eq!(verdicts, ["intact", "tampered", "unverifiable"]);
    assert_eq!((&logs_told[1]["log"], &logs_told[1]["finding"]["entry"]), (&"DIR/orders.1".into(), &1.into()));
    // One log is told as it always was.
    assert!(
        logs.audited("verify DIR/orders.1 --json").0.starts_with("{\"log\":\"DIR/orders.1\",\"verdict\":\"tampered\",")
    );
    assert_eq!(logs.audited("verify DIR/orders.operator").2, 2);
    assert_eq!(logs.audited("verify DIR/orders.1").2, 1);
}

#[test]
fn each_log_goes_on_from_a_point_of_its_own_and_a_range_is_of_one_log() {
    let logs = processes();
    for _ in 0..2 {
        assert_eq!(logs.audited("verify DIR/orders --resume DIR/point").2, 0);
    }
    for point in ["point", "point.orders.1", "point.orders.operator"] {
        assert!(logs.path(point).is_file(), "{point}");
    }
    let (stdout, ..) = logs.audited("verify DIR/orders --resume DIR/point --json");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let resumed: Vec<&Value> = told["logs"].as_array().unwrap().iter().map(|log| &log["resumed_at"]).collect();
    assert_eq!(resumed, [4, 3, 2]);

    let (stdout, ..) = logs.audited("verify DIR/orders --from 1 --to 2 --json");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&told["log"], &told["range"]["to"], &told["verdict"]),
        (&"DIR/orders".into(), &2.into(), &"intact".into())
    );
    let (_, stderr, code) = logs.audited("verify DIR/orders --progress");
    assert_eq!(code, 0);
    let told: Vec<&str> =
        stderr.lines().filter_map(|line| line.split_once(": verified in ")).map(|(name, _)| name).collect();
    assert_eq!(told, ["audited: orders", "audited: orders.1", "audited: orders.operator"]);
}

#[test]
fn a_log_that_a_higher_number_tells_of_is_missed() {
    let logs = Logs::new(&[("orders", &["started a 01"]), ("orders.2", &["completed b 02"])]);
    logs.check(
        "verify DIR",
        expect![[r#"
        $ audited verify DIR
        verdict          unverifiable: the worst of 3 logs
        intact           DIR/orders
        unverifiable     DIR/orders.1
        intact           DIR/orders.2

        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          2, not closed
        calls            1, 1 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:01.000Z
        segments         1
        checkpoint       unsigned, 2 entries with root +mD18XSjTzqWIKS7L8ZI0qyZYSCuQd0qRZ24zXpxJus=; 0 entries beyond it

        verdict          unverifiable
        reason           DIR/orders.1: expected a log or an empty directory, found nothing
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders.1
        entries          0 read until the check ended
        segments         0
        checkpoint       none

        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              DIR/orders.2
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          2, not closed
        calls            1, 0 open, 0 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-11-21T12:00:02.000Z
        segments         1
        checkpoint       unsigned, 2 entries with root hlVXecL8fbexXB6R/1TKmkwGk+UId973/Hqv2SEAuI0=; 0 entries beyond it
        -- exit 2
    "#]],
    );
}

#[test]
fn a_log_that_cannot_be_read_does_not_hide_the_others() {
    let logs = Logs::new(&[("orders", &["started a 01"]), ("orders.2", &["completed b 02"])]);
    logs.check(
        "show DIR --action job.*",
        expect![[r#"
        $ audited show DIR --action job.*
        orders    1  2026-11-21T12:00:01.000Z  tool.called     job.a  tool_a  -        agent  -  -
        orders.2  1  2026-11-21T12:00:02.000Z  tool.completed  job.b  tool_b  success  agent  -  -
        -- stderr
        audited: DIR/orders.1: expected a log or an empty directory, found nothing
        -- exit 2
    "#]],
    );
    fs::write(logs.path("orders.1"), "a letter").unwrap();
    logs.check(
        "stats DIR",
        expect![[r#"
        $ audited stats DIR
             calls  ok  failed  partial  unresolved  denied  success  average  p50  p95  max  users
        all      2   1       0        0           1       0  100.0 %        -    -    -    -      0
        -- stderr
        audited: DIR/orders.1: expected a log or an empty directory, found a file
        -- exit 2
    "#]],
    );
    fs::remove_dir_all(logs.path("orders")).unwrap();
    logs.check(
        "timeline DIR/orders --run r",
        expect![[r#"
        $ audited timeline DIR/orders --run r
        run           r
        agent         agent

        2026-11-21
        orders.2  12:00:02.000    ✓ ok    tool_b

        1 call: 1 ok
        -- stderr
        audited: DIR/orders: expected a log or an empty directory, found nothing
        audited: DIR/orders.1: expected a log or an empty directory, found a file
        -- exit 2
    "#]],
    );
}

#[test]
fn what_was_left_out_names_its_log() {
    let logs = processes();
    let altered = Log::of_records(&[record("started e 07")]);
    altered.alter("\"stage\":\"started\"", "\"stage\":started");
    logs.add("orders.2", &altered);
    let segment = logs.path("orders.1/segments/00000000000000000000.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text + "{\"rec").unwrap();
    logs.check("show DIR --action job.d", expect![[r#"
        $ audited show DIR --action job.d
        orders.operator  1  2026-11-21T12:00:03.000Z  tool.completed  job.d  tool_d  success  agent  -  -
        -- stderr
        audited: 5 bytes after the last line of orders.1 are left out
        audited: 1 line left out; the first, entry 1 in DIR/orders.2/segments/00000000000000000000.jsonl, is not an entry: expected value at line 1 column 398
        -- exit 1
    "#]]);
}

#[test]
fn a_directory_without_logs_says_so() {
    let logs = Logs::new(&[]);
    fs::create_dir(logs.path("letters")).unwrap();
    for command in ["verify DIR", "show DIR", "stats DIR", "timeline DIR --run r"] {
        let (stdout, stderr, code) = logs.audited(command);
        assert_eq!((stdout.as_str(), code), ("", 2), "{command}");
        let expect = "audited: DIR: expected a log or an empty directory, found a directory without `segments` that \
                      holds `letters`, and no log below it\n";
        assert_eq!(stderr, expect, "{command}");
    }
}

#[test]
fn the_name_of_a_log_cannot_steer_the_terminal() {
    let logs = processes();
    let name = "\u{1b}[2J\r\nverdict intact\u{202e}";
    logs.add(name, &Log::samples());
    for command in ["verify DIR", "show DIR", "stats DIR", "timeline DIR --run run_01HZX"] {
        for more in ["", " --json"] {
            let (stdout, stderr, _) = logs.audited(&format!("{command}{more}"));
            let is_unsafe = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!stdout.contains(is_unsafe) && !stderr.contains(is_unsafe), "{command}: {stdout:?} {stderr:?}");
        }
    }
    let (stdout, ..) = logs.audited("show DIR --json --limit 1");
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap()["log"], name);
}

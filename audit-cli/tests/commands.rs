//! Each command on the samples of the specification, and on logs that are hostile, altered or empty.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;

use audit_cli::run;
use common::Log;
use expect_test::expect;

/// Runs a command whose argument `LOG` stands for the log; its path is written `LOG` in what is returned too.
fn audited(log: &Log, arguments: &str) -> (String, String, u8) {
    let path = log.path().to_str().unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let arguments = arguments.split(' ').map(|argument| argument.replace("LOG", path));
    let exit = run(std::iter::once("audited".to_owned()).chain(arguments), &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(path, "LOG");
    (text(stdout), text(stderr), exit.code())
}

/// Runs a command and returns everything that it does: output, messages, exit code.
fn session(log: &Log, arguments: &str) -> String {
    let (stdout, stderr, code) = audited(log, arguments);
    let stderr = if stderr.is_empty() { stderr } else { format!("-- stderr\n{stderr}") };
    format!("$ audited {arguments}\n{stdout}{stderr}-- exit {code}\n")
}

#[test]
fn an_intact_log_verifies() {
    let log = Log::samples();
    expect![[r#"
        $ audited verify LOG
        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              LOG
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          21, closed
        calls            7, 0 open, 1 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-10-27T09:43:35.000Z
        segments         1
        checkpoint       unsigned, 21 entries with root XROkqvebbE5QGiLqnOI9mKXW9Q/M53t/oa+xoehYwLI=; 0 entries beyond it
        -- exit 0
    "#]].assert_eq(&session(&log, "verify LOG"));
    expect![[r#"
        $ audited verify LOG --json
        {"log":"LOG","verdict":"intact","finding":null,"assurance":"chain only","assurance_meaning":"no key was pinned: whoever can write the directory can rewrite it","signatures":"none","origin":"example.com/orders","entries_read":21,"segments":1,"stream_id":"01a17cbc-f240-7dca-883e-717b1f64eb14","entries":21,"first_time":"2026-10-27T09:42:00.000456000Z","last_time":"2026-10-27T09:43:35.000456000Z","calls":7,"open_calls":0,"abandoned_calls":1,"closed":true,"entries_beyond_checkpoint":0,"unfinished_bytes":0,"checkpoint":{"size":21,"root":"XROkqvebbE5QGiLqnOI9mKXW9Q/M53t/oa+xoehYwLI="}}
        -- exit 0
    "#]].assert_eq(&session(&log, "verify LOG --json"));
}

#[test]
fn a_tampered_entry_is_named() {
    let log = Log::samples();
    log.alter("cannot cancel shipped order", "cannot cancel chipped order");
    expect![[r#"
        $ audited verify LOG
        verdict          tampered
        first bad entry  11
        file             segments/00000000000000000000.jsonl
        reason           altered: its bytes do not have the hash that the entry after it, or the checkpoint, states
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              LOG
        entries          13 read until the check ended
        segments         1
        checkpoint       21 entries with root XROkqvebbE5QGiLqnOI9mKXW9Q/M53t/oa+xoehYwLI=
        -- exit 1
    "#]]
    .assert_eq(&session(&log, "verify LOG"));
    expect![[r#"
        $ audited verify LOG --json
        {"log":"LOG","verdict":"tampered","finding":{"entry":11,"file":"segments/00000000000000000000.jsonl","reason":"altered: its bytes do not have the hash that the entry after it, or the checkpoint, states"},"assurance":"chain only","assurance_meaning":"no key was pinned: whoever can write the directory can rewrite it","origin":null,"entries_read":13,"segments":1,"checkpoint":{"size":21,"root":"XROkqvebbE5QGiLqnOI9mKXW9Q/M53t/oa+xoehYwLI="}}
        -- exit 1
    "#]].assert_eq(&session(&log, "verify LOG --json"));
}

#[test]
fn a_log_without_a_checkpoint_is_unverifiable() {
    let log = Log::samples();
    fs::remove_file(log.path().join("checkpoint")).unwrap();
    expect![[r#"
        $ audited verify LOG
        verdict          unverifiable
        file             checkpoint
        reason           missing: the entries rest on the chain alone
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              LOG
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          21, closed
        calls            7, 0 open, 1 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-10-27T09:43:35.000Z
        segments         1
        checkpoint       none
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "verify LOG"));
}

#[test]
fn a_missing_segment_is_reported() {
    let log = Log::samples();
    fs::remove_file(log.segment()).unwrap();
    expect![[r#"
        $ audited verify LOG
        verdict          tampered
        first bad entry  0
        reason           missing: the checkpoint covers 21 entries, the log ends after 0
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              LOG
        entries          0 read until the check ended
        segments         0
        checkpoint       21 entries with root XROkqvebbE5QGiLqnOI9mKXW9Q/M53t/oa+xoehYwLI=
        -- exit 1
    "#]]
    .assert_eq(&session(&log, "verify LOG"));
}

#[test]
fn what_the_checkpoint_does_not_cover_is_counted() {
    let log = nested();
    log.cover(4);
    let text = fs::read_to_string(log.segment()).unwrap();
    fs::write(log.segment(), &text[..text.len() - 7]).unwrap();
    expect![[r#"
        $ audited verify LOG
        verdict          intact
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              LOG
        origin           example.com/orders
        stream           01a17cbc-f240-7dca-883e-717b1f64eb14
        entries          6, not closed
        unfinished       1006 bytes of an entry after the last one
        calls            3, 1 open, 1 abandoned
        time             2026-10-27T09:42:00.000Z to 2026-10-27T23:59:59.999Z
        segments         1
        checkpoint       unsigned, 4 entries with root wfYUI9++pjanPn2TxZdok/P0HVcHmpUdq0vOORTEtNY=; 2 entries beyond it
        -- exit 0
    "#]]
    .assert_eq(&session(&log, "verify LOG"));
}

#[test]
fn no_verdict_promises_more_than_was_checked() {
    for arguments in ["verify LOG", "verify LOG --json", "verify --help", "--help"] {
        let (stdout, ..) = audited(&Log::samples(), arguments);
        assert!(!stdout.to_lowercase().contains("tamper-proof") && !stdout.is_empty(), "{stdout}");
    }
}

#[test]
fn show_prints_one_line_per_record() {
    expect![[r#"
        $ audited show LOG
         0  2026-10-27T09:42:00.000Z  log.opened           log.opened           -                    success  audited          -          -              {"heartbeat_seconds":3600,"origin":… +39
         1  2026-10-27T09:42:00.001Z  policy.loaded        policy.loaded        -                    success  audited          -          -              {"policy_hash":"sha-256:823412d1eac… +55
         2  2026-10-27T09:42:00.900Z  run.created          support.triage       -                    unknown  agent:support-7  usr_98765  conv_abc123/3
         3  2026-10-27T09:42:00.910Z  input.resolved       support.triage       -                    unknown  agent:support-7  usr_98765  conv_abc123/3  type "ticket", id "T-77", version "… +44
         4  2026-10-27T09:42:01.200Z  decision.proposed    order.refund         refund               unknown  agent:support-7  usr_98765  conv_abc123/3  reason_code "damaged", confidence "0.82"
         5  2026-10-27T09:42:01.210Z  validation.passed    order.refund         -                    unknown  agent:support-7  usr_98765  conv_abc123/3  name "refund-limit", decision "requ… +13
         6  2026-10-27T09:42:01.220Z  approval.requested   order.refund         -                    unknown  agent:support-7  usr_98765  conv_abc123/3  id "ap-1"
         7  2026-10-27T09:43:01.220Z  approval.granted     order.refund         -                    unknown  agent:support-7  usr_98765  conv_abc123/3  decision "granted", approver "usr_b… +43
         8  2026-10-27T09:43:01.300Z  tool.called          order.refund         refund               -        agent:support-7  usr_98765  conv_abc123/3  {"amount":1200,"card":"****4242","… +148
         9  2026-10-27T09:43:01.445Z  side_effect.applied  order.refund         refund               success  agent:support-7  usr_98765  conv_abc123/3  {"refund_id":"RF-9","status":"refunded"}
        10  2026-10-27T09:43:02.000Z  tool.called          order.status.update  update_order_status  -        agent:support-7  usr_98765  conv_abc123/3
        11  2026-10-27T09:43:02.038Z  tool.failed          order.status.update  update_order_status  failure  agent:support-7  usr_98765  conv_abc123/3  OrderError::Shipped: cannot cancel … +13
        12  2026-10-27T09:43:02.500Z  side_effect.applied  order.bulk.notify    notify               partial  agent:support-7  usr_98765  conv_abc123/3
        13  2026-10-27T09:43:02.600Z  side_effect.blocked  order.delete         delete_order         failure  agent:support-7  usr_98765  conv_abc123/3  policy_denied: forbidden for this role
        14  2026-10-27T09:43:02.700Z  tool.completed       patient.record.read  read_patient         success  agent:support-7  usr_98765  conv_abc123/3
        15  2026-10-27T09:43:02.800Z  tool.cancelled       order.sync           sync                 unknown  agent:support-7  usr_98765  conv_abc123/3  cancelled
        16  2026-10-27T09:43:02.900Z  tool.panicked        order.sync           sync                 failure  agent:support-7  usr_98765  conv_abc123/3  panic: index out of bounds
        17  2026-10-27T09:43:30.000Z  log.recovered        log.recovered        -                    success  audited          -          -              {"cut_bytes":0,"open_calls":["01a17… +34
        18  2026-10-27T09:43:30.001Z  tool.abandoned       order.sync           sync                 unknown  agent:support-7  usr_98765  conv_abc123/3  process_died
        19  2026-10-27T09:43:30.002Z  run.failed           support.triage       -                    failure  agent:support-7  usr_98765  conv_abc123/3  process died
        20  2026-10-27T09:43:35.000Z  log.closed           log.closed           -                    success  audited          -          -              {"dropped":0,"open_calls":[]}
        -- exit 0
    "#]].assert_eq(&session(&Log::samples(), "show LOG"));
}

#[test]
fn show_filters() {
    let log = Log::samples();
    expect![[r#"
        $ audited show LOG --tool sync --outcome failure
        16  2026-10-27T09:43:02.900Z  tool.panicked  order.sync  sync  failure  agent:support-7  usr_98765  conv_abc123/3  panic: index out of bounds
        -- exit 0
    "#]].assert_eq(&session(&log, "show LOG --tool sync --outcome failure"));
    expect![[r#"
        $ audited show LOG --action order.* --run run_01HZX --conversation conv_abc123 --limit 2
        4  2026-10-27T09:42:01.200Z  decision.proposed  order.refund  refund  unknown  agent:support-7  usr_98765  conv_abc123/3  reason_code "damaged", confidence "0.82"
        5  2026-10-27T09:42:01.210Z  validation.passed  order.refund  -       unknown  agent:support-7  usr_98765  conv_abc123/3  name "refund-limit", decision "requ… +13
        -- exit 0
    "#]]
        .assert_eq(&session(&log, "show LOG --action order.* --run run_01HZX --conversation conv_abc123 --limit 2"));
    expect![[r#"
        $ audited show LOG --action order
        -- stderr
        audited: no entry matches
        -- exit 1
    "#]]
    .assert_eq(&session(&log, "show LOG --action order"));
}

#[test]
fn timeline_joins_the_records_of_each_call() {
    let log = Log::samples();
    expect![[r#"
        $ audited timeline LOG --conversation conv_abc123
        run           run_01HZX
        conversation  conv_abc123
        agent         agent:support-7
        user          usr_98765
        model         openai/gpt-4.1

        2026-10-27
        09:42:00.900  3  ·                run.created
        09:42:00.910  3  ·                input.resolved       type "ticket", id "T-77", version "3"; type "prompt", id "tr… +19
        09:42:01.200  3  ·                decision.proposed    reason_code "damaged", confidence "0.82"
        09:42:01.210  3  ·                validation.passed    name "refund-limit", decision "require_approval"
        09:42:01.220  3  ·                approval.requested   id "ap-1"
        09:43:01.220  3  ·                approval.granted     decision "granted", approver "usr_boss", rationale "photo at… +18
        09:43:01.300  3  ✓ ok     145 ms  refund               {"amount":1200,"card":"**… +157 → {"refund_id":"RF-9","statu… +14
        09:43:02.000  3  ✗ FAIL    38 ms  update_order_status  → OrderError::Shipped: cannot cancel shipped order
        09:43:02.100  3  ± part   400 ms  notify
        09:43:02.600  3  ⊘ deny           delete_order         → policy_denied: forbidden for this role
        09:43:02.650  3  ✓ ok      50 ms  read_patient
        09:43:02.710  3  − gone    90 ms  sync                 → cancelled
        09:43:02.810  3  ‼ panic   90 ms  sync                 → panic: index out of bounds
        09:43:02.950  3  ? lost           sync                 → process_died
        09:43:30.002  3  ·                run.failed           process died

        7 calls: 2 ok, 2 failed, 1 partial, 2 unresolved (1 lost); 1 denied
        -- exit 0
    "#]].assert_eq(&session(&log, "timeline LOG --conversation conv_abc123"));
    expect![[r#"
        $ audited timeline LOG --run run_none
        -- stderr
        audited: no entry belongs to this run
        -- exit 1
    "#]]
    .assert_eq(&session(&log, "timeline LOG --run run_none"));
}

/// A record of one stage of a call, with members to add to its `call` and to the record.
fn call(stage: &str, id: &str, call_members: &str, members: &str) -> String {
    let (event_name, status) = match stage {
        "started" => ("tool.called", "unknown"),
        "abandoned" => ("tool.abandoned", "unknown"),
        "panicked" => ("tool.panicked", "failure"),
        _ => ("tool.completed", "success"),
    };
    format!(
        r#"{{"action":"a.{id}","actor":{{"agent":{{"id":"agent"}},"on_behalf_of":{{"id":"user_{id}"}}}},"call":{{"id":"01a17cbd-e1b4-7d0f-8631-00000000000{id}"{call_members}}},"correlation":{{"run_id":"r"}},"event_name":"{event_name}"{members},"observed_time":"2026-10-27T09:43:00Z","operation":{{"name":"execute_tool","tool":{{"name":"tool_{id}"}}}},"outcome":{{"status":"{status}"}},"record_id":"01a17cbd-e1b4-7d0f-8631-ca1ddba8db3b","schema_version":"1","stage":"{stage}","time":"2026-10-27T23:59:59.999Z"}}"#
    )
}

fn nested() -> Log {
    let within = |id| format!(r#","parent_id":"01a17cbd-e1b4-7d0f-8631-00000000000{id}""#);
    let took = |ns: u64| format!(r#","duration_ns":{ns}"#);
    let long = format!(r#","request":{{"arguments":{{"text":"{}"}}}}"#, "x".repeat(200));
    let summary = r#","response":{"summary":{"count":7,"type":"list"}}"#;
    Log::of_records(&[
        call("started", "0", "", &long),
        call("started", "1", &within(0), ""),
        call("started", "2", &within(1), &long),
        call("completed", "2", &(within(1) + &took(1_450_000)), summary),
        call("abandoned", "1", "", ""),
        call(
            "completed",
            "3",
            &(within(0) + r#","start_time":"2026-10-28T00:00:00.5Z""# + &took(38_999)),
            &(long + summary),
        ),
    ])
}

#[test]
fn timeline_shows_open_and_abandoned_calls_and_calls_within_calls() {
    expect![[r#"
        $ audited timeline LOG --run r
        run           r
        agent         agent
        user          user_0, user_1, user_2, user_3

        2026-10-27
        23:59:59.999    … open           tool_0      {"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… +142
        23:59:59.999    ? lost             tool_1
        23:59:59.999    ✓ ok    1.45 ms      tool_2  {"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… +170 → {"count":7,"type":"list"}

        2026-10-28
        00:00:00.500    ✓ ok      38 µs    tool_3    {"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… +170 → {"count":7,"type":"list"}

        4 calls: 2 ok, 2 unresolved (1 open, 1 lost)
        -- exit 0
    "#]].assert_eq(&session(&nested(), "timeline LOG --run r"));
}

#[test]
fn stats_count_the_calls() {
    let log = Log::samples();
    expect![[r#"
        $ audited stats LOG
             calls  ok  failed  partial  unresolved  denied  success  average    p50     p95     max  users
        all      7   2       2        1           2       1   40.0 %   135 ms  90 ms  400 ms  400 ms      1
        -- exit 0
    "#]]
    .assert_eq(&session(&log, "stats LOG"));
    expect![[r#"
        $ audited stats LOG --by tool
        tool                 calls  ok  failed  partial  unresolved  denied  success  average     p50     p95     max  users
        sync                     3   0       1        0           2       0    0.0 %    90 ms   90 ms   90 ms   90 ms      1
        notify                   1   0       0        1           0       0    0.0 %   400 ms  400 ms  400 ms  400 ms      1
        read_patient             1   1       0        0           0       0  100.0 %    50 ms   50 ms   50 ms   50 ms      1
        refund                   1   1       0        0           0       0  100.0 %   145 ms  145 ms  145 ms  145 ms      1
        update_order_status      1   0       1        0           0       0    0.0 %    38 ms   38 ms   38 ms   38 ms      1
        delete_order             0   0       0        0           0       1        -        -       -       -       -      1
        all                      7   2       2        1           2       1   40.0 %   135 ms   90 ms  400 ms  400 ms      1
        -- exit 0
    "#]].assert_eq(&session(&log, "stats LOG --by tool"));
    expect![[r#"
        $ audited stats LOG --by agent --json
        {"by":"agent","groups":[{"key":"agent:support-7","calls":7,"successes":2,"failures":2,"partial":1,"unresolved":2,"open":0,"denied":1,"success_rate":0.4,"duration":{"average_ns":135500000,"p50_ns":90000000,"p95_ns":400000000,"max_ns":400000000},"users":1}],"total":{"calls":7,"successes":2,"failures":2,"partial":1,"unresolved":2,"open":0,"denied":1,"success_rate":0.4,"duration":{"average_ns":135500000,"p50_ns":90000000,"p95_ns":400000000,"max_ns":400000000},"users":1}}
        -- exit 0
    "#]].assert_eq(&session(&log, "stats LOG --by agent --json"));
    expect![[r#"
        $ audited stats LOG --by user
        user    calls  ok  failed  partial  unresolved  denied  success  average      p50      p95      max  users
        user_0      1   0       0        0           1       0        -        -        -        -        -      1
        user_1      1   0       0        0           1       0        -        -        -        -        -      1
        user_2      1   1       0        0           0       0  100.0 %  1.45 ms  1.45 ms  1.45 ms  1.45 ms      1
        user_3      1   1       0        0           0       0  100.0 %    38 µs    38 µs    38 µs    38 µs      1
        all         4   2       0        0           2       0  100.0 %   744 µs    38 µs  1.45 ms  1.45 ms      4
        -- exit 0
    "#]]
    .assert_eq(&session(&nested(), "stats LOG --by user"));
}

#[test]
fn a_log_without_calls_has_nothing_to_count() {
    expect![[r#"
        $ audited stats LOG
        -- stderr
        audited: the log has no calls
        -- exit 1
    "#]]
    .assert_eq(&session(&Log::of_records(&[]), "stats LOG"));
}

#[test]
fn lines_that_cannot_be_read_are_reported_and_the_rest_is_shown() {
    let log = Log::samples();
    log.alter("\"stage\":\"denied\"", "\"stage\":denied");
    log.alter("\"event_name\":\"tool.panicked\"", "\"event_name\":[]");
    expect![[r#"
        $ audited show LOG --tool delete_order
        -- stderr
        audited: 2 lines left out; the first, entry 13 in LOG/segments/00000000000000000000.jsonl, is not an entry: expected value at line 1 column 1088
        audited: no entry matches
        -- exit 1
    "#]].assert_eq(&session(&log, "show LOG --tool delete_order"));
    expect![[r#"
        $ audited show LOG --tool notify
        12  2026-10-27T09:43:02.500Z  side_effect.applied  order.bulk.notify  notify  partial  agent:support-7  usr_98765  conv_abc123/3
        -- stderr
        audited: 2 lines left out; the first, entry 13 in LOG/segments/00000000000000000000.jsonl, is not an entry: expected value at line 1 column 1088
        -- exit 1
    "#]].assert_eq(&session(&log, "show LOG --tool notify"));
    expect![[r#"
        $ audited stats LOG --by tool
        tool                 calls  ok  failed  partial  unresolved  denied  success  average     p50     p95     max  users
        sync                     2   0       0        0           2       0        -    90 ms   90 ms   90 ms   90 ms      1
        notify                   1   0       0        1           0       0    0.0 %   400 ms  400 ms  400 ms  400 ms      1
        read_patient             1   1       0        0           0       0  100.0 %    50 ms   50 ms   50 ms   50 ms      1
        refund                   1   1       0        0           0       0  100.0 %   145 ms  145 ms  145 ms  145 ms      1
        update_order_status      1   0       1        0           0       0    0.0 %    38 ms   38 ms   38 ms   38 ms      1
        all                      6   2       1        1           2       0   50.0 %   144 ms   90 ms  400 ms  400 ms      1
        -- stderr
        audited: 2 lines left out; the first, entry 13 in LOG/segments/00000000000000000000.jsonl, is not an entry: expected value at line 1 column 1088
        -- exit 1
    "#]].assert_eq(&session(&log, "stats LOG --by tool"));
    let (stdout, stderr, code) = audited(&log, "timeline LOG --run run_01HZX");
    assert_eq!((stdout.lines().count(), stderr.lines().count(), code), (22, 1, 1), "{stdout}{stderr}");
    let (stdout, stderr, code) = audited(&log, "show LOG --json");
    assert_eq!((stdout.lines().count(), stderr.lines().count(), code), (19, 1, 1));
}

#[test]
fn a_path_that_is_no_log_says_so() {
    let log = Log::samples();
    expect![[r#"
        $ audited show LOG/none
        -- stderr
        audited: LOG/none: expected a log or an empty directory, found nothing
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "show LOG/none"));
    expect![[r#"
        $ audited verify LOG/checkpoint
        -- stderr
        audited: LOG/checkpoint: expected a log or an empty directory, found a file
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "verify LOG/checkpoint"));
    expect![[r#"
        $ audited stats LOG/segments
        -- stderr
        audited: LOG/segments: expected a log or an empty directory, found a directory without `segments` that holds `00000000000000000000.jsonl`, and no log below it
        -- exit 2
    "#]].assert_eq(&session(&log, "stats LOG/segments"));
    fs::create_dir(log.path().join("empty")).unwrap();
    expect![[r#"
        $ audited timeline LOG/empty --run r
        -- stderr
        audited: LOG/empty: expected a log with entries, found none
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "timeline LOG/empty --run r"));
}

#[test]
fn wrong_arguments_are_explained() {
    let log = Log::samples();
    expect![[r#"
        $ audited show LOG --outcome good
        -- stderr
        audited: invalid value 'good' for '--outcome <OUTCOME>'
          [possible values: success, failure, partial, unknown]

        For more information, try '--help'.
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "show LOG --outcome good"));
    expect![[r#"
        $ audited show LOG --limit 0
        -- stderr
        audited: invalid value '0' for '--limit <COUNT>': 0 is not in 1..18446744073709551615

        For more information, try '--help'.
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "show LOG --limit 0"));
    expect![[r#"
        $ audited show LOG --tool *x
        -- stderr
        audited: invalid value '*x' for '--tool <TOOL>': expected a name with at most one `*`, at its end

        For more information, try '--help'.
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "show LOG --tool *x"));
    expect![[r#"
        $ audited timeline LOG
        -- stderr
        audited: the following required arguments were not provided:
          <--conversation <ID>|--run <ID>>

        Usage: audited timeline <--conversation <ID>|--run <ID>> <LOG>

        For more information, try '--help'.
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "timeline LOG"));
    expect![[r#"
        $ audited timeline LOG --run r --conversation c
        -- stderr
        audited: the argument '--run <ID>' cannot be used with '--conversation <ID>'

        Usage: audited timeline <--conversation <ID>|--run <ID>> <LOG>

        For more information, try '--help'.
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "timeline LOG --run r --conversation c"));
}

#[test]
fn the_help_of_a_command_explains_its_output() {
    let log = Log::samples();
    expect![[r#"
        $ audited timeline --help
        Show what a run or conversation did, one line per call

        Usage: audited timeline <--conversation <ID>|--run <ID>> <LOG>

        Arguments:
          <LOG>
                  The log's directory, or a directory of logs

        Options:
              --conversation <ID>
                  The conversation

              --run <ID>
                  The run

          -h, --help
                  Print help (see a summary with '-h')

        Calls stand in the order in which they began, calls within calls indented:
          ✓ ok       it did what it should          ‼ panic    its body panicked
          ✗ FAIL     it did not                     − gone     it was dropped before its end
          ± part     it did some of it              ? lost     its process ended before it did
          ? unknown  nobody can tell how it ended   … open     no end is recorded
          ⊘ deny     it was refused                 ·          an event of the agent

        Examples:
          audited timeline audit --conversation conv_abc123
          audited timeline audit --run run_01HZX
        -- exit 0
    "#]]
    .assert_eq(&session(&log, "timeline --help"));
}

#[test]
fn show_tells_of_bytes_after_the_last_line() {
    let log = Log::samples();
    let text = fs::read_to_string(log.segment()).unwrap();
    fs::write(log.segment(), text + "{\"record\0\0\0").unwrap();
    let (stdout, stderr, code) = audited(&log, "show LOG");
    assert_eq!((stdout.lines().count(), code), (21, 0));
    assert_eq!(stderr, "audited: 11 bytes after the last line are left out\n");
}

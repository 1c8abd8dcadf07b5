use serde_json::json;

use super::*;

/// A log whose process is killed after two calls, one of them ended; the copy is what it leaves behind.
fn killed() -> (TempDir, PathBuf) {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    begin(&log, 2).wait().unwrap();
    begin_durably(&log, 1).wait().unwrap();
    // A receipt does not wait for the checkpoint.
    while verify_log(&path).unwrap().checkpoint.unwrap().size < 3 {
        std::thread::yield_now();
    }
    end(&log, 2).wait().unwrap();
    let copied = copy(log.path());
    log.close().unwrap();
    copied
}

fn last_segment(path: &Path) -> PathBuf {
    fs::read_dir(path.join("segments")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap()
}

fn append_bytes(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_killed_process_leaves_a_log_that_is_recovered() {
    let (_directory, path) = killed();
    options().open(&path).unwrap().close().unwrap();
    let run = ["log.opened", "tool.called", "tool.called", "tool.completed"];
    assert_eq!(names(&path), [&run[..], &["log.opened", "log.recovered", "tool.abandoned", "log.closed"]].concat());
    let records = records(&path);
    assert_eq!(records[5]["log"], json!({ "cut_bytes": 0, "open_calls": [call_id(1).to_string()] }));
    assert_eq!(records[7]["log"], json!({ "dropped": 0, "open_calls": [] }));
    let report = checked(&path);
    assert_eq!((report.summary.abandoned, report.summary.open_calls.len()), (1, 0));
}

#[test]
fn an_abandoned_call_repeats_what_identifies_it() {
    let (_directory, path) = killed();
    options().open(&path).unwrap();
    let mut abandoned = records(&path).swap_remove(6);
    abandoned["record_id"].take();
    let expected = json!({
        "action": "order.sync",
        "actor": { "agent": { "id": "agent:support-7" } },
        "call": { "attempt": 1, "id": call_id(1).to_string(), "start_time": "2026-10-27T09:43:02.950456000Z" },
        "correlation": { "run_id": "run_01HZX", "turn": 3 },
        "event_name": "tool.abandoned",
        "level": "request",
        "observed_time": "2026-10-27T09:42:00.002000000Z",
        "operation": { "name": "execute_tool", "tool": { "name": "sync" } },
        "outcome": { "effect": "unknown", "error_type": "process_died", "status": "unknown" },
        "record_id": null,
        "schema_version": "1",
        "stage": "abandoned",
        "target": [{ "id": "A-1", "type": "order" }],
        "time": "2026-10-27T09:42:00.002000000Z",
    });
    assert_eq!(abandoned, expected);
}

#[test]
fn calls_left_open_by_closing_are_given_up_in_the_order_of_their_start() {
    let (_directory, path) = fresh();
    let log = options().segment_bytes_max(1_500).open(&path).unwrap();
    for call in [9, 3, 7] {
        begin(&log, call).wait().unwrap();
    }
    log.close().unwrap();
    options().open(&path).unwrap().close().unwrap();
    let records = records(&path);
    let calls: Vec<_> = [9, 3, 7].map(|call| json!(call_id(call).to_string())).into();
    assert_eq!(records[4]["log"]["open_calls"], json!(calls));
    assert_eq!(records[6..9].iter().map(|record| record["call"]["id"].clone()).collect::<Vec<_>>(), calls);
    assert_eq!(names(&path)[5..7], ["log.opened", "tool.abandoned"]);
}

#[test]
fn an_unfinished_line_beyond_the_checkpoint_is_cut() {
    let (_directory, path) = killed();
    append_bytes(&last_segment(&path), b"{\"record\":{");
    assert_eq!(checked(&path).summary.unfinished_bytes, 11);
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(records(&path)[5]["log"]["cut_bytes"], 11);
    checked(&path);
}

#[test]
fn a_line_below_the_checkpoint_is_never_cut() {
    let (_directory, path) = killed();
    // The first three entries were committed; the third loses its end.
    let segment = last_segment(&path);
    let text = fs::read_to_string(&segment).unwrap();
    let third_ends: usize = text.split_inclusive('\n').take(3).map(str::len).sum();
    fs::write(&segment, &text[..third_ends - 5]).unwrap();
    let before = fs::read(&segment).unwrap();
    let fault = options().open(&path).unwrap_err();
    assert!(
        fault.is_tampered() && fault.to_string().contains("entry 2: missing: the checkpoint covers 3 entries"),
        "{fault}"
    );
    assert_eq!(fs::read(&segment).unwrap(), before);
}

#[test]
fn nul_bytes_that_a_power_cut_left_are_cut() {
    for (line, zeros) in [(&b""[..], 1), (b"", 4_096), (b"{\"record\":{\"act", 3_000_000)] {
        let (_directory, path) = killed();
        append_bytes(&last_segment(&path), &[line, &vec![0; zeros]].concat());
        let bytes = (line.len() + zeros) as u64;
        assert_eq!(checked(&path).summary.unfinished_bytes, bytes);
        options().open(&path).unwrap().close().unwrap();
        assert_eq!(records(&path)[5]["log"]["cut_bytes"], bytes);
        checked(&path);
    }
}

#[test]
fn nul_bytes_below_the_checkpoint_are_never_cut() {
    let (_directory, path) = killed();
    let segment = last_segment(&path);
    let mut bytes = fs::read(&segment).unwrap();
    let third_begins: usize = bytes.split_inclusive(|byte| *byte == b'\n').take(2).map(<[u8]>::len).sum();
    bytes.truncate(third_begins);
    bytes.resize(3_000_000, 0);
    fs::write(&segment, &bytes).unwrap();
    let fault = options().open(&path).unwrap_err();
    assert_eq!((fault.is_tampered(), fault.found().unwrap().fault.entry), (true, Some(2)), "{fault}");
    assert_eq!(fs::read(&segment).unwrap(), bytes);
}

#[test]
fn an_opening_that_was_interrupted_after_the_end_of_a_closed_log_is_cut() {
    let opened = |path: &Path| [lines(path)[0].replace(r#"{"number":0"#, r#"{"number":2"#), "\n".to_owned()].concat();
    let (_directory, path) = fresh();
    options().open(&path).unwrap().close().unwrap();
    let line = opened(&path).into_bytes();
    for (length, zeros) in [(1, 0), (30, 0), (200, 0), (line.len() - 1, 0), (0, 70_000), (20, 70_000), (200, 9)] {
        let (_directory, copied) = copy(&path);
        append_bytes(&last_segment(&copied), &[&line[..length], &vec![0; zeros]].concat());
        checked(&copied);
        options().open(&copied).unwrap().close().unwrap();
        assert_eq!(names(&copied), ["log.opened", "log.closed", "log.opened", "log.recovered", "log.closed"]);
        assert_eq!(records(&copied)[3]["log"]["cut_bytes"], length + zeros);
        checked(&copied);
    }
}

#[test]
fn other_bytes_after_the_end_of_a_closed_log_are_refused() {
    let (_directory, path) = fresh();
    options().open(&path).unwrap().close().unwrap();
    for bytes in [&b"x"[..], b"{}", b"{\"record\":{\"action\":\"order", b"\0x"] {
        let (_directory, copied) = copy(&path);
        append_bytes(&last_segment(&copied), bytes);
        assert!(options().open(&copied).unwrap_err().is_tampered());
    }
}

#[test]
fn an_empty_last_segment_is_written_to() {
    let (_directory, path) = killed();
    fs::write(path.join("segments/00000000000000000004.jsonl"), b"").unwrap();
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(checked(&path).segments, 2);
    assert_eq!(lines(&path).len(), 8);
}

#[test]
fn every_step_of_the_creation_may_be_the_last_one() {
    let (_directory, path) = fresh();
    options().open(&path).unwrap();
    let line = lines(&path).swap_remove(0);
    let entry = format!("{line}\n");
    // Each state is the one before and one more file.
    let mut steps: Vec<(&str, Vec<u8>)> = vec![("", vec![]), ("lock", vec![]), ("segments/", vec![])];
    let segment = "segments/00000000000000000000.jsonl";
    steps.extend([0, 1, line.len(), entry.len()].map(|length| (segment, entry.as_bytes()[..length].to_vec())));
    steps.push(("log.json.tmp", entry.as_bytes()[..9].to_vec()));
    steps.push(("log.json", entry.into_bytes()));
    steps.push(("checkpoint.tmp", b"example".to_vec()));
    for count in 1..=steps.len() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::create_dir(&path).unwrap();
        for (name, bytes) in &steps[1..count] {
            match name.strip_suffix('/') {
                Some(name) => fs::create_dir(path.join(name)).unwrap(),
                None => fs::write(path.join(name), bytes).unwrap(),
            }
        }
        assert_ne!(verify_log(&path).unwrap().verdict, Verdict::Tampered, "{:?}", steps[count - 1].0);
        options().open(&path).unwrap().close().unwrap();
        checked(&path);
    }
}

#[test]
fn more_open_calls_than_a_record_lists_are_counted() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    for call in 0..1_001 {
        begin(&log, call).wait().unwrap();
    }
    let (_directory, path) = copy(log.path());
    let again = options().open(&path).unwrap();
    let recovered = &records(&path)[1_003];
    assert_eq!(recovered["log"]["open_calls"].as_array().unwrap().len(), 1_000);
    assert_eq!(recovered["annotations"]["open_calls"], 1_001);
    again.close().unwrap();
    assert_eq!(checked(&path).summary.abandoned, 1_001);
}

#[test]
fn the_largest_beginning_can_be_abandoned() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let small = String::from_utf8(record(1, "tool.called", Stage::Started)).unwrap();
    let room = audit_core::entry::RECORD_BYTES_MAX - small.len();
    let mut largest = small.replace("run_01HZX", &format!("run_01HZX{}", "x".repeat(room)));
    // The arguments are not repeated and would leave room for the outcome: they become a part of the target.
    largest = largest
        .replace(r#","request":{"arguments":{"order":"A-1"}}"#, "")
        .replace(r#""id":"A-1""#, &format!(r#""id":"A-1{}""#, "y".repeat(40)));
    assert_eq!(largest.len(), audit_core::entry::RECORD_BYTES_MAX);
    log.append(&Prepared::new(largest.as_bytes(), Stage::Started).call(call_id(1))).wait().unwrap();
    let (_directory, path) = copy(log.path());
    options().open(&path).unwrap().close().unwrap();
    let abandoned = &records(&path)[4];
    assert_eq!(
        (&abandoned["event_name"], &abandoned["annotations"]),
        (&json!("tool.abandoned"), &json!({ "shortened": true }))
    );
    checked(&path);
}

/// Appends a beginning of call 1, kills the process and returns what the next opening makes of the call.
fn abandoned(beginning: &str) -> serde_json::Value {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let started = Prepared::new(beginning.as_bytes(), Stage::Started).call(call_id(1));
    log.append(&started).wait().unwrap();
    begin(&log, 2).wait().unwrap();
    let (_directory, path) = copy(log.path());
    options().open(&path).unwrap().close().unwrap();
    let report = checked(&path);
    assert_eq!((report.summary.abandoned, report.summary.open_calls.len()), (2, 0));
    let calls = json!([call_id(1).to_string(), call_id(2).to_string()]);
    // What the beginning holds may nest deeper than this can read.
    let record = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["record"].take();
    let records: Vec<_> = lines(&path)[4..7].iter().map(record).collect();
    assert_eq!(records[0]["log"]["open_calls"], calls);
    assert_eq!(json!([records[1]["call"]["id"], records[2]["call"]["id"]]), calls);
    records[1].clone()
}

#[test]
fn a_call_is_abandoned_however_deep_its_arguments_nest() {
    let small = String::from_utf8(record(1, "tool.called", Stage::Started)).unwrap();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let of_arguments = abandoned(&small.replace(r#"{"order":"A-1"}"#, &deep(1_000)));
    assert_eq!((&of_arguments["action"], &of_arguments["annotations"]), (&json!("order.sync"), &json!(null)));
    let of_target = abandoned(&small.replace(r#"[{"id":"A-1","type":"order"}]"#, &deep(1_000)));
    assert_eq!((&of_target["target"], &of_target["annotations"]["shortened"]), (&json!(null), &json!(true)));
    let twice = abandoned(&small.replacen('{', r#"{"target":[],"#, 1));
    assert_eq!(twice["target"][0]["id"], "A-1");
}

#[test]
fn whatever_fills_a_beginning_the_call_is_abandoned() {
    // As little as a beginning can hold, so that nothing but the one member can make room.
    let id = call_id(1);
    let least =
        format!(r#"{{"call":{{"id":"{id}"*}},"event_name":"e","schema_version":"1","stage":"started","time":"t"}}"#);
    let check = |member: &str, in_call: bool| {
        let longer = |bytes: usize| {
            let member = member.replace('#', &"x".repeat(bytes));
            if in_call { least.replace('*', &member) } else { least.replace("*}", &format!("}}{member}")) }
        };
        let room = audit_core::entry::RECORD_BYTES_MAX - longer(0).len();
        let mut record = abandoned(&longer(room));
        assert_eq!(record["annotations"], json!({ "shortened": true }));
        for name in
            ["annotations", "event_name", "observed_time", "outcome", "record_id", "schema_version", "stage", "time"]
        {
            assert!(record.as_object_mut().unwrap().remove(name).is_some());
        }
        assert_eq!(record, json!({ "action": "tool.abandoned", "actor": {}, "call": { "id": id.to_string() } }));
    };
    check(r##","tool_call_id":"#""##, true);
    check(r##","start_time":"#""##, true);
    check(r##","action":"#""##, false);
    check(r##","actor":{"agent":{"id":"#"}}"##, false);
    check(r##","correlation":{"run_id":"#"}"##, false);
    check(r##","level":"#""##, false);
    check(r##","operation":{"name":"#"}"##, false);
    check(r##","target":[{"id":"#"}]"##, false);
}

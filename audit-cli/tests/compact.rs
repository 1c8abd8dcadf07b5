//! `audited compact` on logs of several segments.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "other tests use what these do not")]
mod common;

use std::fs;

use audit_cli::run;
use common::Log;
use expect_test::expect;

/// Runs a command whose argument `LOG` stands for the log; returns its output, messages and exit code.
fn session(log: &Log, arguments: &str) -> String {
    let path = log.path().to_str().unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let words = arguments.split(' ').map(|argument| argument.replace("LOG", path));
    let exit = run(std::iter::once("audited".to_owned()).chain(words), &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(path, "LOG");
    let stderr = if stderr.is_empty() { String::new() } else { format!("-- stderr\n{}", text(stderr)) };
    format!("$ audited {arguments}\n{}{stderr}-- exit {}\n", text(stdout), exit.code())
}

/// The samples of the specification in three segments, of 9, 9 and 3 entries.
fn segmented() -> Log {
    let log = Log::samples();
    let text = fs::read_to_string(log.segment()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (index, lines) in lines.chunks(9).enumerate() {
        let name = format!("segments/{:020}.jsonl", index * 9);
        fs::write(log.path().join(name), lines.concat()).unwrap();
    }
    log
}

/// Puts a word for the size of all segments as they are now, which another version of zstd may change.
fn without_size(log: &Log, text: &str) -> String {
    let segments = fs::read_dir(log.path().join("segments")).unwrap();
    let bytes: u64 = segments.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 12_000, "{bytes}");
    text.replace(&bytes.to_string(), "AFTER")
}

#[test]
fn full_segments_are_compressed_and_nothing_else_changes() {
    let log = segmented();
    let verified = session(&log, "verify LOG");
    let shown = session(&log, "show LOG --json");
    expect![[r#"
        $ audited compact LOG
        log              LOG
        segments         3, 2 compressed now, 0 before
        bytes            AFTER, 24033 before
        -- exit 0
    "#]]
    .assert_eq(&without_size(&log, &session(&log, "compact LOG")));
    expect![[r#"
        $ audited compact LOG --json
        {"log":"LOG","segments":3,"compressed":0,"compressed_before":2,"bytes_before":AFTER,"bytes_after":AFTER}
        -- exit 0
    "#]]
    .assert_eq(&without_size(&log, &session(&log, "compact LOG --json")));
    let mut names: Vec<_> =
        fs::read_dir(log.path().join("segments")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["00000000000000000000.jsonl.zst", "00000000000000000009.jsonl.zst", "00000000000000000018.jsonl"]
    );
    assert_eq!(session(&log, "verify LOG"), verified);
    assert_eq!(session(&log, "show LOG --json"), shown);
}

#[test]
fn an_altered_compressed_segment_is_named() {
    let log = segmented();
    session(&log, "compact LOG");
    let path = log.path().join("segments/00000000000000000009.jsonl.zst");
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] ^= 1;
    fs::write(&path, &bytes).unwrap();
    expect![[r#"
        $ audited verify LOG
        verdict          tampered
        first bad entry  9
        file             segments/00000000000000000009.jsonl.zst
        reason           the frame at byte 0: expected a zstd frame of one segment with a checksum and no dictionary, found none
        assurance        chain only; no key was pinned: whoever can write the directory can rewrite it
        log              LOG
        entries          9 read until the check ended
        segments         3
        checkpoint       21 entries with root XROkqvebbE5QGiLqnOI9mKXW9Q/M53t/oa+xoehYwLI=
        -- exit 1
    "#]]
    .assert_eq(&session(&log, "verify LOG"));
}

#[test]
fn a_log_that_is_written_is_not_compacted() {
    let log = segmented();
    let lock = fs::File::open(log.path().join("lock")).unwrap();
    lock.lock().unwrap();
    expect![[r#"
        $ audited compact LOG
        -- stderr
        audited: LOG: expected a free log, found it held by another process or handle
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "compact LOG"));
    assert!(log.segment().exists());
}

#[test]
fn what_is_no_log_is_not_compacted() {
    let log = segmented();
    expect![[r#"
        $ audited compact LOG/segments
        -- stderr
        audited: LOG/segments: expected a log or an empty directory, found a directory without `segments` that holds `00000000000000000000.jsonl`
        -- exit 2
    "#]].assert_eq(&session(&log, "compact LOG/segments"));
    expect![[r#"
        $ audited compact LOG/none --json
        -- stderr
        audited: LOG/none: expected a log or an empty directory, found nothing
        -- exit 2
    "#]]
    .assert_eq(&session(&log, "compact LOG/none --json"));
}

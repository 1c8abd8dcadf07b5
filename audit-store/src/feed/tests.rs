use std::fs;

use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::{Durability, EventName};

use super::*;
use crate::Log;

const RECORD: &str = r#"{"action":"a.b","actor":{},"event_name":"run.created","observed_time":"2026-10-27T09:42:00.000000000Z","outcome":{"effect":"none","status":"unknown"},"record_id":"01a17cbc-f240-7dd1-8916-96e15e2ee293","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00.000000000Z"}"#;

fn append(log: &Log, count: usize) {
    for _ in 0..count {
        let prepared = Prepared::new(RECORD.as_bytes(), EventName::parse("run.created").unwrap().stage());
        log.append(&prepared.durability(Some(Durability::Disk))).wait().unwrap();
    }
}

/// Reads all there is: entries by their numbers, checkpoints by `@` and their sizes.
fn read(feed: &mut Feed) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(item) = feed.next_item().unwrap() {
        found.push(match item {
            Item::Entry(number, line) => {
                let entry: Value = serde_json::from_slice(&line).unwrap();
                assert_eq!(entry["sequence"]["number"], number);
                number.to_string()
            }
            Item::Checkpoint(size, note) => {
                assert_eq!(note.lines().nth(1), Some(&*size.to_string()));
                format!("@{size}")
            }
        });
    }
    found
}

fn numbers(items: &[String]) -> Vec<&String> {
    items.iter().filter(|item| !item.starts_with('@')).collect()
}

#[test]
fn a_feed_has_each_entry_once_in_order_and_each_checkpoint_behind_what_it_covers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = Log::options().segment_bytes_max(4_096).open(&path).unwrap();
    append(&log, 20);
    let mut feed = Feed::new(&path, Position::default());
    let mut items = read(&mut feed);
    append(&log, 20);
    items.extend(read(&mut feed));
    log.close().unwrap();
    items.extend(read(&mut feed));
    assert_eq!(read(&mut feed), [""; 0]);
    let expected: Vec<String> = (0..42).map(|number| number.to_string()).collect();
    assert_eq!(numbers(&items), expected.iter().collect::<Vec<_>>());
    let mut last = None;
    for item in &items {
        match item.strip_prefix('@') {
            Some(size) => assert_eq!(Some(size.parse::<u64>().unwrap() - 1), last),
            None => last = Some(item.parse().unwrap()),
        }
    }
    assert_eq!(items.last().unwrap(), "@42");
    // From any place on, the rest is the same.
    let mut again = Feed::new(&path, Position::default());
    for at in 0..items.len() {
        assert_eq!(read(&mut Feed::new(&path, again.position())), items[at..]);
        again.next_item().unwrap();
    }
}

#[test]
fn a_log_that_became_shorter_is_no_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = Log::open(&path).unwrap();
    append(&log, 3);
    log.close().unwrap();
    let mut feed = Feed::new(&path, Position::default());
    read(&mut feed);
    let beyond = Position { entries: feed.position().entries + 1, ..feed.position() };
    assert!(Feed::new(&path, beyond).next_item().unwrap_err().is_tampered());
    let beyond = Position { checkpoints: feed.position().checkpoints + 1, ..feed.position() };
    assert!(Feed::new(&path, beyond).next_item().unwrap_err().is_tampered());
    let segment = fs::read_dir(path.join("segments")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&segment).unwrap();
    fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();
    let mut feed = Feed::new(&path, Position::default());
    let fault = loop {
        match feed.next_item() {
            Ok(item) => assert!(item.is_some(), "it ended"),
            Err(fault) => break fault,
        }
    };
    assert!(fault.is_tampered(), "{fault}");
}

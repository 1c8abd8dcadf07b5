//! The receiver goes away and comes back: no record is lost, and what comes twice has one identifier.

use core::time::Duration;
use std::collections::BTreeMap;

use audited::audited;
use audited::opentelemetry::logs::{Options, Sender, Shipping};

use crate::end_to_end::{each_entry_arrived, entries};
use crate::receiver::{LogRecord, Receiver, eventually, free_port};

/// Long enough for whatever has to happen, and never waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[audited(action = "order.note", durability = "disk")]
fn note(number: u32) -> u32 {
    number
}

/// Without repetitions, the first of each stays where it is.
fn unique(records: &[LogRecord]) -> Vec<LogRecord> {
    let mut seen = std::collections::BTreeSet::new();
    records.iter().filter(|record| seen.insert(record.attributes["audit.record.id"].clone())).cloned().collect()
}

fn count(receiver: &Receiver) -> usize {
    receiver.log_records().iter().filter(|record| record.event != "log.checkpoint").count()
}

#[test]
fn opentelemetry_receiver_that_is_killed_and_comes_back_gets_every_record() {
    let directory = tempfile::tempdir().unwrap();
    let (path, port) = (directory.path().join("audit"), free_port());
    let receiver = Receiver::start(directory.path(), port);
    let url = receiver.url();
    let log = audited::Log::options().commit_interval(Duration::from_millis(10)).open(&path).unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::registry(),
        audited::layer(&log),
    ));
    let notes = |numbers: core::ops::Range<u32>| {
        tracing::dispatcher::with_default(&dispatch, || numbers.for_each(|number| assert_eq!(note(number), number)));
    };
    let shipping = Shipping::begin(&path, &Options::new().endpoint(&url)).unwrap();
    notes(0..30);
    eventually("the arrival of the first records", || (count(&receiver) == 61).then_some(()));
    receiver.kill();
    notes(30..60);
    eventually("a failure to send", || (shipping.health().failures > 0).then_some(()));
    assert!(shipping.health().obstacle.is_some());
    let receiver = Receiver::start(directory.path(), port);
    notes(60..90);
    eventually("the arrival of the rest", || (count(&receiver) >= 181).then_some(()));
    log.close().unwrap();
    let sent = shipping.close(PATIENCE).unwrap();
    assert_eq!(sent.entries, 182);
    let entries = entries(&path);
    assert_eq!(entries.len(), 182);
    let received = eventually("the arrival of the end", || (count(&receiver) >= 182).then(|| receiver.log_records()));
    each_entry_arrived(&entries, &unique(&received));

    // Another process goes on where this one stopped; one that is told to begins anew, and what comes twice says so.
    let mut sender = Sender::open(&path, &Options::new().endpoint(&url)).unwrap();
    assert_eq!(sender.send().unwrap().entries, 0);
    let mut sender = Sender::open(&path, &Options::new().endpoint(&url).anew(true)).unwrap();
    assert_eq!(sender.send().unwrap().entries, 182);
    let twice = eventually("the second arrival", || (count(&receiver) >= 364).then(|| receiver.log_records()));
    let mut by_id = BTreeMap::<String, Vec<LogRecord>>::new();
    for record in twice {
        by_id.entry(record.attributes["audit.record.id"].clone()).or_default().push(record);
    }
    for copies in by_id.values() {
        assert!(copies.len() >= 2 && copies.iter().all(|copy| copy == &copies[0]), "{copies:?}");
    }
}

#[test]
fn opentelemetry_receiver_that_is_away_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let options = Options::new().endpoint(format!("http://127.0.0.1:{}", free_port()));
    let log = audited::Log::open(&path).unwrap();
    let shipping = Shipping::begin(&path, &options).unwrap();
    log.close().unwrap();
    let fault = shipping.close(Duration::ZERO).unwrap_err();
    assert!(fault.starts_with("expected the receiver to take log records"), "{fault}");
    // All of it is still there to be sent.
    let fault = Sender::open(&path, &options).unwrap().send().unwrap_err();
    assert!(fault.is_receiver() && !fault.is_tampered());
}

#[test]
fn opentelemetry_sends_no_log_that_became_shorter() {
    let directory = tempfile::tempdir().unwrap();
    let (path, position) = (directory.path().join("audit"), directory.path().join("position"));
    audited::Log::open(&path).unwrap().close().unwrap();
    let stream_id = entries(&path)[0]["sequence"]["stream_id"].as_str().unwrap().to_owned();
    let reached =
        format!(r#"{{"checkpoints":1,"entries":9,"stream_id":"{stream_id}","time":"2026-10-27T09:42:00.000000000Z"}}"#);
    std::fs::write(&position, reached).unwrap();
    let options = Options::new().endpoint("http://127.0.0.1:9").position(&position);
    assert!(Sender::open(&path, &options).unwrap().send().unwrap_err().is_tampered());
}

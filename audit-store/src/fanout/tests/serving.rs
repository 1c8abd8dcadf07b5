//! What a secondary gets, and what it does not.

use super::*;

#[test]
fn a_hung_secondary_delays_nothing_and_is_told_what_it_missed() {
    let bench = bench(|options| options.queue_records_max(4));
    bench.append(&["1"]);
    assert_eq!(bench.controls.next(), "1");
    // It hangs: if an append waited for it, this would never end.
    bench.append(&["2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert_eq!(bench.primary.records(), ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    let health = bench.health();
    assert_eq!((health.delivered(), health.dropped(), health.queued()), (0, 6, 4));
    let line = "audited: the secondary sink `siem` misses records, which the primary has and which are counted: \
                its queue is full";
    assert_eq!(bench.told(), [line]);

    bench.controls.answer(Answer::Kept);
    bench.controls.takes(&["2", "3", "4"]);
    assert_eq!(bench.controls.next_dropped(), (6, ["5", "10"].map(str::to_owned)));
    bench.append(&["11"]);
    bench.controls.answer(Answer::Kept);
    bench.controls.takes(&["11"]);
    assert_eq!(bench.close(), (5, 6));
    assert_eq!(bench.told().len(), 1);
}

#[test]
fn the_statement_of_what_is_missing_is_a_record() {
    let bench = bench(|options| options.queue_records_max(1));
    bench.append(&["a", "b", "c"]);
    bench.clock.go_on(57);
    bench.controls.takes(&["a"]);
    let record = bench.controls.next();
    audit_core::entry::check_record(record.as_bytes()).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let expected = json!({
        "action": "records.dropped",
        "actor": { "system": { "id": "audited" } },
        "annotations": {
            "from": "1970-01-01T00:00:02.000000000Z",
            "sink": "siem",
            "to": "1970-01-01T00:00:03.000000000Z",
        },
        "event_name": "records.dropped",
        "log": { "dropped": 2 },
        "observed_time": "1970-01-01T00:01:00.000000000Z",
        "outcome": { "effect": "none", "status": "success" },
        "record_id": "00000000-0000-7000-8000-000000000000",
        "schema_version": "1",
        "stage": "event",
        "time": "1970-01-01T00:01:00.000000000Z",
    });
    assert_eq!(record, expected);
}

#[test]
fn a_stalled_secondary_is_seen() {
    let bench = bench(|options| options);
    bench.append(&["1"]);
    assert_eq!(bench.controls.next(), "1");
    bench.clock.go_on(3_599);
    assert_eq!(bench.health().stalled_since(), None);
    bench.clock.go_on(1);
    assert_eq!(bench.health().stalled_since(), Some(Time::from_unix(Duration::from_secs(1))));
    bench.append(&["2"]);
    bench.controls.answer(Answer::Kept);
    assert_eq!(bench.controls.next(), "2");
    assert_eq!(bench.health().stalled_since(), None);
}

#[test]
fn a_receipt_that_never_resolves_is_not_waited_for() {
    let bench = bench(|options| options.timeout(Duration::from_millis(1)));
    bench.append(&["1"]);
    assert_eq!(bench.controls.next(), "1");
    bench.append(&["2"]);
    bench.controls.answer(Answer::Later);
    let never = bench.controls.completions.recv_timeout(AT_MOST).unwrap();
    assert_eq!(bench.controls.next_dropped(), (1, ["1", "1"].map(str::to_owned)));
    let health = bench.health();
    assert_eq!(health.last_error().unwrap().kind(), AppendErrorKind::Busy);
    assert_eq!(health.stalled_since(), Some(Time::from_unix(Duration::from_secs(1))));
    bench.controls.answer(Answer::Kept);
    bench.controls.takes(&["2"]);
    drop(never);
    let line = "counted: the log is too slow: found no answer within 1ms";
    assert!(bench.told()[0].ends_with(line), "{:?}", bench.told());
}

#[test]
fn a_receipt_is_waited_for() {
    let bench = bench(|options| options);
    bench.append(&["1", "2", "3"]);
    assert_eq!(bench.controls.next(), "1");
    bench.controls.answer(Answer::Later);
    let completion = bench.controls.completions.recv_timeout(AT_MOST).unwrap();
    assert_eq!(bench.health().delivered(), 0);
    completion.resolve(Ok(appended()));
    assert_eq!(bench.controls.next(), "2");
    assert_eq!(bench.health().delivered(), 1);
    // A refusal may come late too.
    bench.controls.answer(Answer::Later);
    let refused = Err(AppendError::new(AppendErrorKind::DiskFull, "found a test"));
    bench.controls.completions.recv_timeout(AT_MOST).unwrap().resolve(refused);
    bench.controls.takes(&["2"]);
    assert_eq!(bench.controls.next(), "3");
    bench.controls.answer(Answer::Accepted);
    assert_eq!(bench.close(), (3, 0));
}

#[test]
fn a_refused_record_is_tried_again() {
    let bench = bench(|options| options);
    bench.append(&["1", "2"]);
    for answer in [Answer::Refused(AppendErrorKind::DiskFull), Answer::Panics, Answer::Refused(AppendErrorKind::Busy)] {
        assert_eq!(bench.controls.next(), "1");
        bench.controls.answer(answer);
    }
    bench.controls.takes(&["1", "2"]);
    assert_eq!(bench.close(), (2, 0));
    assert_eq!(bench.health().last_error().unwrap().kind(), AppendErrorKind::Busy);
    assert!(bench.told().is_empty());
}

#[test]
fn no_record_passes_a_statement_that_is_refused() {
    let bench = bench(|options| options.timeout(Duration::from_millis(1)));
    let refuse = || bench.controls.answer(Answer::Refused(AppendErrorKind::ReadOnly));
    bench.append(&["1"]);
    assert_eq!(bench.controls.next(), "1");
    bench.append(&["2"]);
    refuse();
    // How often it is tried depends on the time.
    let mut seen = bench.controls.next();
    while seen == "1" {
        refuse();
        seen = bench.controls.next();
    }
    let statement = seen;
    for _ in 0..5 {
        refuse();
        assert_eq!(bench.controls.next(), statement, "the statement is the same record however often it is tried");
    }
    bench.controls.answer(Answer::Kept);
    bench.controls.takes(&["2"]);
    assert!(statement.contains(r#""log":{"dropped":1}"#), "{statement}");
}

#[test]
fn a_malformed_record_is_not_tried_again_and_holds_up_nothing() {
    let bench = bench(|options| options);
    bench.append(&["1", "2", "3", "4"]);
    assert_eq!(bench.controls.next(), "1");
    bench.controls.answer(Answer::Refused(AppendErrorKind::TooLarge));
    assert_eq!(bench.controls.next_dropped().0, 1);
    // A sink that never takes statements still gets records.
    bench.controls.answer(Answer::Refused(AppendErrorKind::Invalid));
    bench.controls.takes(&["2"]);
    assert_eq!(bench.controls.next(), "3");
    bench.controls.answer(Answer::Refused(AppendErrorKind::Invalid));
    assert_eq!(bench.controls.next_dropped(), (2, ["1", "3"].map(str::to_owned)));
    bench.controls.answer(Answer::Kept);
    bench.controls.takes(&["4"]);
    assert_eq!(bench.close(), (2, 2));
}

#[test]
fn two_secondaries_do_not_affect_each_other() {
    let bench = bench(|options| options.queue_records_max(1));
    let (sink, controls) = hanging();
    let both = bench.fanout.clone().secondary("archive", sink, &SecondaryOptions::new());
    for record in ["1", "2", "3"] {
        assert!(append_to(&both, record).now().unwrap().is_ok());
        controls.takes(&[record]);
    }
    let [siem, archive] = <[SecondaryHealth; 2]>::try_from(both.secondaries()).unwrap();
    assert_eq!((siem.name(), siem.delivered(), siem.dropped(), siem.queued()), ("siem", 0, 2, 1));
    assert_eq!((archive.name(), archive.dropped()), ("archive", 0));
    // It is the same sink as the one of the handle that was cloned.
    assert_eq!(bench.health().dropped(), 2);
}

#[test]
fn a_secondary_knows_the_call_and_stage_of_its_records() {
    struct Telling(Sender<(Option<CallId>, Stage, Option<Durability>)>);
    impl Sink for Telling {
        fn append(&self, prepared: &Prepared<'_>) -> Receipt {
            self.0.send((prepared.call_id(), prepared.stage(), prepared.durability_demanded())).unwrap();
            Receipt::accepted()
        }
    }
    let (sender, receiver) = channel();
    let fanout = Fanout::new(Memory::default()).secondary("told", Telling(sender), &SecondaryOptions::new());
    let call = CallId::from_bytes([7; 16]);
    let _kept = fanout.append(&Prepared::new(b"1", Stage::Started).call(call).durability(Some(Durability::Disk)));
    // The secondary's durability is its own.
    assert_eq!(receiver.recv_timeout(AT_MOST).unwrap(), (Some(call), Stage::Started, None));
}

#[test]
fn the_answer_is_the_primary_s_and_what_it_refuses_is_not_copied() {
    struct Answering(Mutex<Receiver<Receipt>>);
    impl Sink for Answering {
        fn append(&self, _: &Prepared<'_>) -> Receipt {
            self.0.lock().unwrap().recv().unwrap()
        }
        fn is_open(&self) -> bool {
            false
        }
        fn health(&self) -> Health {
            Health::new(Condition::Open).with_refused(9)
        }
    }
    let (receipts, answers) = channel();
    let (sink, controls) = hanging();
    let fanout = Fanout::new(Answering(Mutex::new(answers))).secondary("copy", sink, &SecondaryOptions::new());
    for handle in [&fanout as &dyn Sink, &*fanout.weak().unwrap()] {
        assert!(!handle.is_open());
        assert_eq!(handle.health().refused(), 9);
    }
    let (completion, pending) = Receipt::pending();
    let refused = Receipt::ready(Err(AppendError::new(AppendErrorKind::Busy, "found a test")));
    let check = |record, receipt, expected| {
        receipts.send(receipt).unwrap();
        let kind = append_to(&fanout, record).now().map(|result| result.unwrap_err().kind());
        assert_eq!(kind, expected, "{record}");
    };
    check("refused", refused, Some(AppendErrorKind::Busy));
    check("accepted", Receipt::accepted(), Some(AppendErrorKind::Unasked));
    check("pending", pending, None);
    controls.takes(&["accepted", "pending"]);
    drop(completion);
}

#[test]
fn each_thread_s_records_keep_their_order_and_each_is_there_or_counted() {
    let (primary, secondary) = (Memory::default(), Memory::default());
    let options = SecondaryOptions::new().queue_records_max(8).timeout(Duration::from_secs(3_600));
    let fanout = Fanout::new(primary.clone()).secondary_telling("small", secondary.clone(), &options, telling().0);
    thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let fanout = fanout.clone();
            scope.spawn(move || {
                for number in 0..1_000 {
                    let _kept = append_to(&fanout, &json!({ "by": name, "number": number }).to_string());
                }
            });
        }
    });
    let health = fanout.close().remove(0);
    assert_eq!(primary.records().len(), 4_000);
    assert_eq!(health.delivered() + health.dropped(), 4_000);
    let mut stated = 0;
    let mut next = HashMap::new();
    for record in secondary.records() {
        let record: Value = serde_json::from_str(&record).unwrap();
        if record["event_name"] == "records.dropped" {
            stated += record["log"]["dropped"].as_u64().unwrap();
            continue;
        }
        let next = next.entry(record["by"].to_string()).or_insert(0);
        let number = record["number"].as_u64().unwrap();
        assert!(number >= *next, "{record} comes after number {next}");
        *next = number + 1;
    }
    assert_eq!(stated, health.dropped());
}

#[test]
fn a_log_is_a_secondary_that_verifies_with_what_it_missed() {
    /// A log that hangs until it is released.
    struct Held(Mutex<Receiver<()>>, crate::Log);
    impl Sink for Held {
        fn append(&self, prepared: &Prepared<'_>) -> Receipt {
            let _released = self.0.lock().unwrap().recv();
            self.1.append(prepared)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (directory.path().join("log"), directory.path().join("elsewhere"));
    let log = crate::Log::open(&path).unwrap();
    let (release, released) = channel();
    let held = Held(Mutex::new(released), crate::Log::open(&elsewhere).unwrap());
    let options = SecondaryOptions::new().queue_records_max(1).timeout(Duration::from_secs(3_600));
    let fanout = Fanout::new(log.clone()).secondary_telling("elsewhere", held, &options, telling().0);
    let record = r#"{"event_name":"run.created","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00Z"}"#;
    for _ in 0..3 {
        append_to(&fanout, record).wait().unwrap();
    }
    drop(release);
    let health = fanout.close().remove(0);
    assert_eq!((health.delivered(), health.dropped()), (1, 2));
    log.close().unwrap();
    // Each has `log.opened` and `log.closed` of its own; the copy has one record and `records.dropped`.
    for (path, entries) in [(path, 5), (elsewhere, 4)] {
        let report = crate::verify::verify_log(&path).unwrap();
        assert_eq!((report.verdict, report.summary.entries), (crate::verify::Verdict::Intact, entries));
    }
}

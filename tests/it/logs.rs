//! The whole way: from the attribute through the layer to the files, in processes that end well or badly.

use std::path::Path;

use audit_core::verify::Summary;
use audit_store::verify::Verdict;
use audited::{Log, audited, verify_log};
use serde_json::Value;
use testkit::{in_a_process_of_its_own, place_of};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

#[audited(action = "order.note", redact = [secret])]
fn note(n: u32, secret: &str) -> u32 {
    n + u32::try_from(secret.len()).unwrap()
}

#[audited(action = "order.wipe", effect = "destructive", on_unavailable = "count", target(type = "order", id = 7))]
fn wipe(end: impl FnOnce()) {
    end();
}

fn intact(log: &Path) -> Summary {
    let report = verify_log(log).unwrap();
    assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
    report.summary
}

fn events(log: &Path) -> Vec<String> {
    records(log).iter().map(|record| record["event_name"].as_str().unwrap().to_owned()).collect()
}

fn records(log: &Path) -> Vec<Value> {
    let mut segments: Vec<_> =
        std::fs::read_dir(log.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let text: String = segments.iter().map(|segment| std::fs::read_to_string(segment).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].take()).collect()
}

#[test]
fn a_secondary_sink_gets_what_the_log_took_and_a_full_disk_of_its_own_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let log = Log::open(&path).unwrap();
    let (well, broken) = (testkit::Memory::new(), testkit::Memory::new());
    broken.refuse(audited::sink::AppendErrorKind::DiskFull);
    let brief = audited::SecondaryOptions::new().timeout(std::time::Duration::from_millis(1));
    let fanout = audited::Fanout::new(log.clone())
        .secondary("well", well.clone(), &audited::SecondaryOptions::new())
        .secondary("broken", broken.clone(), &brief);
    let subscriber = tracing_subscriber::registry().with(audited::layer(&fanout));
    tracing::subscriber::with_default(subscriber, || (0..20).for_each(|n| assert_eq!(note(n, "hush"), n + 4)));
    let health = fanout.close();
    log.close().unwrap();
    assert_eq!(intact(&path).calls, 20);
    let own = |record: &&Value| record["event_name"].as_str().unwrap().starts_with("log.");
    let in_log: Vec<Value> = records(&path).into_iter().filter(|record| !own(&record)).collect();
    assert_eq!(well.records(), in_log);
    assert_eq!((health[0].delivered(), health[0].dropped()), (40, 0));
    assert_eq!((health[1].delivered(), health[1].dropped()), (0, 40));
    assert!(broken.records().is_empty());
}

#[test]
fn a_composed_subscriber_records_into_an_open_log() {
    // A gap that another test of the same process leaves would be stated in whatever log is open.
    let test = "logs::a_composed_subscriber_records_into_an_open_log";
    let Some(output) = in_a_process_of_its_own(test, four_threads_record) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn four_threads_record() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let log = Log::open(&path).unwrap();
    let guard = log.guard();
    let subscriber = tracing_subscriber::registry()
        .with(audited::layer(&log))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(audited::telemetry_filter()));
    tracing::subscriber::with_default(subscriber, || {
        std::thread::scope(|scope| {
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            for thread in 0..4 {
                let dispatch = dispatch.clone();
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&dispatch, || {
                        (0..50).for_each(|n| assert_eq!(note(thread * 50 + n, "x"), thread * 50 + n + 1));
                    });
                });
            }
        });
    });
    guard.close().unwrap();
    let summary = intact(&path);
    assert_eq!((summary.entries, summary.calls, summary.closed), (402, 200, true));
    assert_eq!(summary.beyond_checkpoint, 0);
}

#[test]
fn neither_layer_nor_recorder_keeps_a_log_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let log = Log::open(&path).unwrap();
    let subscriber = tracing_subscriber::registry().with(audited::layer(&log));
    tracing::subscriber::with_default(subscriber, || {
        note(1, "x");
        drop(log);
        assert!(intact(&path).closed);
        let again = Log::open(&path).unwrap();
        drop(again);
    });
    assert_eq!(
        events(&path),
        ["log.opened", "tool.called", "side_effect.applied", "log.closed", "log.opened", "log.closed"]
    );
}

#[test]
fn init_records_until_its_guard_is_dropped() {
    let test = "logs::init_records_until_its_guard_is_dropped";
    let path = place_of(test).join("log");
    let body = || {
        let guard = audited::init(&path).unwrap();
        assert!(audited::init(path.with_extension("other")).unwrap_err().is_twice());
        std::thread::spawn(|| note(1, "hunter2")).join().unwrap();
        drop(guard);
        // Another log takes over; the one subscriber of the process stays.
        let guard = audited::init(path.with_extension("second")).unwrap();
        note(2, "hunter2");
        guard.close().unwrap();
    };
    let Some(output) = in_a_process_of_its_own(test, body) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for log in [path.clone(), path.with_extension("second")] {
        assert_eq!(events(&log), ["log.opened", "tool.called", "side_effect.applied", "log.closed"]);
        assert!(!records(&log).iter().any(|record| record.to_string().contains("hunter2")));
        intact(&log);
    }
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn a_call_whose_process_is_killed_is_abandoned_and_nothing_before_it_is_lost() {
    let test = "logs::a_call_whose_process_is_killed_is_abandoned_and_nothing_before_it_is_lost";
    let path = place_of(test).join("log");
    let body = || {
        let _guard = audited::init(&path).unwrap();
        (0..10).for_each(|n| assert_eq!(note(n, ""), n));
        audited::context().conversation("c").in_scope(|| wipe(kill_this_process));
    };
    let output = in_a_process_of_its_own(test, body).unwrap();
    assert!(!output.status.success());
    let summary = intact(&path);
    assert_eq!((summary.entries, summary.calls, summary.open_calls.len(), summary.closed), (22, 11, 1, false));

    Log::open(&path).unwrap().close().unwrap();
    // What other tests made this process miss, it states when it opens a log.
    let events: Vec<String> = events(&path).into_iter().filter(|name| name != "records.dropped").collect();
    assert_eq!(events[22..], ["log.opened", "log.recovered", "tool.abandoned", "log.closed"]);
    let records = records(&path);
    let (started, abandoned) = (&records[21], &records[24]);
    assert_eq!(
        abandoned["outcome"],
        serde_json::json!({"effect": "unknown", "error_type": "process_died", "status": "unknown"})
    );
    for member in ["action", "actor", "correlation", "level", "target"] {
        assert_eq!(abandoned[member], started[member], "{member}");
    }
    assert_eq!(abandoned["call"]["id"], started["call"]["id"]);
    let summary = intact(&path);
    assert_eq!((summary.open_calls.len(), summary.abandoned), (0, 1));
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

fn kill_this_process() {
    let id = std::process::id().to_string();
    std::process::Command::new("kill").args(["-KILL", &id]).status().unwrap();
    std::thread::park();
}

#[test]
fn a_gap_is_stated_by_the_next_log() {
    let test = "logs::a_gap_is_stated_by_the_next_log";
    let path = place_of(test).join("log");
    let body = || {
        (0..3).for_each(|n| assert_eq!(note(n, ""), n));
        audited::init(&path).unwrap().close().unwrap();
    };
    let Some(output) = in_a_process_of_its_own(test, body) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(events(&path), ["log.opened", "records.dropped", "log.closed"]);
    assert_eq!(records(&path)[1]["log"]["dropped"], 3);
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn a_log_that_another_process_holds_is_refused_by_name() {
    let test = "logs::a_log_that_another_process_holds_is_refused_by_name";
    let path = place_of(test).join("log");
    let body = || {
        let error = Log::open(&path).unwrap_err();
        assert!(error.is_held(), "{error:?}");
    };
    let inside = std::env::var_os("AUDITED_TEST_PROCESS").is_some();
    let _log = (!inside).then(|| Log::open(&path).unwrap());
    let Some(output) = in_a_process_of_its_own(test, body) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn what_is_no_log_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    let error = audited::init(directory.path()).unwrap_err();
    assert!(error.open_error().unwrap().is_not_a_log(), "{error:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

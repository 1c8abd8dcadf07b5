use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use audit_core::id::{CallId, IdSource};
use audit_core::sink::{AppendErrorKind, Appended};
use audit_core::time::{Clock, Time};
use audit_core::unrecorded::Gap;
use audit_core::vocabulary::Stage;
use tempfile::TempDir;

use super::*;
use crate::disk::SystemDisk;
use crate::read::Lines;
use crate::verify::{Report, Verdict, verify_log};

mod clock;
mod disks;
mod faults;
mod full;
mod hanging;
mod health;
mod matrix;
mod open;
mod power;
mod recovery;
mod sealing;
mod signing;
mod small;

/// A clock that goes on by one millisecond whenever it is read.
#[derive(Default)]
pub(crate) struct StepClock(AtomicU64);

impl Clock for StepClock {
    fn now(&self) -> Time {
        let steps = self.0.fetch_add(1, Ordering::Relaxed);
        Time::from_unix(Duration::from_millis(1_793_094_120_000 + steps))
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Identifiers that differ in their last digits alone.
#[derive(Default)]
pub(crate) struct CountedIds(AtomicU64);

impl IdSource for CountedIds {
    fn next(&self, time: Time) -> u128 {
        let count = u128::from(self.0.fetch_add(1, Ordering::Relaxed));
        (time.since_unix().as_millis() << 80) | (7 << 76) | (2 << 62) | count
    }
}

thread_local! {
    /// What the process of a log answers on this thread.
    static IS_CHILD: Cell<bool> = const { Cell::new(false) };
    static GAP: Cell<Option<Gap>> = const { Cell::new(None) };
}

/// A process of its own for each test.
const PROCESS: Process =
    Process { is_child: |_journal| IS_CHILD.get(), take_gap: || GAP.take(), put_back_gap: |gap| GAP.set(Some(gap)) };

/// Options under which nothing depends on the machine; only what is waited for is committed.
pub(crate) fn options() -> Options {
    Options { process: PROCESS, ..Log::options() }
        .origin("example.com/orders")
        .clock(Arc::new(StepClock::default()))
        .ids(Arc::new(CountedIds::default()))
        .commit_interval(Duration::from_secs(3_600))
        .close_timeout(Duration::ZERO)
        .compress(false)
        .tiles(false)
        .journal_bytes(0)
}

pub(crate) fn call_id(call: u64) -> CallId {
    format!("01a17cbd-e826-77ed-86a8-{call:012}").parse().unwrap()
}

/// The canonical bytes of a record; `name` and stage as in schema 1. No two calls and no two stages of one have the same.
pub(crate) fn record(call: u64, name: &str, stage: Stage) -> Vec<u8> {
    let started = if stage == Stage::Started { r#","request":{"arguments":{"order":"A-1"}}"# } else { "" };
    format!(
        concat!(
            r#"{{"action":"order.sync","actor":{{"agent":{{"id":"agent:support-7"}}}},"call":{{"attempt":1,"id":"{}","#,
            r#""start_time":"2026-10-27T09:43:02.950456000Z"}},"correlation":{{"run_id":"run_01HZX","turn":3}},"#,
            r#""event_name":"{}","level":"request","observed_time":"2026-10-27T09:43:02.950456000Z","#,
            r#""operation":{{"name":"execute_tool","tool":{{"name":"sync","version":"1"}}}},"#,
            r#""outcome":{{"status":"unknown"}},"record_id":"01a17cbc-f240-7dd1-89{:02x}-{call:012}"{},"#,
            r#""schema_version":"1","stage":"{}","target":[{{"id":"A-1","type":"order"}}],"#,
            r#""time":"2026-10-27T09:43:02.950456000Z"}}"#
        ),
        call_id(call),
        name,
        stage as u8,
        started,
        stage,
        call = call,
    )
    .into_bytes()
}

pub(crate) fn begin(log: &Log, call: u64) -> Receipt {
    log.append(&Prepared::new(&record(call, "tool.called", Stage::Started), Stage::Started).call(call_id(call)))
}

pub(crate) fn end(log: &Log, call: u64) -> Receipt {
    log.append(&Prepared::new(&record(call, "tool.completed", Stage::Completed), Stage::Completed).call(call_id(call)))
}

fn begin_durably(log: &Log, call: u64) -> Receipt {
    let record = record(call, "tool.called", Stage::Started);
    let prepared = Prepared::new(&record, Stage::Started).call(call_id(call)).durability(Some(Durability::Disk));
    log.append(&prepared)
}

/// Appends a record of a call and waits as long as it takes, whatever the log's patience is.
fn patiently(log: &Log, call: u64, stage: Stage, durability: Durability) -> Appended {
    let record = record(call, if stage == Stage::Started { "tool.called" } else { "tool.completed" }, stage);
    let prepared = Prepared::new(&record, stage).call(call_id(call)).durability(Some(durability));
    log.append(&prepared.timeout(Some(Duration::from_secs(60)))).wait().unwrap()
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    let mut lines = Lines::open(path).unwrap();
    let mut found = Vec::new();
    while let Some(line) = lines.next_line() {
        found.push(String::from_utf8(line.unwrap().bytes.to_vec()).unwrap());
    }
    found
}

fn records(path: &Path) -> Vec<serde_json::Value> {
    lines(path).iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["record"].take()).collect()
}

fn names(path: &Path) -> Vec<String> {
    records(path).iter().map(|record| record["event_name"].as_str().unwrap().to_owned()).collect()
}

/// Copies a log as a killed process would leave it, in the order in which a reader of a live log reads it.
pub(crate) fn copy(log: &Path) -> (TempDir, PathBuf) {
    let directory = place();
    let to = directory.path().join("log");
    copy_to(log, &to);
    (directory, to)
}

fn copy_to(log: &Path, to: &Path) {
    while !try_copy(log, to) {
        fs::remove_dir_all(to).unwrap();
    }
}

/// False if a segment was sealed meanwhile, and was seen under neither name.
fn try_copy(log: &Path, to: &Path) -> bool {
    fs::create_dir(to).unwrap();
    // The journal before the segments: what leaves it meanwhile is found there. A segment that appears meanwhile is not
    // needed: the checkpoint was read before.
    for name in ["checkpoint", "checkpoints.log", "seal", "log.json", "lock", "journal.0", "journal.1"] {
        let _absent = fs::copy(log.join(name), to.join(name));
    }
    for name in ["blobs", "payloads", "index", "segments"] {
        let Ok(entries) = fs::read_dir(log.join(name)) else { continue };
        fs::create_dir(to.join(name)).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let copied = fs::copy(&file, to.join(name).join(file.file_name().unwrap()));
            if copied.is_err() && name == "segments" {
                return false;
            }
        }
    }
    true
}

fn checked(path: &Path) -> Report {
    let report = verify_log(path).unwrap();
    assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
    report
}

fn kind(receipt: Receipt) -> AppendErrorKind {
    receipt.wait().unwrap_err().kind()
}

/// A new directory, in memory where there is such a place: a test that opens hundreds of logs would else wait for the
/// device most of the time.
fn place() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

pub(crate) fn fresh() -> (TempDir, PathBuf) {
    let directory = place();
    let path = directory.path().join("logs").join("orders");
    (directory, path)
}

#[test]
fn records_of_several_threads_come_back_in_one_chain() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let thread = |first: u64| {
        let log = log.clone();
        move || {
            (first..first + 50)
                .flat_map(|call| [begin(&log, call), end(&log, call)])
                .map(|r| r.wait().unwrap())
                .collect()
        }
    };
    let threads: Vec<_> = (0..4).map(|n| std::thread::spawn(thread(n * 1_000))).collect();
    let mut appended: Vec<Appended> =
        threads.into_iter().flat_map(|t: JoinHandle<Vec<Appended>>| t.join().unwrap()).collect();
    appended.sort_by_key(|appended| appended.number);
    log.close().unwrap();
    assert_eq!(appended.iter().map(|a| a.number).collect::<Vec<_>>(), (1..401).collect::<Vec<_>>());
    assert!(appended.iter().all(|appended| appended.durable == Durability::Os));
    let hashes = lines(&path).into_iter().map(|line| Hash::leaf(line.as_bytes()));
    assert!(hashes.skip(1).zip(&appended).all(|(hash, appended)| hash == appended.leaf_hash));
    let report = checked(&path);
    assert_eq!((report.summary.entries, report.summary.calls, report.summary.beyond_checkpoint), (402, 200, 0));
    assert_eq!(
        (log.size(), log.origin(), report.origin.as_deref()),
        (402, "example.com/orders", Some("example.com/orders"))
    );
}

#[test]
fn a_receipt_of_a_record_on_the_disk_resolves_after_its_commit() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let receipts: Vec<_> = (0..20).map(|call| begin_durably(&log, call)).collect();
    for (receipt, number) in receipts.into_iter().zip(1..) {
        let appended = receipt.wait().unwrap();
        assert_eq!((appended.number, appended.durable), (number, Durability::Disk));
    }
    let strict = options().durability(Durability::Disk).open(path.with_extension("strict")).unwrap();
    assert_eq!(begin(&strict, 1).wait().unwrap().durable, Durability::Disk);
}

#[test]
fn what_nobody_waits_for_is_committed_after_the_interval() {
    let (_directory, path) = fresh();
    let log = options().commit_interval(Duration::ZERO).open(&path).unwrap();
    begin(&log, 1).wait().unwrap();
    // The checkpoint appears without anything else being done; a test that waits for ever is a failed one.
    while verify_log(&path).unwrap().checkpoint.unwrap().size < 2 {
        std::thread::yield_now();
    }
}

#[test]
fn a_segment_ends_before_the_entry_that_would_exceed_it() {
    let (_directory, path) = fresh();
    let log = options().segment_bytes_max(2_000).open(&path).unwrap();
    for call in 0..10 {
        begin(&log, call).wait().unwrap();
        end(&log, call).wait().unwrap();
    }
    log.close().unwrap();
    let report = checked(&path);
    assert!(report.segments > 5, "{}", report.segments);
    let sizes = fs::read_dir(path.join("segments")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    assert!(sizes.into_iter().all(|size| size > 0 && size <= 2_000));
}

#[test]
fn a_segment_holds_at_least_one_entry_whatever_its_limit() {
    let (_directory, path) = fresh();
    let log = options().segment_bytes_max(1).open(&path).unwrap();
    begin(&log, 1).wait().unwrap();
    log.close().unwrap();
    assert_eq!(checked(&path).segments, 3);
}

#[test]
fn nothing_is_accepted_after_the_end_and_closing_again_changes_nothing() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let other = log.clone();
    let guard = log.guard();
    begin(&log, 7).wait().unwrap();
    guard.close().unwrap();
    assert_eq!(kind(begin(&other, 8)), AppendErrorKind::Closed);
    assert_eq!(kind(end(&other, 7)), AppendErrorKind::Closed);
    other.close().unwrap();
    let closed = records(&path).pop().unwrap();
    assert_eq!(closed["log"], serde_json::json!({ "dropped": 0, "open_calls": [call_id(7).to_string()] }));
    assert_eq!(names(&path), ["log.opened", "tool.called", "log.closed"]);
}

#[test]
fn closing_waits_for_open_calls_and_lets_none_begin() {
    let (_directory, path) = fresh();
    let log = options().close_timeout(Duration::from_secs(3_600)).open(&path).unwrap();
    begin(&log, 1).wait().unwrap();
    let closing = log.clone();
    let closing = std::thread::spawn(move || closing.close());
    // Until closing has begun, calls are accepted; each is ended at once.
    let refused = loop {
        match begin(&log, 2).wait() {
            Ok(_) => drop(end(&log, 2)),
            Err(fault) => break fault,
        }
    };
    assert_eq!(refused.kind(), AppendErrorKind::Closed);
    assert!(!closing.is_finished());
    end(&log, 1).wait().unwrap();
    closing.join().unwrap().unwrap();
    assert!(checked(&path).summary.open_calls.is_empty());
}

#[test]
fn several_threads_may_close_at_once_and_one_of_them_while_it_panics() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let guard = log.guard();
            std::thread::spawn(move || {
                let _guard = guard;
                assert!(n > 0, "one of the threads panics on purpose");
            })
        })
        .collect();
    assert_eq!(threads.into_iter().filter_map(|thread| thread.join().err()).count(), 1);
    assert_eq!(names(&path), ["log.opened", "log.closed"]);
}

#[test]
fn the_log_ends_with_its_last_handle() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let sink: Arc<dyn Sink> = Arc::new(log.clone());
    drop(log);
    assert!(options().open(&path).unwrap_err().is_held());
    drop(sink);
    assert_eq!(names(&path), ["log.opened", "log.closed"]);
    drop(options().open(&path).unwrap());
}

#[test]
fn a_waker_may_drop_the_last_handle_and_may_panic() {
    struct Dropping(Mutex<Option<Log>>);
    impl std::task::Wake for Dropping {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
            panic!("a waker panics on purpose");
        }
    }
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let mut receipt = begin_durably(&log, 1);
    let waker = Arc::new(Dropping(Mutex::new(Some(log)))).into();
    let mut context = std::task::Context::from_waker(&waker);
    let polled = std::pin::Pin::new(&mut receipt).poll(&mut context);
    drop(waker);
    // Either the commit came first, or the waker runs on the committer and ends the log there.
    assert!(polled.is_ready() || receipt.wait().is_ok());
    while options().open(&path).is_err_and(|fault| fault.is_held()) {
        std::thread::yield_now();
    }
    assert!(names(&path).contains(&"log.closed".to_owned()));
}

#[test]
fn a_record_that_does_not_fit_a_line_is_refused_and_counted() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let text = "x".repeat(audit_core::entry::RECORD_BYTES_MAX);
    let large = format!(r#"{{"action":"{text}"}}"#);
    assert_eq!(kind(log.append(&Prepared::new(large.as_bytes(), Stage::Event))), AppendErrorKind::TooLarge);
    assert_eq!(kind(log.append(&Prepared::new(b"{\"a\":1}\n{\"b\":2}", Stage::Event))), AppendErrorKind::Invalid);
    begin(&log, 1).wait().unwrap();
    log.close().unwrap();
    assert_eq!(names(&path), ["log.opened", "records.dropped", "tool.called", "log.closed"]);
    assert_eq!(records(&path)[1]["log"]["dropped"], 2);
    assert_eq!(records(&path)[3]["log"]["dropped"], 2);
    checked(&path);
}

#[test]
fn bytes_that_are_no_record_are_refused() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let intact = String::from_utf8(record(1, "tool.called", Stage::Started)).unwrap();
    let refused = |record: String| {
        let receipt = log.append(&Prepared::new(record.as_bytes(), Stage::Event));
        assert_eq!(kind(receipt), AppendErrorKind::Invalid, "{record}");
    };
    refused(r#"{"a":1}"#.to_owned());
    refused(r#"{"a":{"b":1}"#.to_owned());
    refused(r#"{"":"}"#.to_owned());
    refused(intact.replace("schema_version", "version"));
    refused(intact.replace(r#""schema_version":"1""#, r#""schema_version":"2""#));
    refused(format!("{intact}{intact}"));
    begin(&log, 1).wait().unwrap();
    log.close().unwrap();
    assert_eq!(records(&path)[1]["log"]["dropped"], 6);
    checked(&path);
}

#[test]
fn a_forked_process_changes_nothing() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    begin(&log, 1).wait().unwrap();
    let state = || (lines(&path), fs::read(path.join("checkpoint")).unwrap());
    let before = state();
    IS_CHILD.set(true);
    let weak = log.weak().unwrap();
    let fault = end(&log, 1).wait().unwrap_err();
    assert_eq!(
        (fault.kind(), fault.to_string().as_str()),
        (
            AppendErrorKind::Closed,
            "the log is closed: found a forked process; only the one that opened it may write it"
        )
    );
    assert_eq!(
        kind(weak.append(&Prepared::new(&record(2, "tool.called", Stage::Started), Stage::Started))),
        AppendErrorKind::Closed
    );
    assert!(!log.is_open() && !weak.is_open());
    assert_eq!(log.close().unwrap_err().append_kind(), Some(AppendErrorKind::Closed));
    drop(log.guard());
    assert_eq!(state(), before);
    IS_CHILD.set(false);
    end(&log, 1).wait().unwrap();
    log.close().unwrap();
    assert_eq!(names(&path), ["log.opened", "tool.called", "tool.completed", "log.closed"]);
    checked(&path);
}

#[test]
fn calls_that_ran_without_a_log_are_stated() {
    let (_directory, path) = fresh();
    let time = |second| Time::from_unix(Duration::from_secs(second));
    GAP.set(Some(Gap { count: 3, first: time(1), last: time(2) }));
    options().open(&path).unwrap().close().unwrap();
    let records = records(&path);
    assert_eq!(records[1]["event_name"], "records.dropped");
    assert_eq!((&records[1]["log"]["dropped"], &records[2]["log"]["dropped"]), (&3.into(), &3.into()));
    let span = serde_json::json!({ "from": "1970-01-01T00:00:01.000000000Z", "to": "1970-01-01T00:00:02.000000000Z" });
    assert_eq!(records[1]["annotations"], span);
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, path) = fresh();
    options().open(&path).unwrap().close().unwrap();
    let mode = |name: &str| fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["", "segments", "../../logs"].map(mode), [0o700; 3]);
    assert_eq!(["lock", "log.json", "checkpoint", "segments/00000000000000000000.jsonl"].map(mode), [0o600; 4]);
}

#[test]
fn the_first_entry_is_what_the_contract_says() {
    let (_directory, path) = fresh();
    options().heartbeat_seconds(3_600).open(&path).unwrap().close().unwrap();
    let json = fs::read_to_string(path.join("log.json")).unwrap();
    expect_test::expect![[r#"
        {"record":{"action":"log.opened","actor":{"system":{"id":"audited"}},"event_name":"log.opened","log":{"heartbeat_seconds":3600,"origin":"example.com/orders","version":"0.1.0"},"observed_time":"2026-10-27T09:42:00.001000000Z","outcome":{"effect":"none","status":"success"},"record_id":"01a17cbc-f241-7000-8000-000000000001","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00.001000000Z"},"sequence":{"number":0,"stream_id":"01a17cbc-f240-7000-8000-000000000000"}}
    "#]]
    .assert_eq(&json);
    assert_eq!(lines(&path)[0], json.trim_end());
}

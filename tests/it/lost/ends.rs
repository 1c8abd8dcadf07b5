//! Ends of a call that a span would not see: one that is kept alive, one that is left open, and the end of the process.

use std::sync::Mutex;

use audited::doctor::Cause;
use audited::{Log, audited};
use serde_json::Value;
use testkit::{Memory, in_a_process_of_its_own, place_of};
use tracing::subscriber::with_default;
use tracing::{Instrument as _, Span};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{CALLS, assert_log, calls, each_alone, log_records, poll_once, text};

static KEPT: Mutex<Vec<Span>> = Mutex::new(Vec::new());

#[audited(action = "span.keep")]
fn keep_the_span() {
    KEPT.lock().unwrap().push(Span::current());
}

#[audited(action = "span.keep")]
async fn keep_the_span_async() {
    KEPT.lock().unwrap().push(Span::current());
}

#[audited(action = "span.child")]
fn leave_a_child_open(enter: bool) {
    let child = tracing::info_span!("child");
    if enter {
        std::mem::forget(child.clone().entered());
    }
    KEPT.lock().unwrap().push(child);
}

#[audited(action = "task.start")]
async fn start_a_task() -> Task {
    Task(tokio::spawn(std::future::pending::<()>().instrument(Span::current())))
}

/// A task that carries the span of the call that started it.
struct Task(tokio::task::JoinHandle<()>);

/// The stages of the records, by the call that they belong to, in order.
fn stages(records: &[Value]) -> Vec<Value> {
    records.iter().map(|record| record["stage"].clone()).collect()
}

fn under_a_layer(body: impl FnOnce(&Memory)) -> Vec<Value> {
    let memory = Memory::new();
    with_default(tracing_subscriber::registry().with(memory.layer()), || body(&memory));
    memory.records()
}

each_alone! {
    fn a_span_that_outlives_its_call() {
        let records = under_a_layer(|memory| {
            keep_the_span();
            poll_once(keep_the_span_async());
            assert_eq!(stages(&memory.records()), ["started", "completed"].repeat(2));
            let spans = std::mem::take(&mut *KEPT.lock().unwrap());
            assert!(spans.iter().all(|span| !span.is_disabled()) && spans.len() == 2);
            drop(spans);
        });
        assert_eq!(stages(&records), ["started", "completed"].repeat(2));
    }

    fn a_child_span_that_is_left_open() {
        let records = under_a_layer(|_memory| {
            leave_a_child_open(false);
            leave_a_child_open(true);
            leave_a_child_open(true);
        });
        assert_eq!(stages(&records), ["started", "completed"].repeat(3));
    }

    fn a_task_that_outlives_its_call() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let records = under_a_layer(|memory| {
            runtime.block_on(async {
                let tasks = [start_a_task().await, start_a_task().await];
                tokio::task::yield_now().await;
                assert_eq!(stages(&memory.records()), ["started", "completed"].repeat(2));
                for Task(task) in tasks {
                    task.abort();
                    assert!(task.await.unwrap_err().is_cancelled());
                }
            });
        });
        assert_eq!(stages(&records), ["started", "completed"].repeat(2));
    }
}

#[audited(action = "process.end")]
fn end(how: fn()) {
    poll_once(end_inside(how));
}

#[audited(action = "process.end")]
async fn end_inside(how: fn()) {
    how();
}

/// Ends a process inside of two calls, reopens the log and looks for both.
fn assert_abandoned(test: &str, how: fn()) {
    let test = format!("lost::ends::{test}");
    let place = place_of(&test);
    let path = place.join("log");
    let body = || {
        let _guard = audited::init(&path).unwrap();
        calls();
        end(how);
    };
    let output = in_a_process_of_its_own(&test, body).unwrap();
    assert!(!output.status.success(), "{}", text(&output));
    // What the process had accepted and not written is in the journal, and becomes entries now.
    let log = Log::open(&path).unwrap();
    with_default(tracing_subscriber::registry().with(audited::layer(&log)), assert_reported);
    log.close().unwrap();
    assert_log(&path, CALLS);
    let records = log_records(&path);
    let opened = |record: &&Value| record["event_name"] == "log.opened";
    let started: Vec<&Value> = records.iter().skip(1).take_while(|record| !opened(record)).collect();
    assert_eq!(started.len(), 2 * CALLS + 2);
    let abandoned: Vec<&Value> = records.iter().filter(|record| record["event_name"] == "tool.abandoned").collect();
    assert_eq!(abandoned.len(), 2);
    for (abandoned, started) in abandoned.iter().zip(&started[started.len() - 2..]) {
        assert_eq!(abandoned["call"]["id"], started["call"]["id"]);
        assert_eq!(abandoned["outcome"]["effect"], "unknown");
    }
    std::fs::remove_dir_all(place).unwrap();
}

/// The doctor of the process that opens the log again tells of the calls without an end.
fn assert_reported() {
    let diagnosis = audited::doctor();
    let found = diagnosis.findings().iter().find_map(|finding| match finding.cause() {
        Cause::CallsAbandoned(calls) => Some(*calls),
        _ => None,
    });
    assert_eq!(found, Some(2), "{diagnosis}");
    assert!(diagnosis.is_clear(), "{diagnosis}");
}

#[test]
fn a_process_that_exits_inside_of_a_call() {
    assert_abandoned("a_process_that_exits_inside_of_a_call", || std::process::exit(7));
}

#[test]
fn a_process_that_aborts_inside_of_a_call() {
    assert_abandoned("a_process_that_aborts_inside_of_a_call", || std::process::abort());
}

#[test]
fn a_process_that_is_killed_inside_of_a_call() {
    assert_abandoned("a_process_that_is_killed_inside_of_a_call", || {
        let id = std::process::id().to_string();
        std::process::Command::new("kill").args(["-KILL", &id]).status().unwrap();
        std::thread::park();
    });
}

//! Never lost: in each of the set-ups in which a span vanishes, *calls made = calls recorded*, and the doctor names the
//! cause. Each set-up has a process of its own, as most of what it does to tracing cannot be undone.

mod callbacks;
mod ends;
mod filters;
mod fork;
mod init;
mod policies;
mod static_level;
mod subscribers;

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;
use std::process::Output;
use std::task::{Context, Poll, Waker};

use audited::doctor::{Diagnosis, Severity};
use audited::{audited, verify_log};
use serde_json::Value;
use testkit::{Memory, in_a_process_with};

/// What is in the way where nothing is.
const NOTHING: [&str; 0] = [];

/// How many calls [`calls`] makes.
const CALLS: usize = 6;

#[audited(action = "work.sync")]
fn work(n: usize) -> usize {
    n + 1
}

#[audited(action = "work.async")]
async fn work_async(n: usize) -> usize {
    std::future::ready(()).await;
    n + 1
}

/// Makes [`CALLS`] calls here, the half of them async.
fn calls() {
    for n in 0..CALLS / 2 {
        assert_eq!(work(n), n + 1);
        assert_eq!(poll_once(work_async(n)), n + 1);
    }
}

pub fn poll_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("expected an output at the first poll"),
    }
}

/// Asserts that this many calls were made and recorded, each with a beginning and an end, half of them async.
fn assert_recorded(memory: &Memory, made: usize) {
    assert_whole(&memory.records(), made);
}

fn assert_whole(records: &[Value], made: usize) {
    let mut stages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut asynchronous = 0;
    for record in records.iter().filter(|record| record["action"].as_str().unwrap().starts_with("work.")) {
        stages.entry(record["call"]["id"].as_str().unwrap()).or_default().push(record["stage"].as_str().unwrap());
        asynchronous += usize::from(record["action"] == "work.async");
    }
    assert_eq!((stages.len(), asynchronous), (made, made), "{records:#?}");
    assert!(stages.values().all(|stages| *stages == ["started", "completed"]), "{stages:#?}");
}

/// Asserts that the log at the path is intact and holds this many calls of [`calls`].
fn assert_log(path: &Path, made: usize) {
    assert!(verify_log(path).unwrap().is_intact());
    assert_whole(&log_records(path), made);
}

fn log_records(path: &Path) -> Vec<Value> {
    let segment = path.join("segments/00000000000000000000.jsonl");
    let text = std::fs::read_to_string(segment).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].take()).collect()
}

/// Asks the doctor, who must find calls recorded, and returns the names of what is in the way.
fn in_the_way() -> Vec<&'static str> {
    let diagnosis = audited::doctor();
    assert!(diagnosis.is_recording(), "{diagnosis}");
    names(&diagnosis)
}

fn names(diagnosis: &Diagnosis) -> Vec<&'static str> {
    let findings = diagnosis.findings().iter().filter(|finding| finding.severity() > Severity::Note);
    findings.map(|finding| finding.cause().name()).collect()
}

/// Runs the body in a process of its own, which must succeed.
fn alone(test: &str, environment: &[(&str, &str)], body: impl FnOnce()) {
    let Some(output) = in_a_process_with(test.trim_start_matches("it::"), environment, body) else { return };
    assert!(output.status.success(), "{}", text(&output));
    // A misspelt name would run nothing and succeed.
    assert!(text(&output).contains("1 passed"), "{}", text(&output));
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Makes tests of functions, each run in a process of its own with the environment given.
macro_rules! each_alone {
    ($($(#[$attribute:meta])* $(($($name:literal = $value:literal),*))? fn $test:ident() $body:block)+) => {$(
        $(#[$attribute])*
        #[test]
        fn $test() {
            let test = concat!(module_path!(), "::", stringify!($test));
            $crate::lost::alone(test, &[$($(($name, $value)),*)?], || $body);
        }
    )+};
}

use each_alone;

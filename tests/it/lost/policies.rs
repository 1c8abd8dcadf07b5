//! What happens to a call that cannot be recorded is what its policy says: without a log, with one that is closed, and
//! with one that refuses, in functions that are `async` and that are not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audit_core::sink::AppendErrorKind;
use audit_core::unrecorded;
use audited::{Log, Unavailable, audited};
use testkit::Memory;

use super::{each_alone, poll_once};

thread_local! {
    static RAN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

fn ran() -> u8 {
    RAN.set(RAN.get() + 1);
    7
}

/// A foreign type of error, which knows nothing of `Unavailable`.
#[derive(Debug)]
struct Foreign(String);

#[derive(Debug)]
struct Own(Unavailable);

impl From<Unavailable> for Own {
    fn from(unavailable: Unavailable) -> Self {
        Self(unavailable)
    }
}

#[audited(action = "policy.deny", on_unavailable = "deny")]
fn deny() -> Result<u8, Own> {
    Ok(ran())
}

#[audited(action = "policy.deny", on_unavailable = "deny")]
async fn deny_async() -> Result<u8, Own> {
    Ok(ran())
}

#[audited(action = "policy.expression", on_unavailable = |u| Err(Foreign(u.to_string())))]
fn expression() -> Result<u8, Foreign> {
    Ok(ran())
}

#[audited(action = "policy.expression", on_unavailable = |u| Err(Foreign(u.to_string())))]
async fn expression_async() -> Result<u8, Foreign> {
    Ok(ran())
}

#[audited(action = "policy.count", on_unavailable = "count")]
fn count() -> u8 {
    ran()
}

#[audited(action = "policy.count", on_unavailable = "count")]
async fn count_async() -> u8 {
    ran()
}

#[audited(action = "policy.panic", on_unavailable = "panic")]
fn panics() -> u8 {
    ran()
}

#[audited(action = "policy.panic", on_unavailable = "panic")]
async fn panics_async() -> u8 {
    ran()
}

/// What a place does to calls.
struct Expected {
    /// Part of every message.
    message: &'static str,
    /// Tells whether there is no log at all.
    without_log: bool,
    /// How many of the two calls under `count` core counts; the others the sink counts itself.
    counted: u64,
}

fn check(expected: &Expected) {
    let before = unrecorded::count();
    for Own(unavailable) in [deny().unwrap_err(), poll_once(deny_async()).unwrap_err()] {
        assert_eq!((unavailable.action(), unavailable.is_without_log()), ("policy.deny", expected.without_log));
        assert!(unavailable.to_string().contains(expected.message), "{unavailable}");
    }
    for Foreign(message) in [expression().unwrap_err(), poll_once(expression_async()).unwrap_err()] {
        assert!(message.starts_with("`policy.expression` was refused"), "{message}");
        assert!(message.contains(expected.message), "{message}");
    }
    for panicked in [catch_unwind(panics), catch_unwind(AssertUnwindSafe(|| poll_once(panics_async())))] {
        let message = panicked.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("`policy.panic` was refused") && message.contains(expected.message), "{message}");
    }
    assert_eq!((RAN.get(), unrecorded::count()), (0, before), "no body ran, and what did not run is not counted");
    assert_eq!((count(), poll_once(count_async())), (7, 7));
    assert_eq!((RAN.take(), unrecorded::count()), (2, before + expected.counted));
}

each_alone! {
    fn without_a_log() {
        check(&Expected { message: "no audit log is open", without_log: true, counted: 2 });
    }

    fn with_a_log_that_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::open(directory.path().join("log")).unwrap();
        let _layer = audited::layer(&log);
        assert_eq!((deny().unwrap(), poll_once(deny_async()).unwrap(), RAN.take()), (7, 7, 2));
        log.close().unwrap();
        check(&Expected { message: "no audit log is open", without_log: true, counted: 2 });
        // The next log states the gap.
        let log = Log::open(directory.path().join("next")).unwrap();
        log.close().unwrap();
        let records = super::log_records(&directory.path().join("next"));
        assert_eq!((&records[1]["event_name"], &records[1]["log"]["dropped"]), (&"records.dropped".into(), &2.into()));
    }

    fn with_a_log_that_refuses() {
        let memory = Memory::new();
        let _layer = memory.layer();
        memory.refuse(AppendErrorKind::DiskFull);
        check(&Expected { message: "does not accept it", without_log: false, counted: 0 });
        memory.refuse(AppendErrorKind::Poisoned);
        check(&Expected { message: "does not accept it", without_log: false, counted: 2 });
        assert!(memory.records().is_empty());
        memory.accept();
        assert_eq!((deny().unwrap(), poll_once(panics_async()), RAN.take()), (7, 7, 2));
        assert_eq!(memory.records().len(), 4);
    }
}

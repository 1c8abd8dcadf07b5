//! A disk that hangs: nobody waits longer than was said, what was accepted stays accepted, what was refused is refused.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake};
use std::thread::Thread;

use super::disks::{Fate, PlannedDisk, passing};
use super::matrix::{Kept, assert_holds, completed, started};
use super::*;
use crate::journal::Meta;
use crate::log::append::{ASKED, Demand};

/// How long callers wait here.
const PATIENCE: Duration = Duration::from_millis(50);
/// Much longer than anybody waits, even on a machine that has much else to do.
const FAR_TOO_LONG: Duration = Duration::from_secs(20);

/// Holds one kind of operation up until this is dropped.
pub(super) struct Hanging {
    entered: Receiver<()>,
    _release: Sender<()>,
}

impl Hanging {
    /// Waits until an operation hangs.
    pub(super) fn reached(&self) {
        self.entered.recv().unwrap();
    }
}

pub(super) fn hang(disk: &PlannedDisk, held_up: &'static str) -> Hanging {
    let (enter, entered) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    disk.set(move |operation, _path| {
        if operation == held_up {
            // Errors mean that the disk goes on.
            let _over = enter.send(()).map(|()| released.lock().unwrap().recv());
        }
        Fate::Passes
    });
    Hanging { entered, _release: release }
}

fn impatient(path: &Path) -> (Arc<PlannedDisk>, Log) {
    let disk = PlannedDisk::new(passing);
    let log = open(options().append_timeout(PATIENCE), path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
    (disk, log)
}

/// Waits for the receipt as an executor does.
fn block_on(mut receipt: Receipt) -> Result<Appended, AppendError> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    loop {
        match core::pin::Pin::new(&mut receipt).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Waits for a refusal, which must come in time.
fn refused_in_time(wait: impl FnOnce() -> Result<Appended, AppendError>) {
    let asked = Instant::now();
    let fault = wait().unwrap_err();
    assert_eq!((fault.kind(), fault.is_final()), (AppendErrorKind::Busy, false));
    assert!((PATIENCE..FAR_TOO_LONG).contains(&asked.elapsed()), "{:?}", asked.elapsed());
}

#[test]
fn while_a_write_hangs_callers_are_told_in_time_and_the_rest_is_accepted() {
    let (_directory, path) = fresh();
    let (disk, log) = impatient(&path);
    let kept = Kept::default();
    let hanging = hang(&disk, "write");
    // This one is being written: it is refused in time, and in the log all the same.
    refused_in_time(|| {
        let receipt = begin(&log, 1);
        hanging.reached();
        receipt.wait()
    });
    for call in 2..40 {
        let begun = started(call);
        assert_eq!(kept.give(&log, &Prepared::new(&begun, Stage::Started).call(call_id(call))), None);
    }
    refused_in_time(|| begin(&log, 50).wait());
    refused_in_time(|| block_on(begin(&log, 51)));
    refused_in_time(|| begin_durably(&log, 52).wait());
    for call in 2..40 {
        let ended = completed(call);
        assert_eq!(kept.give(&log, &Prepared::new(&ended, Stage::Completed).call(call_id(call))), None);
    }
    assert_eq!(log.health().refused(), 4);
    drop(hanging);
    patiently(&log, 1, Stage::Completed, Durability::Os);
    log.close().unwrap();
    let names = names(&path);
    assert_eq!(names[..4], ["log.opened", "tool.called", "records.dropped", "tool.called"]);
    assert_eq!(names.len(), 3 + 2 * 38 + 2);
    let records = records(&path);
    assert_eq!(records[2]["log"]["dropped"], 3);
    let span = ["from", "to"].map(|name| records[2]["annotations"][name].as_str().unwrap().to_owned());
    assert!(span[0] < span[1], "{span:?}");
    assert_eq!(records.last().unwrap()["log"]["dropped"], 3);
    assert_holds(&path, &kept.records(), "a write that hung");
    assert!(checked(&path).summary.open_calls.is_empty());
}

#[test]
fn while_an_fsync_hangs_those_who_wait_for_it_are_told_in_time_and_others_go_on() {
    let (_directory, path) = fresh();
    let (disk, log) = impatient(&path);
    let hanging = hang(&disk, "sync");
    refused_in_time(|| begin_durably(&log, 1).wait());
    hanging.reached();
    refused_in_time(|| block_on(begin_durably(&log, 2)));
    for call in 3..6 {
        patiently(&log, call, Stage::Started, Durability::Os);
    }
    drop(hanging);
    assert_eq!(patiently(&log, 6, Stage::Started, Durability::Disk).durable, Durability::Disk);
    log.close().unwrap();
    // All of them are in the log: none was dropped.
    assert_eq!(names(&path), [&["log.opened"], &["tool.called"; 6][..], &["log.closed"]].concat());
    checked(&path);
}

#[test]
fn a_process_that_dies_while_a_write_hangs_leaves_what_was_accepted_and_not_what_was_refused() {
    let (_directory, path) = fresh();
    let (disk, log) = impatient(&path);
    let kept = Kept::default();
    let hanging = hang(&disk, "write");
    let receipt = begin(&log, 1);
    hanging.reached();
    for call in 2..6 {
        kept.give(&log, &Prepared::new(&started(call), Stage::Started).call(call_id(call)));
    }
    refused_in_time(|| begin(&log, 6).wait());
    assert_eq!(kind(receipt), AppendErrorKind::Busy);
    let (_copied, copied) = copy(log.path());
    options().open(&copied).unwrap().close().unwrap();
    assert_holds(&copied, &kept.records(), "a process that died");
    let records = records(&copied);
    assert_eq!(records[6]["event_name"], "log.recovered");
    assert_eq!(records[6]["annotations"]["drained"], 4);
    assert_eq!(checked(&copied).summary.abandoned, 4);
    drop(hanging);
}

#[test]
fn a_record_that_was_refused_while_it_was_written_is_not_written_again() {
    let (_directory, path) = fresh();
    let (disk, log) = impatient(&path);
    let (enter, entered) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    disk.set(move |operation, _path| match operation {
        // The first write hangs and then fails.
        "write" => match enter.send(()).map(|()| released.lock().unwrap().recv()) {
            Ok(Ok(())) => Fate::FailsBefore(std::io::ErrorKind::Other),
            _ => Fate::Passes,
        },
        _ => Fate::Passes,
    });
    let receipt = begin(&log, 1);
    entered.recv().unwrap();
    refused_in_time(|| begin(&log, 2).wait());
    assert_eq!(kind(receipt), AppendErrorKind::Busy);
    release.send(()).unwrap();
    drop(release);
    drop(entered);
    patiently(&log, 3, Stage::Started, Durability::Os);
    log.close().unwrap();
    assert_eq!(names(&path), ["log.opened", "records.dropped", "tool.called", "log.closed"]);
    assert_eq!(records(&path)[1]["log"]["dropped"], 2);
    checked(&path);
}

#[test]
fn the_commit_does_not_rest_if_the_record_was_written_before_its_caller_came_to_wait() {
    let (_directory, path) = fresh();
    // Nothing is committed but what someone waits for.
    let log = options().open(&path).unwrap();
    let record = started(1);
    let meta = Meta { flags: ASKED, ..Meta::default() };
    let appended = log.shared().journal.append(meta, &record, None).unwrap();
    log.flush().unwrap();
    let demand =
        Demand { durability: Durability::Disk, is_asked: true, patience: FAR_TOO_LONG, record_bytes: record.len() };
    let receipt = log.shared().accepted(appended, &demand);
    assert_eq!(receipt.wait().unwrap().durable, Durability::Disk);
}

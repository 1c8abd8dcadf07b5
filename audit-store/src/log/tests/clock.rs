use std::sync::atomic::AtomicI64;

use serde_json::json;

use super::disks::{Fate, PlannedDisk, failing, passing};
use super::*;

/// A clock whose time of day is set, while its steady time only goes on.
#[derive(Default)]
struct SetClock {
    steady_ms: AtomicU64,
    ahead_ms: AtomicI64,
}

impl SetClock {
    fn go_on(&self, milliseconds: u64) {
        self.steady_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn set(&self, ahead_ms: i64) {
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        let ahead = self.ahead_ms.load(Ordering::Relaxed);
        let time = 1_793_094_120_000_u64.saturating_add_signed(ahead) + self.steady_ms.load(Ordering::Relaxed);
        Time::from_unix(Duration::from_millis(time))
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.steady_ms.load(Ordering::Relaxed))
    }
}

#[test]
fn a_clock_that_goes_back_is_recorded_and_the_order_is_kept() {
    let (_directory, path) = fresh();
    let clock = Arc::new(SetClock::default());
    let log = options().clock(Arc::<SetClock>::clone(&clock)).open(&path).unwrap();
    begin(&log, 1).wait().unwrap();
    clock.go_on(10_000);
    clock.set(-3_600_000);
    end(&log, 1).wait().unwrap();
    // What is recorded once is the time from now on.
    begin(&log, 2).wait().unwrap();
    // Forward, and back by less than anyone has to know, nothing is recorded.
    clock.set(0);
    end(&log, 2).wait().unwrap();
    clock.set(-1_000);
    begin(&log, 3).wait().unwrap();
    end(&log, 3).wait().unwrap();
    log.close().unwrap();
    let call = ["tool.called", "tool.completed"];
    let expected =
        [&["log.opened", "tool.called", "clock.stepped", "tool.completed"], &call[..], &call, &["log.closed"]].concat();
    assert_eq!(names(&path), expected);
    let records = records(&path);
    let span = json!({ "from": "2026-10-27T09:42:10.000000000Z", "to": "2026-10-27T08:42:10.000000000Z" });
    assert_eq!(records[2]["annotations"], span);
    assert_eq!(records[2]["time"], span["to"]);
    checked(&path);
}

#[test]
fn a_clock_that_went_back_while_nothing_could_be_written_is_recorded_afterwards() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let clock = Arc::new(SetClock::default());
    let options = options().clock(Arc::<SetClock>::clone(&clock)).append_timeout(Duration::from_millis(50));
    let log = open(options, &path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
    patiently(&log, 1, Stage::Started, Durability::Os);
    disk.set(failing("write", Fate::FailsBefore(std::io::ErrorKind::StorageFull)));
    clock.set(-60_000);
    assert_eq!(kind(begin(&log, 2)), AppendErrorKind::DiskFull);
    disk.set(passing);
    patiently(&log, 1, Stage::Completed, Durability::Os);
    log.close().unwrap();
    let expected = ["log.opened", "tool.called", "records.dropped", "clock.stepped", "tool.completed", "log.closed"];
    assert_eq!(names(&path), expected);
    checked(&path);
}

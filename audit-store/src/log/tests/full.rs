//! A journal that is full: those who can wait do, the others are refused, and the order is that of the appends.

use audit_core::sink::WhenFull;

use super::disks::{Fate, PlannedDisk, passing};
use super::hanging::{Hanging, hang};
use super::matrix::{Kept, assert_holds, completed, started};
use super::*;

const FOR_EVER: Duration = Duration::from_secs(3_600);
/// The first call whose beginning fills the journal.
const FIRST: u64 = 1_000;

/// A log whose disk hangs while it writes the beginning of call 1, and whose journal has no room left but for the ends of
/// calls.
struct Full {
    _directory: TempDir,
    path: PathBuf,
    log: Log,
    disk: Arc<PlannedDisk>,
    kept: Kept,
    hanging: Hanging,
    /// The call whose beginning found no room.
    next: u64,
}

impl Full {
    fn new() -> Self {
        let (directory, path) = fresh();
        let disk = PlannedDisk::new(passing);
        let options = options().append_timeout(FOR_EVER);
        let log = open(options, &path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
        let hanging = hang(&disk, "write");
        let kept = Kept::default();
        begin_unasked(&log, &kept, 1);
        log.append(&Prepared::new(&started(2), Stage::Started).call(call_id(2)));
        hanging.reached();
        let next = (FIRST..).find(|call| begin_unasked(&log, &kept, *call).is_some()).unwrap();
        Self { _directory: directory, path, log, disk, kept, hanging, next }
    }

    /// Appends ends of calls until there is no room for them either; returns how many found room.
    fn fill_with_ends(&self) -> u64 {
        let found_none = |call: &u64| {
            let ended = completed(*call);
            let prepared = Prepared::new(&ended, Stage::Completed).call(call_id(*call)).when_full(WhenFull::Refuse);
            self.kept.give(&self.log, &prepared).is_some()
        };
        (FIRST..self.next - 1).find(found_none).unwrap() - FIRST
    }

    /// Lets the disk go on, and returns what the log then holds.
    fn close(self) -> (TempDir, PathBuf) {
        drop(self.hanging);
        self.log.close().unwrap();
        assert_holds(&self.path, &self.kept.records(), "a journal that was full");
        checked(&self.path);
        (self._directory, self.path)
    }
}

/// Begins a call that nobody asks for; returns why it was refused.
fn begin_unasked(log: &Log, kept: &Kept, call: u64) -> Option<AppendErrorKind> {
    let begun = started(call);
    kept.give(log, &Prepared::new(&begun, Stage::Started).call(call_id(call)).when_full(WhenFull::Refuse))
}

fn number_of(path: &Path, record: &[u8]) -> usize {
    let lines = lines(path);
    lines.iter().position(|line| writer::record_of(line.as_bytes()) == record).expect("the record is in the log")
}

#[test]
fn who_cannot_wait_is_refused_and_counted_and_the_ends_of_calls_find_room() {
    let full = Full::new();
    for call in 1..4 {
        assert_eq!(begin_unasked(&full.log, &full.kept, full.next + call), Some(AppendErrorKind::Busy));
    }
    let ended = full.fill_with_ends();
    assert!(ended > 20, "{ended}");
    assert_eq!(full.log.health().refused(), 5);
    let (_directory, path) = full.close();
    let records = records(&path);
    let dropped: Vec<_> = records.iter().filter(|record| record["event_name"] == "records.dropped").collect();
    assert_eq!(dropped.iter().map(|record| record["log"]["dropped"].as_u64().unwrap()).sum::<u64>(), 5);
    assert_eq!(records.last().unwrap()["log"]["dropped"], 5);
}

#[test]
fn who_can_wait_gets_room_as_soon_as_the_disk_goes_on() {
    let full = Full::new();
    let begun = started(full.next);
    let waiting = full.log.clone();
    let thread = std::thread::spawn(move || {
        waiting.append(&Prepared::new(&begun, Stage::Started).call(call_id(7)).when_full(WhenFull::Block)).wait()
    });
    let begun = started(full.next + 1);
    let queued = Prepared::new(&begun, Stage::Started).call(call_id(8)).when_full(WhenFull::Queue);
    let receipt = full.log.append(&queued);
    assert!(receipt.now().is_none() && !thread.is_finished());
    let last = full.next - 1;
    let Full { _directory, path, log, hanging, .. } = full;
    drop(hanging);
    let numbers = [thread.join().unwrap().unwrap(), receipt.wait().unwrap()].map(|appended| appended.number);
    log.close().unwrap();
    checked(&path);
    let before = number_of(&path, &started(last)) as u64;
    assert!(numbers.iter().all(|number| *number > before), "{numbers:?} {before}");
}

#[test]
fn an_end_that_waits_in_memory_comes_after_its_beginning() {
    let full = Full::new();
    full.fill_with_ends();
    // The call that began last: all that is in the journal was appended before.
    let call = full.next - 1;
    let ended = completed(call);
    let prepared = Prepared::new(&ended, Stage::Completed).call(call_id(call)).when_full(WhenFull::Queue);
    let receipt = full.log.append(&prepared);
    assert!(receipt.now().is_none());
    let before = full.kept.records().len();
    let (_directory, path) = full.close();
    let number = receipt.wait().unwrap().number;
    assert!(number > number_of(&path, &started(call)) as u64, "the end of the call stands before its beginning");
    assert!(number > before as u64, "all that was appended before stands before it");
}

#[test]
fn what_is_appended_after_one_that_waits_in_memory_comes_after_it() {
    let full = Full::new();
    full.fill_with_ends();
    let ended = completed(full.next - 1);
    let prepared = Prepared::new(&ended, Stage::Completed).call(call_id(full.next - 1)).when_full(WhenFull::Queue);
    let queued = full.log.append(&prepared);
    let Full { _directory, path, log, hanging, .. } = full;
    drop(hanging);
    // There is room as soon as the first half is written, long before all is.
    let later = log.append(&Prepared::new(&started(7), Stage::Started).call(call_id(7))).wait().unwrap();
    assert!(later.number > queued.wait().unwrap().number);
    log.close().unwrap();
    checked(&path);
}

#[test]
fn one_that_was_refused_while_it_waited_in_memory_is_not_written_later() {
    let Full { _directory, path, log, disk, hanging, next, .. } = Full::new();
    let prepared = |record, call| Prepared::new(record, Stage::Started).call(call_id(call)).when_full(WhenFull::Queue);
    let patience = Some(Duration::from_millis(50));
    let (first, second) = (started(next + 1), started(next + 2));
    let refused = log.append(&prepared(&first, next + 1).timeout(patience));
    let waiting = log.append(&prepared(&second, next + 2));
    assert_eq!(kind(refused), AppendErrorKind::Busy);
    disk.set(passing);
    drop(hanging);
    waiting.wait().unwrap();
    log.close().unwrap();
    assert!(!lines(&path).iter().any(|line| writer::record_of(line.as_bytes()) == first));
    checked(&path);
}

#[test]
fn one_of_the_queue_that_was_refused_while_a_failing_write_hung_is_not_written_later() {
    let Full { _directory, path, log, disk, hanging, next, .. } = Full::new();
    let record = started(next + 1);
    let prepared = Prepared::new(&record, Stage::Started).call(call_id(next + 1)).when_full(WhenFull::Queue);
    let receipt = log.append(&prepared);
    let (enter, entered) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel();
    let released = Mutex::new(released);
    disk.set(move |operation, _path| match operation {
        // Errors mean that the disk goes on.
        "write" if enter.send(()).is_ok() => released.lock().unwrap().recv().unwrap_or(Fate::Passes),
        _ => Fate::Passes,
    });
    drop(hanging);
    let shared = log.shared();
    // All that is in the journal comes before.
    entered.recv().unwrap();
    while shared.state().in_batch == 0 {
        release.send(Fate::Passes).unwrap();
        entered.recv().unwrap();
    }
    shared.expire(shared.state(), Instant::now() + 2 * FOR_EVER);
    assert_eq!(kind(receipt), AppendErrorKind::Busy);
    release.send(Fate::FailsBefore(std::io::ErrorKind::Other)).unwrap();
    drop((release, entered));
    begin(&log, 7).wait().unwrap();
    log.close().unwrap();
    assert!(!lines(&path).iter().any(|line| writer::record_of(line.as_bytes()) == record));
    let records = records(&path);
    assert_eq!(records.last().unwrap()["log"]["dropped"], 2);
    checked(&path);
}

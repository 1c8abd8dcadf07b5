//! The fault matrix: whatever operation fails, and wherever the process dies, what was acknowledged is in the log.

use std::collections::{BTreeSet, HashMap};
use std::io;

use super::disks::{Fate, PlannedDisk, failing, passing};
use super::*;
use crate::disk::Disk;

/// How the logs of a matrix are opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) segment_bytes_max: u64,
    pub(super) compress: bool,
}

const FEW_TO_A_SEGMENT: Way = Way { segment_bytes_max: 1_700, compress: false };
const COMPRESSED: Way = Way { segment_bytes_max: 3_000, compress: true };

/// What one life acknowledges if nothing fails.
const ACKNOWLEDGED: usize = 15;

/// A record that the log said it has.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    record: Vec<u8>,
    /// Where it is, if that was asked for; else the journal alone may hold it.
    appended: Option<Appended>,
}

impl Acknowledged {
    pub(super) fn is_on_disk(&self) -> bool {
        self.appended.is_some_and(|appended| appended.durable == Durability::Disk)
    }
}

/// What a log said it has, in the order in which it was appended by one thread.
#[derive(Default)]
pub(super) struct Kept {
    records: Mutex<Vec<Acknowledged>>,
    blobs: Mutex<Vec<Hash>>,
}

impl Kept {
    /// Appends a record and waits for its place. Returns why there is none.
    pub(super) fn ask(&self, log: &Log, prepared: &Prepared<'_>) -> Option<AppendError> {
        let appended = log.append(prepared).wait().map_err(Some);
        let record = prepared.record().to_vec();
        let acknowledged = appended.map(|appended| Acknowledged { record, appended: Some(appended) });
        acknowledged.map(|acknowledged| self.records.lock().unwrap().push(acknowledged)).err().flatten()
    }

    /// Appends a record that nobody asks for; it counts from the moment when it is accepted. Returns why it is not.
    pub(super) fn give(&self, log: &Log, prepared: &Prepared<'_>) -> Option<AppendErrorKind> {
        let kind = log.append(&prepared.unasked()).now().unwrap().unwrap_err().kind();
        if kind != AppendErrorKind::Unasked {
            return Some(kind);
        }
        self.records.lock().unwrap().push(Acknowledged { record: prepared.record().to_vec(), appended: None });
        None
    }

    pub(super) fn records(&self) -> Vec<Acknowledged> {
        self.records.lock().unwrap().clone()
    }

    fn keep(&self, log: &Log, payload: &[u8]) {
        self.blobs.lock().unwrap().extend(log.keep(payload));
    }

    fn assert_blobs(&self, path: &Path, what: &str) {
        for hash in self.blobs.lock().unwrap().iter() {
            assert!(blobs::read(path, *hash).unwrap().is_some(), "{what}: blob {hash} is lost");
        }
    }
}

/// Checks that the log holds each of the records once, in their order, and none of any twice.
pub(super) fn assert_holds(path: &Path, acknowledged: &[Acknowledged], what: &str) {
    let lines = lines(path);
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    for (number, line) in lines.iter().enumerate() {
        // The log's own may be equal: under the options of tests time and identifiers begin anew with each opening.
        if !line.contains(r#""actor":{"system":{"id":"audited"}}"#) {
            let again = numbers.insert(writer::record_of(line.as_bytes()), number);
            assert_eq!(again, None, "{what}: entry {number} is there twice");
        }
    }
    let mut last = None;
    for Acknowledged { record, appended } in acknowledged {
        let found = numbers.get(&**record);
        let number = *found.unwrap_or_else(|| panic!("{what}: lost: {appended:?} {}", String::from_utf8_lossy(record)));
        assert!(last < Some(number), "{what}: entry {number} comes before one that was appended earlier");
        last = Some(number);
        if let Some(appended) = appended {
            assert_eq!(appended.number, number as u64, "{what}");
            assert_eq!(appended.leaf_hash, Hash::leaf(lines[number].as_bytes()), "{what}");
        }
    }
}

pub(super) fn started(call: u64) -> Vec<u8> {
    record(call, "tool.called", Stage::Started)
}

pub(super) fn completed(call: u64) -> Vec<u8> {
    record(call, "tool.completed", Stage::Completed)
}

/// Opens the log with a patience that no test exhausts.
pub(super) fn open_in(way: Way, disk: Arc<dyn Disk>, path: &Path) -> Result<Log, Error> {
    let options = options().segment_bytes_max(way.segment_bytes_max).compress(way.compress);
    open(options.append_timeout(Duration::from_secs(60)), path, disk)
}

/// Opens a log, makes calls of all kinds and closes it.
pub(super) fn life(log: &Log, kept: &Kept) {
    for call in 0..3 {
        let (begun, ended) = (started(call), completed(call));
        let begun = Prepared::new(&begun, Stage::Started).call(call_id(call));
        let first = kept.ask(log, &begun.durability(Some(Durability::Disk)));
        let other = call + 10;
        kept.give(log, &Prepared::new(&started(other), Stage::Started).call(call_id(other)));
        let small = format!(
            r#"{{"event_name":"run.created","n":{call},"schema_version":"1","stage":"event","time":"2026-10-27T09:43:02Z"}}"#
        );
        kept.keep(log, small.as_bytes());
        kept.give(log, &Prepared::new(small.as_bytes(), Stage::Event));
        let last = kept.ask(log, &Prepared::new(&ended, Stage::Completed).call(call_id(call)));
        for fault in [first, last].into_iter().flatten() {
            assert_ne!(fault.kind(), AppendErrorKind::Busy, "nobody is kept waiting by a single fault");
        }
        // This one is never followed by one that is waited for.
        kept.give(log, &Prepared::new(&completed(other), Stage::Completed).call(call_id(other)));
    }
}

fn reopen(way: Way, path: &Path, what: &str) {
    let log = open_in(way, Arc::new(SystemDisk), path).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    log.close().unwrap_or_else(|fault| panic!("{what}: {fault}"));
    checked(path);
}

/// How one operation fails: the one of this number among those that may.
#[derive(Clone, Copy, Debug)]
struct Fault {
    fate: Fate,
    number: u64,
    /// What becomes of cutting what a failed write left.
    cutting: Fate,
}

/// What a faulty disk was asked for.
#[derive(Default)]
struct Seen {
    operations: AtomicU64,
    failed: Mutex<Vec<&'static str>>,
}

fn faulty(fault: Fault, seen: &Arc<Seen>) -> Arc<PlannedDisk> {
    let seen = Arc::clone(seen);
    PlannedDisk::new(move |operation, _path| {
        let is_write = operation == "write";
        if operation == "truncate" && fault.cutting != Fate::Passes && !seen.failed.lock().unwrap().is_empty() {
            seen.failed.lock().unwrap().push(operation);
            return fault.cutting;
        }
        // Only a write can be done by half.
        let may_fail = is_write || !matches!(fault.fate, Fate::FailsHalfway(_));
        if !may_fail || seen.operations.fetch_add(1, Ordering::Relaxed) != fault.number {
            return Fate::Passes;
        }
        seen.failed.lock().unwrap().push(operation);
        fault.fate
    })
}

/// Runs the story with each operation failing in each manner, and returns which operations did.
fn each_fault(
    mut story: impl FnMut(&Arc<PlannedDisk>, &dyn Fn() -> String, &dyn Fn() -> bool),
) -> (usize, BTreeSet<&'static str>) {
    let halfway = Fate::FailsHalfway(io::ErrorKind::StorageFull);
    let manners = [
        (Fate::FailsBefore(io::ErrorKind::StorageFull), Fate::Passes),
        (Fate::FailsAfter(io::ErrorKind::Other), Fate::Passes),
        (halfway, Fate::Passes),
        (halfway, Fate::FailsBefore(io::ErrorKind::Other)),
        (halfway, Fate::FailsAfter(io::ErrorKind::Other)),
    ];
    let mut injected = (0, BTreeSet::new());
    for (fate, cutting) in manners {
        for number in 0.. {
            let fault = Fault { fate, number, cutting };
            let seen = Arc::new(Seen::default());
            // What an earlier log of this thread left to state is no part of the story.
            GAP.take();
            let what = || format!("{fault:?}: {:?}", seen.failed.lock().unwrap());
            let is_over = || seen.failed.lock().unwrap().is_empty();
            story(&faulty(fault, &seen), &what, &is_over);
            if is_over() {
                break;
            }
            let failed = seen.failed.lock().unwrap();
            injected.0 += failed.len();
            injected.1.extend(failed.iter().copied());
        }
    }
    injected
}

const OF_A_WRITER: [&str; 10] = [
    "allocate",
    "create_directory",
    "create_mapped",
    "map",
    "open",
    "remove",
    "rename",
    "sync",
    "sync_directory",
    "write",
];

fn check_each_fault(way: Way) {
    let (count, operations) = each_fault(|disk, what, is_over| {
        let (_directory, path) = fresh();
        let kept = Kept::default();
        if let Ok(log) = open_in(way, Arc::<PlannedDisk>::clone(disk), &path) {
            life(&log, &kept);
            let _may_fail = log.close();
        }
        reopen(way, &path, &what());
        assert_holds(&path, &kept.records(), &what());
        kept.assert_blobs(&path, &what());
        if is_over() {
            assert_eq!(kept.records().len(), ACKNOWLEDGED);
        }
    });
    assert!(count > 200, "{count}");
    assert!(OF_A_WRITER.iter().chain(&["truncate"]).all(|operation| operations.contains(operation)), "{operations:?}");
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_and_the_log_opens_again() {
    check_each_fault(FEW_TO_A_SEGMENT);
}

#[test]
fn whatever_fails_while_segments_are_sealed_nothing_acknowledged_is_lost() {
    check_each_fault(COMPRESSED);
}

/// A log whose process died while the disk took nothing: records that were accepted are in the journal alone, a line is
/// unfinished and a segment half sealed.
fn dead(kept: &Kept) -> (TempDir, PathBuf) {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open_in(COMPRESSED, Arc::<PlannedDisk>::clone(&disk), &path).unwrap();
    life(&log, kept);
    log.flush().unwrap();
    disk.set(failing("write", Fate::FailsBefore(io::ErrorKind::StorageFull)));
    for call in 20..24 {
        assert_eq!(kept.give(&log, &Prepared::new(&started(call), Stage::Started).call(call_id(call))), None);
    }
    kept.give(&log, &Prepared::new(&completed(21), Stage::Completed).call(call_id(21)));
    let (directory, copied) = copy(log.path());
    let mut segments: Vec<_> =
        fs::read_dir(copied.join("segments")).unwrap().map(|file| file.unwrap().path()).collect();
    segments.sort();
    let mut last = fs::read(segments.last().unwrap()).unwrap();
    last.extend_from_slice(br#"{"record":{"action":"#);
    fs::write(segments.last().unwrap(), last).unwrap();
    fs::write(copied.join("segments/00000000000000000000.jsonl.zst.tmp"), b"half").unwrap();
    (directory, copied)
}

#[test]
fn whatever_fails_during_the_recovery_nothing_acknowledged_is_lost() {
    let kept = Kept::default();
    let (directory, dead) = dead(&kept);
    assert_eq!(kept.records().len(), ACKNOWLEDGED + 5);
    let mut attempts = 0;
    let (count, operations) = each_fault(|disk, what, _is_over| {
        attempts += 1;
        let path = directory.path().join(attempts.to_string());
        copy_to(&dead, &path);
        if let Ok(log) = open_in(COMPRESSED, Arc::<PlannedDisk>::clone(disk), &path) {
            let _may_fail = log.close();
        }
        reopen(COMPRESSED, &path, &what());
        assert_holds(&path, &kept.records(), &what());
        assert_eq!(checked(&path).summary.abandoned, 3, "{}", what());
        fs::remove_dir_all(path).unwrap();
    });
    assert!(count > 60, "{count}");
    assert!(["allocate", "map", "remove", "truncate", "write"].iter().all(|operation| operations.contains(operation)));
}

#[test]
fn wherever_the_process_dies_nothing_acknowledged_before_is_lost() {
    let (directory, path) = fresh();
    let copies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::new(Kept::default());
    let (made, live, to) = (Arc::clone(&copies), path.clone(), directory.path().to_owned());
    let acknowledged = Arc::clone(&kept);
    let disk = PlannedDisk::new(move |operation, _path| {
        let mut made: MutexGuard<'_, Vec<(PathBuf, Vec<Acknowledged>)>> = made.lock().unwrap();
        if live.exists() {
            let before = acknowledged.records();
            let copied = to.join(format!("{}-{operation}", made.len()));
            copy_to(&live, &copied);
            made.push((copied, before));
        }
        Fate::Passes
    });
    let log = open_in(COMPRESSED, disk, &path).unwrap();
    life(&log, &kept);
    log.close().unwrap();
    let copies = copies.lock().unwrap();
    assert!(copies.len() > 60, "{}", copies.len());
    for (copied, before) in copies.iter() {
        let what = copied.display().to_string();
        assert_ne!(verify_log(copied).unwrap().verdict, Verdict::Tampered, "{what}");
        reopen(COMPRESSED, copied, &what);
        assert_holds(copied, before, &what);
    }
}

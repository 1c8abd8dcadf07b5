use std::fs::File;
use std::io;

use super::*;
use crate::disk::{Disk, Mode};
use crate::journal::Mapped;

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Passes,
    /// It fails and nothing happens.
    FailsBefore(io::ErrorKind),
    /// It fails although it took effect.
    FailsAfter(io::ErrorKind),
    /// A write takes half of the bytes and fails when asked for the rest.
    FailsHalfway(io::ErrorKind),
}

type Plan = Arc<dyn Fn(&'static str, &Path) -> Fate + Send + Sync>;

/// The real disk, with a plan that says which operation fails.
struct PlannedDisk(Mutex<Plan>);

impl fmt::Debug for PlannedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlannedDisk")
    }
}

impl PlannedDisk {
    fn new(plan: impl Fn(&'static str, &Path) -> Fate + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Arc::new(plan))))
    }

    fn set(&self, plan: impl Fn(&'static str, &Path) -> Fate + Send + Sync + 'static) {
        *self.0.lock().unwrap() = Arc::new(plan);
    }

    fn fate(&self, operation: &'static str, path: &Path) -> Fate {
        // Not called under the lock: a plan may hold one operation up while others go on.
        let plan = Arc::clone(&self.0.lock().unwrap());
        plan(operation, path)
    }

    fn run<T>(&self, operation: &'static str, path: &Path, real: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.fate(operation, path) {
            Fate::Passes => real(),
            Fate::FailsBefore(kind) => Err(kind.into()),
            Fate::FailsAfter(kind) | Fate::FailsHalfway(kind) => real().and_then(|_done| Err(kind.into())),
        }
    }
}

impl Disk for PlannedDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.run("create_directory", path, || SystemDisk.create_directory(path))
    }

    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        self.run("open", path, || SystemDisk.open(path, mode))
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        match self.fate("write", Path::new("")) {
            Fate::Passes => SystemDisk.write(file, bytes),
            Fate::FailsBefore(kind) => Err(kind.into()),
            Fate::FailsAfter(kind) => SystemDisk.write(file, bytes).and(Err(kind.into())),
            Fate::FailsHalfway(kind) => SystemDisk.write(file, &bytes[..bytes.len() / 2]).and(Err(kind.into())),
        }
    }

    fn create_mapped(&self, path: &Path) -> io::Result<File> {
        self.run("create_mapped", path, || SystemDisk.create_mapped(path))
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.run("allocate", Path::new(""), || SystemDisk.allocate(file, bytes))
    }

    fn map(&self, file: &File) -> io::Result<Mapped> {
        self.run("map", Path::new(""), || SystemDisk.map(file))
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.run("truncate", Path::new(""), || SystemDisk.truncate(file, length))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        // No test can tell whether the device was reached; only the fate matters.
        self.run("sync", Path::new(""), || file.metadata().map(drop))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.run("sync_directory", path, || fs::metadata(path).map(drop))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run("remove", path, || SystemDisk.remove(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run("rename", to, || SystemDisk.rename(from, to))
    }
}

fn failing(operation: &'static str, fate: Fate) -> impl Fn(&'static str, &Path) -> Fate + Send + Sync + 'static {
    move |found, _path| if found == operation { fate } else { Fate::Passes }
}

fn passing(_operation: &'static str, _path: &Path) -> Fate {
    Fate::Passes
}

fn open_on(disk: &Arc<PlannedDisk>, path: &Path) -> Result<Log, Error> {
    let options = options().segment_bytes_max(1_700).append_timeout(Duration::from_millis(50));
    open(options, path, Arc::<PlannedDisk>::clone(disk))
}

/// Opens and closes a log on a disk that works again.
fn reopen(path: &Path) -> Result<(), Error> {
    open_on(&PlannedDisk::new(passing), path)?.close()
}

/// Opens a log, makes calls of several sizes and closes it; returns what was acknowledged.
fn life(disk: &Arc<PlannedDisk>, path: &Path) -> Vec<Appended> {
    let Ok(log) = open_on(disk, path) else { return Vec::new() };
    let mut acknowledged = Vec::new();
    for call in 0..4 {
        acknowledged.extend(begin_durably(&log, call).wait().ok());
        let small =
            br#"{"event_name":"run.created","schema_version":"1","stage":"event","time":"2026-10-27T09:43:02Z"}"#;
        acknowledged.extend(log.append(&Prepared::new(small, Stage::Event)).wait().ok());
        acknowledged.extend(end(&log, call).wait().ok());
    }
    let _may_fail = log.close();
    acknowledged
}

fn assert_holds(path: &Path, acknowledged: &[Appended], what: &str) {
    let lines = lines(path);
    for appended in acknowledged {
        let line = lines
            .get(usize::try_from(appended.number).unwrap())
            .unwrap_or_else(|| panic!("{what}: {appended:?} is lost"));
        assert_eq!(audit_core::hash::Hash::leaf(line.as_bytes()), appended.leaf_hash, "{what}");
    }
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_and_the_log_opens_again() {
    let fates = [
        Fate::FailsBefore(io::ErrorKind::StorageFull),
        Fate::FailsAfter(io::ErrorKind::Other),
        Fate::FailsHalfway(io::ErrorKind::StorageFull),
    ];
    for fate in fates {
        for count in 0.. {
            let (_directory, path) = fresh();
            let reached = Arc::new(AtomicU64::new(0));
            let failed = Arc::new(Mutex::new(None));
            let (seen, name) = (Arc::clone(&reached), Arc::clone(&failed));
            let disk = PlannedDisk::new(move |operation, _path| {
                if seen.fetch_add(1, Ordering::Relaxed) != count {
                    return Fate::Passes;
                }
                *name.lock().unwrap() = Some(operation);
                fate
            });
            let acknowledged = life(&disk, &path);
            let what = format!("{fate:?}, operation {count}: {:?}", failed.lock().unwrap());
            reopen(&path).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert_holds(&path, &acknowledged, &what);
            checked(&path);
            if reached.load(Ordering::Relaxed) <= count {
                assert_eq!(acknowledged.len(), 12);
                break;
            }
        }
    }
}

#[test]
fn wherever_the_process_dies_nothing_acknowledged_before_is_lost() {
    let (directory, path) = fresh();
    let copies = Arc::new(Mutex::new(Vec::new()));
    let (made, live, to) = (Arc::clone(&copies), path.clone(), directory.path().to_owned());
    let disk = PlannedDisk::new(move |operation, _path| {
        let mut made: MutexGuard<'_, Vec<(PathBuf, u64)>> = made.lock().unwrap();
        if live.exists() {
            // What lines the file holds now must be there after the recovery; only whole ones can be acknowledged.
            let copied = to.join(format!("{}-{operation}", made.len()));
            copy_to(&live, &copied);
            let whole = if copied.join("segments").exists() { lines(&copied).len() as u64 } else { 0 };
            made.push((copied, whole));
        }
        Fate::Passes
    });
    let acknowledged = life(&disk, &path);
    let copies = copies.lock().unwrap();
    assert!(copies.len() > 60, "{}", copies.len());
    for (copied, whole) in copies.iter() {
        let what = copied.display().to_string();
        assert_ne!(verify_log(copied).unwrap().verdict, Verdict::Tampered, "{what}");
        reopen(copied).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        checked(copied);
        let before: Vec<_> = acknowledged.iter().filter(|appended| appended.number < *whole).copied().collect();
        assert_holds(copied, &before, &what);
    }
}

#[test]
fn a_full_disk_refuses_records_and_counts_them_until_there_is_room() {
    let check = |kind: io::ErrorKind, expected: AppendErrorKind| {
        let (_directory, path) = fresh();
        let disk = PlannedDisk::new(passing);
        let log = open_on(&disk, &path).unwrap();
        disk.set(failing("write", Fate::FailsHalfway(kind)));
        let fault = begin(&log, 1).wait().unwrap_err();
        assert_eq!((fault.kind(), fault.is_final()), (expected, false));
        assert_eq!(super::kind(begin(&log, 2)), expected);
        disk.set(passing);
        begin(&log, 3).wait().unwrap();
        log.close().unwrap();
        assert_eq!(names(&path), ["log.opened", "records.dropped", "tool.called", "log.closed"]);
        assert_eq!(
            (&records(&path)[1]["log"]["dropped"], &records(&path)[3]["log"]["dropped"]),
            (&2.into(), &2.into())
        );
        checked(&path);
    };
    check(io::ErrorKind::StorageFull, AppendErrorKind::DiskFull);
    check(io::ErrorKind::QuotaExceeded, AppendErrorKind::DiskFull);
    check(io::ErrorKind::ReadOnlyFilesystem, AppendErrorKind::ReadOnly);
    check(io::ErrorKind::PermissionDenied, AppendErrorKind::ReadOnly);
    check(io::ErrorKind::Other, AppendErrorKind::Io);
}

#[test]
fn records_refused_until_the_end_are_left_to_the_next_log() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open_on(&disk, &path).unwrap();
    disk.set(failing("write", Fate::FailsHalfway(io::ErrorKind::StorageFull)));
    for call in 0..3 {
        assert_eq!(kind(begin(&log, call)), AppendErrorKind::DiskFull);
    }
    let fault = log.close().unwrap_err();
    assert_eq!(fault.append_kind(), Some(AppendErrorKind::DiskFull));
    let told = "records that were refused before and are not counted in the log: 3";
    assert!(fault.to_string().ends_with(told), "{fault}");
    let gap = GAP.get().unwrap();
    assert!(gap.count == 3 && gap.first < gap.last, "{gap:?}");
    assert!(log.close().unwrap_err().to_string().ends_with(told));
    reopen(&path).unwrap();
    let records = records(&path);
    assert_eq!(names(&path), ["log.opened", "log.opened", "log.recovered", "records.dropped", "log.closed"]);
    assert_eq!((&records[3]["log"]["dropped"], &records[4]["log"]["dropped"]), (&3.into(), &3.into()));
    assert_eq!(records[3]["annotations"]["from"], gap.first.to_string());
    assert_eq!(GAP.get(), None);
}

#[test]
fn a_gap_is_stated_after_the_first_checkpoint() {
    let (_directory, path) = fresh();
    let time = Time::from_unix(Duration::from_secs(1));
    let gap = Gap { count: 2, first: time, last: time };
    GAP.set(Some(gap));
    let disk = PlannedDisk::new(|operation, path| match operation {
        "rename" if path.ends_with("checkpoint") => Fate::FailsBefore(io::ErrorKind::StorageFull),
        _ => Fate::Passes,
    });
    assert_eq!(open_on(&disk, &path).unwrap_err().append_kind(), Some(AppendErrorKind::DiskFull));
    assert_eq!((names(&path), GAP.get()), (vec!["log.opened".to_owned()], Some(gap)));
    reopen(&path).unwrap();
    assert_eq!(names(&path)[3..], ["records.dropped", "log.closed"]);
}

#[test]
fn a_checkpoint_is_left_to_the_next_commit_if_someone_waits_for_it() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open(options(), &path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
    let (enter, entered) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let checkpoints = Arc::new(AtomicU64::new(0));
    let renamed = Arc::clone(&checkpoints);
    disk.set(move |operation, _path| {
        match operation {
            "rename" => _ = renamed.fetch_add(1, Ordering::Relaxed),
            // Errors mean that the test is over.
            "sync" => drop(enter.send(()).map(|()| released.lock().unwrap().recv())),
            _ => {}
        }
        Fate::Passes
    });
    let first = begin_durably(&log, 1);
    entered.recv().unwrap();
    let second = begin_durably(&log, 2);
    release.send(()).unwrap();
    first.wait().unwrap();
    // The second commit has begun, and there is no checkpoint over the first.
    entered.recv().unwrap();
    assert_eq!(checkpoints.load(Ordering::Relaxed), 0);
    release.send(()).unwrap();
    second.wait().unwrap();
    // This is the one of the checkpoint: nobody waits any more.
    entered.recv().unwrap();
    drop(release);
    while verify_log(&path).unwrap().checkpoint.unwrap().size < 3 {
        std::thread::yield_now();
    }
    assert_eq!(checkpoints.load(Ordering::Relaxed), 1);
    drop(entered);
    log.close().unwrap();
    assert_eq!(checked(&path).summary.beyond_checkpoint, 0);
}

#[cfg(unix)]
#[test]
fn a_full_segment_that_was_removed_or_replaced_ends_the_log() {
    let (_directory, path) = fresh();
    let log = options().segment_bytes_max(1).open(&path).unwrap();
    let segment = path.join("segments/00000000000000000000.jsonl");
    let bytes = fs::read(&segment).unwrap();
    fs::remove_file(&segment).unwrap();
    fs::write(&segment, bytes).unwrap();
    let fault = begin(&log, 1).wait().unwrap_err();
    assert_eq!((fault.kind(), fault.is_final()), (AppendErrorKind::Replaced, true));
    assert_eq!(log.close().unwrap_err().append_kind(), Some(AppendErrorKind::Replaced));
    assert_eq!(fs::read_dir(path.join("segments")).unwrap().count(), 1);
}

#[test]
fn a_failed_fsync_poisons_the_log_until_it_is_opened_again() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open_on(&disk, &path).unwrap();
    disk.set(failing("sync", Fate::FailsBefore(io::ErrorKind::Other)));
    let fault = begin_durably(&log, 1).wait().unwrap_err();
    assert!(fault.is_final());
    let message = "the log accepts nothing more until it is opened again: a segment could not be brought to the disk: other error";
    assert_eq!(fault.to_string(), message);
    disk.set(passing);
    assert_eq!(kind(begin(&log, 2)), AppendErrorKind::Poisoned);
    assert_eq!(log.close().unwrap_err().append_kind(), Some(AppendErrorKind::Poisoned));
    assert_eq!(log.close().unwrap_err().append_kind(), Some(AppendErrorKind::Poisoned));
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(checked(&path).summary.abandoned, 1);
}

#[test]
fn a_line_that_cannot_be_cut_poisons_the_log() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open_on(&disk, &path).unwrap();
    disk.set(|operation, _path| match operation {
        "write" => Fate::FailsHalfway(io::ErrorKind::StorageFull),
        "truncate" => Fate::FailsBefore(io::ErrorKind::Other),
        _ => Fate::Passes,
    });
    assert_eq!(kind(begin(&log, 1)), AppendErrorKind::Poisoned);
    disk.set(passing);
    assert_eq!(kind(begin(&log, 1)), AppendErrorKind::Poisoned);
    assert!(log.close().is_err());
    // The journal is kept, and what it holds was told to be no record.
    assert!(path.join("journal.0").exists());
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(names(&path), ["log.opened", "log.opened", "log.recovered", "log.closed"]);
    checked(&path);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_written_by_the_next_commit() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open_on(&disk, &path).unwrap();
    disk.set(failing("rename", Fate::FailsBefore(io::ErrorKind::StorageFull)));
    begin_durably(&log, 1).wait().unwrap();
    begin_durably(&log, 2).wait().unwrap();
    assert_eq!(checked(&path).checkpoint.unwrap().size, 1);
    disk.set(passing);
    log.close().unwrap();
    assert_eq!(checked(&path).summary.beyond_checkpoint, 0);
}

#[test]
fn a_checkpoint_that_cannot_be_written_at_the_end_is_told() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open_on(&disk, &path).unwrap();
    disk.set(failing("rename", Fate::FailsBefore(io::ErrorKind::StorageFull)));
    assert_eq!(log.close().unwrap_err().append_kind(), Some(AppendErrorKind::DiskFull));
    options().open(&path).unwrap().close().unwrap();
}

#[cfg(unix)]
#[test]
fn a_removed_or_replaced_file_ends_the_log_at_the_next_commit() {
    let check = |change: fn(&Path)| {
        let (_directory, path) = fresh();
        let log = options().open(&path).unwrap();
        change(&path);
        let fault = begin_durably(&log, 1).wait().unwrap_err();
        assert_eq!((fault.kind(), fault.is_final()), (AppendErrorKind::Replaced, true));
        assert_eq!(kind(begin(&log, 2)), AppendErrorKind::Replaced);
        assert_eq!(log.close().unwrap_err().append_kind(), Some(AppendErrorKind::Replaced));
    };
    const SEGMENT: &str = "segments/00000000000000000000.jsonl";
    check(|path| fs::remove_file(path.join(SEGMENT)).unwrap());
    check(|path| {
        let bytes = fs::read(path.join(SEGMENT)).unwrap();
        fs::remove_file(path.join(SEGMENT)).unwrap();
        fs::write(path.join(SEGMENT), bytes).unwrap();
    });
    check(|path| fs::rename(path, path.with_extension("moved")).unwrap());
    check(|path| fs::remove_file(path.join("lock")).unwrap());
    check(|path| fs::remove_dir_all(path).unwrap());
}

#[test]
fn appending_goes_on_while_a_commit_runs() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let log = open(options(), &path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
    let (enter, entered) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    disk.set(move |operation, _path| {
        if operation == "sync" {
            // Errors mean that the test is over.
            let _over = enter.send(()).map(|()| released.lock().unwrap().recv());
        }
        Fate::Passes
    });
    let waiting = begin_durably(&log, 1);
    entered.recv().unwrap();
    end(&log, 1).wait().unwrap();
    let second = begin_durably(&log, 2);
    assert!(waiting.now().is_none() && second.now().is_none());
    drop(release);
    assert_eq!((waiting.wait().unwrap().number, second.wait().unwrap().number), (1, 3));
    log.close().unwrap();
    checked(&path);
}

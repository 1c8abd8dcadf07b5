use std::io;

use super::disks::{Fate, PlannedDisk, failing, passing};
use super::*;

const FIRST: &str = "00000000000000000000.jsonl";

fn open_on(disk: &Arc<PlannedDisk>, path: &Path) -> Result<Log, Error> {
    let options = options().segment_bytes_max(1_700).append_timeout(Duration::from_millis(50));
    open(options, path, Arc::<PlannedDisk>::clone(disk))
}

/// Opens and closes a log on a disk that works again.
fn reopen(path: &Path) -> Result<(), Error> {
    open_on(&PlannedDisk::new(passing), path)?.close()
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
        patiently(&log, 3, Stage::Started, Durability::Os);
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

/// Waits until the first segment is sealed and its plain form gone.
fn sealed(path: &Path) {
    while path.join("segments").join(FIRST).exists() {
        std::thread::yield_now();
    }
}

#[test]
fn a_commit_may_take_longer_than_the_sealing_of_its_segment() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let options = options().segment_bytes_max(1_700).compress(true);
    let log = open(options, &path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
    let (enter, entered) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(Some(released));
    disk.set(move |operation, _path| {
        // The first one alone hangs: that of the commit.
        let first = if operation == "sync" { released.lock().unwrap().take() } else { None };
        if let Some(released) = first {
            enter.send(()).unwrap();
            let _over = released.recv();
        }
        Fate::Passes
    });
    let receipt = begin_durably(&log, 1);
    entered.recv().unwrap();
    begin(&log, 2).wait().unwrap();
    begin(&log, 3).wait().unwrap();
    sealed(&path);
    drop(release);
    assert_eq!(receipt.wait().unwrap().durable, Durability::Disk);
    log.close().unwrap();
    checked(&path);
}

#[test]
fn a_segment_that_was_sealed_is_not_missed_while_nothing_is_written_to_the_next() {
    let (_directory, path) = fresh();
    let disk = PlannedDisk::new(passing);
    let options = options().segment_bytes_max(1_700).compress(true).append_timeout(Duration::from_millis(50));
    let log = open(options, &path, Arc::<PlannedDisk>::clone(&disk)).unwrap();
    patiently(&log, 1, Stage::Started, Durability::Os);
    disk.set(|operation, path| {
        let is_next = path.extension().is_some_and(|extension| extension == "jsonl") && !path.ends_with(FIRST);
        if operation == "write" && is_next { Fate::FailsBefore(io::ErrorKind::StorageFull) } else { Fate::Passes }
    });
    assert_eq!(kind(begin(&log, 2)), AppendErrorKind::DiskFull);
    sealed(&path);
    log.shared().commit().unwrap();
    disk.set(passing);
    patiently(&log, 3, Stage::Started, Durability::Os);
    log.close().unwrap();
    checked(&path);
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
    patiently(&log, 1, Stage::Started, Durability::Disk);
    patiently(&log, 2, Stage::Started, Durability::Disk);
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

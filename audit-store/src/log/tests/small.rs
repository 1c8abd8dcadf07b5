//! A device that runs full in the middle of a run: nothing accepted is lost, the error names the cause, and writing goes on
//! when there is room again.

use std::fs::File;
use std::io;

use audit_core::sink::WhenFull;

use super::matrix::{Kept, assert_holds, completed, started};
use super::*;
use crate::disk::{Disk, Mode};
use crate::journal::Mapped;

/// How many bytes are left on the device once the log is open.
const LEFT: u64 = 300_000;

/// Something with little room.
trait Device {
    /// The directory for the log.
    fn place(&self) -> &Path;
    fn disk(&self) -> Arc<dyn Disk>;
    /// Uses up all room but so many bytes.
    fn fill_but(&self, bytes: u64);
    /// Makes room again.
    fn make_room(&self);
}

/// The real disk with a limit to the bytes below a directory.
#[derive(Debug)]
struct Quota {
    place: TempDir,
    bytes_max: AtomicU64,
}

impl Quota {
    fn new() -> Arc<Self> {
        Arc::new(Self { place: place(), bytes_max: AtomicU64::new(u64::MAX) })
    }

    fn used(&self) -> u64 {
        let mut open = vec![self.place.path().to_owned()];
        let mut used = 0;
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                    // What was removed meanwhile takes no room.
                    metadata => used += metadata.map_or(0, |metadata| metadata.len()),
                }
            }
        }
        used
    }

    fn left(&self) -> u64 {
        self.bytes_max.load(Ordering::Relaxed).saturating_sub(self.used())
    }
}

/// A disk within the quota.
#[derive(Debug)]
struct QuotaDisk(Arc<Quota>);

impl Disk for QuotaDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.create_directory(path)
    }

    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        SystemDisk.open(path, mode)
    }

    fn create_mapped(&self, path: &Path) -> io::Result<File> {
        SystemDisk.create_mapped(path)
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        if bytes > self.0.left() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.allocate(file, bytes)
    }

    fn map(&self, file: &File) -> io::Result<Mapped> {
        SystemDisk.map(file)
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(usize::try_from(self.0.left()).unwrap());
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.write(file, &bytes[..taken])
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        SystemDisk.truncate(file, length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        SystemDisk.sync(file)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_directory(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }
}

impl Device for Arc<Quota> {
    fn place(&self) -> &Path {
        self.place.path()
    }

    fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(QuotaDisk(Self::clone(self)))
    }

    fn fill_but(&self, bytes: u64) {
        self.bytes_max.store(self.used() + bytes, Ordering::Relaxed);
    }

    fn make_room(&self) {
        self.bytes_max.store(u64::MAX, Ordering::Relaxed);
    }
}

/// A file system of 16 MiB in a file.
#[cfg(target_os = "linux")]
struct Mounted {
    directory: TempDir,
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl Mounted {
    /// Mounts it; none where that is not allowed.
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let [image, path] = ["image", "mounted"].map(|name| directory.path().join(name));
        File::create(&image).unwrap().set_len(16 << 20).unwrap();
        fs::create_dir(&path).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let output = std::process::Command::new(program).args(arguments).output();
            output.is_ok_and(|output| output.status.success())
        };
        let [from, to] = [&image, &path].map(|path| path.to_str().unwrap());
        let is_mounted = run("mkfs.ext4", &["-q", "-F", "-m", "0", from]) && run("mount", &["-o", "loop", from, to]);
        is_mounted.then_some(Self { directory, path })
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        // Nothing is left to do if it fails; the directory is then not removed either.
        let _status = std::process::Command::new("umount").arg(&self.path).status();
    }
}

#[cfg(target_os = "linux")]
impl Device for Mounted {
    fn place(&self) -> &Path {
        assert!(self.path.starts_with(self.directory.path()));
        &self.path
    }

    fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(SystemDisk)
    }

    fn fill_but(&self, bytes: u64) {
        let ballast = File::create(self.ballast()).unwrap();
        while crate::disk::write_all(&SystemDisk, &ballast, &[1; 1 << 16]).is_ok() {}
        ballast.set_len(ballast.metadata().unwrap().len() - bytes).unwrap();
        ballast.sync_all().unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

/// Begins and ends a call that nobody waits for; returns how many of its records were refused.
fn call(log: &Log, kept: &Kept, call: u64) -> u64 {
    let (begun, ended) = (started(call), completed(call));
    let give = |record: &[u8], stage| {
        let prepared = Prepared::new(record, stage).call(call_id(call)).when_full(WhenFull::Refuse);
        let refused = kept.give(log, &prepared);
        // Before the writer has found that there is no space, it is only too slow.
        assert!([None, Some(AppendErrorKind::DiskFull), Some(AppendErrorKind::Busy)].contains(&refused), "{refused:?}");
        u64::from(refused.is_some())
    };
    give(&begun, Stage::Started) + give(&ended, Stage::Completed)
}

/// Appends a record and waits for its place as long as said.
fn ask(log: &Log, kept: &Kept, call: u64, patience: Duration) -> Option<AppendError> {
    let begun = started(call);
    kept.ask(log, &Prepared::new(&begun, Stage::Started).call(call_id(call)).timeout(Some(patience)))
}

fn check_full(device: &impl Device) {
    let path = device.place().join("orders");
    let kept = Kept::default();
    let log = open(options().segment_bytes_max(100_000), &path, device.disk()).unwrap();
    device.fill_but(LEFT);
    let (mut refused, mut next) = (0, 0);
    let patience = Duration::from_millis(300);
    let fault = loop {
        refused += (next..next + 20).map(|number| call(&log, &kept, number)).sum::<u64>();
        next += 21;
        if let Some(fault) = ask(&log, &kept, next - 1, patience) {
            break fault;
        }
    };
    assert_eq!((fault.kind(), fault.is_final()), (AppendErrorKind::DiskFull, false));
    assert!(fault.to_string().starts_with("the disk is full: could not "), "{fault}");
    refused += 1;
    // The journal takes what it has room for.
    let before = kept.records().len();
    while refused == 1 {
        refused += call(&log, &kept, next);
        next += 1;
    }
    assert!(kept.records().len() > before + 100, "{before} {}", kept.records().len());

    // A process that dies now loses nothing either.
    let (_copied, copied) = copy(&path);
    options().open(&copied).unwrap().close().unwrap();
    assert_holds(&copied, &kept.records(), "a process that died on a full disk");
    checked(&copied);

    device.make_room();
    assert!(ask(&log, &kept, next, Duration::from_secs(60)).is_none());
    log.close().unwrap();
    assert_holds(&path, &kept.records(), "a disk that was full");
    let report = checked(&path);
    assert!(report.segments > 2, "{}", report.segments);
    let dropped = records(&path).iter().filter_map(|record| record["log"]["dropped"].as_u64()).max();
    assert_eq!(dropped, Some(refused));

    device.fill_but(1_000);
    let fault = open(options(), &path, device.disk()).unwrap_err();
    assert!(fault.to_string().contains("full") || fault.to_string().contains("space"), "{fault}");
    device.make_room();
    open(options(), &path, device.disk()).unwrap().close().unwrap();
    checked(&path);
}

#[test]
fn a_quota_that_is_used_up_loses_nothing() {
    check_full(&Quota::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_runs_full_loses_nothing() {
    let mounted = Mounted::new();
    let used = if mounted.is_some() { "a mounted ext4 file system" } else { "no mount is allowed here: a quota" };
    eprintln!("the device that runs full: {used}");
    match mounted {
        Some(mounted) => check_full(&mounted),
        None => check_full(&Quota::new()),
    }
}

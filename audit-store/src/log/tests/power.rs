//! Power cuts: at each point where something is brought to the device, all that was not brought there yet may be lost.
#![cfg(unix)]

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;

use super::matrix::{Acknowledged, Kept, Way, assert_holds, life, open_in};
use super::*;
use crate::disk::{Disk, Mode};
use crate::journal::{FILE_NAMES, Mapped};

/// What is left of the names in a directory that were not brought to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// The directory is as it was when it was brought there last.
    Synced,
    /// All changes reached it all the same.
    Present,
}

/// What is left of the bytes in a file that were not brought to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bytes {
    /// The file is as it was when it was brought there last.
    Synced,
    /// Its length reached the device, its bytes did not: they are NUL.
    Nul,
    /// A part of what was added reached it.
    Half,
    /// All reached it.
    Present,
    /// Every other page of the journal reached it; the others are as they were at the power cut before, or NUL.
    Mixed,
}

const CUTS: [(Names, Bytes); 8] = [
    (Names::Synced, Bytes::Synced),
    (Names::Synced, Bytes::Nul),
    (Names::Synced, Bytes::Half),
    (Names::Synced, Bytes::Present),
    (Names::Present, Bytes::Synced),
    (Names::Present, Bytes::Nul),
    (Names::Present, Bytes::Half),
    (Names::Present, Bytes::Mixed),
];

/// What reached the device.
#[derive(Default)]
struct Device {
    /// The bytes of each file, by its inode.
    bytes: HashMap<u64, Vec<u8>>,
    /// The names in each directory.
    names: HashMap<PathBuf, BTreeMap<OsString, u64>>,
    /// The bytes of the journal at the last power cut.
    journal: HashMap<u64, Vec<u8>>,
    /// Keeps every inode from being given to another file.
    held: Vec<File>,
}

/// A log as a power cut left it.
struct Left {
    path: PathBuf,
    /// What the log had said by then that it has on the disk.
    kept: Vec<Acknowledged>,
    what: String,
}

/// The real disk, which knows what would be left if the power were cut.
struct UnsafeDisk {
    log: PathBuf,
    /// Where the copies go.
    to: PathBuf,
    kept: Arc<Kept>,
    device: Mutex<Device>,
    left: Mutex<Vec<Left>>,
}

impl fmt::Debug for UnsafeDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsafeDisk")
    }
}

impl UnsafeDisk {
    fn new(log: &Path, to: &Path) -> Arc<Self> {
        let [log, to] = [log, to].map(Path::to_owned);
        Arc::new(Self { log, to, kept: Arc::default(), device: Mutex::default(), left: Mutex::default() })
    }

    fn hold(&self, file: File) -> io::Result<File> {
        self.device.lock().unwrap().held.push(file.try_clone()?);
        Ok(file)
    }

    /// Cuts the power: makes a copy of the log for each way in which it may be left.
    fn cut(&self, when: &str) {
        let mut device = self.device.lock().unwrap();
        if !device.names.contains_key(&self.log) {
            return;
        }
        let kept: Vec<_> = self.kept.records().into_iter().filter(Acknowledged::is_on_disk).collect();
        let mut left = self.left.lock().unwrap();
        for (names, bytes) in CUTS {
            let path = self.to.join(format!("cut-{}", left.len()));
            device.copy(&self.log, &path, (names, bytes));
            let what = format!("{}: {when}, {names:?} names, {bytes:?} bytes", path.display());
            left.push(Left { path, kept: kept.clone(), what });
        }
        for name in FILE_NAMES {
            let path = self.log.join(name);
            let inode = fs::metadata(&path).map_or(0, |metadata| metadata.ino());
            device.journal.extend(read(&path, inode).map(|bytes| (inode, bytes)));
        }
    }
}

impl Device {
    fn copy(&self, from: &Path, to: &Path, cut: (Names, Bytes)) {
        fs::create_dir(to).unwrap();
        let present = list(from);
        let synced = self.names.get(from).cloned().unwrap_or_default();
        let names = if cut.0 == Names::Synced { &synced } else { &present };
        for (name, inode) in names {
            let (path, to) = (from.join(name), to.join(name));
            // No directory is ever removed or renamed.
            if path.is_dir() {
                self.copy(&path, &to, cut);
                continue;
            }
            // A file that was removed, or replaced by now, has no bytes but those that reached the device.
            let present = read(&path, *inode).unwrap_or_default();
            let bytes = if FILE_NAMES.iter().any(|journal| name == journal) {
                self.journal_after(*inode, present, cut.1)
            } else {
                self.file_after(*inode, present, cut.1)
            };
            fs::write(to, bytes).unwrap();
        }
    }

    /// Files that only grow: a part of what was added may be lost, and nothing else.
    fn file_after(&self, inode: u64, present: Vec<u8>, cut: Bytes) -> Vec<u8> {
        let mut bytes = self.bytes.get(&inode).cloned().unwrap_or_default();
        let added = present.get(bytes.len()..).unwrap_or_default();
        match cut {
            Bytes::Synced => {}
            Bytes::Nul => bytes.resize(bytes.len() + added.len(), 0),
            Bytes::Half => bytes.extend_from_slice(&added[..added.len() / 2]),
            Bytes::Present | Bytes::Mixed => bytes.extend_from_slice(added),
        }
        bytes
    }

    /// The journal is never brought to the device: each of its pages may have any age.
    fn journal_after(&self, inode: u64, present: Vec<u8>, cut: Bytes) -> Vec<u8> {
        let mut bytes = match cut {
            Bytes::Synced => return Vec::new(),
            Bytes::Present => return present,
            Bytes::Nul => return vec![0; present.len()],
            Bytes::Half | Bytes::Mixed => self.journal.get(&inode).cloned().unwrap_or_default(),
        };
        bytes.resize(present.len(), 0);
        let odd = usize::from(cut == Bytes::Half);
        let pages = bytes.chunks_mut(4096).zip(present.chunks(4096)).enumerate();
        pages.filter(|(number, _)| number % 2 == odd).for_each(|(_, (to, from))| to.copy_from_slice(from));
        bytes
    }
}

/// Reads the file at the path if it is the one with the inode; other threads go on renaming meanwhile.
fn read(path: &Path, inode: u64) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    let is_the_one = file.metadata().ok()?.ino() == inode;
    (is_the_one && file.read_to_end(&mut bytes).is_ok()).then_some(bytes)
}

/// Lists the names in a directory, each with its inode.
fn list(directory: &Path) -> BTreeMap<OsString, u64> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name(), entry.metadata().ok()?.ino()))).collect()
}

impl Disk for UnsafeDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        SystemDisk.create_directory(path)
    }

    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        self.hold(SystemDisk.open(path, mode)?)
    }

    fn create_mapped(&self, path: &Path) -> io::Result<File> {
        self.hold(SystemDisk.create_mapped(path)?)
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        SystemDisk.allocate(file, bytes)
    }

    fn map(&self, file: &File) -> io::Result<Mapped> {
        SystemDisk.map(file)
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        SystemDisk.write(file, bytes)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        SystemDisk.truncate(file, length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.cut("before a file was synced");
        let inode = file.metadata()?.ino();
        let mut open = vec![self.log.clone()];
        while let Some(directory) = open.pop() {
            for name in list(&directory).keys() {
                let path = directory.join(name);
                if path.is_dir() {
                    open.push(path);
                } else if let Some(bytes) = read(&path, inode) {
                    self.device.lock().unwrap().bytes.insert(inode, bytes);
                }
            }
        }
        self.cut("after a file was synced");
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.cut("before a directory was synced");
        self.device.lock().unwrap().names.insert(path.to_owned(), list(path));
        self.cut("after a directory was synced");
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }
}

/// Opens what was left, and checks that nothing is missing that was said to be on the disk.
fn check_left(way: Way, left: &Left) {
    let what = &left.what;
    let log = open_in(way, Arc::new(SystemDisk), &left.path).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    log.close().unwrap_or_else(|fault| panic!("{what}: {fault}"));
    checked(&left.path);
    assert_holds(&left.path, &left.kept, what);
}

fn check_power_cuts(way: Way) {
    let (directory, path) = fresh();
    let disk = UnsafeDisk::new(&path, directory.path());
    let log = open_in(way, Arc::<UnsafeDisk>::clone(&disk), &path).unwrap();
    life(&log, &disk.kept);
    log.close().unwrap();
    let left = disk.left.lock().unwrap();
    assert!(left.len() > 100 * CUTS.len() / 2, "{}", left.len());
    assert!(left.iter().any(|left| left.kept.len() == 3), "everything that was to be on the disk was");
    left.iter().for_each(|left| check_left(way, left));
}

#[test]
fn whenever_the_power_is_cut_nothing_is_missing_that_was_on_the_disk() {
    check_power_cuts(Way { segment_bytes_max: 1_000_000, compress: false });
    check_power_cuts(Way { segment_bytes_max: 3_000, compress: true });
}

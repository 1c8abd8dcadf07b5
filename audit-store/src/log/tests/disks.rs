//! Disks that do not do what they are told.

use std::fs::File;
use std::io;

use super::*;
use crate::disk::{Disk, Identity, Mode};
use crate::journal::Mapped;

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
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
pub(super) struct PlannedDisk {
    plan: Mutex<Plan>,
    /// Which file was opened or created at which path.
    files: Mutex<Vec<(Identity, PathBuf)>>,
}

impl fmt::Debug for PlannedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlannedDisk")
    }
}

impl PlannedDisk {
    pub(super) fn new(plan: impl Fn(&'static str, &Path) -> Fate + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { plan: Mutex::new(Arc::new(plan)), files: Mutex::default() })
    }

    pub(super) fn set(&self, plan: impl Fn(&'static str, &Path) -> Fate + Send + Sync + 'static) {
        *self.plan.lock().unwrap() = Arc::new(plan);
    }

    fn fate(&self, operation: &'static str, path: &Path) -> Fate {
        // Not called under the lock: a plan may hold one operation up while others go on.
        let plan = Arc::clone(&self.plan.lock().unwrap());
        plan(operation, path)
    }

    /// Remembers at which path a file was opened.
    fn note(&self, path: &Path, file: File) -> io::Result<File> {
        self.files.lock().unwrap().push((Identity::of(&file)?, path.to_owned()));
        Ok(file)
    }

    /// Returns the path at which a file was opened last.
    fn path_of(&self, file: &File) -> PathBuf {
        let identity = Identity::of(file).unwrap();
        let files = self.files.lock().unwrap();
        files.iter().rev().find(|(found, _)| *found == identity).map(|(_, path)| path.clone()).unwrap_or_default()
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
        self.run("open", path, || SystemDisk.open(path, mode).and_then(|file| self.note(path, file)))
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        match self.fate("write", &self.path_of(file)) {
            Fate::Passes => SystemDisk.write(file, bytes),
            Fate::FailsBefore(kind) => Err(kind.into()),
            Fate::FailsAfter(kind) => SystemDisk.write(file, bytes).and(Err(kind.into())),
            Fate::FailsHalfway(kind) => SystemDisk.write(file, &bytes[..bytes.len() / 2]).and(Err(kind.into())),
        }
    }

    fn create_mapped(&self, path: &Path) -> io::Result<File> {
        self.run("create_mapped", path, || SystemDisk.create_mapped(path).and_then(|file| self.note(path, file)))
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.run("allocate", &self.path_of(file), || SystemDisk.allocate(file, bytes))
    }

    fn map(&self, file: &File) -> io::Result<Mapped> {
        self.run("map", &self.path_of(file), || SystemDisk.map(file))
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.run("truncate", &self.path_of(file), || SystemDisk.truncate(file, length))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        // No test can tell whether the device was reached; only the fate matters.
        self.run("sync", &self.path_of(file), || file.metadata().map(drop))
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

pub(super) fn failing(
    operation: &'static str,
    fate: Fate,
) -> impl Fn(&'static str, &Path) -> Fate + Send + Sync + 'static {
    move |found, _path| if found == operation { fate } else { Fate::Passes }
}

pub(super) fn passing(_operation: &'static str, _path: &Path) -> Fate {
    Fate::Passes
}

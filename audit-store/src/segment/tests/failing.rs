//! A disk whose operations fail one by one.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::disk::{Disk, Mode, SystemDisk};
use crate::journal::Mapped;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    Before,
    After,
    /// A write takes half of its bytes.
    Halfway,
}

/// The real disk, on which one operation fails, and with `killed` all that follow it.
#[derive(Debug)]
pub(crate) struct FailingDisk {
    operation: usize,
    fails: Fails,
    killed: bool,
    done: AtomicUsize,
}

impl FailingDisk {
    /// Makes a disk whose operation of the given number, counted from 0, fails.
    pub(crate) fn new(operation: usize, fails: Fails, killed: bool) -> Self {
        Self { operation, fails, killed, done: AtomicUsize::new(0) }
    }

    /// Tells whether so many operations were asked for that one failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.done.load(Ordering::Relaxed) > self.operation
    }

    fn run<T>(&self, real: impl FnOnce() -> io::Result<T>, half: impl FnOnce()) -> io::Result<T> {
        let number = self.done.fetch_add(1, Ordering::Relaxed);
        if number == self.operation {
            match self.fails {
                Fails::Before => {}
                Fails::After => drop(real()),
                Fails::Halfway => half(),
            }
        } else if !self.killed || number < self.operation {
            return real();
        }
        Err(io::ErrorKind::StorageFull.into())
    }
}

impl Disk for FailingDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.run(|| SystemDisk.create_directory(path), || {})
    }

    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        self.run(|| SystemDisk.open(path, mode), || {})
    }

    fn create_mapped(&self, path: &Path) -> io::Result<File> {
        self.run(|| SystemDisk.create_mapped(path), || {})
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.run(|| SystemDisk.allocate(file, bytes), || {})
    }

    fn map(&self, file: &File) -> io::Result<Mapped> {
        self.run(|| SystemDisk.map(file), || {})
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        self.run(|| SystemDisk.write(file, bytes), || drop(SystemDisk.write(file, &bytes[..bytes.len() / 2])))
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.run(|| SystemDisk.truncate(file, length), || {})
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.run(|| SystemDisk.sync(file), || {})
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.run(|| SystemDisk.sync_directory(path), || {})
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(|| SystemDisk.remove(path), || {})
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(|| SystemDisk.rename(from, to), || {})
    }
}

//! The journal's files, and their memory as words.
//!
//! Memory that is shared with a file is only ever touched through atomic words. So whatever another process does to the
//! file's bytes, this one reads wrong numbers at worst, which checksums find. One thing is left: whoever cuts the file
//! short while it is mapped ends the process by SIGBUS. The files belong to their owner alone and lie in a directory
//! that the log holds locked.
#![allow(unsafe_code, reason = "the mapped memory is a pointer, and its words are shared with other threads")]

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use memmap2::{MmapOptions, MmapRaw};

use super::header::{self, PAGE_BYTES};
use super::memory::{Memory, SystemGate};
use super::slot::{WORD_BYTES, index, number};
use crate::disk::open_plain;

/// Memory of whole pages that lives as long as this.
#[derive(Debug)]
pub(crate) struct Mapped(MmapRaw);

impl Mapped {
    /// Makes memory of one page that belongs to this process and no file.
    pub(super) fn page() -> io::Result<Self> {
        Ok(Self(MmapOptions::new().len(index(PAGE_BYTES)).map_anon()?.into()))
    }

    /// Has the memory read as zero in a forked child.
    #[cfg(target_os = "linux")]
    pub(super) fn wipe_on_fork(&self) -> io::Result<()> {
        use rustix::mm::{Advice, madvise};
        // SAFETY: the range is a private mapping that is `self`'s alone, and the advice changes it in no process but a
        // child, where the words then read as zero.
        unsafe { madvise(self.0.as_mut_ptr().cast(), self.0.len(), Advice::LinuxWipeOnFork) }?;
        Ok(())
    }

    /// Has the memory read as zero in a forked child, which only Linux can.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn wipe_on_fork(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the memory's words.
    #[inline]
    pub(super) fn words(&self) -> &[AtomicU64] {
        let first = self.0.as_mut_ptr().cast::<AtomicU64>();
        // SAFETY: the pointer is to a mapping of `len` bytes that can be read and written and is unmapped only when
        // `self` is dropped; a mapping begins at a page, which is aligned for a word, and is initialised. Every access
        // to it in this process is atomic, as this function alone hands the memory out.
        unsafe { core::slice::from_raw_parts(first, self.0.len() / WORD_BYTES) }
    }

    /// Counts the bytes.
    pub(super) fn bytes(&self) -> u64 {
        number(self.0.len())
    }

    /// Tells whether no header was written yet.
    pub(super) fn is_blank(&self) -> bool {
        self.header().iter().take(header::WORDS).all(|word| word.load(Relaxed) == 0)
    }
}

impl Memory for Mapped {
    type Word = AtomicU64;
    type Gate = SystemGate;

    #[inline]
    fn header(&self) -> &[AtomicU64] {
        self.words().split_at_checked(index(PAGE_BYTES) / WORD_BYTES).unwrap_or_default().0
    }

    #[inline]
    fn slots(&self) -> &[AtomicU64] {
        self.words().split_at_checked(index(PAGE_BYTES) / WORD_BYTES).unwrap_or_default().1
    }
}

/// Creates a plain file for [`map`], to be read and written by its owner alone; it must not exist yet.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    open_plain(&mut options, path)
}

/// Gives an empty file its length, and space on the device for all of it.
///
/// A page of a mapped file that finds no space when it is written ends the process, so the space is taken before.
/// BUG: file systems that copy on write (btrfs, ZFS) may need more of it later all the same.
///
/// # Errors
/// `StorageFull` if there is not so much space.
pub(crate) fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        loop {
            match fallocate(file, FallocateFlags::empty(), 0, bytes) {
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => break,
                done => return Ok(done?),
            }
        }
    }
    write_zeros(file, bytes)
}

fn write_zeros(mut file: &File, mut bytes: u64) -> io::Result<()> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    while bytes > 0 {
        let zeros = ZEROS.get(..index(bytes)).unwrap_or(&ZEROS);
        file.write_all(zeros)?;
        bytes -= number(zeros.len());
    }
    Ok(())
}

/// Maps the whole file, shared with everybody who reads it.
pub(crate) fn map(file: &File) -> io::Result<Mapped> {
    Ok(Mapped(MmapOptions::new().map_raw(file)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::{allocate, create_file, map, write_zeros};
    use crate::journal::fork::ForkMark;
    use crate::journal::{FILE_BYTES_MIN, FILE_NAMES, Meta, Refused, Start, start};

    /// Runs the check in a forked child and returns the error that it ends with: its own, or that there is no such program.
    fn in_forked_child(check: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> io::Result<()> {
        let mut command = Command::new("/nonexistent");
        // SAFETY: the closure runs between fork and exec in a child with this one thread. The checks given here read
        // memory and call nothing that takes a lock another thread could have held.
        unsafe { command.pre_exec(check) };
        command.spawn().map(drop)
    }

    const REFUSED: i32 = 77;

    #[test]
    fn a_forked_child_knows_itself() {
        for mark in [ForkMark::new(), ForkMark::by_process_id()] {
            assert!(!mark.is_child());
            let mark = std::sync::Arc::new(mark);
            let theirs = std::sync::Arc::clone(&mark);
            let fault =
                in_forked_child(
                    move || {
                        if theirs.is_child() { Err(io::Error::from_raw_os_error(REFUSED)) } else { Ok(()) }
                    },
                );
            assert_eq!(fault.unwrap_err().raw_os_error(), Some(REFUSED));
            assert!(!mark.is_child());
        }
    }

    #[test]
    fn a_forked_child_appends_and_recycles_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let files = FILE_NAMES.map(|name| {
            let file = create_file(&directory.path().join(name)).unwrap();
            allocate(&file, FILE_BYTES_MIN).unwrap();
            map(&file).unwrap()
        });
        let (journal, drain) = start(files, Start { stream_id: [1; 16], base_entry: 0 }).unwrap();
        journal.append(Meta::default(), b"{}", None).unwrap();
        let before = FILE_NAMES.map(|name| std::fs::read(directory.path().join(name)).unwrap());

        let (theirs, drain) = (journal.clone(), std::sync::Mutex::new(drain));
        let fault = in_forked_child(move || {
            drain.lock().unwrap().release(9);
            match theirs.append(Meta::default(), b"{}", None) {
                Err(Refused::Forked) => Err(io::Error::from_raw_os_error(REFUSED)),
                _ => Ok(()),
            }
        });
        assert_eq!(fault.unwrap_err().raw_os_error(), Some(REFUSED));
        assert!(before == FILE_NAMES.map(|name| std::fs::read(directory.path().join(name)).unwrap()));
        assert!(journal.append(Meta::default(), b"{}", None).is_ok(), "the parent goes on");
    }

    #[test]
    fn space_is_taken_before_the_file_is_mapped() {
        use std::os::unix::fs::MetadataExt as _;
        for fill in [allocate, write_zeros] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("journal.0");
            let file = create_file(&path).unwrap();
            fill(&file, FILE_BYTES_MIN + 4096).unwrap();
            let metadata = file.metadata().unwrap();
            assert_eq!(metadata.len(), FILE_BYTES_MIN + 4096);
            assert_eq!(metadata.mode() & 0o777, 0o600);
            file.sync_all().unwrap();
            assert!(file.metadata().unwrap().blocks() * 512 >= FILE_BYTES_MIN + 4096);
            assert_eq!(map(&file).unwrap().bytes(), FILE_BYTES_MIN + 4096);
            assert_eq!(create_file(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn a_full_device_is_an_error_and_no_signal() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(write_zeros(&full, FILE_BYTES_MIN).unwrap_err().kind(), io::ErrorKind::StorageFull);
        let directory = tempfile::tempdir().unwrap();
        let file = create_file(&directory.path().join("journal.0")).unwrap();
        assert_eq!(allocate(&file, 1 << 62).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}

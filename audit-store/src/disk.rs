//! The few operations by which the writer changes files, so that tests can make each of them fail.

use core::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::journal::{self, Mapped};

/// How [`Disk::open`] opens a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The file must not exist yet.
    New,
    /// The file must exist.
    Existing,
    /// The file is created if it does not exist, and left as it is if it does.
    Any,
}

/// What the writer does to the file system.
pub(crate) trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Creates one directory, readable by its owner alone.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Opens a plain file for appending, through no link; one that is created can be read and written by its owner alone.
    fn open(&self, path: &Path, mode: Mode) -> io::Result<File>;
    /// Creates a plain file that can be read and written, to be mapped; it must not exist yet.
    fn create_mapped(&self, path: &Path) -> io::Result<File>;
    /// Gives a file its length and the space for it, so that no write to its memory can fail for want of space.
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()>;
    /// Maps the whole of a file into memory.
    fn map(&self, file: &File) -> io::Result<Mapped>;
    /// Appends bytes with one `write(2)` and returns how many were taken.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file to the given length.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;
    /// Brings the file's bytes and length to the device (`fdatasync(2)`).
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Brings the names in a directory to the device.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Removes the name of a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Renames a file, replacing the one that has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match mode {
            Mode::New => options.append(true).create_new(true),
            Mode::Existing => options.append(true),
            Mode::Any => options.append(true).create(true),
        };
        open_plain(&mut options, path)
    }

    fn create_mapped(&self, path: &Path) -> io::Result<File> {
        journal::create_file(path)
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        journal::allocate(file, bytes)
    }

    fn map(&self, file: &File) -> io::Result<Mapped> {
        journal::map(file)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Only unix opens a directory as a file; elsewhere the file system itself keeps names in order.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}

/// Opens a file only if it is a plain one at the path itself: no link is followed, and a FIFO holds nobody up.
pub(crate) fn open_plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a plain file, found something else"))
}

/// Writes all bytes, with one call unless the system takes fewer.
pub(crate) fn write_all(disk: &dyn Disk, file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match disk.write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Why a file was not replaced.
#[derive(Debug)]
pub(crate) struct ReplaceError {
    pub(crate) source: io::Error,
    /// True if an fsync failed: the device can no longer be trusted, while anything else may pass.
    pub(crate) sync_failed: bool,
}

/// Replaces a file of the directory by one with the given bytes, so that a reader sees the old or the new one whole.
pub(crate) fn replace(disk: &dyn Disk, directory: &Path, name: &str, bytes: &[u8]) -> Result<(), ReplaceError> {
    let may_pass = |source| ReplaceError { source, sync_failed: false };
    let sync_failed = |source| ReplaceError { source, sync_failed: true };
    let temporary = directory.join(format!("{name}.tmp"));
    // What lies there was left by an attempt that was interrupted, or put there to be written through.
    match disk.remove(&temporary) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        removed => removed.map_err(may_pass)?,
    }
    let file = disk.open(&temporary, Mode::New).map_err(may_pass)?;
    write_all(disk, &file, bytes).map_err(may_pass)?;
    disk.sync(&file).map_err(sync_failed)?;
    disk.rename(&temporary, &directory.join(name)).map_err(may_pass)?;
    disk.sync_directory(directory).map_err(sync_failed)
}

/// Which file an open handle is, so that a path can be asked whether it still names it.
///
/// While the handle is open its inode is not given to another file, so equal numbers mean the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Identity {
    /// Takes the identity of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from_metadata(&file.metadata()?))
    }

    /// Tells whether the path still names the file.
    pub(crate) fn is_at(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| Self::from_metadata(&metadata) == self)
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn from_metadata(_metadata: &fs::Metadata) -> Self {
        Self {}
    }
}

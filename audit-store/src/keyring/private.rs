//! Files that only their owner may read, made whole under their names and destroyed by being written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::disk::{Disk as _, Mode, SystemDisk, open_plain, write_all};
use crate::keyring::cipher::random;
use crate::keyring::tenant::NO_RANDOMNESS;
use crate::{Error, keys};

/// How long a file of a ring may be.
const FILE_BYTES_MAX: u64 = 4096;

/// Reads a file whole, with the mode that a secret has; none if there is no file.
pub(super) fn read(options: &mut OpenOptions, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let failed = |source| Error::io(path, "read a key", source);
    let file = match open_plain(options, path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    keys::check_mode(path, &file)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::key(path, format!("expected at most {FILE_BYTES_MAX} bytes, found more")));
    }
    Ok(Some(bytes))
}

/// Makes a file that no other process sees before it is whole and on the disk; false if there is one of the name.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<bool, Error> {
    let attempt = random::<8>().map_err(|_fault| Error::key(path, NO_RANDOMNESS.to_owned()))?;
    let temporary = path.with_extension(format!("{}.tmp", hex::encode(*attempt)));
    let written = write(&temporary, bytes);
    // A link, unlike a renaming, never takes the place of a file that another process was faster to make.
    let linked = written.and_then(|()| match fs::hard_link(&temporary, path) {
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true),
    });
    let removed = fs::remove_file(&temporary);
    let synced = linked.and_then(|is_made| {
        removed?;
        sync_parent(path).map(|()| is_made)
    });
    synced.map_err(|source| Error::io(path, "write a key", source))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = SystemDisk.open(path, Mode::New)?;
    write_all(&SystemDisk, &file, bytes)?;
    file.sync_all()
}

/// Writes over the bytes of a file, brings that to the disk and removes the name; false if there was none.
///
/// What file system and device keep of overwritten bytes is out of reach from here.
pub(super) fn destroy(path: &Path) -> Result<bool, Error> {
    let failed = |source| Error::io(path, "destroy a key", source);
    let mut file = match open_plain(OpenOptions::new().write(true), path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(failed)?,
    };
    overwrite(&mut file).map_err(failed)?;
    match fs::remove_file(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
        removed => removed.map_err(failed)?,
    }
    sync_parent(path).map_err(failed)?;
    Ok(true)
}

fn overwrite(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len().min(FILE_BYTES_MAX);
    file.write_all(&vec![0; usize::try_from(length).unwrap_or(0)])?;
    file.sync_all()
}

/// Makes a directory that only its owner may enter, unless it is there.
pub(super) fn create_directory(path: &Path) -> Result<(), Error> {
    let created = match SystemDisk.create_directory(path) {
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.and_then(|()| sync_parent(path)),
    };
    created.map_err(|source| Error::io(path, "create a directory of the key ring", source))
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => SystemDisk.sync_directory(Path::new(".")),
        Some(parent) => SystemDisk.sync_directory(parent),
        None => Ok(()),
    }
}

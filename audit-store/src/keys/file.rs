//! The file of a secret that is replaced.
//!
//! `<file>` holds the secret of the current epoch; `<file>.next`, while a rotation is under way, that of the next one. A
//! rotation ends by overwriting the first and renaming the second. Each step can be the last one: whoever opens the log next
//! goes on from there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use audit_core::note::SecretKey;
use zeroize::Zeroizing;

use crate::Error;
use crate::disk::{self, Disk, SystemDisk, open_plain};

/// How long the file of a secret may be.
const FILE_BYTES_MAX: u64 = 4096;

/// Makes a new secret in a file that must not exist; only its owner can read it.
///
/// # Errors
/// The name is none, or the file exists or cannot be written.
pub fn create(path: impl AsRef<Path>, name: &str) -> Result<SecretKey, Error> {
    let path = path.as_ref();
    if path.exists() {
        return Err(Error::key(path, "expected no file, found one; a secret is never written over".to_owned()));
    }
    KeyFile::new(path).create(&SystemDisk, name)
}

/// Reads the secret of the current epoch.
///
/// # Errors
/// The file cannot be read, others than its owner may, or it does not hold a secret key.
pub fn read(path: impl AsRef<Path>) -> Result<SecretKey, Error> {
    let path = path.as_ref();
    load(path)?.ok_or_else(|| Error::key(path, "expected a secret key, found no file".to_owned()))
}

/// The file, and that of the next secret.
#[derive(Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
    next_path: PathBuf,
}

/// The secrets that the files hold.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// None where the file is missing, or was overwritten by a rotation that did not get further.
    pub(crate) current: Option<SecretKey>,
    pub(crate) next: Option<SecretKey>,
}

impl KeyFile {
    pub(crate) fn new(path: &Path) -> Self {
        let mut next_path = path.as_os_str().to_owned();
        next_path.push(".next");
        Self { path: path.to_owned(), next_path: next_path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn load(&self) -> Result<Secrets, Error> {
        Ok(Secrets { current: load(&self.path)?, next: load(&self.next_path)? })
    }

    /// Makes the first secret.
    pub(crate) fn create(&self, disk: &dyn Disk, name: &str) -> Result<SecretKey, Error> {
        let secret = SecretKey::generate(name).map_err(|fault| Error::key(&self.path, fault.to_string()))?;
        write(disk, &self.path, &secret)?;
        Ok(secret)
    }

    /// Makes the next secret and brings it to the disk; nothing may name it before.
    pub(crate) fn prepare(&self, disk: &dyn Disk, name: &str) -> Result<SecretKey, Error> {
        self.discard(disk)?;
        let secret = SecretKey::generate(name).map_err(|fault| Error::key(&self.next_path, fault.to_string()))?;
        write(disk, &self.next_path, &secret)?;
        Ok(secret)
    }

    /// Removes a next secret that no entry names.
    pub(crate) fn discard(&self, disk: &dyn Disk) -> Result<(), Error> {
        if !self.next_path.exists() {
            return Ok(());
        }
        let removed = overwrite(disk, &self.next_path).and_then(|()| disk.remove(&self.next_path));
        removed.map_err(|source| Error::io(&self.next_path, "remove an unused secret", source))
    }

    /// Destroys the current secret and puts the next one in its place.
    ///
    /// What file system and device keep of overwritten bytes is out of reach from here.
    pub(crate) fn advance(&self, disk: &dyn Disk) -> Result<(), Error> {
        // An attempt that failed after the renaming has put the next secret in place: it must not be overwritten.
        let moved = match self.next_path.try_exists() {
            Ok(false) => Ok(()),
            Err(fault) => Err(fault),
            Ok(true) => {
                let overwritten = if self.path.exists() { overwrite(disk, &self.path) } else { Ok(()) };
                overwritten.and_then(|()| disk.rename(&self.next_path, &self.path))
            }
        };
        let moved =
            moved.and_then(|()| self.path.parent().map_or(Ok(()), |parent| disk.sync_directory(directory(parent))));
        moved.map_err(|source| Error::io(&self.path, "replace the secret of the last epoch", source))
    }
}

fn directory(parent: &Path) -> &Path {
    if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
}

fn write(disk: &dyn Disk, path: &Path, secret: &SecretKey) -> Result<(), Error> {
    let text = Zeroizing::new(format!("{}\n", *secret.to_text()));
    let parent = path.parent().map_or(Path::new("."), directory);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let written = disk::replace(disk, parent, &name, text.as_bytes());
    written.map_err(|fault| Error::io(path, "write a secret key", fault.source))
}

/// Overwrites the bytes of a file in place.
fn overwrite(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let mut file = open_plain(OpenOptions::new().write(true), path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length.min(FILE_BYTES_MAX.try_into().unwrap_or(0))])?;
    disk.sync(&file)
}

/// Reads a secret; none if there is no file, or it holds only NUL bytes.
fn load(path: &Path) -> Result<Option<SecretKey>, Error> {
    let failed = |source| Error::io(path, "read a secret key", source);
    let file = match fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => open_plain(OpenOptions::new().read(true), path).map_err(failed)?,
    };
    check_mode(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    (&file).take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    if text.bytes().all(|byte| byte == 0) {
        return Ok(None);
    }
    let secret = text.strip_suffix('\n').unwrap_or(&text).parse::<SecretKey>();
    secret.map(Some).map_err(|fault| Error::key(path, fault.to_string()))
}

/// Refuses a secret, or a directory of secrets, that others than its owner may read or write.
pub(crate) fn check_mode(path: &Path, file: &File) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = file.metadata().map_err(|source| Error::io(path, "look at a secret key", source))?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            let expected = if metadata.is_dir() {
                "a directory that only its owner can enter (mode 0700)"
            } else {
                "a file that only its owner can read (mode 0600)"
            };
            return Err(Error::key(path, format!("expected {expected}, found {mode:04o}")));
        }
    }
    let _ = (path, file);
    Ok(())
}

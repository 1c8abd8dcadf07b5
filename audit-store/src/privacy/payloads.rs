//! Sealed values on the disk: one in a line, encrypted under the key of its subject.
//!
//! ```text
//! {"digest":"<43 characters>","key_id":"subject:<32 hex>","nonce":"<24 bytes in base64url>","sealed":"<base64url>"}⏎
//! ```
//!
//! A line is written before the record that its digest stands in, and the commit that covers the record brings it to the disk
//! first. No file is written to after the process that made it: a line that it did not finish stays the last of its file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit_core::privacy::Disclosure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Error;
use crate::disk::{Disk, Identity, Mode, write_all};
use crate::keyring::Key;
use crate::keyring::cipher::{self, Encrypted, NoRandomness};
use crate::layout::{self, Layout};

/// How long a file becomes before another is begun.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A sealed value as its line has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payload {
    pub(crate) digest: String,
    pub(crate) key_id: String,
    nonce: String,
    sealed: String,
}

impl Payload {
    /// Encrypts a disclosure under the key of its subject.
    pub(crate) fn seal(key: &Key, disclosure: &Disclosure) -> Result<Self, NoRandomness> {
        let digest = disclosure.digest();
        let encrypted = cipher::encrypt(&of_payloads(key), digest.as_bytes(), disclosure.as_str().as_bytes())?;
        Ok(Self {
            digest,
            key_id: key.id().to_owned(),
            nonce: URL_SAFE_NO_PAD.encode(encrypted.nonce),
            sealed: URL_SAFE_NO_PAD.encode(encrypted.bytes),
        })
    }

    /// Decrypts the disclosure; none if the key is another one, or anything was altered.
    pub(crate) fn open(&self, key: &Key) -> Option<Disclosure> {
        let nonce = URL_SAFE_NO_PAD.decode(&self.nonce).ok()?.try_into().ok()?;
        let encrypted = Encrypted { nonce, bytes: URL_SAFE_NO_PAD.decode(&self.sealed).ok()? };
        let text: Zeroizing<Vec<u8>> = cipher::decrypt(&of_payloads(key), self.digest.as_bytes(), &encrypted)?;
        let disclosure = Disclosure::parse(core::str::from_utf8(&text).ok()?).ok()?;
        (disclosure.digest() == self.digest).then_some(disclosure)
    }

    fn line(&self) -> Vec<u8> {
        // Texts can always be written as JSON.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Derives the key that a subject's values are encrypted under.
fn of_payloads(key: &Key) -> cipher::Secret {
    cipher::derive(key.secret(), None, "audited/seal/v1", &[])
}

/// Returns the path of the file that is begun when the log has so many entries: none before them refers to it.
fn file_path(directory: &Path, size: u64) -> PathBuf {
    directory.join(format!("{size:020}.jsonl"))
}

/// Brings to the disk what a process that died may not have: its last file, and those that it began since its last checkpoint,
/// which covers so many entries. The opening that appends its last records does this first.
pub(crate) fn settle(disk: &dyn Disk, layout: &Layout, covered: u64) -> Result<(), Error> {
    let directory = layout.payloads();
    let failed = |source| Error::io(&directory, "bring sealed values to the disk", source);
    let paths = list(layout)?;
    let covered = file_path(&directory, covered);
    let from = paths.partition_point(|path| *path <= covered).saturating_sub(1);
    for path in paths.get(from..).unwrap_or_default() {
        disk.sync(&disk.open(path, Mode::Existing).map_err(failed)?).map_err(failed)?;
    }
    if paths.is_empty() { Ok(()) } else { disk.sync_directory(&directory).map_err(failed) }
}

/// Lists the files of sealed values, oldest first.
pub(super) fn list(layout: &Layout) -> Result<Vec<PathBuf>, Error> {
    let directory = layout.payloads();
    let failed = |source| Error::io(&directory, "list the sealed values", source);
    let entries = match fs::read_dir(&directory) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The sealed values that one process writes into its log.
#[derive(Debug)]
pub(crate) struct Payloads {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    active: Option<Active>,
    /// What has yet to be brought to the disk.
    unsynced: Vec<Arc<File>>,
    /// True if a file was made whose name may not be on the disk.
    is_name_new: bool,
}

/// The file that is written to.
#[derive(Debug)]
struct Active {
    file: Arc<File>,
    path: PathBuf,
    identity: Identity,
    size: u64,
    bytes: u64,
}

impl Payloads {
    pub(crate) fn new(disk: Arc<dyn Disk>, layout: &Layout) -> Self {
        Self { disk, directory: layout.payloads(), state: Mutex::default() }
    }

    /// Appends a sealed value. When this returns, it survives the process.
    ///
    /// `size` tells how many entries the log has. Whatever fails leaves no part of the line that a later one would follow.
    pub(crate) fn append(&self, payload: &Payload, size: impl Fn() -> u64) -> io::Result<()> {
        let line = payload.line();
        let mut state = self.state();
        let mut active = match state.active.take() {
            Some(active) => self.checked(active)?,
            None => self.begin(size(), &mut state)?,
        };
        if active.bytes >= FILE_BYTES_MAX {
            let size = size();
            // Two files of one name there are not: without an entry in between the file grows on.
            if size > active.size {
                active = self.begin(size, &mut state)?;
            }
        }
        if let Err(fault) = write_all(&*self.disk, &active.file, &line) {
            // If it cannot be cut, the file is left with what is in it, and the next value begins another one.
            if self.disk.truncate(&active.file, active.bytes).is_ok() {
                state.active = Some(active);
            }
            return Err(fault);
        }
        active.bytes = active.bytes.saturating_add(line.len() as u64);
        if !state.unsynced.iter().any(|file| Arc::ptr_eq(file, &active.file)) {
            state.unsynced.push(Arc::clone(&active.file));
        }
        state.active = Some(active);
        Ok(())
    }

    /// Brings what was appended to the disk, before the records that refer to it.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let (unsynced, is_name_new) = {
            let mut state = self.state();
            (core::mem::take(&mut state.unsynced), core::mem::take(&mut state.is_name_new))
        };
        unsynced.iter().try_for_each(|file| self.disk.sync(file))?;
        if is_name_new { self.disk.sync_directory(&self.directory) } else { Ok(()) }
    }

    fn begin(&self, size: u64, state: &mut State) -> io::Result<Active> {
        layout::create_below(&*self.disk, &self.directory)?;
        let path = file_path(&self.directory, size);
        let file = self.disk.open(&path, Mode::Any)?;
        let identity = Identity::of(&file)?;
        let mut bytes = file.metadata()?.len();
        if bytes > 0 {
            // Only where files of an older state were put back. What may be unfinished there is ended; no line is empty.
            write_all(&*self.disk, &file, b"\n")?;
            bytes += 1;
        }
        state.is_name_new = true;
        Ok(Active { file: Arc::new(file), path, identity, size, bytes })
    }

    /// Refuses a file that no path leads to any more; the next value begins another one.
    fn checked(&self, active: Active) -> io::Result<Active> {
        if active.identity.is_at(&active.path) {
            return Ok(active);
        }
        let found = format!("expected {}, found it removed or replaced", active.path.display());
        Err(io::Error::new(io::ErrorKind::NotFound, found))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

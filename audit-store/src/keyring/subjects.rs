//! The keys of the subjects of one tenant.
//!
//! The key of a subject is known by a keyed hash of its name, and by its generation: the first one, and another after each
//! erasure. An erasure leaves `<id>.erased` before it destroys `<id>.key`, so that it can be gone on with after every step,
//! and no key of that generation is ever used or made again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::Error;
use crate::disk::Identity;
use crate::keyring::cipher::{self, Secret};
use crate::keyring::wrapped::Wrap;
use crate::keyring::{Erasure, Key, private};

/// How often a subject may be erased and get a key again.
pub const GENERATIONS_MAX: u32 = 10_000;

/// How many keys stay in memory; with more, all are read anew.
const CACHED_MAX: usize = 1_024;

/// What the identifiers of subjects' keys begin with.
const PREFIX: &str = "subject:";

pub(super) struct Subjects {
    directory: PathBuf,
    wrap: Arc<Wrap>,
    /// Makes identifiers of names.
    naming: Secret,
    cached: Mutex<HashMap<String, Cached>>,
}

/// The newest key of a subject, as its file held it.
#[derive(Clone)]
struct Cached {
    generation: u32,
    identity: Identity,
    key: Key,
}

impl Subjects {
    pub(super) const DIRECTORY: &str = "subjects";

    pub(super) fn new(tenant: &Path, wrap: Arc<Wrap>, naming: Secret) -> Self {
        Self { directory: tenant.join(Self::DIRECTORY), wrap, naming, cached: Mutex::default() }
    }

    /// Returns the newest key of a subject, and makes it if there is none, or if the last one was destroyed.
    pub(super) fn current(&self, subject: &str) -> Result<Key, Error> {
        let name = self.name_of(subject);
        if let Some(key) = self.cached_key(&name)? {
            return Ok(key);
        }
        for generation in 1..=GENERATIONS_MAX {
            if let Some(key) = self.read_or_make(&name, generation)? {
                return Ok(key);
            }
        }
        let reason = format!("expected a subject of at most {GENERATIONS_MAX} generations of keys, found as many");
        Err(Error::key(&self.directory, reason))
    }

    /// Returns a key by its identifier, if there is one and it was not destroyed.
    pub(super) fn by_id(&self, id: &str) -> Result<Option<Key>, Error> {
        let Some((name, generation)) = parse_id(id) else { return Ok(None) };
        if self.is_erased(name, generation)? {
            return Ok(None);
        }
        let secret = self.read(name, generation)?;
        Ok(secret.map(|secret| Key { id: id.to_owned(), secret }))
    }

    /// Destroys the keys of all generations.
    pub(super) fn erase(&self, subject: &str) -> Result<Erasure, Error> {
        let name = self.name_of(subject);
        self.forget(&name);
        let mut erasure = Erasure::default();
        for generation in 1..=GENERATIONS_MAX {
            let (path, id) = (self.path(&name, generation), id_of(&name, generation));
            let was_erased = self.is_erased(&name, generation)?;
            if !was_erased {
                if !is_there(&path)? {
                    break;
                }
                private::create(&self.tombstone(&name, generation), b"")?;
            }
            // One that was interrupted has left the key behind its tombstone.
            if private::destroy(&path)? {
                erasure.destroyed.push(id);
            } else {
                erasure.destroyed_before.push(id);
            }
        }
        Ok(erasure)
    }

    /// Counts the keys that can be used, and those that were destroyed.
    pub(super) fn count(&self) -> Result<(u64, u64), Error> {
        let failed = |source| Error::io(&self.directory, "list the keys of subjects", source);
        let (mut keys, mut erased) = (0, 0);
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            match path.extension().and_then(|end| end.to_str()) {
                // One that was interrupted has left the key behind its tombstone.
                Some("key") if !is_there(&path.with_extension("erased"))? => keys += 1,
                Some("erased") => erased += 1,
                _ => {}
            }
        }
        Ok((keys, erased))
    }

    /// Returns the key from memory while its file is what it was and nobody has destroyed it.
    fn cached_key(&self, name: &str) -> Result<Option<Key>, Error> {
        // Nobody waits for the lock: in a forked process its holder may be gone, and the key can be read anew.
        let cached = self.cached.try_lock().ok().and_then(|cached| cached.get(name).cloned());
        let Some(found) = cached else { return Ok(None) };
        let is_same = found.identity.is_at(&self.path(name, found.generation));
        if is_same && !self.is_erased(name, found.generation)? {
            return Ok(Some(found.key));
        }
        self.forget(name);
        Ok(None)
    }

    fn forget(&self, name: &str) {
        if let Ok(mut cached) = self.cached.try_lock() {
            cached.remove(name);
        }
    }

    /// Returns the key of one generation; none if it was destroyed.
    fn read_or_make(&self, name: &str, generation: u32) -> Result<Option<Key>, Error> {
        if self.is_erased(name, generation)? {
            return Ok(None);
        }
        let (path, id) = (self.path(name, generation), id_of(name, generation));
        let mut secret = self.read(name, generation)?;
        if secret.is_none() {
            secret = self.wrap.create(&path, &id)?;
        }
        if secret.is_none() {
            // Another process was faster: its key is the one.
            secret = self.read(name, generation)?;
        }
        let Some(secret) = secret else { return Ok(None) };
        // It may have been destroyed between the look for the tombstone and the making of the file.
        if self.is_erased(name, generation)? {
            private::destroy(&path)?;
            return Ok(None);
        }
        let key = Key { id, secret };
        self.cache(name, generation, &key, &path)?;
        Ok(Some(key))
    }

    /// Reads the key of one generation; none if there is none, or it is being destroyed.
    fn read(&self, name: &str, generation: u32) -> Result<Option<Secret>, Error> {
        match self.wrap.read(&self.path(name, generation), &id_of(name, generation)) {
            // What was written over is torn until it is gone.
            Err(_torn) if self.is_erased(name, generation)? => Ok(None),
            read => read,
        }
    }

    fn cache(&self, name: &str, generation: u32, key: &Key, path: &Path) -> Result<(), Error> {
        let identity = File::open(path).and_then(|file| Identity::of(&file));
        let identity = match identity {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
            identity => identity.map_err(|source| Error::io(path, "look at a key", source))?,
        };
        let Ok(mut cached) = self.cached.try_lock() else { return Ok(()) };
        if cached.len() >= CACHED_MAX {
            cached.clear();
        }
        cached.insert(name.to_owned(), Cached { generation, identity, key: key.clone() });
        Ok(())
    }

    /// Returns the keyed hash that stands for a subject: whoever has only the log cannot try names against it.
    fn name_of(&self, subject: &str) -> String {
        cipher::keyed_hash(&self.naming, &[b"audited/subject/v1\0", subject.as_bytes()])
    }

    fn path(&self, name: &str, generation: u32) -> PathBuf {
        self.directory.join(format!("{name}.{generation}.key"))
    }

    fn tombstone(&self, name: &str, generation: u32) -> PathBuf {
        self.directory.join(format!("{name}.{generation}.erased"))
    }

    fn is_erased(&self, name: &str, generation: u32) -> Result<bool, Error> {
        is_there(&self.tombstone(name, generation))
    }
}

/// Tells whether there is anything at a path; an error if that cannot be known.
fn is_there(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::io(path, "look at a key", source)),
    }
}

/// Returns the identifier of a key: `subject:<32 hex>`, with the generation behind it from the second one on.
fn id_of(name: &str, generation: u32) -> String {
    if generation == 1 { format!("{PREFIX}{name}") } else { format!("{PREFIX}{name}.{generation}") }
}

/// Parses what `id_of` writes, and nothing else.
fn parse_id(id: &str) -> Option<(&str, u32)> {
    let text = id.strip_prefix(PREFIX)?;
    let (name, generation) = match text.split_once('.') {
        None => (text, 1),
        Some((name, digits)) => (name, digits.parse().ok()?),
    };
    let is_name = name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_name && id_of(name, generation) == id).then_some((name, generation))
}

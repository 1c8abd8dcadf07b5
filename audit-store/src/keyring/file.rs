//! The key ring in a directory.

use core::fmt;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::keyring::cipher::{self, SECRET_BYTES, Secret};
use crate::keyring::subjects::Subjects;
use crate::keyring::tenant::NO_RANDOMNESS;
use crate::keyring::tokens::Tokens;
use crate::keyring::wrapped::Wrap;
use crate::keyring::{Erasure, Key, KeyRing, TenantKey, private, tenant_bytes};
use crate::{Error, keys};

const RING: &str = "ring.json";
const TENANTS: &str = "tenants";
const TENANT: &str = "tenant.key";
const FORMAT: &str = "audited-key-ring-v1";

/// What is said of a directory that is a ring already.
const IN_USE: &str = "expected no key ring, found one; a ring is never written over";

/// How many tenants' keys stay in memory; with more, all are read anew.
const TENANTS_MAX: usize = 1_024;

/// A key ring in a directory that several processes and the command line share.
///
/// ```text
/// <ring>/ring.json                                       the form, and a random value that names the tenants' directories
/// <ring>/tenants/<32 hex>/tenant.key                     what the identifiers of subjects are made with
/// <ring>/tenants/<32 hex>/tokens/k<n>.key                the key of tokens of one epoch
/// <ring>/tenants/<32 hex>/subjects/<32 hex>.<n>.key      the key of a subject; `.erased` once it was destroyed
/// ```
///
/// Directories have mode 0700 and files 0600; wider ones are refused. Each key is wrapped by the tenant's key (XChaCha20-Poly1305).
/// A subject's key is brought to the disk before it is used the first time, which takes the calling thread two `fsync`s; later
/// uses look only whether it is still there. Where a call must not wait for that, ask for
/// [`subject_key`](KeyRing::subject_key) before it, on a thread that may.
pub struct FileKeyRing {
    directory: PathBuf,
    salt: Secret,
    /// The key of all tenants that have none of their own.
    common: Option<TenantKey>,
    own: HashMap<String, TenantKey>,
    tenants: Mutex<HashMap<Option<String>, Arc<Tenant>>>,
}

/// How many keys a tenant has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The epochs of its tokens.
    pub token_keys: u64,
    /// The keys of subjects that can be used.
    pub subject_keys: u64,
    /// Those that were destroyed.
    pub erased: u64,
}

/// The keys of one tenant.
struct Tenant {
    tokens: Tokens,
    subjects: Subjects,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    format: String,
    salt: String,
}

impl FileKeyRing {
    /// Makes a ring without keys in a directory that is empty or not there.
    ///
    /// # Errors
    /// There is one already ([`Error::is_key`]), or the directory cannot be written.
    pub fn create(directory: impl AsRef<Path>) -> Result<(), Error> {
        let directory = directory.as_ref();
        private::create_directory(directory)?;
        check_directory(directory)?;
        check_unused(directory)?;
        let path = directory.join(RING);
        let salt = cipher::random::<SECRET_BYTES>().map_err(|_fault| Error::key(&path, NO_RANDOMNESS.to_owned()))?;
        let ring = Ring { format: FORMAT.to_owned(), salt: URL_SAFE_NO_PAD.encode(*salt) };
        let mut text = serde_json::to_vec(&ring).map_err(|fault| Error::key(&path, fault.to_string()))?;
        text.push(b'\n');
        private::create_directory(&directory.join(TENANTS))?;
        if private::create(&path, &text)? {
            return Ok(());
        }
        Err(Error::key(directory, IN_USE.to_owned()))
    }

    /// Opens a ring whose tenants' keys are wrapped by one key. Each tenant's are derived from it apart from the others'.
    ///
    /// # Errors
    /// There is no ring, others than its owner may read it, or it is none ([`Error::is_key`]).
    pub fn open(directory: impl AsRef<Path>, key: TenantKey) -> Result<Self, Error> {
        Ok(Self { common: Some(key), ..Self::open_without_key(directory)? })
    }

    /// Opens a ring of which only those tenants' keys can be read that are given with [`tenant`](Self::tenant).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_without_key(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref();
        let absolute = std::path::absolute(directory);
        let directory = absolute.map_err(|source| Error::io(directory, "find the absolute path", source))?;
        check_directory(&directory)?;
        let salt = read_salt(&directory.join(RING))?;
        Ok(Self { directory, salt, common: None, own: HashMap::new(), tenants: Mutex::default() })
    }

    /// Gives a tenant a key of its own, which opens no other tenant's.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>, key: TenantKey) -> Self {
        self.own.insert(tenant.into(), key);
        self
    }

    /// Begins a new epoch of a tenant's tokens: those that are made from now on differ from those before, in all processes
    /// that share the ring. Returns the identifier of the new key.
    ///
    /// # Errors
    /// As [`KeyRing::token_key`]; there were [`EPOCHS_MAX`](super::EPOCHS_MAX).
    pub fn rotate(&self, tenant: Option<&str>) -> Result<String, Error> {
        self.made(tenant)?.tokens.rotate()
    }

    /// Counts the keys of a tenant; none if the ring does not know it.
    ///
    /// # Errors
    /// As [`KeyRing::token_key`].
    pub fn count(&self, tenant: Option<&str>) -> Result<Option<Count>, Error> {
        let Some(tenant) = self.found(tenant)? else { return Ok(None) };
        let (subject_keys, erased) = tenant.subjects.count()?;
        Ok(Some(Count { token_keys: tenant.tokens.all()?.len() as u64, subject_keys, erased }))
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the keys of a tenant, and makes what they begin with if the tenant is new.
    fn made(&self, tenant: Option<&str>) -> Result<Arc<Tenant>, Error> {
        if let Some(found) = self.found(tenant)? {
            return Ok(found);
        }
        let wrap = self.wrap(tenant)?;
        let directory = self.tenant_directory(&wrap.tag);
        for directory in [&directory, &directory.join(Tokens::DIRECTORY), &directory.join(Subjects::DIRECTORY)] {
            private::create_directory(directory)?;
        }
        // Another process may have been faster; its key is read below.
        wrap.create(&directory.join(TENANT), &wrap.tag)?;
        self.found(tenant)?.ok_or_else(|| {
            Error::key(&directory.join(TENANT), "expected the file that was just made, found none".to_owned())
        })
    }

    /// Returns the keys of a tenant; none if the ring does not know it.
    fn found(&self, tenant: Option<&str>) -> Result<Option<Arc<Tenant>>, Error> {
        let name = tenant.map(str::to_owned);
        // Nobody waits for the lock: in a forked process its holder may be gone, and the keys can be read anew.
        if let Some(found) = self.tenants.try_lock().ok().and_then(|tenants| tenants.get(&name).cloned()) {
            return Ok(Some(found));
        }
        let wrap = Arc::new(self.wrap(tenant)?);
        let directory = self.tenant_directory(&wrap.tag);
        let Some(naming) = wrap.read(&directory.join(TENANT), &wrap.tag)? else { return Ok(None) };
        let found = Arc::new(Tenant {
            tokens: Tokens::new(&directory, Arc::clone(&wrap)),
            subjects: Subjects::new(&directory, wrap, naming),
        });
        let Ok(mut tenants) = self.tenants.try_lock() else { return Ok(Some(found)) };
        if tenants.len() >= TENANTS_MAX {
            tenants.clear();
        }
        Ok(Some(Arc::clone(tenants.entry(name).or_insert(found))))
    }

    fn wrap(&self, tenant: Option<&str>) -> Result<Wrap, Error> {
        let own = tenant.and_then(|tenant| self.own.get(tenant));
        let key = own.or(self.common.as_ref());
        let key =
            key.ok_or_else(|| Error::key(&self.directory, "expected a key of the tenant, found none".to_owned()))?;
        let bytes = tenant_bytes(tenant);
        let tag = cipher::keyed_hash(&self.salt, &[b"audited/tenant/v1\0", &bytes]);
        Ok(Wrap { tag, key: cipher::derive(&key.0, Some(&*self.salt), "audited/wrap/v1", &bytes) })
    }

    fn tenant_directory(&self, tag: &str) -> PathBuf {
        self.directory.join(TENANTS).join(tag)
    }
}

impl KeyRing for FileKeyRing {
    fn token_key(&self, tenant: Option<&str>) -> Result<Key, Error> {
        self.made(tenant)?.tokens.current()
    }

    fn token_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
        self.found(tenant)?.map_or_else(|| Ok(Vec::new()), |tenant| Ok(tenant.tokens.all()?.to_vec()))
    }

    fn subject_key(&self, tenant: Option<&str>, subject: &str) -> Result<Key, Error> {
        self.made(tenant)?.subjects.current(subject)
    }

    fn sealing_key(&self, tenant: Option<&str>, id: &str) -> Result<Option<Key>, Error> {
        self.found(tenant)?.map_or(Ok(None), |tenant| tenant.subjects.by_id(id))
    }

    fn erase(&self, tenant: Option<&str>, subject: &str) -> Result<Erasure, Error> {
        self.found(tenant)?.map_or_else(|| Ok(Erasure::default()), |tenant| tenant.subjects.erase(subject))
    }

    fn check_log(&self, log: &Path) -> Result<(), Error> {
        let canonical = |path: &Path| fs::canonicalize(path).map_err(|source| Error::io(path, "find the path", source));
        let (ring, log) = (canonical(&self.directory)?, canonical(log)?);
        if ring.starts_with(&log) || log.starts_with(&ring) {
            let reason = format!("expected a key ring apart from the log, found the log {}", log.display());
            return Err(Error::key(&ring, reason));
        }
        Ok(())
    }
}

impl fmt::Debug for FileKeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKeyRing").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Refuses a directory that is none, or that others than its owner may enter.
fn check_directory(path: &Path) -> Result<(), Error> {
    let file = match File::open(path) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
            let reason = "expected a key ring, found nothing; `audited key-ring new` makes one";
            return Err(Error::key(path, reason.to_owned()));
        }
        opened => opened.map_err(|source| Error::io(path, "open the key ring", source))?,
    };
    if !path.is_dir() {
        return Err(Error::key(path, "expected a key ring, found a file".to_owned()));
    }
    keys::check_mode(path, &file)
}

/// Refuses a directory that holds something, but for what a creation that was interrupted left.
fn check_unused(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::io(path, "look at the directory", source);
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name == RING {
            return Err(Error::key(path, IN_USE.to_owned()));
        }
        if name != TENANTS && !name.to_string_lossy().ends_with(".tmp") {
            return Err(Error::key(path, format!("expected an empty directory, found `{}` in it", name.display())));
        }
    }
    Ok(())
}

fn read_salt(path: &Path) -> Result<Secret, Error> {
    let bytes = private::read(OpenOptions::new().read(true), path)?;
    let bytes = bytes.ok_or_else(|| {
        Error::key(path, "expected a key ring, found no such file; `audited key-ring new` makes one".to_owned())
    })?;
    let ring: Option<Ring> = serde_json::from_slice(&bytes).ok();
    let salt = ring.filter(|ring| ring.format == FORMAT).and_then(|ring| URL_SAFE_NO_PAD.decode(ring.salt).ok());
    let salt = salt.and_then(|salt| <[u8; SECRET_BYTES]>::try_from(salt.as_slice()).ok());
    let reason =
        "expected a key ring of the form audited-key-ring-v1, found a file that is torn or holds something else";
    salt.map(Secret::new).ok_or_else(|| Error::key(path, reason.to_owned()))
}

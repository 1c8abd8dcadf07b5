//! The keys by which values in a log stay linkable, and can be read again until they are erased.
//!
//! A [`KeyRing`] holds, for each tenant, token keys in epochs and a key for each subject. It lies outside the log and its
//! backups: destroying the key of a subject makes everything that was sealed for it unreadable, wherever the log was copied
//! to. [`FileKeyRing`] is a directory; what it holds is wrapped by a [`TenantKey`] that is kept elsewhere again.
//!
//! ```
//! use audit_store::keyring::{FileKeyRing, KeyRing as _, TenantKey};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("ring");
//! FileKeyRing::create(&path)?;
//! let ring = FileKeyRing::open(&path, TenantKey::generate()?)?;
//! assert_eq!(ring.token_key(Some("acme"))?.id(), "k1");
//! let key = ring.subject_key(Some("acme"), "customer-17")?;
//! assert_eq!(ring.erase(Some("acme"), "customer-17")?.destroyed, [key.id()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod cipher;
mod file;
mod private;
mod subjects;
mod tenant;
mod tokens;
mod wrapped;

use core::fmt;
use std::path::Path;

pub use file::{Count, FileKeyRing};
pub use subjects::GENERATIONS_MAX;
pub use tenant::{ParseTenantKeyError, TenantKey};
pub use tokens::EPOCHS_MAX;

use crate::Error;
use crate::keyring::cipher::{SECRET_BYTES, Secret};

/// Holds the keys of tenants and subjects. Several processes may share what it stands for.
///
/// An implementation answers with errors rather than with a new key where one was lost: what is written under a key that
/// nobody has can neither be found nor read.
pub trait KeyRing: Send + Sync + fmt::Debug {
    /// Returns the key that new tokens of a tenant are made with; the first one is made when it is asked for.
    ///
    /// # Errors
    /// The ring cannot be read or written, or the tenant's key is missing or another one ([`Error::is_key`]).
    fn token_key(&self, tenant: Option<&str>) -> Result<Key, Error>;

    /// Returns all keys that tokens of a tenant were made with, oldest first; none are made.
    ///
    /// # Errors
    /// As [`token_key`](Self::token_key).
    fn token_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error>;

    /// Returns the key that values of a subject are sealed with; it is made when it is asked for the first time, and again
    /// after an erasure. A key that was destroyed is never returned, be it by another process.
    ///
    /// # Errors
    /// As [`token_key`](Self::token_key).
    fn subject_key(&self, tenant: Option<&str>, subject: &str) -> Result<Key, Error>;

    /// Returns the key of a subject by its identifier; none if it was destroyed, or never was.
    ///
    /// # Errors
    /// As [`token_key`](Self::token_key).
    fn sealing_key(&self, tenant: Option<&str>, id: &str) -> Result<Option<Key>, Error>;

    /// Destroys all keys of a subject. The identifiers stay known.
    ///
    /// # Errors
    /// As [`token_key`](Self::token_key). A key may have been destroyed by then; doing it again goes on from there.
    fn erase(&self, tenant: Option<&str>, subject: &str) -> Result<Erasure, Error>;

    /// Refuses a log whose copies would hold the ring, or that lies within the ring.
    ///
    /// # Errors
    /// One lies within the other ([`Error::is_key`]).
    fn check_log(&self, log: &Path) -> Result<(), Error> {
        let _elsewhere = log;
        Ok(())
    }
}

/// A key of a ring; its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Key {
    id: String,
    secret: Secret,
}

impl Key {
    /// Wraps the bytes of a key. The identifier is 1 to 64 letters, digits, `.`, `:`, `-` and `_`; it stands in records.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: [u8; SECRET_BYTES]) -> Self {
        Self { id: id.into(), secret: Secret::new(secret) }
    }

    /// Returns the identifier, which tells nothing of the key or its subject.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What an erasure came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// The keys that were destroyed now.
    pub destroyed: Vec<String>,
    /// Those that were before.
    pub destroyed_before: Vec<String>,
}

/// Returns the bytes that stand for a tenant in derivations: nothing for none, else a byte 1 and its name.
pub(crate) fn tenant_bytes(tenant: Option<&str>) -> Vec<u8> {
    tenant.map_or_else(Vec::new, |name| [b"\x01", name.as_bytes()].concat())
}

#[cfg(test)]
mod tests;

//! The token keys of one tenant: one in each epoch, the last of which makes new tokens.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::keyring::Key;
use crate::keyring::wrapped::Wrap;

/// How many epochs the tokens of a tenant may have.
pub const EPOCHS_MAX: usize = 10_000;

pub(super) struct Tokens {
    directory: PathBuf,
    wrap: Arc<Wrap>,
    /// The keys that were read, in the order of their epochs from the first.
    read: Mutex<Vec<Key>>,
}

impl Tokens {
    pub(super) const DIRECTORY: &str = "tokens";

    pub(super) fn new(tenant: &Path, wrap: Arc<Wrap>) -> Self {
        Self { directory: tenant.join(Self::DIRECTORY), wrap, read: Mutex::default() }
    }

    /// Returns the key of the newest epoch, and makes the first one.
    pub(super) fn current(&self) -> Result<Key, Error> {
        let mut keys = self.read_new()?;
        if keys.is_empty() {
            self.claim(&mut keys)?;
        }
        let current = keys.last().cloned();
        current.ok_or_else(|| Error::key(&self.directory, "expected a token key, found none".to_owned()))
    }

    /// Returns the keys of all epochs.
    pub(super) fn all(&self) -> Result<Vec<Key>, Error> {
        Ok(self.read_new()?.clone())
    }

    /// Begins a new epoch.
    pub(super) fn rotate(&self) -> Result<String, Error> {
        let mut keys = self.read_new()?;
        let id = id(keys.len());
        while !self.claim(&mut keys)? {}
        Ok(keys.last().map_or(id, |key| key.id().to_owned()))
    }

    /// Makes the key of the next epoch, or reads the one that another process has just made; false then.
    fn claim(&self, keys: &mut Vec<Key>) -> Result<bool, Error> {
        let epoch = keys.len();
        if epoch >= EPOCHS_MAX {
            let reason = format!("expected at most {EPOCHS_MAX} epochs of tokens, found as many");
            return Err(Error::key(&self.directory, reason));
        }
        let Some(secret) = self.wrap.create(&self.path(epoch), &id(epoch))? else {
            self.read_into(keys)?;
            return Ok(false);
        };
        keys.push(Key { id: id(epoch), secret });
        Ok(true)
    }

    /// Reads the keys that other processes made since.
    fn read_new(&self) -> Result<MutexGuard<'_, Vec<Key>>, Error> {
        let mut keys = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.read_into(&mut keys)?;
        Ok(keys)
    }

    fn read_into(&self, keys: &mut Vec<Key>) -> Result<(), Error> {
        while keys.len() < EPOCHS_MAX {
            let (path, id) = (self.path(keys.len()), id(keys.len()));
            let Some(secret) = self.wrap.read(&path, &id)? else { break };
            keys.push(Key { id, secret });
        }
        Ok(())
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.directory.join(format!("{}.key", id(epoch)))
    }
}

/// Returns the identifier of an epoch's key, counted from 0: `k1`, `k2` and so on.
fn id(epoch: usize) -> String {
    format!("k{}", epoch + 1)
}

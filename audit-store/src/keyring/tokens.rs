//! The token keys of one tenant: one in each epoch, the last of which makes new tokens.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::Error;
use crate::keyring::Key;
use crate::keyring::wrapped::Wrap;

/// How many epochs the tokens of a tenant may have.
pub const EPOCHS_MAX: usize = 10_000;

pub(super) struct Tokens {
    directory: PathBuf,
    wrap: Arc<Wrap>,
    /// The keys that were read, in the order of their epochs from the first.
    read: Mutex<Arc<Vec<Key>>>,
}

impl Tokens {
    pub(super) const DIRECTORY: &str = "tokens";

    pub(super) fn new(tenant: &Path, wrap: Arc<Wrap>) -> Self {
        Self { directory: tenant.join(Self::DIRECTORY), wrap, read: Mutex::default() }
    }

    /// Returns the key of the newest epoch, and makes the first one.
    pub(super) fn current(&self) -> Result<Key, Error> {
        let mut keys = self.all()?;
        if keys.is_empty() {
            // If another process is faster, its key is the one.
            self.wrap.create(&self.path(0), &id(0))?;
            keys = self.all()?;
        }
        let current = keys.last().cloned();
        current.ok_or_else(|| Error::key(&self.directory, "expected a token key, found none".to_owned()))
    }

    /// Returns the keys of all epochs, those that other processes made since included.
    pub(super) fn all(&self) -> Result<Arc<Vec<Key>>, Error> {
        // Nobody waits for the lock: in a forked process its holder may be gone, and all of it can be read anew.
        let known = self.read.try_lock().map(|keys| Arc::clone(&keys)).unwrap_or_default();
        let mut new = Vec::new();
        for epoch in known.len()..EPOCHS_MAX {
            let Some(secret) = self.wrap.read(&self.path(epoch), &id(epoch))? else { break };
            new.push(Key { id: id(epoch), secret });
        }
        if new.is_empty() {
            return Ok(known);
        }
        let keys = Arc::new(known.iter().cloned().chain(new).collect::<Vec<_>>());
        if let Ok(mut read) = self.read.try_lock()
            && read.len() < keys.len()
        {
            *read = Arc::clone(&keys);
        }
        Ok(keys)
    }

    /// Begins a new epoch, and returns the identifier of its key.
    pub(super) fn rotate(&self) -> Result<String, Error> {
        loop {
            let epoch = self.all()?.len();
            if epoch >= EPOCHS_MAX {
                let reason = format!("expected at most {EPOCHS_MAX} epochs of tokens, found as many");
                return Err(Error::key(&self.directory, reason));
            }
            // If another process began this epoch, the next one is tried: there are only so many.
            if self.wrap.create(&self.path(epoch), &id(epoch))?.is_some() {
                return Ok(id(epoch));
            }
        }
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.directory.join(format!("{}.key", id(epoch)))
    }
}

/// Returns the identifier of an epoch's key, counted from 0: `k1`, `k2` and so on.
fn id(epoch: usize) -> String {
    format!("k{}", epoch + 1)
}

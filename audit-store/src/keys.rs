//! The keys that sign a log's checkpoints: where a secret is kept, and when it is replaced by the next one.

mod file;

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::note::{SecretKey, Signer};
use audit_core::seal::SealKey;

use crate::log;

pub(crate) use file::{KeyFile, Secrets, check_mode};
pub use file::{create as create_key_file, read as read_key_file};

/// When the key of a log's checkpoints is replaced by the next one, and its secret destroyed.
///
/// Who takes the secret of an epoch can then forge what that epoch signed, and nothing before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub(crate) at_open: bool,
    pub(crate) at_close: bool,
    pub(crate) checkpoints: Option<u64>,
}

impl Default for Rotation {
    /// At every opening and closing, and after 3,600 checkpoints: about an hour of a busy log.
    fn default() -> Self {
        Self { at_open: true, at_close: true, checkpoints: Some(3_600) }
    }
}

impl Rotation {
    /// Keeps one key for ever.
    pub const NEVER: Self = Self { at_open: false, at_close: false, checkpoints: None };

    /// Says whether the key is replaced whenever the log is opened.
    #[must_use]
    pub const fn at_open(mut self, rotate: bool) -> Self {
        self.at_open = rotate;
        self
    }

    /// Says whether the key is replaced whenever the log is closed as it should.
    #[must_use]
    pub const fn at_close(mut self, rotate: bool) -> Self {
        self.at_close = rotate;
        self
    }

    /// Says after how many checkpoints the key is replaced; never for `None` or 0.
    #[must_use]
    pub const fn after_checkpoints(mut self, checkpoints: Option<u64>) -> Self {
        self.checkpoints = checkpoints;
        self
    }
}

/// What signs the checkpoints of a log.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    /// The file of the secret of the current epoch.
    pub(crate) file: Option<PathBuf>,
    pub(crate) rotation: Rotation,
    /// A key that never changes.
    pub(crate) signer: Option<Arc<dyn Signer>>,
}

impl Keys {
    pub(crate) const fn is_none(&self) -> bool {
        self.file.is_none() && self.signer.is_none()
    }

    /// Returns the name of the secret in the file, which a new log takes for its origin.
    pub(crate) fn name(&self) -> Result<Option<String>, crate::Error> {
        let Some(path) = &self.file else { return Ok(None) };
        Ok(KeyFile::new(path).load()?.current.map(|secret| secret.name().to_owned()))
    }

    /// Returns the keys of the sibling of that number: a secret that is replaced has one writer.
    pub(crate) fn of_sibling(&self, number: u16) -> Self {
        let file = self.file.as_ref().map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        });
        Self { file, ..self.clone() }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("file", &self.file).field("rotation", &self.rotation).finish_non_exhaustive()
    }
}

/// Makes the seal of a log: of one that is yet to be created, or of one that nobody writes, whose checkpoints so far the
/// next opening adds.
///
/// The key that the seal begins with verifies it, and whoever has it can forge it: the log's writer must not.
///
/// # Errors
/// The log has a seal already, a process holds it, or the file cannot be written.
pub fn create_seal(log: impl AsRef<Path>, key: &SealKey) -> Result<(), crate::Error> {
    log::create_seal(log.as_ref(), key)
}

/// Takes a secret key out of an environment variable, for [`Options::signer`](crate::Options::signer).
///
/// # Errors
/// The variable is not set, or does not hold the text of a [`SecretKey`]; the message never holds any of it.
pub fn secret_from_environment(variable: &str) -> Result<SecretKey, crate::Error> {
    let text = std::env::var(variable).map(zeroize::Zeroizing::new);
    let secret = text.map_err(|fault| match fault {
        std::env::VarError::NotPresent => {
            "expected a secret key in the environment, found the variable unset".to_owned()
        }
        std::env::VarError::NotUnicode(_) => {
            "expected a secret key in the environment, found bytes that are no text".to_owned()
        }
    });
    let secret = secret.and_then(|text| {
        text.trim_end().parse().map_err(|fault: audit_core::note::ParseSecretError| fault.to_string())
    });
    secret.map_err(|reason| crate::Error::key(Path::new(variable), reason))
}

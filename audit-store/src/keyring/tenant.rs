//! The key of a tenant, which all its other keys are wrapped with. It is never written into the ring.

use core::fmt;
use core::str::FromStr;
use std::fs::OpenOptions;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::Error;
use crate::disk::{Disk as _, Mode, SystemDisk, write_all};
use crate::keyring::cipher::{Secret, random};
use crate::keyring::private;

const PREFIX: &str = "TENANT+KEY+";

/// The key that wraps the keys of a tenant; its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct TenantKey(pub(super) Secret);

impl TenantKey {
    /// Makes a new key of random bytes of the operating system.
    ///
    /// # Errors
    /// The operating system gives none.
    pub fn generate() -> Result<Self, Error> {
        let random = random().map_err(|_fault| Error::key(Path::new("tenant key"), NO_RANDOMNESS.to_owned()))?;
        Ok(Self(random))
    }

    /// Makes a new key in a file that must not exist; only its owner can read it.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let key = Self::generate()?;
        let text = Zeroizing::new(format!("{}\n", *key.to_text()));
        let failed = |source| Error::io(path, "write a tenant key", source);
        let file = SystemDisk.open(path, Mode::New).map_err(failed)?;
        write_all(&SystemDisk, &file, text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(key)
    }

    /// Reads the key in a file that only its owner can read.
    ///
    /// # Errors
    /// The file cannot be read, others than its owner may, or it does not hold a tenant key.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = private::read(OpenOptions::new().read(true), path)?;
        let bytes = bytes.ok_or_else(|| Error::key(path, "expected a tenant key, found no file".to_owned()))?;
        let text = core::str::from_utf8(&bytes).unwrap_or_default();
        text.trim_end().parse().map_err(|fault: ParseTenantKeyError| Error::key(path, fault.to_string()))
    }

    /// Takes the key out of an environment variable.
    ///
    /// # Errors
    /// The variable is not set, or does not hold the text of a tenant key; the message never holds any of it.
    pub fn from_environment(variable: &str) -> Result<Self, Error> {
        let failed = |reason: String| Error::key(Path::new(variable), reason);
        match std::env::var(variable).map(Zeroizing::new) {
            Ok(text) => text.trim_end().parse().map_err(|fault: ParseTenantKeyError| failed(fault.to_string())),
            Err(std::env::VarError::NotPresent) => {
                Err(failed("expected a tenant key in the environment, found the variable unset".to_owned()))
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(failed("expected a tenant key in the environment, found bytes that are no text".to_owned()))
            }
        }
    }

    /// Returns the key's text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", *Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))))
    }
}

impl FromStr for TenantKey {
    type Err = ParseTenantKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: ParseTenantKeyError = ParseTenantKeyError(());
        let encoded = text.strip_prefix(PREFIX).ok_or(EXPECTED)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).map_err(|_fault| EXPECTED)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_length| EXPECTED)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantKey(…)")
    }
}

/// The text is no tenant key. The message never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTenantKeyError(());

impl fmt::Display for ParseTenantKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a tenant key: expected TENANT+KEY+base64url of 32 bytes")
    }
}

impl std::error::Error for ParseTenantKeyError {}

/// What is said where there are no random bytes to be had.
pub(super) const NO_RANDOMNESS: &str = "expected random bytes of the operating system, found none";

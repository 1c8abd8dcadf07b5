//! What makes tokens of values and seals them, for the calls that are recorded in one log.

use core::fmt;
use std::path::Path;
use std::sync::{Arc, Weak};

use audit_core::privacy::{Disclosure, Protect, ProtectError, Sealed, Sealing, Token};
use audit_core::vocabulary::Stage;

use crate::keyring::{KeyRing, cipher};
use crate::log::Shared;
use crate::privacy::{Payload, SEALED_BYTES_MAX, token_of};

/// A key ring and the sealed values of one log. It does not keep the log open.
///
/// Whatever fails leaves the value out of the record: nothing here falls back to a weaker way.
pub(super) struct Vault {
    ring: Arc<dyn KeyRing>,
    shared: Weak<Shared>,
}

impl Vault {
    pub(super) fn new(ring: Arc<dyn KeyRing>, shared: &Arc<Shared>) -> Self {
        Self { ring, shared: Arc::downgrade(shared) }
    }

    /// Returns what belongs to the log, in the process that opened it: a forked one may find the ring's locks held for ever.
    fn shared(&self) -> Result<Arc<Shared>, ProtectError> {
        let shared = self.shared.upgrade().ok_or_else(|| ProtectError::new("expected an open log, found its end"))?;
        shared.check_process().map_err(|fault| ProtectError::new(fault.to_string()))?;
        Ok(shared)
    }
}

impl Protect for Vault {
    fn token(&self, tenant: Option<&str>, scalar: &[u8]) -> Result<Token, ProtectError> {
        self.shared()?;
        let key = self.ring.token_key(tenant).map_err(|fault| ProtectError::new(fault.to_string()))?;
        Ok(token_of(&key, tenant, scalar))
    }

    fn seal(&self, sealing: &Sealing<'_>) -> Result<Sealed, ProtectError> {
        let shared = self.shared()?;
        shared.check_sealing()?;
        let value = value_of(sealing)?;
        let key = self.ring.subject_key(sealing.tenant, sealing.subject);
        let key = key.map_err(|fault| ProtectError::new(fault.to_string()))?;
        let salt = cipher::random().map_err(no_randomness)?;
        let disclosure = Disclosure::new(*salt, sealing.name, value);
        let payload = Payload::seal(&key, &disclosure).map_err(no_randomness)?;
        let appended = shared.payloads.append(&payload, || shared.state().size());
        appended.map_err(|fault| not_kept(&shared.files.layout.payloads(), &fault))?;
        Ok(Sealed { digest: payload.digest, key_id: payload.key_id })
    }
}

impl Shared {
    /// Refuses a value whose record the log would not take any more.
    fn check_sealing(&self) -> Result<(), ProtectError> {
        self.check_gate(Stage::Event).map_err(|fault| ProtectError::new(fault.to_string()))
    }
}

fn value_of<'a>(sealing: &Sealing<'a>) -> Result<&'a str, ProtectError> {
    if sealing.value.len() > SEALED_BYTES_MAX {
        let found = sealing.value.len();
        return Err(ProtectError::new(format!("expected a value of at most {SEALED_BYTES_MAX} bytes, found {found}")));
    }
    core::str::from_utf8(sealing.value)
        .map_err(|_fault| ProtectError::new("expected JSON, found bytes that are no text"))
}

fn no_randomness(_fault: cipher::NoRandomness) -> ProtectError {
    ProtectError::new("expected random bytes of the operating system, found none")
}

fn not_kept(directory: &Path, fault: &std::io::Error) -> ProtectError {
    ProtectError::new(format!("{}: could not keep a sealed value: {fault}", directory.display()))
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("ring", &self.ring).finish_non_exhaustive()
    }
}

//! The keys of an open log: which one signs now, and which one next.
//!
//! A rotation in steps, of which each can be the last one before the machine stops:
//! ```text
//! persist the next secret                      <file>.next; nothing names it yet: an opening removes it
//! append `key.rotated`, which names the key    an opening takes it up from here
//! commit: a checkpoint over it by the old key  from here on the new key signs
//! destroy the old secret                       <file> overwritten, <file>.next renamed; an opening does it if it was not
//! ```

use std::sync::Arc;

use audit_core::note::{Algorithm, SecretKey, Signer, VerificationKey};
use audit_core::verify::{Declared, Rotation};

use crate::Error;
use crate::disk::Disk;
use crate::keys::{self, KeyFile, Keys, Secrets};
use crate::layout::Layout;

/// What signs the checkpoints of an open log.
pub(super) struct Signing {
    /// The key of the epoch.
    key: VerificationKey,
    secret: Secret,
    /// The key that never changes, where there is one beside the epoch's.
    identity: Option<(VerificationKey, Arc<dyn Signer>)>,
    rotation: keys::Rotation,
    /// How many checkpoints the epoch's key has signed.
    issued: u64,
    next: Option<Next>,
}

/// Where the secret of the epoch is.
enum Secret {
    /// In a file, to be replaced by the next one.
    Replaced { secret: Box<SecretKey>, file: KeyFile, is_behind: bool },
    /// With a signer that keeps it.
    Constant(Arc<dyn Signer>),
}

/// The key of the next epoch.
struct Next {
    secret: SecretKey,
    key: VerificationKey,
    /// The entry that names it, once there is one.
    entry: Option<u64>,
}

/// What an existing log says of its keys.
pub(super) struct Named<'a> {
    pub(super) declared: Declared,
    pub(super) rotations: &'a [Rotation],
    /// How many entries the newest checkpoint covers.
    pub(super) covered: u64,
}

impl Signing {
    /// Takes the keys of a log that is created; a secret that is not there yet is made.
    pub(super) fn create(keys: &Keys, disk: &dyn Disk, layout: &Layout, origin: &str) -> Result<Option<Self>, Error> {
        if keys.is_none() {
            return Ok(None);
        }
        let mut identity = keys.signer.clone();
        let secret = match &keys.file {
            None => Secret::Constant(identity.take().ok_or_else(|| no_key(layout))?),
            Some(path) => {
                let file = KeyFile::new(path);
                let secret = match file.load()?.current {
                    Some(secret) => secret,
                    None => file.create(disk, origin)?,
                };
                check_name(&file, &secret, origin)?;
                Secret::Replaced { secret: Box::new(secret), file, is_behind: false }
            }
        };
        Self::new(secret, identity, keys, layout, origin).map(Some)
    }

    /// Takes the keys of an existing log, which must be those that it names, and goes on with a rotation that began.
    pub(super) fn open(
        keys: &Keys,
        disk: &dyn Disk,
        layout: &Layout,
        origin: &str,
        named: &Named<'_>,
    ) -> Result<Option<Self>, Error> {
        let fault = |reason: String| Error::key(&layout.directory, reason);
        let Some(first) = &named.declared.first else {
            let without = "expected no key, as the log was created without one, found one; a new log can be given keys";
            return if keys.is_none() { Ok(None) } else { Err(fault(without.to_owned())) };
        };
        if keys.is_none() {
            return Err(no_key(layout));
        }
        let (before, after) =
            named.rotations.split_at(named.rotations.partition_point(|one| one.entry < named.covered));
        let expected = match before.last() {
            None => first.clone(),
            Some(rotation) => rotation.verification_key.parse().map_err(|bad| fault(format!("{bad}")))?,
        };
        let mut identity = keys.signer.clone();
        let (secret, next) = match &keys.file {
            None => (Secret::Constant(identity.take().ok_or_else(|| no_key(layout))?), None),
            Some(path) => current(KeyFile::new(path), disk, &expected, after.first())?,
        };
        let mut signing = Self::new(secret, identity, keys, layout, origin)?;
        if signing.key != expected {
            return Err(fault(format!("expected the secret of the key {expected}, found that of {}", signing.key)));
        }
        if signing.identity.as_ref().map(|(key, _signer)| key) != named.declared.identity.as_ref() {
            let text = |key: Option<&VerificationKey>| key.map_or("none".to_owned(), ToString::to_string);
            let found = text(signing.identity.as_ref().map(|(key, _signer)| key));
            return Err(fault(format!(
                "expected the identity key {}, found {found}",
                text(named.declared.identity.as_ref())
            )));
        }
        if let (Some(secret), Some(rotation)) = (next, after.first()) {
            let key = secret.verification_key().map_err(|bad| fault(bad.to_string()))?;
            signing.next = Some(Next { secret, key, entry: Some(rotation.entry) });
        }
        Ok(Some(signing))
    }

    fn new(
        secret: Secret,
        identity: Option<Arc<dyn Signer>>,
        keys: &Keys,
        layout: &Layout,
        origin: &str,
    ) -> Result<Self, Error> {
        let key_of = |signer: &dyn Signer| {
            let key = VerificationKey::new(origin, Algorithm::Ed25519, signer.public_key());
            key.map_err(|fault| Error::key(&layout.directory, fault.to_string()))
        };
        let identity = identity.map(|signer| Ok((key_of(&*signer)?, signer))).transpose()?;
        let key = key_of(secret.signer())?;
        Ok(Self { key, secret, identity, rotation: keys.rotation, issued: 0, next: None })
    }

    /// Returns what entry 0 says of the keys.
    pub(super) fn declared(&self) -> Declared {
        Declared { first: Some(self.key.clone()), identity: self.identity.as_ref().map(|(key, _signer)| key.clone()) }
    }

    /// Returns the keys that sign the next checkpoint, with their signers.
    pub(super) fn signers(&self) -> impl Iterator<Item = (&VerificationKey, &dyn Signer)> {
        let identity = self.identity.as_ref().map(|(key, signer)| (key, &**signer));
        [(&self.key, self.secret.signer())].into_iter().chain(identity)
    }

    pub(super) const fn rotation(&self) -> keys::Rotation {
        self.rotation
    }

    /// Tells whether the last rotation is over but for the destruction of its secret.
    pub(super) const fn is_behind(&self) -> bool {
        matches!(self.secret, Secret::Replaced { is_behind: true, .. })
    }

    /// Notes that a checkpoint over so many entries is on the disk. If it covers the entry that names the next key, that
    /// one signs from now on, and the old secret is destroyed.
    pub(super) fn issued(&mut self, disk: &dyn Disk, size: u64) {
        self.issued += 1;
        let is_covered = |next: &mut Next| next.entry.is_some_and(|entry| entry < size);
        if let (Some(next), Secret::Replaced { secret, is_behind, .. }) =
            (self.next.take_if(is_covered), &mut self.secret)
        {
            (**secret, self.key, self.issued, *is_behind) = (next.secret, next.key, 0, true);
        }
        if let Secret::Replaced { file, is_behind, .. } = &mut self.secret
            && *is_behind
        {
            // If it fails it is tried again with the next checkpoint, and by the next opening.
            *is_behind = file.advance(disk).is_err();
        }
    }

    /// Makes the next key, if there is none yet, and returns it.
    pub(super) fn prepare(&mut self, disk: &dyn Disk, is_due: bool) -> Option<String> {
        let is_worn = self.rotation.checkpoints.is_some_and(|limit| limit > 0 && self.issued >= limit);
        let Secret::Replaced { secret, file, is_behind: false } = &self.secret else { return None };
        if self.next.is_some() || !(is_due || is_worn) {
            return None;
        }
        // What fails here is tried again after the next checkpoint.
        let next = file.prepare(disk, secret.name()).ok()?;
        let key = next.verification_key().ok()?;
        let text = key.to_string();
        self.next = Some(Next { secret: next, key, entry: None });
        Some(text)
    }

    pub(super) fn note_rotation(&mut self, entry: u64) {
        if let Some(next) = &mut self.next {
            next.entry.get_or_insert(entry);
        }
    }
}

impl Secret {
    fn signer(&self) -> &dyn Signer {
        match self {
            Self::Replaced { secret, .. } => &**secret,
            Self::Constant(signer) => &**signer,
        }
    }
}

/// Finds the secret that signs now in the files of a log, and the next one if an entry names it that no checkpoint covers.
fn current(
    file: KeyFile,
    disk: &dyn Disk,
    expected: &VerificationKey,
    rotation: Option<&Rotation>,
) -> Result<(Secret, Option<SecretKey>), Error> {
    let is = |secret: &Option<SecretKey>, key: &str| {
        secret.as_ref().is_some_and(|secret| secret.verification_key().is_ok_and(|own| own.to_string() == key))
    };
    let expected = expected.to_string();
    let Secrets { mut current, mut next } = file.load()?;
    if !is(&current, &expected) && is(&next, &expected) {
        // The old key has signed for this one; only its destruction did not end.
        file.advance(disk)?;
        current = next.take();
    }
    let Some(secret) = current.map(Box::new) else {
        return Err(Error::key(file.path(), format!("expected the secret of the key {expected}, found none")));
    };
    match rotation {
        None => file.discard(disk)?,
        Some(rotation) if is(&next, &rotation.verification_key) => {
            return Ok((Secret::Replaced { secret, file, is_behind: false }, next));
        }
        Some(rotation) => {
            let expected = &rotation.verification_key;
            let reason = format!("expected the secret of the next key {expected}, which an entry names, found none");
            return Err(Error::key(file.path(), reason));
        }
    }
    Ok((Secret::Replaced { secret, file, is_behind: false }, None))
}

fn no_key(layout: &Layout) -> Error {
    let reason =
        "expected the key that signs the checkpoints of this log, found none: Options::key_file or Options::signer";
    Error::key(&layout.directory, reason.to_owned())
}

fn check_name(file: &KeyFile, secret: &SecretKey, origin: &str) -> Result<(), Error> {
    if secret.name() == origin {
        return Ok(());
    }
    let reason = format!("expected a secret key of the log's origin {origin:?}, found one of {:?}", secret.name());
    Err(Error::key(file.path(), reason))
}

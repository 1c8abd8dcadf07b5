//! Opening a sealed value for who holds the key of its subject.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use audit_core::privacy::Disclosure;

use crate::keyring::KeyRing;
use crate::layout::Layout;
use crate::privacy::payloads::list;
use crate::privacy::{Payload, SEALED_BYTES_MAX};
use crate::{Error, disk};

/// How long a line of a sealed value may be: base64 twice, and what stands around it.
const LINE_BYTES_MAX: u64 = SEALED_BYTES_MAX as u64 * 2 + 65_536;

/// What became of a sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It can be read.
    Value {
        /// The value with its salt.
        disclosure: Disclosure,
        /// The key that opened it.
        key_id: String,
    },
    /// Its key was destroyed, or is not in the ring.
    Erased {
        /// The key that would open it.
        key_id: String,
    },
    /// The log does not hold it: it was removed, or never kept.
    Missing,
}

/// Opens the sealed value of a digest in the log at `log`, which may be held by a process.
///
/// Nothing is recorded: [`Log::record_read`](crate::Log::record_read) does that, and comes before the value is shown.
///
/// # Errors
/// A file cannot be read; the ring cannot be, or the tenant's key is missing or another one; the value was altered
/// ([`Error::is_key`]).
pub fn open(log: &Path, digest: &str, ring: &dyn KeyRing, tenant: Option<&str>) -> Result<Opened, Error> {
    let mut outcome = Opened::Missing;
    for path in list(&Layout::new(log))? {
        for payload in find(&path, digest)? {
            let Some(key) = ring.sealing_key(tenant, &payload.key_id)? else {
                outcome = Opened::Erased { key_id: payload.key_id };
                continue;
            };
            let reason = "expected a sealed value that its key opens, found one that was altered";
            let disclosure = payload.open(&key).ok_or_else(|| Error::key(&path, reason.to_owned()))?;
            return Ok(Opened::Value { disclosure, key_id: payload.key_id });
        }
    }
    Ok(outcome)
}

/// Finds the lines of a digest. What is no line of a sealed value is passed over: it may be one that was not finished.
fn find(path: &Path, digest: &str) -> Result<Vec<Payload>, Error> {
    let failed = |source| Error::io(path, "read the sealed values", source);
    let file: File = disk::open_plain(OpenOptions::new().read(true), path).map_err(failed)?;
    let digest = memchr::memmem::Finder::new(digest);
    let (mut reader, mut line, mut found) = (BufReader::new(file), Vec::new(), Vec::new());
    loop {
        line.clear();
        if (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(found);
        }
        if digest.find(&line).is_some() {
            let payload: Option<Payload> = serde_json::from_slice(&line).ok();
            found.extend(payload.filter(|payload| digest.needle() == payload.digest.as_bytes()));
        }
    }
}

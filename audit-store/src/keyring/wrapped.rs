//! A key in a file of the ring: encrypted under the key of its tenant.
//!
//! ```text
//! {"id":"k1","key":"<48 bytes in base64url>","nonce":"<24 bytes>"}⏎
//! ```

use std::fs::OpenOptions;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::keyring::cipher::{self, Encrypted, Secret};
use crate::keyring::private;
use crate::keyring::tenant::NO_RANDOMNESS;

/// What the cipher binds to a wrapped key, before the tenant's tag, a slash and the key's id.
const ASSOCIATED: &str = "audited/wrapped/v1/";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    id: String,
    key: String,
    nonce: String,
}

/// What wraps the keys of one tenant.
pub(super) struct Wrap {
    /// The name of the tenant's directory.
    pub(super) tag: String,
    pub(super) key: Secret,
}

impl Wrap {
    /// Makes a random key in a file; none if there is one already.
    pub(super) fn create(&self, path: &Path, id: &str) -> Result<Option<Secret>, Error> {
        let no_randomness = |_fault| Error::key(path, NO_RANDOMNESS.to_owned());
        let secret: Secret = cipher::random().map_err(no_randomness)?;
        let wrapped = cipher::encrypt(&self.key, &self.associated(id), &*secret).map_err(no_randomness)?;
        let text = Text {
            id: id.to_owned(),
            key: URL_SAFE_NO_PAD.encode(&wrapped.bytes),
            nonce: URL_SAFE_NO_PAD.encode(wrapped.nonce),
        };
        let mut bytes = serde_json::to_vec(&text).map_err(|fault| Error::key(path, fault.to_string()))?;
        bytes.push(b'\n');
        Ok(private::create(path, &bytes)?.then_some(secret))
    }

    /// Reads the key in a file; none if there is no file.
    pub(super) fn read(&self, path: &Path, id: &str) -> Result<Option<Secret>, Error> {
        let Some(bytes) = private::read(OpenOptions::new().read(true), path)? else { return Ok(None) };
        let (found, encrypted) = parse(&bytes).ok_or_else(|| {
            Error::key(path, "expected a wrapped key, found a file that is torn or holds something else".to_owned())
        })?;
        if found != id {
            return Err(Error::key(path, format!("expected the key {id}, found the key {found}")));
        }
        let opened = cipher::decrypt(&self.key, &self.associated(id), &encrypted);
        let secret = opened.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()).map(Secret::new);
        let reason =
            "expected a key that the tenant key given opens, found one wrapped by another tenant key, or altered";
        secret.map(Some).ok_or_else(|| Error::key(path, reason.to_owned()))
    }

    fn associated(&self, id: &str) -> Vec<u8> {
        format!("{ASSOCIATED}{}/{id}", self.tag).into_bytes()
    }
}

fn parse(bytes: &[u8]) -> Option<(String, Encrypted)> {
    let text: Text = serde_json::from_slice(bytes.strip_suffix(b"\n")?).ok()?;
    let nonce = URL_SAFE_NO_PAD.decode(text.nonce).ok()?.try_into().ok()?;
    Some((text.id, Encrypted { nonce, bytes: URL_SAFE_NO_PAD.decode(text.key).ok()? }))
}

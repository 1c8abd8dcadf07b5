//! Tokens: what stands for a scalar so that equal ones stay equal.

use audit_core::privacy::Token;

use crate::Error;
use crate::keyring::{Key, KeyRing, cipher, tenant_bytes};

/// Returns the tokens that a scalar, given in canonical JSON, has under each key of a tenant, oldest first.
///
/// # Errors
/// The ring cannot be read, or the tenant's key is missing or another one ([`Error::is_key`]).
pub fn tokens(ring: &dyn KeyRing, tenant: Option<&str>, scalar: &[u8]) -> Result<Vec<Token>, Error> {
    let keys = ring.token_keys(tenant)?;
    Ok(keys.iter().map(|key| token_of(key, tenant, scalar)).collect())
}

/// Makes the token of a scalar in canonical JSON.
pub(crate) fn token_of(key: &Key, tenant: Option<&str>, scalar: &[u8]) -> Token {
    let derived = cipher::derive(key.secret(), None, "audited/token-key/v1", &tenant_bytes(tenant));
    let hash = cipher::keyed_hash(&derived, &[b"audited/token/v1", scalar]);
    Token { text: format!("token:{}:{hash}", key.id()), key_id: key.id().to_owned() }
}

//! What records say instead of a value, and the way back: tokens, sealed values and how they are opened.
//!
//! A log that is opened with [`Options::key_ring`](crate::Options::key_ring) makes tokens and seals values by itself. Here is
//! what readers need: [`tokens`] makes those that a value would have had, to look for them, and [`open`] opens a sealed
//! value for who holds the key ring and the tenant's key. `docs/spec/privacy.md` writes the forms down.

mod open;
mod payloads;
mod record;
mod token;

pub use open::{Opened, open};
pub(crate) use payloads::{Payload, Payloads, settle};
pub use record::WholeRecord;
pub(crate) use token::token_of;
pub use token::tokens;

/// How long a sealed value may be in JSON: 16 MiB, as a blob.
pub const SEALED_BYTES_MAX: usize = crate::blobs::BLOB_BYTES_MAX;

#[cfg(test)]
mod tests;

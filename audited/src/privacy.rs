//! What a log does not keep, and the way back to what it keeps sealed.
//!
//! Attributes and types say of single values what is removed, and how: `redact` in [`#[audited]`](macro@crate::audited),
//! [`Capture`](macro@crate::Capture), [`Secret`]. A [`Privacy`] says for a whole log what is removed by name and by look, and
//! is given to [`Options::privacy`](crate::Options::privacy); a [policy](crate::policy) says it from outside the program.
//!
//! ```
//! use audited::Log;
//! use audited::privacy::{Method, Pattern, Privacy, Subject};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("audit");
//! let privacy = Privacy::builder()
//!     .name("date_of_birth", Method::Drop)
//!     .name("card_number", Method::Mask { last_four: true })
//!     .name("email", Method::Token)
//!     .name("street", Method::Seal(Subject::OnBehalfOf))
//!     .pattern(Pattern::UsSsn, Method::Drop)
//!     .except("page_token")
//!     .build();
//! let log = Log::options().privacy(privacy).open(&path)?;
//! # log.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keys
//! Tokens and sealed values need keys: those of a [key ring](crate::keyring), which
//! [`Options::key_ring`](crate::Options::key_ring) takes. Without one such values are left out. Who keeps keys elsewhere
//! implements [`KeyRing`](crate::keyring::KeyRing), or for a sink of one's own [`Protect`]:
//!
//! ```
//! use audited::privacy::{Method, Privacy, Protect, ProtectError, Sealed, Sealing, Token};
//!
//! /// A service that makes tokens and keeps nothing.
//! #[derive(Debug)]
//! struct Tokens;
//!
//! impl Protect for Tokens {
//!     fn token(&self, tenant: Option<&str>, scalar: &[u8]) -> Result<Token, ProtectError> {
//!         # fn ask(_tenant: Option<&str>, _scalar: &[u8]) -> Option<String> { Some("0123456789abcdef0123456789abcdef".to_owned()) }
//!         let digits = ask(tenant, scalar).ok_or_else(|| ProtectError::new("expected the service to answer, found it silent"))?;
//!         Ok(Token { text: format!("token:k1:{digits}"), key_id: "k1".to_owned() })
//!     }
//!
//!     fn seal(&self, _sealing: &Sealing<'_>) -> Result<Sealed, ProtectError> {
//!         Err(ProtectError::new("expected nothing to be sealed here"))    // and so the value is left out
//!     }
//! }
//!
//! let privacy = Privacy::builder().name("email", Method::Token).protect(std::sync::Arc::new(Tokens)).build();
//! # let _ = privacy;
//! ```
//!
//! # Reading what is sealed
//! The command `audited reveal` does it, and records that first. In a program [`WholeRecord`] tells where sealed values stand,
//! [`open`] opens one, and a [`Disclosure`] is what it was: whoever has the record sees without any key that they belong
//! together.
//!
//! ```
//! use audited::privacy::{Opened, WholeRecord, open, sealed_at};
//! use audited::read::Lines;
//! # use std::sync::Arc;
//! # use audited::keyring::{FileKeyRing, KeyRing as _, TenantKey};
//! # #[audited::audited(action = "order.ship", redact = [seal(street)])]
//! # fn ship(street: &str) {}
//! # let directory = tempfile::tempdir()?;
//! # let (path, keys) = (directory.path().join("audit"), directory.path().join("ring"));
//! # FileKeyRing::create(&keys)?;
//! # let ring = Arc::new(FileKeyRing::open(&keys, TenantKey::generate()?)?);
//! # let guard = audited::init_with(&path, audited::Log::options().key_ring(ring.clone()))?;
//! # audited::context().on_behalf_of("account-17").in_scope(|| ship("Blumenweg 13"));
//! # guard.close()?;
//! # let mut found = Vec::new();
//!
//! let mut lines = Lines::open(&path)?;
//! while let Some(line) = lines.next_line() {
//!     let record = WholeRecord::read(&path, line?.bytes)??;
//!     for pointer in record.sealed() {
//!         let Some(digest) = sealed_at(record.value(), &pointer) else { continue };
//!         if let Opened::Value { disclosure, .. } = open(&path, digest, &*ring, record.tenant())? {
//!             assert_eq!(disclosure.digest(), digest);
//!             println!("{pointer}: {}", disclosure.value());
//!             # found.push((disclosure.name().to_owned(), disclosure.value().to_owned()));
//!         }
//!     }
//! }
//! # assert_eq!(found, [("street".to_owned(), "\"Blumenweg 13\"".to_owned())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Log::record_read`](crate::Log::record_read) is what keeps such a reading from going unseen.

pub use audit_core::privacy::{
    Builder, Disclosure, Method, ParseDisclosureError, Path, Pattern, Privacy, Protect, ProtectError, Root, Sealed,
    Sealing, Secret, Segment, Subject, Token, sealed_at,
};
#[cfg(feature = "store")]
pub use audit_store::privacy::{Opened, SEALED_BYTES_MAX, WholeRecord, open, tokens};
#[cfg(feature = "store")]
pub use audit_store::{Reading, SubjectErased};

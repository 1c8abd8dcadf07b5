//! The receipts for what an AI agent did.
//!
//! Annotate the tools, open one log, and every call leaves records that are hashed into each other and into a Merkle
//! tree: what was done, with which arguments, for whom, and how it ended.
//!
//! ```
//! use audited::audited;
//!
//! #[derive(Debug)]
//! enum RefundError {
//!     AlreadyRefunded,
//!     Unrecorded(audited::Unavailable),
//! }
//!
//! // A destructive call that cannot be recorded is refused through this.
//! impl From<audited::Unavailable> for RefundError {
//!     fn from(unavailable: audited::Unavailable) -> Self {
//!         Self::Unrecorded(unavailable)
//!     }
//! }
//!
//! #[audited(action = "order.refund", effect = "destructive", redact = [card], target(type = "order", id = order))]
//! fn refund(order: &str, card: &str, cents: u32) -> Result<u32, RefundError> {
//!     if cents == 0 { Err(RefundError::AlreadyRefunded) } else { Ok(cents) }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("audit");
//! let guard = audited::init(&path)?;
//! audited::context().agent("agent:support-7").on_behalf_of("usr_98765").conversation("conv_1").in_scope(|| {
//!     assert_eq!(refund("ORD-1", "4242 4242 4242 4242", 1200).ok(), Some(1200));
//! });
//! guard.close()?;
//! # let report = audited::verify_log(&path)?;
//! # assert!(report.is_intact());
//! # Ok(())
//! # }
//! ```
//!
//! # The things to know
//! - [`#[audited]`](macro@audited), the attribute;
//! - [`init`], which opens a log and installs everything, or [`Log`] and [`layer`] for those who compose a subscriber of
//!   their own;
//! - [`context`], which says who acts, for whom and why;
//! - [`event`], for what happens between calls;
//! - [`Unavailable`], what a call is refused with when it cannot be recorded and must not run unrecorded;
//! - [`Outcome`], by which a type says how its call ended where `Ok` and `Err` do not;
//! - [`call!`], for blocks and closures, and [`manual`], for adapters;
//! - [`privacy`], [`keyring`] and [`policy`](mod@policy): what a log does not keep, what it keeps until it is erased, and who says so;
//! - [`sites`], the census of audited functions, and [`doctor`](doctor()), which names what stands in the way of records.
//!
//! # Guarantees
//! - The record of the intent is in the log before the body runs, and a record of the end follows, whatever the end is:
//!   success, error, panic, cancellation, or the death of the process, which the next opening of the log states.
//! - No level, filter or missing subscriber silences a record: records go through the port of the layer or the
//!   process-wide recorder, not through spans.
//! - Values named by `redact`, and members named like secrets, are removed before they reach a span or record.
//! - The function's own value, error and panic pass untouched.
//!
//! # Signed checkpoints
//! A log is signed from its creation on if it is given keys: [`Options::key_file`] for a secret that is replaced from time to
//! time, [`Options::signer`] for one that a service or module keeps. Without keys whoever can write the log's directory can
//! rewrite the whole log.
//!
//! # Features
//! `macros` (the attribute), `layer` (the tracing layer), `store` (the log on disk); all three by default. A library that
//! only annotates its functions takes `default-features = false, features = ["macros"]`. `canary` is for tests: secrets to
//! plant, and the search for what is left of them.

#[cfg(feature = "canary")]
pub mod canary;
#[cfg(feature = "layer")]
pub mod doctor;
#[cfg(all(feature = "layer", feature = "store"))]
mod init;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
pub mod privacy;

pub use audit_core::context::baggage::Carried;
pub use audit_core::context::{Context, ContextGuard, Mcp, Scoped, Watch, context, inherit};
pub use audit_core::event::{Event, EventError, event};
pub use audit_core::manual;
pub use audit_core::sites::{AuditedSite, Census, ExemptSite, sites};
pub use audit_core::vocabulary::{Applied, Durability, Effect, EventName, Level, Status, Telemetry, Trigger};
pub use audit_core::{Conclusion, Deny, Outcome, Unavailable};
pub use privacy::Secret;

/// What one writes to put another sink in the place of the log: the trait and what it takes and answers.
pub mod sink {
    pub use audit_core::sink::*;
}

#[cfg(feature = "macros")]
pub use audit_macros::{Capture, audited, call};

#[cfg(feature = "layer")]
pub use audit_layer::{AuditFilter, AuditLayer, TelemetryFilter, audit_filter, telemetry_filter};

#[cfg(all(feature = "layer", not(feature = "opentelemetry")))]
pub use audit_layer::layer;

#[cfg(feature = "opentelemetry")]
pub use opentelemetry::layer;

#[cfg(feature = "layer")]
pub use doctor::doctor;

#[cfg(feature = "store")]
pub use audit_store::{
    Error, Fanout, Figures, Gauge, Guard, Log, Options, SecondaryHealth, SecondaryOptions,
    streams::{SIBLINGS_MAX, verify_streams},
    verify,
    verify::verify_log,
};

/// The keys that sign checkpoints, and the seal over them.
#[cfg(feature = "store")]
pub mod keys {
    pub use audit_core::note::{SecretKey, SignError, Signer, VerificationKey};
    pub use audit_core::seal::SealKey;
    pub use audit_store::keys::*;
}

/// The keys by which values in a log stay linkable, and can be read again until they are erased.
///
/// ```
/// use std::sync::Arc;
/// use audited::Log;
/// use audited::keyring::{FileKeyRing, KeyRing as _, TenantKey};
///
/// # let directory = tempfile::tempdir()?;
/// # let (tenant_key, ring, log) = (directory.path().join("tenant.key"), directory.path().join("ring"), directory.path().join("audit"));
/// // Once: `audited key-ring new ring --tenant-key-file tenant.key` does the same.
/// TenantKey::create(&tenant_key)?;
/// FileKeyRing::create(&ring)?;
///
/// // The program that writes the log. The ring lies neither in it nor in its backups.
/// let keys = Arc::new(FileKeyRing::open(&ring, TenantKey::read(&tenant_key)?)?);
/// let log = Log::options().key_ring(keys.clone()).open(&log)?;
///
/// // Whoever erases a subject: `audited erase` does it, and records it in the log.
/// let key = keys.subject_key(None, "account-17")?;
/// assert_eq!(keys.erase(None, "account-17")?.destroyed, [key.id()]);
/// # log.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "store")]
pub mod keyring {
    pub use audit_store::keyring::*;
}

/// Audit policies: how much of which call is recorded, what is removed from it, and for how long it is kept.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let (policy, path) = (directory.path().join("policy.toml"), directory.path().join("audit"));
/// std::fs::write(&policy, r#"
///     [redaction]
///     names.token = "email"
///     patterns.redact = "us_ssn"
///
///     [[rule]]
///     name = "refunds"
///     action = "order.refund"
///     level = "request_response"
///     seal = { paths = ["customer.name"], subject = "customer.id" }
/// "#)?;
/// assert_eq!(audited::policy::read(&policy)?.rules()[0].name, "refunds");
/// let log = audited::Log::options().policy_file(&policy).open(&path)?;
/// # log.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "store")]
pub mod policy {
    pub use audit_core::audit_policy::*;
    pub use audit_store::policy::*;
}

/// The lines of a log, one after the other, for programs that look into one.
#[cfg(feature = "store")]
pub mod read {
    pub use audit_store::read::*;
}

#[cfg(all(feature = "layer", feature = "store"))]
pub use init::{InitError, InitGuard, init, init_strict, init_with};

#[doc(hidden)]
pub use audit_core::__private;

/// The README's examples, compiled and run with the tests.
#[cfg(all(doctest, feature = "macros", feature = "layer", feature = "store"))]
#[doc = include_str!("../../README.md")]
struct Readme;

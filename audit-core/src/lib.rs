//! The vocabulary and mathematics of `audited`: record, context, capture, redaction, canonical JSON, chain, Merkle tree,
//! checkpoint, verification over bytes, the [`Sink`](sink::Sink) trait and the protocol of a call.
//!
//! Users depend on the crate `audited`, which re-exports what they need. This crate does no IO: it opens no file and no
//! socket. Clocks, randomness and one line on stderr, when calls begin to run unrecorded, are all it asks of the system.
//!
//! The types to know: [`Sink`](sink::Sink) takes finished records; [`AuditPort`](port::AuditPort) leads a call to its
//! sink; [`Context`](context::Context) says who acts for whom; [`Hash`](hash::Hash), [`Frontier`](tree::Frontier) and
//! [`Checkpoint`](checkpoint::Checkpoint) are the log's mathematics; [`Verifier`](verify::Verifier) checks its bytes.

mod call;
mod capture;
mod limit;
mod lines;
mod outcome;
mod policed;
mod record;
mod redact;
mod reused;
mod unavailable;

#[cfg(feature = "signatures")]
pub mod anchor;
pub mod audit_policy;
pub mod canonical;
pub mod checkpoint;
pub mod context;
pub mod correlation;
pub mod entry;
pub mod event;
pub mod handwritten;
pub mod hash;
pub mod id;
pub mod manual;
pub mod names;
#[cfg(feature = "signatures")]
pub mod note;
pub mod observe;
#[cfg(feature = "signatures")]
pub mod policy;
pub mod port;
pub mod privacy;
#[cfg(feature = "signatures")]
pub mod seal;
pub mod sink;
pub mod sites;
pub mod time;
pub mod timestamp;
pub mod tree;
pub mod unrecorded;
pub mod verify;
pub mod vocabulary;

pub mod evidence;
pub mod proof;
pub mod tile;
pub mod witness;

pub use outcome::{Conclusion, Outcome};
pub use unavailable::{Deny, Unavailable};

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

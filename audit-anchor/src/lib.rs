//! Anchors of `audited`: checkpoints of a log kept where the writer of the log cannot reach them.
//!
//! Each implements [`Anchor`](audit_core::anchor::Anchor), which the log calls on a thread of its own:
//!
//! - [`Witness`] asks a witness for its cosignature over C2SP `tlog-witness`. A witness refuses a log that was cut, rolled
//!   back, forked or rewritten, as it remembers the newest checkpoint.
//! - [`Timestamps`] asks a timestamp authority of RFC 3161 to state that the checkpoint existed at a time.
//! - [`Copies`] gives each checkpoint to any [`Sink`](audit_core::sink::Sink), best one on another host.
//!
//! ```no_run
//! use audit_anchor::{Connection, Timestamps, Witness};
//!
//! let connection = Connection::new();
//! let key = "witness.example/w1+…+…".parse()?;
//! let witness = Witness::new("w1".parse()?, key, "https://witness.example/", &connection)?;
//! let timestamps = Timestamps::new("tsa".parse()?, "https://tsa.example/", &connection)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! *Guarantees.* No answer is believed because it came: cosignatures are verified against the key of the witness, and a
//! timestamp has to be for the checkpoint and the request. Every answer has a limit of size, and every exchange one of time.
//! An answer that is kept has the bytes that came, or a note made of them.
//!
//! [`OpenSsl`] is for those who verify a log: it has OpenSSL check the timestamps that are kept beside it.
//!
//! *What it does not do.* It keeps nothing, and retries nothing but what the protocol asks for: the log does both. It
//! verifies no signature of a timestamp by itself, which OpenSSL does. It makes no asynchronous IO.

mod copies;
mod http;
mod openssl;
mod setup;
mod timestamps;
mod witness;

pub use copies::Copies;
pub use http::Connection;
pub use openssl::OpenSsl;
pub use setup::SetupError;
pub use timestamps::Timestamps;
pub use witness::Witness;

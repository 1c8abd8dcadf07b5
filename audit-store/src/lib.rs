//! The log on disk: a [`Sink`](audit_core::sink::Sink) that keeps records in the files of one directory, in the order
//! in which they came, each hashed into its successor.
//!
//! ```
//! use audit_store::Log;
//! use audit_store::verify::{Verdict, verify_log};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("orders");
//! let log = Log::options().origin("example.com/orders").open(&path)?;
//! let guard = log.guard();
//! // … hand `log` to whoever appends records …
//! guard.close()?;
//!
//! let report = verify_log(&path)?;
//! assert_eq!(report.verdict, Verdict::Intact);
//! assert_eq!(report.summary.entries, 2); // log.opened and log.closed
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The types to know: [`Log`] and its [`Options`], the [`Guard`] that closes it, [`read::Lines`] and
//! [`verify::Report`].
//!
//! # The directory
//! ```text
//! <log>/log.json                                        a copy of entry 0, never trusted
//! <log>/lock                                            empty; held locked by the one writer
//! <log>/journal.0, journal.1                            mapped while the log is open; what is not in a segment yet
//! <log>/segments/<number of the first entry>.jsonl      one entry in a line; `.jsonl.zst` once another follows
//! <log>/checkpoint                                      size and root of the tree over what is on the disk for sure
//! <log>/checkpoints.log                                 all checkpoints so far, oldest first
//! <log>/seal                                            one value over all of these, where the log has one
//! <log>/anchors/<name>/<20 digits of a size>.note    what an anchor gave for a checkpoint; `.tsr` and `.json`, too
//! <log>/exports/<name>.json                             how far the log was sent to a receiver
//! <log>/blobs/<SHA-256>                                 payloads that are too long for a line
//! <log>/payloads/<20 digits>.jsonl                      sealed values, encrypted; their keys lie elsewhere
//! <log>/index/<number of an entry>.json                 the state of the log before a segment; derived, never trusted
//! <log>/tile/<level>/<number>                           the tree in tiles of C2SP tlog-tiles; derived, never trusted
//! ```
//!
//! # What it does not do
//! It deletes nothing. Without keys ([`Options::key_file`], [`Options::signer`]) it does not protect the directory from its
//! owner: whoever may write all files can write the log anew from some entry on, checkpoint included. That shows only
//! against a copy of a checkpoint kept elsewhere. What keys, a seal and anchors show, and what they do not, is in
//! `docs/threat-model.md`.

pub mod anchors;
pub mod blobs;
mod checkpoints;
mod disk;
mod error;
pub mod export;
mod fanout;
pub mod feed;
mod journal;
pub mod keyring;
pub mod keys;
mod layout;
mod log;
mod options;
pub mod policy;
pub mod privacy;
pub mod proof;
pub mod query;
pub mod read;
pub mod segment;
pub mod streams;
mod tiles;
pub mod verify;

pub use error::Error;
pub use fanout::{Fanout, SecondaryHealth, SecondaryOptions};
pub use log::{Figures, Gauge, Guard, Log, Reading, SubjectErased};
pub use options::Options;

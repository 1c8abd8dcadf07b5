//! Records in the forms of others: pure functions from a line of the log, without files or network.
//!
//! [`otlp`] makes log records of OpenTelemetry of entries and checkpoints, writes them as OTLP JSON, and compares what a
//! receiver has with the log.
//!
//! ```
//! use audit_export::otlp::{Mapping, write_request};
//!
//! let line = br#"{"record":{"action":"log.opened","actor":{"system":{"id":"audited"}},"event_name":"log.opened","observed_time":"2026-10-27T09:42:00.000457250Z","outcome":{"effect":"none","status":"success"},"record_id":"01a17cbc-f240-7dd1-8916-96e15e2ee293","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00.000456000Z"},"sequence":{"number":0,"stream_id":"01a17cbc-f240-7dca-883e-717b1f64eb14"}}"#;
//! let record = Mapping::new().entry(line)?;
//! assert_eq!(record.event_name, "log.opened");
//! assert!(write_request(&[record], &[]).starts_with(r#"{"resourceLogs":"#));
//! # Ok::<(), audit_export::ExportError>(())
//! ```
//!
//! # Guarantees
//! What is exported is what the record holds: it was redacted before it was hashed, and nothing is added to it. The body of
//! an exported entry is the record byte for byte, so that the line of the log, and its hash, can be made of it again.

mod error;
pub mod otlp;

pub use error::ExportError;

//! The tracing layer of `audited`.
//!
//! [`layer`] makes an [`AuditLayer`] on a sink. The layer holds the port through which audited calls reach the sink,
//! found through the dispatcher even where a filter has switched the call's span off, and keeps each call's context in
//! its span, so that a task which only carries the span (`.in_current_span()`) inherits it.
//!
//! ```
//! # use audit_core::sink::{Prepared, Receipt, Sink};
//! # #[derive(Clone)] struct Log;
//! # impl Sink for Log { fn append(&self, _: &Prepared<'_>) -> Receipt { Receipt::pending().1 } }
//! # let log = Log;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let subscriber = tracing_subscriber::registry().with(audit_layer::layer(&log));
//! ```
//!
//! Guarantees: the layer holds no lock in a callback and drops no record; filters and levels concern the span alone.
//! It does not write the log, and it does not yet turn hand-written spans into records.

mod filter;
mod layer;

pub use filter::{AuditFilter, TelemetryFilter, audit_filter, telemetry_filter};
pub use layer::{AuditLayer, layer};

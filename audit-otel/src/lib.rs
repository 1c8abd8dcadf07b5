//! `audited` beside OpenTelemetry.
//!
//! | part | what it does |
//! |---|---|
//! | [`correlate`] | lets records carry the trace and the span that they belong to |
//! | [`logs`] | sends a log on disk as OTLP log records: at least once, in order, from a stored position on |
//! | [`metrics`] | tells how the log is through the `opentelemetry` metrics API |
//! | [`propagation`] | takes trace and baggage from requests, and gives them to others |
//! | [`setup`] | traces, logs and metrics over OTLP as the `OTEL_*` variables say, in one call |
//!
//! The release of OpenTelemetry that this is built against stands in the workspace's `Cargo.toml`, in one place; no type of
//! it is in a signature of this crate. Users reach all of this through `audited` and its feature `opentelemetry`.
//!
//! # Guarantees
//! What is sent is what the log holds, redacted before it got there. Nothing here is on the way of a call but the question
//! for the current span. A receiver that is away costs memory for one batch: what it does not take stays in the log.

#[cfg(all(feature = "logs", feature = "program"))]
mod conventional;
#[cfg(feature = "program")]
mod correlate;
mod http;
#[cfg(feature = "logs")]
pub mod logs;
#[cfg(feature = "program")]
pub mod metrics;
#[cfg(feature = "program")]
pub mod propagation;
#[cfg(all(feature = "logs", feature = "program"))]
pub mod setup;

#[cfg(feature = "program")]
pub use correlate::correlate;

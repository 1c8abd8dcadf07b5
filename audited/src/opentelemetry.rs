//! Beside OpenTelemetry: see `docs/opentelemetry.md`.

use audit_core::sink::Sink;
use audit_layer::AuditLayer;

pub use audit_otel::{correlate, logs, metrics, propagation, setup};

/// Makes a layer on a sink, and the sink the process-wide recorder if there is none yet.
///
/// The recorder serves calls that no layer is reachable from: on a thread with another subscriber, inside a callback of
/// a layer, behind `reload::Layer`. Neither it nor the layer keeps a log from being closed. Records carry the trace and the
/// span of OpenTelemetry that they were made in: see [`correlate`].
#[must_use]
pub fn layer<S: Sink + Clone>(sink: &S) -> AuditLayer {
    correlate();
    audit_layer::layer(sink)
}

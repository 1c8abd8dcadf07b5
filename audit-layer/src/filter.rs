//! Filters that tell audit spans from all others by their target.

use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// The target of audit spans and events; targets below it, `audit::…`, belong to it.
const TARGET: &str = "audit";

/// Lets everything pass but audit spans and events, for layers that print or export telemetry.
#[derive(Clone, Copy, Debug, Default)]
pub struct TelemetryFilter(());

/// Lets audit spans and events pass and nothing else, so that the rest of the program pays nothing for the layer.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter(());

/// Makes the filter that keeps audit spans and events out of a layer.
#[must_use]
pub const fn telemetry_filter() -> TelemetryFilter {
    TelemetryFilter(())
}

/// Makes the filter that keeps everything but audit spans and events out of a layer.
#[must_use]
pub const fn audit_filter() -> AuditFilter {
    AuditFilter(())
}

fn is_audit(metadata: &Metadata<'_>) -> bool {
    metadata.target().strip_prefix(TARGET).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn always_if(passes: bool) -> Interest {
    if passes { Interest::always() } else { Interest::never() }
}

impl<S: Subscriber> Filter<S> for TelemetryFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        !is_audit(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        always_if(!is_audit(metadata))
    }
}

impl<S: Subscriber> Filter<S> for AuditFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_audit(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        always_if(is_audit(metadata))
    }
}

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

pub(crate) fn is_audit(metadata: &Metadata<'_>) -> bool {
    metadata.target().strip_prefix(TARGET).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn always_if(passes: bool) -> Interest {
    if passes { Interest::always() } else { Interest::never() }
}

/// Returns the interest in audit spans and events, or the other one in the rest.
///
/// It is `sometimes` and not `always`, so that filters are asked anew at each audit span: what each of them said is kept
/// per thread, and a look at another callsite, such as `tracing::enabled!`, leaves its own answer there, which an
/// `always` callsite would take for one about itself and be dropped from the layer.
pub(crate) fn interest(metadata: &Metadata<'_>, other: Interest) -> Interest {
    if is_audit(metadata) { Interest::sometimes() } else { other }
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
        interest(metadata, Interest::never())
    }
}

//! The tracing span of a call, under the names of OpenTelemetry's GenAI conventions (in development; read 2026-11).
//!
//! It carries identifiers, outcome and duration, never arguments; the result only as its redacted summary.

use core::time::Duration;
use std::sync::OnceLock;

use tracing::field::{self, Empty, Field, FieldSet, Value};
use tracing::{Level, Span};

use super::Label;
use crate::context::Ambient;
use crate::id::{CallId, RecordId};
use crate::record::{Outcome, Response};

/// The target of audit spans, which filters go by.
pub(super) const TARGET: &str = "audit";

/// Opens the span of a call, best effort: the user's filters are respected.
pub(super) fn open(label: &Label, id: CallId, ambient: &Ambient) -> Span {
    let fields = ambient.fields();
    tracing::span!(
        target: TARGET,
        Level::INFO,
        "execute_tool",
        // Display: what nobody looks at is not written.
        otel.name = field::display(format_args!("execute_tool {}", label.tool)),
        otel.kind = "internal",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = &*label.tool,
        gen_ai.tool.call.id = ambient.tool_call_id(),
        gen_ai.conversation.id = fields.and_then(|fields| fields.conversation_id()),
        gen_ai.agent.id = fields.and_then(|fields| fields.agent_id()),
        user.id = fields.and_then(|fields| fields.user_id()),
        audit.action = &*label.action,
        audit.call.id = field::display(id),
        audit.record.id = Empty,
        audit.outcome = Empty,
        audit.duration_ms = Empty,
        audit.summary = Empty,
        error.type = Empty,
    )
}

/// Tells the span how the call ended, each field once.
pub(super) fn record_end(
    span: &Span,
    outcome: &Outcome,
    record_id: RecordId,
    duration: Duration,
    response: Option<&Response>,
) {
    let Some(metadata) = span.metadata().filter(|_| !span.is_disabled()) else { return };
    let fields = metadata.fields();
    let Some([id, status, milliseconds, summary, error_type]) = END.get_or_init(|| end_of(fields)) else { return };
    let duration_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    span.record_all(&fields.value_set(&[
        (id, Some(&field::display(record_id) as &dyn Value)),
        (status, Some(&outcome.status.as_str() as &dyn Value)),
        (milliseconds, Some(&duration_ms as &dyn Value)),
        (summary, Some(&response.map(Response::summary) as &dyn Value)),
        (error_type, Some(&outcome.error_type.as_deref() as &dyn Value)),
    ]));
}

/// The fields of the end, looked up once: all spans of calls are of the one callsite in [`open`].
static END: OnceLock<Option<[Field; 5]>> = OnceLock::new();

fn end_of(fields: &FieldSet) -> Option<[Field; 5]> {
    let name = |name: &str| fields.field(name);
    Some([
        name("audit.record.id")?,
        name("audit.outcome")?,
        name("audit.duration_ms")?,
        name("audit.summary")?,
        name("error.type")?,
    ])
}

//! The tracing span of a call, under the names of OpenTelemetry's GenAI conventions (in development; read 2026-11).
//!
//! It carries identifiers, outcome and duration, never arguments; the result only as its redacted summary.

use core::time::Duration;

use tracing::field::{Empty, display};
use tracing::{Level, Span};

use super::Label;
use crate::context::Ambient;
use crate::id::{CallId, RecordId};
use crate::record::{Outcome, Response};

/// The target of audit spans, which filters go by.
pub(super) const TARGET: &str = "audit";

/// Opens the span of a call, best effort: the user's filters are respected.
pub(super) fn open(label: &Label, id: CallId, ambient: &Ambient) -> Span {
    let span = tracing::span!(
        target: TARGET,
        Level::INFO,
        "execute_tool",
        otel.name = Empty,
        otel.kind = "internal",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = &*label.tool,
        gen_ai.tool.call.id = Empty,
        gen_ai.conversation.id = Empty,
        gen_ai.agent.id = Empty,
        user.id = Empty,
        audit.action = &*label.action,
        audit.call.id = Empty,
        audit.record.id = Empty,
        audit.outcome = Empty,
        audit.duration_ms = Empty,
        audit.summary = Empty,
        error.type = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    span.record("otel.name", display(format_args!("execute_tool {}", label.tool)));
    span.record("audit.call.id", display(id));
    let optional = |name, value: Option<&str>| {
        if let Some(value) = value {
            span.record(name, value);
        }
    };
    optional("gen_ai.tool.call.id", ambient.tool_call_id());
    if let Some(fields) = ambient.fields() {
        optional("gen_ai.conversation.id", fields.conversation_id());
        optional("gen_ai.agent.id", fields.agent_id());
        optional("user.id", fields.user_id());
    }
    span
}

/// Tells the span how the call ended, each field once.
pub(super) fn record_end(
    span: &Span,
    outcome: &Outcome,
    record_id: RecordId,
    duration: Duration,
    response: Option<&Response>,
) {
    if span.is_disabled() {
        return;
    }
    span.record("audit.record.id", display(record_id));
    span.record("audit.outcome", outcome.status.as_str());
    span.record("audit.duration_ms", i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    if let Some(response) = response {
        span.record("audit.summary", response.summary());
    }
    if let Some(error_type) = &outcome.error_type {
        span.record("error.type", error_type.as_str());
    }
}

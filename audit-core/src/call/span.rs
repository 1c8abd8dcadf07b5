//! The tracing span of a call, under the names of OpenTelemetry's GenAI and MCP conventions: see [`names`].
//!
//! It carries identifiers, outcome and duration; arguments and the result, beyond its redacted summary, only where the site
//! asks for them, and then as the record holds them.

use core::time::Duration;
use std::sync::OnceLock;

use tracing::field::{self, Empty, Field, FieldSet, Value};
use tracing::{Level, Span};

use super::{Label, telemetry};
use crate::context::Ambient;
use crate::id::{CallId, RecordId};
use crate::names;
use crate::record::{Outcome, Payload, Response};
use crate::sink::Receipt;
use crate::vocabulary::{Status, Telemetry};

/// The target of audit spans, which filters go by.
pub(super) const TARGET: &str = "audit";

/// Opens the span of a call, best effort: the user's filters are respected.
pub(super) fn open(label: &Label, id: CallId, ambient: &Ambient) -> Span {
    let fields = ambient.fields();
    let mcp = fields.and_then(|fields| fields.mcp_request());
    tracing::span!(
        target: TARGET,
        Level::INFO,
        "execute_tool",
        // Display: what nobody looks at is not written.
        otel.name = field::display(format_args!("execute_tool {}", label.tool)),
        otel.kind = "internal",
        otel.status_code = Empty,
        { names::OPERATION } = names::EXECUTE_TOOL,
        { names::TOOL } = &*label.tool,
        { names::TOOL_CALL_ID } = ambient.tool_call_id(),
        { names::ARGUMENTS } = Empty,
        { names::RESULT } = Empty,
        { names::CONVERSATION_ID } = fields.and_then(|fields| fields.conversation_id()),
        { names::AGENT_ID } = fields.and_then(|fields| fields.agent_id()),
        { names::AGENT_NAME } = fields.and_then(|fields| fields.agent_name()),
        { names::USER_ID } = fields.and_then(|fields| fields.user_id()),
        { names::MCP_METHOD } = mcp.and_then(|mcp| mcp.method_name()),
        { names::MCP_SESSION_ID } = mcp.and_then(|mcp| mcp.session()),
        { names::MCP_PROTOCOL_VERSION } = mcp.and_then(|mcp| mcp.protocol()),
        { names::JSONRPC_REQUEST_ID } = mcp.and_then(|mcp| mcp.request()),
        { names::ACTION } = &*label.action,
        { names::CALL_ID } = field::display(id),
        { names::RUN_ID } = fields.and_then(|fields| fields.run_id()),
        { names::RECORD_ID } = Empty,
        { names::SEQUENCE_NUMBER } = Empty,
        { names::OUTCOME } = Empty,
        { names::DURATION_MS } = Empty,
        { names::SUMMARY } = Empty,
        { names::ERROR_TYPE } = Empty,
    )
}

/// Shows the span what the record holds of the arguments, if the site asks for it.
pub(super) fn record_arguments(span: &Span, asked: Telemetry, arguments: &Payload) {
    if asked != Telemetry::Names
        && !span.is_disabled()
        && let Some(shown) = telemetry::shown(asked, arguments.bytes())
    {
        span.record(names::ARGUMENTS, &*shown);
    }
}

/// Tells the span how the call ended, each field once.
pub(super) fn record_end(span: &Span, outcome: &Outcome, record_id: RecordId, end: &End<'_>) {
    let Some(metadata) = span.metadata().filter(|_| !span.is_disabled()) else { return };
    let fields = metadata.fields();
    let Some([code, result, id, number, status, milliseconds, summary, error_type]) =
        ENDING.get_or_init(|| ending_of(fields))
    else {
        return;
    };
    let duration_ms = i64::try_from(end.duration.as_millis()).unwrap_or(i64::MAX);
    let shown = end.response.and_then(|response| telemetry::shown(end.telemetry, response.shown()));
    span.record_all(&fields.value_set(&[
        // As the conventions have it, a success leaves the status to whoever reads the trace.
        (code, Some(&(outcome.status == Status::Failure).then_some("ERROR") as &dyn Value)),
        (result, Some(&shown.as_deref() as &dyn Value)),
        (id, Some(&field::display(record_id) as &dyn Value)),
        (number, Some(&number_of(end.receipt) as &dyn Value)),
        (status, Some(&outcome.status.as_str() as &dyn Value)),
        (milliseconds, Some(&duration_ms as &dyn Value)),
        (summary, Some(&end.response.map(Response::summary) as &dyn Value)),
        (error_type, Some(&outcome.error_type.as_deref() as &dyn Value)),
    ]));
}

/// Tells the span the number of the entry, once it is known.
pub(super) fn record_number(span: &Span, number: Option<u64>) {
    if let Some(number) = number.and_then(|number| i64::try_from(number).ok()) {
        span.record(names::SEQUENCE_NUMBER, number);
    }
}

/// What there is to tell of the end of a call beside its outcome.
#[derive(Debug)]
pub(super) struct End<'a> {
    pub(super) telemetry: Telemetry,
    pub(super) duration: Duration,
    pub(super) response: Option<&'a Response>,
    pub(super) receipt: &'a Receipt,
}

/// Returns the number of the entry, where the sink has told it by now: a log tells it to those who wait for the disk.
fn number_of(receipt: &Receipt) -> Option<i64> {
    i64::try_from(receipt.number_now()?).ok()
}

/// The fields of the end, looked up once: all spans of calls are of the one callsite in [`open`].
static ENDING: OnceLock<Option<[Field; 8]>> = OnceLock::new();

fn ending_of(fields: &FieldSet) -> Option<[Field; 8]> {
    let name = |name: &str| fields.field(name);
    Some([
        name("otel.status_code")?,
        name(names::RESULT)?,
        name(names::RECORD_ID)?,
        name(names::SEQUENCE_NUMBER)?,
        name(names::OUTCOME)?,
        name(names::DURATION_MS)?,
        name(names::SUMMARY)?,
        name(names::ERROR_TYPE)?,
    ])
}

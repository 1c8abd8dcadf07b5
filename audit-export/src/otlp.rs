//! Entries and checkpoints as OTLP log records.

mod compare;
mod json;
mod received;

use audit_core::entry::{EntryHead, parse_line};
use audit_core::hash::Hash;
use audit_core::id::StreamId;
use audit_core::names;
use audit_core::time::Time;
use audit_core::verify::SCHEMA_VERSION;
use audit_core::vocabulary::EventName;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::ExportError;

pub use compare::{Comparison, Difference, Findings};
pub use json::write_request;
pub use received::{Received, read_exports};

/// The event name of a checkpoint, which is no record of the log.
pub const CHECKPOINT_EVENT: &str = "log.checkpoint";

/// The event name of a record whose own is not in this version's vocabulary; the body has it.
pub const UNKNOWN_EVENT: &str = "unknown";

/// One log record: what `opentelemetry.proto.logs.v1.LogRecord` carries of an entry or checkpoint.
///
/// It has neither a severity nor an instrumentation scope, as the draft for audit logs has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// When it happened.
    pub time: Time,
    /// When it was observed, not before.
    pub observed: Time,
    /// What happened.
    pub event_name: &'static str,
    /// The trace and the span, if the record has them.
    pub span: Option<([u8; 16], [u8; 8])>,
    /// The record, byte for byte as the log holds it, or the note of the checkpoint.
    pub body: String,
    /// The attributes, each name once.
    pub attributes: Vec<(&'static str, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Integer(i64),
    /// A truth value.
    Truth(bool),
}

/// How entries become log records.
///
/// Without a setting the attributes say what the record says, in its words. [`audit_draft`](Self::audit_draft) keeps the
/// rules of OpenTelemetry's draft for audit logs ([`names::AUDIT_DRAFT`]), which is not adopted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it does nothing by itself"]
pub struct Mapping {
    audit_draft: bool,
    user_as_actor: bool,
}

/// A checkpoint, and what its note does not say.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// The note.
    pub note: &'a str,
    /// The log's stream.
    pub stream_id: StreamId,
    /// The time of the last entry that it covers: a checkpoint has none of its own.
    pub time: Time,
}

impl Mapping {
    /// Makes the mapping that keeps the record's own words.
    pub const fn new() -> Self {
        Self { audit_draft: false, user_as_actor: false }
    }

    /// Keeps the rules of the draft for audit logs: the action is a verb in capitals (`REFUND`, the last part of
    /// `order.refund`), the outcome one of `success`, `failure` (which `partial` is, too) and `unknown`, and there are no
    /// attributes but those of the draft and of OpenTelemetry's conventions.
    pub const fn audit_draft(mut self, audit_draft: bool) -> Self {
        self.audit_draft = audit_draft;
        self
    }

    /// Names the user on whose behalf an agent acts as the actor, as the draft has it. Otherwise the agent is, and the user
    /// stands in `user.id`.
    pub const fn user_as_actor(mut self, user_as_actor: bool) -> Self {
        self.user_as_actor = user_as_actor;
        self
    }

    /// Makes the log record of an entry, given as the line of the log without its line feed.
    ///
    /// # Errors
    /// The line is no entry.
    pub fn entry(&self, line: &[u8]) -> Result<LogRecord, ExportError> {
        let head = parse_line(line).map_err(|fault| ExportError::new(format!("expected an entry, found {fault}")))?;
        let number = head.sequence.number;
        let unreadable = |fault: &dyn core::fmt::Display| ExportError::new(format!("entry {number}: {fault}"));
        let Line { record } = serde_json::from_slice(line).map_err(|fault| unreadable(&fault))?;
        let parsed: Json = serde_json::from_str(record.get()).map_err(|fault| unreadable(&fault))?;
        let time = |name: &str| parsed.get(name).and_then(Json::as_str).and_then(Time::parse);
        let happened = time("time").ok_or_else(|| unreadable(&"expected a time of RFC 3339 after 1970"))?;
        let event = EventName::parse(&head.record.event_name);
        Ok(LogRecord {
            time: happened,
            observed: time("observed_time").unwrap_or(happened).max(happened),
            event_name: event.map_or(UNKNOWN_EVENT, EventName::as_str),
            span: span(&parsed),
            attributes: self.attributes(&parsed, &head, event),
            body: record.get().to_owned(),
        })
    }

    /// Makes the log record of a checkpoint. Its `audit.record.id` is made of the note, so that each copy has the same.
    #[must_use]
    pub fn checkpoint(&self, checkpoint: Checkpoint<'_>) -> LogRecord {
        let mut attributes = Attributes::default();
        attributes.text(names::RECORD_ID, Some(&id_of(checkpoint.note)));
        attributes.text(names::ACTOR_ID, Some("audited"));
        attributes.text(names::ACTOR_TYPE, Some("system"));
        attributes.text(names::ACTION, Some(&self.action(CHECKPOINT_EVENT)));
        attributes.text(names::OUTCOME, Some("success"));
        attributes.text(names::SCHEMA_VERSION, Some(SCHEMA_VERSION));
        attributes.text(names::SEQUENCE_STREAM_ID, Some(&checkpoint.stream_id.to_string()));
        LogRecord {
            time: checkpoint.time,
            observed: checkpoint.time,
            event_name: CHECKPOINT_EVENT,
            span: None,
            body: checkpoint.note.to_owned(),
            attributes: attributes.0,
        }
    }

    fn attributes(&self, record: &Json, head: &EntryHead<'_>, event: Option<EventName>) -> Vec<(&'static str, Value)> {
        let at = |pointer: &str| record.pointer(pointer).and_then(Json::as_str);
        let mut attributes = Attributes::default();
        let (actor_type, actor_id) = self.actor(record);
        attributes.text(names::RECORD_ID, at("/record_id"));
        attributes.text(names::ACTOR_ID, Some(actor_id));
        attributes.text(names::ACTOR_TYPE, Some(actor_type));
        attributes.text(names::ACTION, Some(&self.action(at("/action").unwrap_or(&head.record.event_name))));
        attributes.text(names::OUTCOME, Some(self.outcome(at("/outcome/status").unwrap_or("unknown"))));
        attributes.text(names::SCHEMA_VERSION, Some(&head.record.schema_version));
        let sequence = &head.sequence;
        attributes.push(names::SEQUENCE_NUMBER, i64::try_from(sequence.number).ok().map(Value::Integer));
        attributes.text(names::SEQUENCE_STREAM_ID, Some(&sequence.stream_id.to_string()));
        attributes.text(names::SEQUENCE_PREVIOUS_HASH, sequence.previous_hash.map(|hash| hash.to_string()).as_deref());
        attributes.push(names::SEQUENCE_END, (event == Some(EventName::LogClosed)).then_some(Value::Truth(true)));
        for (name, pointer) in TEXTS {
            attributes.text(name, at(pointer));
        }
        if !self.audit_draft {
            attributes.text(names::CALL_ID, at("/call/id"));
            attributes.text(names::RUN_ID, at("/correlation/run_id"));
        }
        attributes.0
    }

    /// Tells who acts: what it is, and its identifier.
    fn actor<'r>(&self, record: &'r Json) -> (&'static str, &'r str) {
        let id = |pointer: &str| record.pointer(pointer).and_then(Json::as_str);
        let agent = id("/actor/agent/id").map(|id| ("service", id));
        let user = id("/actor/on_behalf_of/id").map(|id| ("user", id));
        let person = if self.user_as_actor { user.or(agent) } else { agent.or(user) };
        person.or_else(|| Some(("system", id("/actor/system/id")?))).unwrap_or(("service", "unknown"))
    }

    fn action(&self, action: &str) -> String {
        if !self.audit_draft {
            return action.to_owned();
        }
        action.rsplit('.').next().unwrap_or(action).to_uppercase()
    }

    const fn outcome<'r>(&self, status: &'r str) -> &'r str {
        match (self.audit_draft, status.as_bytes()) {
            (false, _) | (true, b"success" | b"failure" | b"unknown") => status,
            (true, b"partial") => "failure",
            (true, _) => "unknown",
        }
    }
}

/// The attributes that say what a member of the record says, if it is there.
const TEXTS: [(&str, &str); 15] = [
    (names::TARGET_ID, "/target/0/id"),
    (names::TARGET_TYPE, "/target/0/type"),
    (names::OPERATION, "/operation/name"),
    (names::TOOL, "/operation/tool/name"),
    (names::TOOL_CALL_ID, "/call/tool_call_id"),
    (names::CONVERSATION_ID, "/correlation/conversation_id"),
    (names::AGENT_ID, "/actor/agent/id"),
    (names::AGENT_NAME, "/actor/agent/name"),
    (names::AGENT_VERSION, "/actor/agent/version"),
    (names::USER_ID, "/actor/on_behalf_of/id"),
    (names::ERROR_TYPE, "/outcome/error_type"),
    (names::MCP_METHOD, "/operation/mcp/method"),
    (names::MCP_SESSION_ID, "/operation/mcp/session_id"),
    (names::MCP_PROTOCOL_VERSION, "/operation/mcp/protocol_version"),
    (names::JSONRPC_REQUEST_ID, "/operation/mcp/request_id"),
];

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    record: &'a RawValue,
}

#[derive(Default)]
struct Attributes(Vec<(&'static str, Value)>);

impl Attributes {
    fn text(&mut self, name: &'static str, text: Option<&str>) {
        self.push(name, text.map(|text| Value::Text(text.to_owned())));
    }

    fn push(&mut self, name: &'static str, value: Option<Value>) {
        self.0.extend(value.map(|value| (name, value)));
    }
}

fn span(record: &Json) -> Option<([u8; 16], [u8; 8])> {
    let id = |pointer: &str| record.pointer(pointer).and_then(Json::as_str);
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    hex::decode_to_slice(id("/correlation/trace_id")?, &mut trace).ok()?;
    hex::decode_to_slice(id("/correlation/span_id")?, &mut span).ok()?;
    Some((trace, span))
}

/// Makes a UUID of a text, always the same: version 8 of RFC 9562, of its leaf hash.
fn id_of(text: &str) -> String {
    let hash = Hash::leaf(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(byte, hashed)| *byte = *hashed);
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    audit_core::id::RecordId::from_bytes(bytes).to_string()
}

#[cfg(test)]
mod tests;

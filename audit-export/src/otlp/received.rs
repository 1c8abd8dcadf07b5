//! What a receiver has: OTLP JSON read back, as strictly as it must be to be compared.

use std::collections::BTreeMap;

use audit_core::names;
use audit_core::time::Time;
use core::time::Duration;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{CHECKPOINT_EVENT, Value};
use crate::ExportError;

/// A log record that a receiver has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// When it happened; `None` if it does not say.
    pub time: Option<Time>,
    /// What happened.
    pub event_name: String,
    /// The trace and the span, in hexadecimal digits.
    pub span: Option<(String, String)>,
    /// The body, if it is a text.
    pub body: Option<String>,
    /// The attributes that are texts, numbers or truth values.
    pub attributes: BTreeMap<String, Value>,
}

impl Received {
    /// Returns an attribute that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the number of the entry.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self.attributes.get(names::SEQUENCE_NUMBER) {
            Some(Value::Integer(number)) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Tells whether it is a checkpoint.
    #[must_use]
    pub fn is_checkpoint(&self) -> bool {
        self.event_name == CHECKPOINT_EVENT
    }
}

/// Reads what a collector's file exporter wrote: one request in each line. Lines with something else than logs are passed
/// over, and so are log records that no audit log made: those without `audit.record.id`.
///
/// # Errors
/// A line is no OTLP JSON; the error names it.
pub fn read_exports(text: &str) -> Result<Vec<Received>, ExportError> {
    let mut received = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let request: Request = serde_json::from_str(line)
            .map_err(|fault| ExportError::new(format!("line {}: expected OTLP JSON, found: {fault}", index + 1)))?;
        let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        let records = scopes.flat_map(|scope| scope.log_records).map(LogRecord::into_received);
        received.extend(records.filter(|record| record.text(names::RECORD_ID).is_some()));
    }
    Ok(received)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    #[serde(default)]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    #[serde(default)]
    log_records: Vec<LogRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord {
    #[serde(default)]
    time_unix_nano: Json,
    #[serde(default)]
    event_name: String,
    #[serde(default)]
    body: Json,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    span_id: String,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: Json,
}

impl LogRecord {
    fn into_received(self) -> Received {
        let known = |attribute: Attribute| Some((attribute.key, value(&attribute.value)?));
        Received {
            time: unsigned(&self.time_unix_nano).map(Duration::from_nanos).map(Time::from_unix),
            event_name: self.event_name,
            span: (!self.trace_id.is_empty()).then_some((self.trace_id, self.span_id)),
            body: self.body.get("stringValue").and_then(Json::as_str).map(str::to_owned),
            attributes: self.attributes.into_iter().filter_map(known).collect(),
        }
    }
}

fn value(any: &Json) -> Option<Value> {
    let (kind, value) = any.as_object()?.iter().next()?;
    match kind.as_str() {
        "stringValue" => Some(Value::Text(value.as_str()?.to_owned())),
        "intValue" => Some(Value::Integer(value.as_i64().or_else(|| value.as_str()?.parse().ok())?)),
        "boolValue" => Some(Value::Truth(value.as_bool()?)),
        _ => None,
    }
}

/// Reads a number of 64 bits, which may be a text.
fn unsigned(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

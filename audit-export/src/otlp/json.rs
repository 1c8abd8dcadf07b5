//! Log records as OTLP JSON: one `ExportLogsServiceRequest` in a line, as the file exporter of a collector writes it.

use core::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::{LogRecord, Value};

/// Writes one request with these records, in their order, and the attributes of what they come from.
#[must_use]
pub fn write_request(records: &[LogRecord], resource: &[(String, String)]) -> String {
    let resource: Vec<Json> =
        resource.iter().map(|(name, text)| json!({"key": name, "value": {"stringValue": text}})).collect();
    let records: Vec<Json> = records.iter().map(record).collect();
    json!({"resourceLogs": [{"resource": {"attributes": resource}, "scopeLogs": [{"logRecords": records}]}]})
        .to_string()
}

fn record(record: &LogRecord) -> Json {
    let mut members = Map::new();
    let mut put = |name: &str, value: Json| drop(members.insert(name.to_owned(), value));
    put("timeUnixNano", nanoseconds(record.time.since_unix()));
    put("observedTimeUnixNano", nanoseconds(record.observed.since_unix()));
    put("eventName", record.event_name.into());
    put("body", json!({"stringValue": record.body}));
    put("attributes", record.attributes.iter().map(attribute).collect());
    if let Some((trace, span)) = &record.span {
        put("traceId", hex::encode(trace).into());
        put("spanId", hex::encode(span).into());
    }
    members.into()
}

fn attribute((name, value): &(&'static str, Value)) -> Json {
    let value = match value {
        Value::Text(text) => json!({"stringValue": text}),
        // A number of 64 bits is a text in the JSON of Protocol Buffers.
        Value::Integer(number) => json!({"intValue": number.to_string()}),
        Value::Truth(truth) => json!({"boolValue": truth}),
    };
    json!({"key": name, "value": value})
}

fn nanoseconds(since_unix: Duration) -> Json {
    since_unix.as_nanos().to_string().into()
}

//! Log records in the types of the SDK.

use std::time::UNIX_EPOCH;

use audit_core::time::Time;
use audit_export::otlp::{LogRecord, Value};
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};

/// Makes records of the SDK, which only a logger can.
pub(super) struct Maker(SdkLogger);

impl Maker {
    pub(super) fn new() -> Self {
        // Nothing is emitted through it: it has no processor that could lose a record.
        Self(SdkLoggerProvider::builder().build().logger(""))
    }

    pub(super) fn make(&self, record: LogRecord) -> SdkLogRecord {
        let mut made = self.0.create_log_record();
        made.set_event_name(record.event_name);
        made.set_timestamp(instant(record.time));
        made.set_observed_timestamp(instant(record.observed));
        made.set_body(AnyValue::from(record.body));
        if let Some((trace, span)) = record.span {
            made.set_trace_context(TraceId::from_bytes(trace), SpanId::from_bytes(span), None);
        }
        for (name, value) in record.attributes {
            match value {
                Value::Text(text) => made.add_attribute(name, text),
                Value::Integer(number) => made.add_attribute(name, number),
                Value::Truth(truth) => made.add_attribute(name, truth),
            }
        }
        made
    }
}

fn instant(time: Time) -> std::time::SystemTime {
    // A time that the system has no form for has none in OTLP either.
    UNIX_EPOCH.checked_add(time.since_unix()).unwrap_or(UNIX_EPOCH)
}

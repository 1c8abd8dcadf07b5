//! The records that the log itself writes.

use std::sync::Arc;

use audit_core::id::{CallId, IdSource, RecordId};
use audit_core::time::{Clock, Time};
use audit_core::verify::SCHEMA_VERSION;
use audit_core::vocabulary::{Applied, EventName, Status};
use serde_json::{Map, Value, json};

/// How many calls a record lists; the others are counted in its annotations.
const OPEN_CALLS_MAX: usize = 1_000;

/// Makes the log's own records.
#[derive(Clone)]
pub(super) struct Events {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) origin: String,
    pub(super) heartbeat_seconds: u32,
}

impl Events {
    pub(super) fn opened(&self) -> Vec<u8> {
        let log = json!({
            "heartbeat_seconds": self.heartbeat_seconds,
            "origin": self.origin,
            "version": env!("CARGO_PKG_VERSION"),
        });
        canonical(&self.own(EventName::LogOpened, log, Map::new()))
    }

    /// `open_calls` in the order of their start.
    pub(super) fn recovered(&self, cut_bytes: u64, open_calls: &[CallId]) -> Vec<u8> {
        let (listed, annotations) = list(open_calls);
        let log = json!({ "cut_bytes": cut_bytes, "open_calls": listed });
        canonical(&self.own(EventName::LogRecovered, log, annotations))
    }

    /// `open_calls` in the order of their start.
    pub(super) fn closed(&self, dropped: u64, open_calls: &[CallId]) -> Vec<u8> {
        let (listed, annotations) = list(open_calls);
        let log = json!({ "dropped": dropped, "open_calls": listed });
        canonical(&self.own(EventName::LogClosed, log, annotations))
    }

    /// `span` are the times of the first and the last record that was dropped, where they are known.
    pub(super) fn dropped(&self, count: u64, span: Option<(Time, Time)>) -> Vec<u8> {
        let mut annotations = Map::new();
        if let Some((from, to)) = span {
            annotations.insert("from".to_owned(), from.to_string().into());
            annotations.insert("to".to_owned(), to.to_string().into());
        }
        canonical(&self.own(EventName::RecordsDropped, json!({ "dropped": count }), annotations))
    }

    /// Makes the record of a call whose process ended, from the record of its beginning.
    pub(super) fn abandoned(&self, started: &Map<String, Value>) -> Vec<u8> {
        let mut record = self.head(EventName::ToolAbandoned);
        for name in ["action", "actor", "correlation", "level", "target"] {
            copy(started, name, &mut record);
        }
        if let Some(Value::Object(call)) = started.get("call") {
            let mut kept = Map::new();
            for name in ["id", "start_time", "tool_call_id", "attempt", "parent_id"] {
                copy(call, name, &mut kept);
            }
            record.insert("call".to_owned(), kept.into());
        }
        if let Some(Value::Object(operation)) = started.get("operation") {
            let mut kept = Map::new();
            copy(operation, "name", &mut kept);
            if let Some(name) = operation.get("tool").and_then(|tool| tool.get("name")) {
                kept.insert("tool".to_owned(), json!({ "name": name }));
            }
            record.insert("operation".to_owned(), kept.into());
        }
        let outcome = json!({
            "effect": Applied::Unknown.as_str(),
            "error_type": "process_died",
            "status": Status::Unknown.as_str(),
        });
        record.insert("outcome".to_owned(), outcome);
        shorten(&mut record);
        canonical(&record)
    }

    fn own(&self, name: EventName, log: Value, annotations: Map<String, Value>) -> Map<String, Value> {
        let mut record = self.head(name);
        record.insert("action".to_owned(), name.as_str().into());
        record.insert("actor".to_owned(), json!({ "system": { "id": "audited" } }));
        record.insert("log".to_owned(), log);
        let outcome = json!({ "effect": Applied::None.as_str(), "status": Status::Success.as_str() });
        record.insert("outcome".to_owned(), outcome);
        if !annotations.is_empty() {
            record.insert("annotations".to_owned(), annotations.into());
        }
        record
    }

    fn head(&self, name: EventName) -> Map<String, Value> {
        let now = self.clock.now();
        let time = Value::from(now.to_string());
        let mut record = Map::new();
        record.insert("event_name".to_owned(), name.as_str().into());
        record.insert("observed_time".to_owned(), time.clone());
        record.insert("record_id".to_owned(), RecordId::new(&*self.ids, now).to_string().into());
        record.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
        record.insert("stage".to_owned(), name.stage().as_str().into());
        record.insert("time".to_owned(), time);
        record
    }
}

fn copy(from: &Map<String, Value>, name: &str, to: &mut Map<String, Value>) {
    if let Some(value) = from.get(name) {
        to.insert(name.to_owned(), value.clone());
    }
}

/// Lists as many calls as a record has room for; the annotations tell how many there are if that is not all.
fn list(open_calls: &[CallId]) -> (Vec<String>, Map<String, Value>) {
    let mut annotations = Map::new();
    if open_calls.len() > OPEN_CALLS_MAX {
        annotations.insert("open_calls".to_owned(), open_calls.len().into());
    }
    (open_calls.iter().take(OPEN_CALLS_MAX).map(CallId::to_string).collect(), annotations)
}

/// A beginning that all but filled its line leaves no room for the outcome: what identifies the call goes first.
fn shorten(record: &mut Map<String, Value>) {
    for name in ["target", "correlation", "actor"] {
        if canonical(record).len() <= audit_core::entry::RECORD_BYTES_MAX {
            return;
        }
        record.remove(name);
        if name == "actor" {
            // The schema requires an actor; an empty one states nothing.
            record.insert(name.to_owned(), json!({}));
        }
        let mut annotations = Map::new();
        annotations.insert("shortened".to_owned(), true.into());
        record.insert("annotations".to_owned(), annotations.into());
    }
}

/// Returns the canonical bytes of a record.
fn canonical(record: &Map<String, Value>) -> Vec<u8> {
    // JSON values that were parsed or made here have a canonical form; if one had none, the writer refuses no bytes.
    audit_core::canonical::to_vec(record).unwrap_or_default()
}

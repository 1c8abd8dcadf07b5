//! The records that the log itself writes.

use std::sync::Arc;

use crate::anchors::{Event, What};
use crate::log::accounts::{Reading, SubjectErased};
use audit_core::entry::RECORD_BYTES_MAX;
use audit_core::id::{CallId, IdSource, RecordId};
use audit_core::time::{Clock, Time};
use audit_core::verify::{Declared, SCHEMA_VERSION};
use audit_core::vocabulary::{Applied, EventName, Status};
use serde_json::{Map, Value, json};

/// How many calls a record lists; the others are counted in its annotations.
const OPEN_CALLS_MAX: usize = 1_000;

/// The members of the record of a beginning that its end by the log repeats, `call` and `operation` in part.
pub(super) const REPEATED: [&str; 7] = ["action", "actor", "call", "correlation", "level", "operation", "target"];

/// What is repeated of a call's beginning.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    pub(super) members: Map<String, Value>,
    /// False if a member could not be read.
    pub(super) is_whole: bool,
}

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
        self.created(&Declared::default())
    }

    /// The first entry of a log, which names the keys of its checkpoints.
    pub(super) fn created(&self, keys: &Declared) -> Vec<u8> {
        let mut log = json!({
            "heartbeat_seconds": self.heartbeat_seconds,
            "origin": self.origin,
            "version": env!("CARGO_PKG_VERSION"),
        });
        let mut annotations = Map::new();
        if let (Some(first), Some(log)) = (&keys.first, log.as_object_mut()) {
            log.insert("verification_key".to_owned(), first.to_string().into());
        }
        if let Some(identity) = &keys.identity {
            annotations.insert("identity_key".to_owned(), identity.to_string().into());
        }
        canonical(&self.own(EventName::LogOpened, log, annotations))
    }

    /// Names the key that signs from the checkpoint after the first one over this record.
    pub(super) fn key_rotated(&self, verification_key: &str) -> Vec<u8> {
        canonical(&self.own(EventName::KeyRotated, json!({ "verification_key": verification_key }), Map::new()))
    }

    /// `open_calls` in the order of their start; `drained` is how many records the journal held that were in no segment.
    pub(super) fn recovered(&self, cut_bytes: u64, drained: u64, open_calls: &[CallId]) -> Vec<u8> {
        let (listed, mut annotations) = list(open_calls);
        if drained > 0 {
            annotations.insert("drained".to_owned(), drained.into());
        }
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

    /// Tells that the clock of records went back, from one time to another.
    pub(super) fn clock_stepped(&self, from: Time, to: Time) -> Vec<u8> {
        let mut annotations = Map::new();
        annotations.insert("from".to_owned(), from.to_string().into());
        annotations.insert("to".to_owned(), to.to_string().into());
        canonical(&self.own(EventName::ClockStepped, json!({}), annotations))
    }

    /// Tells that an anchor has a checkpoint, or why not.
    pub(super) fn anchored(&self, event: &Event) -> Vec<u8> {
        let mut annotations = Map::new();
        let mut note = |name: &str, value: Value| drop(annotations.insert(name.to_owned(), value));
        let (name, failure) = match &event.what {
            What::Added(added) => {
                note("size", added.size.into());
                note("form", added.form.extension().into());
                note("checkpoints", added.count.into());
                added.time.iter().for_each(|time| note("stated_time", time.to_string().into()));
                (EventName::AnchorAdded, None)
            }
            What::Failed(failed) => {
                note("size", failed.size.into());
                note("kind", failed.kind.into());
                note("reason", failed.reason.as_str().into());
                note("passes", failed.is_passing.into());
                note("alarm", failed.contradicts_log.into());
                (EventName::AnchorFailed, Some(failed.kind))
            }
        };
        let mut record = self.own(name, json!({}), annotations);
        record.insert("target".to_owned(), json!([{ "id": event.anchor.as_str(), "type": "anchor" }]));
        if let Some(kind) = failure {
            let outcome = json!({
                "effect": Applied::None.as_str(),
                "error_type": kind,
                "status": Status::Failure.as_str(),
            });
            record.insert("outcome".to_owned(), outcome);
        }
        canonical(&record)
    }

    /// Tells that sealed values are read.
    pub(super) fn read(&self, reading: &Reading) -> Vec<u8> {
        let mut annotations = Map::new();
        annotations.insert("key_ids".to_owned(), reading.key_ids.clone().into());
        annotations.insert("log".to_owned(), reading.log.as_str().into());
        annotations.insert("paths".to_owned(), reading.paths.clone().into());
        annotations.insert("purpose".to_owned(), reading.purpose.as_str().into());
        let mut record = self.by(EventName::LogRead, annotations, &reading.by);
        record.insert("target".to_owned(), json!([{ "id": reading.record_id.to_string(), "type": "record" }]));
        canonical(&record)
    }

    /// Tells that a subject's keys were destroyed.
    pub(super) fn erased(&self, erased: &SubjectErased) -> Vec<u8> {
        let mut annotations = Map::new();
        annotations.insert("key_ids".to_owned(), erased.key_ids.clone().into());
        annotations.insert("reason".to_owned(), erased.reason.as_str().into());
        canonical(&self.by(EventName::SubjectErased, annotations, &erased.by))
    }

    /// A record of what a person did, and as which user of the system.
    fn by(&self, name: EventName, mut annotations: Map<String, Value>, by: &str) -> Map<String, Value> {
        #[cfg(unix)]
        annotations.insert("uid".to_owned(), rustix::process::getuid().as_raw().into());
        let mut record = self.own(name, json!({}), annotations);
        if let Some(actor) = record.get_mut("actor").and_then(Value::as_object_mut).filter(|_actor| !by.is_empty()) {
            actor.insert("on_behalf_of".to_owned(), json!({ "id": by }));
        }
        record
    }

    /// Makes the record of a call whose process ended, from what the record of its beginning says.
    pub(super) fn abandoned(&self, call_id: CallId, beginning: Beginning) -> Vec<u8> {
        let mut record = self.head(EventName::ToolAbandoned);
        record.insert("action".to_owned(), EventName::ToolAbandoned.as_str().into());
        record.insert("actor".to_owned(), json!({}));
        for (name, value) in beginning.members {
            let repeated = match (&*name, value) {
                ("call", Value::Object(call)) => part(&call, &["start_time", "tool_call_id", "attempt", "parent_id"]),
                ("operation", Value::Object(operation)) => {
                    let mut kept = part(&operation, &["name"]);
                    if let Some(name) = operation.get("tool").and_then(|tool| tool.get("name")) {
                        kept.insert("tool".to_owned(), json!({ "name": name }));
                    }
                    kept
                }
                ("call" | "operation", _) => continue,
                ("action", value) if !value.is_string() => continue,
                (_, value) => {
                    record.insert(name, value);
                    continue;
                }
            };
            record.insert(name, repeated.into());
        }
        if let Some(call) = record.entry("call").or_insert_with(|| json!({})).as_object_mut() {
            call.insert("id".to_owned(), call_id.to_string().into());
        }
        let outcome = json!({
            "effect": Applied::Unknown.as_str(),
            "error_type": "process_died",
            "status": Status::Unknown.as_str(),
        });
        record.insert("outcome".to_owned(), outcome);
        if !beginning.is_whole {
            note_shortened(&mut record);
        }
        shorten(record, call_id)
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

/// Returns the named members of an object, as far as it has them.
fn part(object: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone()))).collect()
}

/// Lists as many calls as a record has room for; the annotations tell how many there are if that is not all.
fn list(open_calls: &[CallId]) -> (Vec<String>, Map<String, Value>) {
    let mut annotations = Map::new();
    if open_calls.len() > OPEN_CALLS_MAX {
        annotations.insert("open_calls".to_owned(), open_calls.len().into());
    }
    (open_calls.iter().take(OPEN_CALLS_MAX).map(CallId::to_string).collect(), annotations)
}

/// A beginning that all but filled its line leaves no room for the outcome: members go one after the other, until only
/// `call.id` is left of the beginning.
fn shorten(mut record: Map<String, Value>, call_id: CallId) -> Vec<u8> {
    for name in ["target", "correlation", "actor", "operation", "level", "call", "action"] {
        if let Ok(bytes) = audit_core::canonical::to_vec(&record)
            && bytes.len() <= RECORD_BYTES_MAX
        {
            return bytes;
        }
        // The schema requires some of them; what takes their place states nothing.
        let left = match name {
            "actor" => json!({}),
            "call" => json!({ "id": call_id.to_string() }),
            "action" => EventName::ToolAbandoned.as_str().into(),
            _ => Value::Null,
        };
        record.remove(name);
        if !left.is_null() {
            record.insert(name.to_owned(), left);
        }
        note_shortened(&mut record);
    }
    canonical(&record)
}

fn note_shortened(record: &mut Map<String, Value>) {
    record.insert("annotations".to_owned(), json!({ "shortened": true }));
}

/// Returns the canonical bytes of a record.
fn canonical(record: &Map<String, Value>) -> Vec<u8> {
    // JSON values that were parsed or made here have a canonical form; if one had none, the writer refuses no bytes.
    audit_core::canonical::to_vec(record).unwrap_or_default()
}

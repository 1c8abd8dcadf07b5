//! The record by which a secondary sink is told what it did not get.

use audit_core::id::{IdSource, RecordId};
use audit_core::time::Time;
use audit_core::verify::SCHEMA_VERSION;
use audit_core::vocabulary::{Applied, EventName, Status};
use serde_json::json;

use super::queue::Gap;

/// The event of the record.
pub(super) const EVENT: EventName = EventName::RecordsDropped;

/// Returns the canonical bytes of `records.dropped`, as a log writes it, and with the name of the sink, which tells it
/// from the log's own.
pub(super) fn dropped(sink: &str, gap: &Gap, now: Time, ids: &dyn IdSource) -> Vec<u8> {
    let time = now.to_string();
    let record = json!({
        "action": EVENT.as_str(),
        "actor": { "system": { "id": "audited" } },
        "annotations": { "from": gap.first.to_string(), "sink": sink, "to": gap.last.to_string() },
        "event_name": EVENT.as_str(),
        "log": { "dropped": gap.count },
        "observed_time": time,
        "outcome": { "effect": Applied::None.as_str(), "status": Status::Success.as_str() },
        "record_id": RecordId::new(ids, now).to_string(),
        "schema_version": SCHEMA_VERSION,
        "stage": EVENT.stage().as_str(),
        "time": time,
    });
    // JSON that is made here always has a canonical form.
    audit_core::canonical::to_vec(&record).unwrap_or_default()
}

//! Where values stand in a record, those included that its log keeps in blobs.

use std::path::Path;

use audit_core::entry::ParseEntryError;
use audit_core::hash::Hash;
use audit_core::id::RecordId;
use serde_json::Value;

use crate::{Error, blobs};

/// What may be in a blob: the object that refers to it, and the member that stands for it.
const KEPT: [(&str, &str); 2] = [("request", "arguments"), ("response", "result")];

/// The record of an entry, with what it keeps in blobs put in its place.
#[derive(Clone, Debug)]
pub struct WholeRecord(Value);

impl WholeRecord {
    /// Reads the record in a line of the log at `log`. A blob that is missing leaves its place empty.
    ///
    /// # Errors
    /// A blob was altered ([`Error::is_tampered`]), or cannot be read.
    pub fn read(log: &Path, line: &[u8]) -> Result<Result<Self, ParseEntryError>, Error> {
        let mut record = match serde_json::from_slice::<Value>(line) {
            Ok(mut entry) => entry.get_mut("record").map(Value::take).unwrap_or_default(),
            Err(fault) => return Ok(Err(ParseEntryError::new(fault.to_string()))),
        };
        for (payload, member) in KEPT {
            let Some(object) = record.get_mut(payload).and_then(Value::as_object_mut) else { continue };
            if let Some(kept) = kept(log, object)? {
                object.insert(member.to_owned(), kept);
            }
        }
        if let Some(object) = record.get("annotations").and_then(Value::as_object)
            && let Some(kept) = kept(log, object)?
            && let Some(record) = record.as_object_mut()
        {
            record.insert("annotations".to_owned(), kept);
        }
        Ok(Ok(Self(record)))
    }

    /// Returns the record as JSON.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// Returns the identifier.
    #[must_use]
    pub fn record_id(&self) -> Option<RecordId> {
        self.text("/record_id")?.parse().ok()
    }

    /// Returns the tenant for whom the agent acted.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.text("/correlation/tenant_id")
    }

    /// Returns the text that a JSON Pointer leads to.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer)?.as_str()
    }

    /// Returns the places of all sealed values, as JSON Pointers.
    #[must_use]
    pub fn sealed(&self) -> Vec<String> {
        self.places(|value| matches!(value, Value::Object(object) if object.len() == 1 && object.contains_key("_sd")))
    }

    /// Returns the places of a text, as JSON Pointers, those of keys included.
    #[must_use]
    pub fn places_of(&self, text: &str) -> Vec<String> {
        self.places(|value| match value {
            Value::String(found) => found == text,
            Value::Object(object) => object.contains_key(text),
            _ => false,
        })
    }

    fn places(&self, is_one: impl Fn(&Value) -> bool) -> Vec<String> {
        let (mut found, mut open) = (Vec::new(), vec![(String::new(), &self.0)]);
        while let Some((pointer, value)) = open.pop() {
            let below = |step: &str| format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"));
            match value {
                Value::Array(list) => {
                    open.extend(list.iter().enumerate().rev().map(|(index, item)| (below(&index.to_string()), item)));
                }
                Value::Object(object) => open.extend(object.iter().rev().map(|(name, item)| (below(name), item))),
                _ => {}
            }
            if is_one(value) {
                found.push(pointer);
            }
        }
        found
    }
}

/// Returns what an object keeps in a blob; none if it keeps nothing, or the blob is gone.
fn kept(log: &Path, object: &serde_json::Map<String, Value>) -> Result<Option<Value>, Error> {
    let hash = object.get("ref").and_then(Value::as_str).and_then(|place| place.strip_prefix("blobs/"));
    let Some(hash) = hash.and_then(|hash| hash.parse::<Hash>().ok()) else { return Ok(None) };
    Ok(blobs::read(log, hash)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

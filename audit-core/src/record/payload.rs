//! Arguments, results and annotations: canonical bytes with their hash and size, and the summary of a result.

use serde_json::{Map, Value};

use super::{Object, name, summary};
use crate::canonical;
use crate::hash::Hash;
use crate::redact::{Path, Segment};
use crate::reused::Buffer;

/// Where a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the record.
    Here,
    /// Beside the records, under its hash.
    Kept,
    /// Nowhere, but what it holds is summed up in the record.
    Summed,
    /// Nowhere: its record has no room for it, and the sink keeps none.
    Gone,
}

/// Canonical JSON, redacted already. Its hash covers exactly these bytes.
#[derive(Debug)]
pub(crate) struct Payload {
    bytes: Buffer,
    hash: Hash,
}

impl Payload {
    pub(crate) fn new(bytes: impl Into<Buffer>) -> Self {
        let bytes = bytes.into();
        Self { hash: Hash::of(&bytes), bytes }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Has the payload kept beside the records, as it has no room in one.
    pub(super) fn keep(&self, keep: &dyn Fn(&[u8]) -> Option<Hash>) -> Place {
        // Whoever keeps it under another hash keeps something else.
        if keep(&self.bytes) == Some(self.hash) { Place::Kept } else { Place::Gone }
    }

    pub(super) fn write_request(&self, mut request: Object<'_>, place: Place) {
        match place {
            Place::Here => request.raw(name!("arguments"), &self.bytes),
            Place::Summed => request.raw(name!("arguments"), &summary::of_arguments(&self.bytes)),
            Place::Kept | Place::Gone => {}
        }
        self.write_digest(&mut request, place);
        request.close();
    }

    pub(super) fn write_annotations(&self, record: &mut Object<'_>, place: Place) {
        if place == Place::Here {
            return record.raw(name!("annotations"), &self.bytes);
        }
        let mut annotations = record.object(name!("annotations"));
        self.write_digest(&mut annotations, place);
        annotations.close();
    }

    fn write_digest(&self, object: &mut Object<'_>, place: Place) {
        object.hash(name!("hash"), self.hash);
        self.write_ref(object, place);
        object.number(name!("size"), self.bytes.len() as u64);
        if matches!(place, Place::Summed | Place::Gone) {
            object.boolean(name!("truncated"), true);
        }
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.as_slice().len()
    }

    fn write_ref(&self, object: &mut Object<'_>, place: Place) {
        if place == Place::Kept {
            object.text(name!("ref"), &format!("blobs/{}", self.hash));
        }
    }
}

/// A result: its bytes, and what stands for them where they are too long or not wanted.
#[derive(Debug)]
pub(crate) struct Response {
    /// None for a stream, whose items are not kept.
    payload: Option<Payload>,
    /// None where the result is its own summary.
    summary: Option<Vec<u8>>,
    /// True if the level asks for the whole result.
    whole: bool,
}

impl Response {
    /// Takes a result; its summary is made of the selected parts of it, if any are.
    pub(crate) fn new(bytes: impl Into<Buffer>, whole: bool, selected: &[Path]) -> Self {
        let payload = Payload::new(bytes);
        let summary = match selected {
            [] => summary::of(&payload.bytes),
            _ => {
                let parts = select(&payload.bytes, selected);
                Some(summary::of(&parts).unwrap_or(parts))
            }
        };
        Self { payload: Some(payload), summary, whole }
    }

    /// Sums up a stream by how many items it had.
    pub(crate) fn of_stream(count: u64) -> Self {
        let mut summary = Vec::new();
        let mut object = Object::open(&mut summary);
        object.number(name!("count"), count);
        object.word(name!("type"), b"stream");
        object.close();
        Self { payload: None, summary: Some(summary), whole: false }
    }

    /// Returns the summary's JSON, at most 256 bytes.
    pub(crate) fn summary(&self) -> &str {
        core::str::from_utf8(self.summary_bytes()).unwrap_or_default()
    }

    /// Returns what the record holds of the result: the whole, or its summary.
    pub(crate) fn shown(&self) -> &[u8] {
        let whole = self.payload.as_ref().filter(|_| self.whole);
        whole.map_or_else(|| self.summary_bytes(), Payload::bytes)
    }

    fn summary_bytes(&self) -> &[u8] {
        let whole = || self.payload.as_ref().map(|payload| payload.bytes.as_slice());
        self.summary.as_deref().or_else(whole).unwrap_or_default()
    }

    /// Returns how large the result is, if the level asks for the whole of it.
    pub(super) fn whole_size(&self) -> usize {
        self.payload.as_ref().filter(|_| self.whole).map_or(0, Payload::size)
    }

    /// Has the result kept beside the records, if the level asks for the whole of it.
    pub(super) fn keep(&self, keep: &dyn Fn(&[u8]) -> Option<Hash>) -> Place {
        self.payload.as_ref().filter(|_| self.whole).map_or(Place::Gone, |payload| payload.keep(keep))
    }

    pub(super) fn write(&self, mut response: Object<'_>, place: Place) {
        let Some(payload) = &self.payload else {
            response.raw(name!("summary"), self.summary_bytes());
            return response.close();
        };
        let with_result = self.whole && place == Place::Here;
        response.hash(name!("hash"), payload.hash);
        payload.write_ref(&mut response, place);
        if with_result {
            response.raw(name!("result"), &payload.bytes);
        }
        response.number(name!("size"), payload.bytes.len() as u64);
        if !(with_result && self.summary_bytes() == payload.bytes.as_slice()) {
            response.raw(name!("summary"), self.summary_bytes());
        }
        if self.whole && matches!(place, Place::Summed | Place::Gone) {
            response.boolean(name!("truncated"), true);
        }
        response.close();
    }
}

/// Puts the selected parts of a result into an object, each under its path; what is not there is left out.
fn select(bytes: &[u8], selected: &[Path]) -> Vec<u8> {
    let result: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let parts = selected.iter().filter_map(|path| {
        let mut found = Vec::new();
        follow(&result, path.segments, &mut found);
        let name = path.text.strip_prefix("return.").unwrap_or(path.text);
        let many = path.segments.iter().any(|segment| !matches!(segment, Segment::Key { .. }));
        let part = if many { Value::Array(found) } else { found.pop()? };
        Some((name.to_owned(), part))
    });
    canonical::to_vec(&parts.collect::<Map<String, Value>>()).unwrap_or_default()
}

fn follow(value: &Value, segments: &[Segment], found: &mut Vec<Value>) {
    let Some((first, rest)) = segments.split_first() else { return found.push(value.clone()) };
    match (first, value) {
        (Segment::Key { name, .. }, Value::Object(members)) => {
            if let Some(member) = members.get(*name) {
                follow(member, rest, found);
            }
        }
        (Segment::Any, Value::Object(members)) => members.values().for_each(|member| follow(member, rest, found)),
        (Segment::Each, Value::Array(elements)) => elements.iter().for_each(|element| follow(element, rest, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_made_of_the_selected_parts() {
        const ID: &[Segment] = &[Segment::Key { name: "id", optional: false }];
        const SKUS: &[Segment] = &[
            Segment::Key { name: "lines", optional: false },
            Segment::Each,
            Segment::Key { name: "sku", optional: false },
        ];
        const NONE: &[Segment] = &[Segment::Key { name: "none", optional: false }];
        let path = |text, segments| Path {
            text,
            root: crate::redact::Root::Return,
            segments,
            method: crate::privacy::Method::Drop,
        };
        let selected = [path("id", ID), path("lines[].sku", SKUS), path("none", NONE)];
        let result = r#"{"id":7,"lines":[{"sku":"a"},{"sku":"b"}],"note":"long"}"#;
        let summary = String::from_utf8(select(result.as_bytes(), &selected)).unwrap();
        assert_eq!(summary, r#"{"id":7,"lines[].sku":["a","b"]}"#);
    }
}

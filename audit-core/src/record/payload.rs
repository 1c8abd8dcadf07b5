//! Arguments, results and annotations: canonical bytes with their hash and size, and the summary of a result.

use super::Object;
use crate::hash::Hash;

/// How long a result may be to be its own summary.
const SUMMARY_BYTES_MAX: usize = 256;

/// Canonical JSON, redacted already. Its hash covers exactly these bytes.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    bytes: Vec<u8>,
    hash: Hash,
}

impl Payload {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { hash: Hash::of(&bytes), bytes }
    }

    pub(super) fn write_request(&self, mut request: Object<'_>, truncated: bool) {
        if !truncated {
            request.raw("arguments", &self.bytes);
        }
        self.write_digest(&mut request, truncated);
        request.close();
    }

    pub(super) fn write_annotations(&self, record: &mut Object<'_>, truncated: bool) {
        if truncated {
            let mut annotations = record.object("annotations");
            self.write_digest(&mut annotations, true);
            annotations.close();
        } else {
            record.raw("annotations", &self.bytes);
        }
    }

    fn write_digest(&self, object: &mut Object<'_>, truncated: bool) {
        object.text("hash", &format!("sha-256:{}", self.hash));
        object.number("size", self.bytes.len() as u64);
        if truncated {
            object.boolean("truncated", true);
        }
    }
}

/// A result: its bytes, and what stands for them where they are too long or not wanted.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    payload: Payload,
    summary: Vec<u8>,
    /// True if the level asks for the whole result.
    whole: bool,
}

impl Response {
    pub(crate) fn new(bytes: Vec<u8>, whole: bool) -> Self {
        Self { summary: summary(&bytes), payload: Payload::new(bytes), whole }
    }

    /// Returns the summary's JSON, at most 256 bytes.
    pub(crate) fn summary(&self) -> &str {
        core::str::from_utf8(&self.summary).unwrap_or_default()
    }

    pub(super) fn write(&self, mut response: Object<'_>, truncated: bool) {
        let with_result = self.whole && !truncated;
        response.text("hash", &format!("sha-256:{}", self.payload.hash));
        if with_result {
            response.raw("result", &self.payload.bytes);
        }
        response.number("size", self.payload.bytes.len() as u64);
        if !(with_result && self.summary == self.payload.bytes) {
            response.raw("summary", &self.summary);
        }
        if self.whole && truncated {
            response.boolean("truncated", true);
        }
        response.close();
    }
}

/// Sums up canonical JSON: itself if it is short, else its type and extent.
fn summary(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() <= SUMMARY_BYTES_MAX {
        return bytes.to_vec();
    }
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    match bytes.first() {
        Some(b'[') => {
            object.number("count", count_items(bytes));
            object.text("type", "list");
        }
        Some(b'{') => {
            object.number("fields", count_items(bytes));
            object.text("type", "object");
        }
        _ => {
            object.number("size", bytes.len().saturating_sub(2) as u64);
            object.text("type", "text");
        }
    }
    object.close();
    out
}

/// Counts the elements or members of a list or object that is not empty.
fn count_items(bytes: &[u8]) -> u64 {
    let (mut depth, mut commas, mut in_text, mut escaped) = (0u32, 0u64, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => commas += 1,
            _ => {}
        }
    }
    commas + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(result: &str, expected: &str) {
        assert_eq!(String::from_utf8(summary(result.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn a_short_result_is_its_own_summary_and_a_long_one_is_counted() {
        let long = "x".repeat(300);
        check(r#"{"a":1}"#, r#"{"a":1}"#);
        check(&format!(r#"["{long},\",",[1,2],{{"a":1,"b":2}}]"#), r#"{"count":3,"type":"list"}"#);
        check(&format!(r#"{{"a":"{long}","b":[1,2,3]}}"#), r#"{"fields":2,"type":"object"}"#);
        check(&format!(r#""{long}""#), r#"{"size":300,"type":"text"}"#);
    }
}

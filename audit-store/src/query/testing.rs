//! Lines that the tests of this module read.

use crate::query::Entry;

/// One entry of each kind.
pub(crate) const SAMPLES: &str = include_str!("../../../docs/spec/entries.jsonl");

/// Parts of a record that tests vary; each is JSON text to be merged into the record.
pub(crate) fn line(stage: &str, status: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"record":{{"action":"order.sync","event_name":"e.{stage}","outcome":{{"status":"{status}"}},"stage":"{stage}","time":"2026-10-27T09:42:00.000456000Z"{comma}{members}}},"sequence":{{}}}}"#
    )
}

/// Reads the lines of a text, each of which is an entry.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    text.lines().enumerate().map(|(number, line)| Entry::parse(number as u64, line.as_bytes()).unwrap())
}

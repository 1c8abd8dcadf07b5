//! Parts of a log: lines that are read without those before them, so that many can be read at once.

use std::borrow::Cow;

use crate::entry::scan::{Members, Scanner};
use crate::entry::{EntryHead, LINE_BYTES_MAX, parse_line};
use crate::hash::{self, Hash};
use crate::id::StreamId;
use crate::time::Time;
use crate::tree;
use crate::verify::SCHEMA_VERSION;
use crate::verify::calls::{Calls, Collecting};
use crate::verify::span::Spanning;
use crate::verify::{Heads, Rotation};
use crate::vocabulary::EventName;

/// Consecutive entries that fit together: form, numbers, stream and chain.
///
/// Whether they continue the log is for [`Verifier::part`](crate::verify::Verifier::part) to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub(super) first: u64,
    pub(super) count: u64,
    /// What the first entry states as the hash of the one before it.
    pub(super) previous: Option<Hash>,
    pub(super) stream_id: StreamId,
    /// The leaf hash of the last entry.
    pub(super) last: Hash,
    /// The leaves of all entries but the last one, by levels and roots.
    pub(super) subtrees: Vec<(u32, Hash)>,
    pub(super) calls: Calls,
    pub(super) span: Option<(Time, Time)>,
    pub(super) is_closed: bool,
    pub(super) rotations: Vec<Rotation>,
}

impl Part {
    /// Returns the number of the first entry.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Returns the number of the entry after the last one.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.first + self.count
    }
}

/// Which of the lines are taken.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The first entry; lines before it are passed over unread, as their numbers are counted from the first line on.
    pub first: u64,
    /// The entry after the last one.
    pub end: Option<u64>,
    /// At each of their sizes a part begins, which is where a root can be compared.
    pub heads: Heads,
}

/// Reads parts; its buffers serve all of them.
#[derive(Debug, Default)]
pub struct PartReader {
    scanner: Scanner,
    leaves: Vec<Hash>,
}

impl PartReader {
    /// Reads lines, each with its line feed; `None` if they do not fit together or one is of a schema that is not known.
    ///
    /// No lines are no parts.
    #[must_use]
    pub fn read(&mut self, bytes: &[u8], bounds: &Bounds) -> Option<Vec<Part>> {
        let mut lines = split(bytes)?;
        let Some(first) = lines.first() else { return Some(Vec::new()) };
        let number = parse_line(first).ok()?.sequence.number;
        let index = |number_sought: u64| usize::try_from(number_sought.saturating_sub(number)).unwrap_or(usize::MAX);
        lines.truncate(bounds.end.map_or(usize::MAX, index));
        let skipped = index(bounds.first).min(lines.len());
        let mut parts = Vec::new();
        let mut from = skipped;
        let cuts = bounds.heads.beyond(number).iter().map(|head| index(head.size));
        for to in cuts.take_while(|cut| *cut < lines.len()).chain([lines.len()]) {
            if to > from {
                parts.push(self.part(lines.get(from..to)?)?);
                from = to;
            }
        }
        Some(parts)
    }

    fn part(&mut self, lines: &[&[u8]]) -> Option<Part> {
        let first_line = lines.first()?;
        let head = parse_line(first_line).ok()?;
        let sequence = head.sequence;
        if first_line.len() > LINE_BYTES_MAX || sequence.previous_hash.is_some() != (sequence.number > 0) {
            return None;
        }
        if sequence.number == 0 && head.record.event_name != EventName::LogOpened.as_str() {
            return None;
        }
        self.leaves.clear();
        hash::leaves(lines.iter().copied(), &mut self.leaves);
        let mut reading = Reading {
            calls: Collecting::of(lines.len()),
            span: Spanning::default(),
            is_closed: false,
            rotations: Vec::new(),
        };
        reading.parsed(&head)?;
        reading.rotations.extend(Rotation::of(sequence.number, &head.record.event_name, first_line));
        let mut end_of_line = EndOfLine::new(sequence.stream_id);
        let mut number = sequence.number;
        for (line, previous) in lines.iter().skip(1).zip(&self.leaves) {
            number = number.checked_add(1)?;
            let record = end_of_line.record(line, number, previous)?;
            match self.scanner.scan(record) {
                None => {
                    let head = parse_line(line).ok()?;
                    reading.parsed(&head)?;
                    reading.rotations.extend(Rotation::of(number, &head.record.event_name, line));
                }
                Some(members) => {
                    reading.take(&members)?;
                    if members.event_name == EventName::KeyRotated.as_str().as_bytes() {
                        reading.rotations.extend(Rotation::of(number, EventName::KeyRotated.as_str(), line));
                    }
                    if let Some(call_id) = members.call_id {
                        reading.calls.add(number, call_id, members.stage);
                    }
                }
            }
        }
        let (last, leaves) = self.leaves.split_last()?;
        Some(Part {
            first: sequence.number,
            count: lines.len() as u64,
            previous: sequence.previous_hash,
            stream_id: sequence.stream_id,
            last: *last,
            subtrees: tree::cover(sequence.number, leaves),
            calls: reading.calls.finish(),
            span: reading.span.span(),
            is_closed: reading.is_closed,
            rotations: reading.rotations,
        })
    }
}

/// Splits bytes into lines; `None` if the last one has no line feed or one is too short to be an entry, so that no
/// more lines are held than entries could be.
fn split(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut lines = Vec::with_capacity(bytes.len() / 512 + 1);
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, after) = rest.split_at_checked(end)?;
        if line.len() < LINE_BYTES_MIN {
            return None;
        }
        lines.push(line);
        rest = after.get(1..)?;
    }
    rest.is_empty().then_some(lines)
}

/// What the sequence of an entry takes without its number: no line is shorter.
const LINE_BYTES_MIN: usize = r#"{"record":{},"sequence":{"number":0,"stream_id":""}}"#.len() + 36;

/// What is collected from the lines of a part.
struct Reading<'a> {
    calls: Collecting<'a>,
    span: Spanning,
    is_closed: bool,
    rotations: Vec<Rotation>,
}

impl<'a> Reading<'a> {
    /// Takes what a scanned record says; `None` if it is of another schema.
    fn take(&mut self, members: &Members<'_>) -> Option<()> {
        if members.schema_version != SCHEMA_VERSION.as_bytes() {
            return None;
        }
        self.is_closed = members.event_name == EventName::LogClosed.as_str().as_bytes();
        self.span.add(members.time);
        Some(())
    }

    /// Takes what a parsed line says; `None` if it is of another schema, or the identifier of its call written
    /// with escapes.
    fn parsed(&mut self, head: &EntryHead<'a>) -> Option<()> {
        let record = &head.record;
        let call_id = match record.call.as_ref().map(|call| &call.id) {
            None => None,
            Some(Cow::Borrowed(text)) => Some(text.as_bytes()),
            Some(Cow::Owned(_)) => return None,
        };
        let members = Members {
            schema_version: record.schema_version.as_bytes(),
            event_name: record.event_name.as_bytes(),
            stage: record.stage.as_bytes(),
            time: record.time.as_bytes(),
            call_id: None,
        };
        self.take(&members)?;
        if let Some(call_id) = call_id {
            self.calls.add(head.sequence.number, call_id, members.stage);
        }
        Some(())
    }
}

/// The end of the lines of one stream: all that follows the record.
struct EndOfLine {
    /// What follows the hash.
    stream: Vec<u8>,
    /// The whole end that was expected last.
    expected: Vec<u8>,
}

impl EndOfLine {
    fn new(stream_id: StreamId) -> Self {
        Self { stream: format!("\",\"stream_id\":\"{stream_id}\"}}}}").into_bytes(), expected: Vec::new() }
    }

    /// Returns the record of a line that has this place; `None` if the line has another.
    fn record<'a>(&mut self, line: &'a [u8], number: u64, previous: &Hash) -> Option<&'a [u8]> {
        self.expected.clear();
        self.expected.extend_from_slice(br#","sequence":{"number":"#);
        self.expected.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self.expected.extend_from_slice(br#","previous_hash":""#);
        self.expected.extend_from_slice(&previous.to_hex());
        self.expected.extend_from_slice(&self.stream);
        let record = line.strip_suffix(self.expected.as_slice())?.strip_prefix(br#"{"record":"#)?;
        (line.len() <= LINE_BYTES_MAX && record.starts_with(b"{")).then_some(record)
    }
}

//! Entries: a record plus its place in the log, as one line of canonical JSON.
//!
//! ```text
//! {"record":{…},"sequence":{"number":12,"previous_hash":"<64 hex>","stream_id":"<UUID>"}}⏎
//! ```
//! The bytes as written are the canonical bytes: they are hashed as they stand and never serialised again.

mod batch;
mod place;
pub(crate) mod scan;

use core::cell::RefCell;
use core::fmt;

use serde::Deserialize;

use crate::hash::Hash;
use crate::id::StreamId;
use crate::verify::SCHEMA_VERSION;

use scan::Scanner;

pub use batch::Batch;
pub use place::stated_sequence;

/// How long a line may be, without its line feed.
pub const LINE_BYTES_MAX: usize = 65_535;

/// How long a record may be so that its line fits under every number (at most 2^53−1, 16 digits).
pub const RECORD_BYTES_MAX: usize =
    LINE_BYTES_MAX - r#"{"record":,"sequence":{"number":,"previous_hash":"","stream_id":""}}"#.len() - (16 + 64 + 36);

/// The place of an entry in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The entry's number, counted from 0; also its index in the tree.
    pub number: u64,
    /// The leaf hash of the entry before; entry 0 has none.
    pub previous_hash: Option<Hash>,
    /// The stream that the entry belongs to.
    pub stream_id: StreamId,
}

/// Appends the entry's line, without a line feed, to `line`.
pub fn write_line(line: &mut Vec<u8>, record: &[u8], sequence: &Sequence) {
    LineEnd::new(sequence.stream_id).write(line, record, sequence.number, sequence.previous_hash);
}

/// Writes the lines of one stream, whose identifier is made into text once.
#[derive(Clone, Debug)]
pub struct LineEnd {
    /// What follows the number or the hash: `,"stream_id":"<UUID>"}}`.
    stream: Vec<u8>,
}

impl LineEnd {
    /// Makes the writer of a stream's lines.
    #[must_use]
    pub fn new(stream_id: StreamId) -> Self {
        Self { stream: format!(",\"stream_id\":\"{stream_id}\"}}}}").into_bytes() }
    }

    /// Appends an entry's line, without a line feed, to `line`.
    pub fn write(&self, line: &mut Vec<u8>, record: &[u8], number: u64, previous_hash: Option<Hash>) {
        line.reserve(record.len() + LINE_BYTES_MAX - RECORD_BYTES_MAX);
        self.write_with(line, number, previous_hash, |line| line.extend_from_slice(record));
    }

    /// Appends an entry's line like [`write`](Self::write), with the record that is appended in its place.
    fn write_with(
        &self,
        line: &mut Vec<u8>,
        number: u64,
        previous_hash: Option<Hash>,
        write_record: impl FnOnce(&mut Vec<u8>),
    ) {
        line.extend_from_slice(b"{\"record\":");
        write_record(line);
        line.extend_from_slice(b",\"sequence\":{\"number\":");
        line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        if let Some(hash) = previous_hash {
            line.extend_from_slice(b",\"previous_hash\":\"");
            line.extend_from_slice(&hash.to_hex());
            line.push(b'"');
        }
        line.extend_from_slice(&self.stream);
    }

    /// Returns how far before the end of a line the 64 digits of its hash begin.
    const fn after_hash(&self) -> usize {
        64 + 1 + self.stream.len()
    }
}

/// What the chain needs to know of a line, borrowed from it.
#[derive(Clone, Debug)]
pub struct EntryHead<'a> {
    /// The entry's place.
    pub sequence: Sequence,
    /// The parts of the record that tell calls and the log's own events apart.
    pub record: RecordHead<'a>,
}

/// The parts of a record that the chain and recovery read.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordHead<'a> {
    /// The schema that the record is written in; `"1"` here.
    #[serde(borrow)]
    pub schema_version: std::borrow::Cow<'a, str>,
    /// What happened.
    #[serde(borrow)]
    pub event_name: std::borrow::Cow<'a, str>,
    /// The step in the call's life.
    #[serde(borrow)]
    pub stage: std::borrow::Cow<'a, str>,
    /// When it happened, RFC 3339.
    #[serde(borrow)]
    pub time: std::borrow::Cow<'a, str>,
    /// The call that the record belongs to.
    #[serde(borrow)]
    pub call: Option<CallHead<'a>>,
}

/// The part of a record's `call` that tells calls apart.
#[derive(Clone, Debug, Deserialize)]
pub struct CallHead<'a> {
    /// The call's identifier.
    #[serde(borrow)]
    pub id: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry<'a> {
    #[serde(borrow)]
    record: RecordHead<'a>,
    #[serde(borrow)]
    sequence: RawSequence<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSequence<'a> {
    number: u64,
    previous_hash: Option<&'a str>,
    stream_id: &'a str,
}

/// Parses one line, without its line feed.
///
/// # Errors
/// The line is not an entry; the error says what was expected and where.
pub fn parse_line(line: &[u8]) -> Result<EntryHead<'_>, ParseEntryError> {
    let text = core::str::from_utf8(line).map_err(|fault| ParseEntryError(format!("invalid UTF-8: {fault}")))?;
    let raw: RawEntry<'_> = serde_json::from_str(text).map_err(|fault| ParseEntryError(fault.to_string()))?;
    let previous_hash = raw.sequence.previous_hash.map(str::parse).transpose();
    let sequence = Sequence {
        number: raw.sequence.number,
        previous_hash: previous_hash.map_err(|fault| ParseEntryError(format!("previous_hash: {fault}")))?,
        stream_id: raw.sequence.stream_id.parse().map_err(|fault| ParseEntryError(format!("stream_id: {fault}")))?,
    };
    if line.ends_with(&suffix(&sequence)) && line.starts_with(b"{\"record\":{") {
        Ok(EntryHead { sequence, record: raw.record })
    } else {
        Err(ParseEntryError("the sequence is not in its canonical place and form".into()))
    }
}

/// Checks that the bytes can stand as the record of an entry: that a line made of them by [`write_line`] is one that
/// [`parse_line`] accepts, whatever its place.
///
/// # Errors
/// The bytes are not one JSON object with the members of [`RecordHead`]; the error says what was expected and where.
pub fn check_record(record: &[u8]) -> Result<(), ParseEntryError> {
    thread_local! {
        static SCANNER: RefCell<Scanner> = RefCell::default();
    }
    // The scanner accepts nothing that the parser refuses; what it leaves open the parser decides.
    let is_known = |scanner: &RefCell<Scanner>| {
        let mut scanner = scanner.try_borrow_mut().ok()?;
        scanner.scan(record).map(|members| members.schema_version == SCHEMA_VERSION.as_bytes())
    };
    if SCANNER.try_with(is_known).is_ok_and(|known| known == Some(true)) {
        return Ok(());
    }
    let text = core::str::from_utf8(record).map_err(|fault| ParseEntryError(format!("invalid UTF-8: {fault}")))?;
    // An array of the members' values, which serde takes for them too, and spaces around the object are not canonical.
    if !(text.starts_with('{') && text.ends_with('}')) {
        return Err(ParseEntryError("expected an object as the record".into()));
    }
    let head: RecordHead<'_> = serde_json::from_str(text).map_err(|fault| ParseEntryError(fault.to_string()))?;
    if head.schema_version != SCHEMA_VERSION {
        let found = head.schema_version.escape_debug();
        return Err(ParseEntryError(format!("expected a record of schema {SCHEMA_VERSION}, found schema {found}")));
    }
    Ok(())
}

fn suffix(sequence: &Sequence) -> Vec<u8> {
    let mut line = Vec::with_capacity(192);
    write_line(&mut line, b"", sequence);
    line.split_off(b"{\"record\":".len())
}

/// A line is not an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseEntryError(String);

impl ParseEntryError {
    /// Makes the error of a reader of its own; `reason` says what was expected, what was found and where.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for ParseEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an entry: {}", self.0)
    }
}

impl std::error::Error for ParseEntryError {}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "01a17cbc-f240-7dca-883e-717b1f64eb14";
    const RECORD: &str =
        r#"{"event_name":"log.opened","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00.000456000Z"}"#;

    fn sequence(number: u64) -> Sequence {
        let previous_hash = (number > 0).then(|| Hash::of(b"previous"));
        Sequence { number, previous_hash, stream_id: STREAM.parse().unwrap() }
    }

    #[test]
    fn a_line_is_read_back_as_it_was_written() {
        for number in [0, 1, u64::MAX >> 11] {
            let mut line = Vec::new();
            write_line(&mut line, RECORD.as_bytes(), &sequence(number));
            assert_eq!(parse_line(&line).unwrap().sequence, sequence(number));
            assert!(line.len() - RECORD.len() <= LINE_BYTES_MAX - RECORD_BYTES_MAX);
        }
    }

    #[test]
    fn a_line_with_a_second_sequence_or_another_form_is_refused() {
        let refused = |line: String, part: &str| {
            let fault = parse_line(line.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains(part), "{fault}");
        };
        let place = format!(r#"{{"number":0,"stream_id":"{STREAM}"}}"#);
        refused(format!(r#"{{"record":{RECORD},"sequence":{place},"sequence":{place}}}"#), "duplicate field");
        refused(format!(r#"{{"record":{RECORD},"sequence":{place},"more":1}}"#), "unknown field");
        refused(format!(r#"{{"record":{RECORD},"sequence": {place}}}"#), "canonical");
        refused(format!(r#"{{"sequence":{place},"record":{RECORD}}}"#), "canonical");
        refused(format!(r#"{{"record":{RECORD},"sequence":{}}}"#, place.replace(":0,", ":-1,")), "invalid value");
        refused(format!(r#"{{"record":{RECORD}"#), "EOF");
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        assert_eq!(check_record(RECORD.as_bytes()), Ok(()));
        assert_eq!(check_record(RECORD.replacen('{', r#"{"call":{"id":"c"},"#, 1).as_bytes()), Ok(()));
        let refused = |record: &[u8], part: &str| {
            let fault = check_record(record).unwrap_err().to_string();
            assert!(fault.contains(part), "{fault}");
        };
        refused(b"", "an object");
        refused(br#"["1","log.opened","event","t",null]"#, "an object");
        refused(format!("{RECORD} ").as_bytes(), "an object");
        refused(b"{\"a\":\"\xff\"}", "invalid UTF-8");
        refused(br#"{"a":1}"#, "missing field `schema_version`");
        refused(br#"{"a":{"b":1}"#, "EOF");
        refused(format!("{RECORD}{RECORD}").as_bytes(), "trailing characters");
        refused(RECORD.replacen('{', r#"{"call":7,"#, 1).as_bytes(), "invalid type");
        refused(RECORD.replacen('{', r#"{"stage":"event","#, 1).as_bytes(), "duplicate field");
        refused(RECORD.replace(r#""1""#, r#""2""#).as_bytes(), "expected a record of schema 1, found schema 2");
    }

    #[test]
    fn a_batch_writes_the_lines_that_are_written_one_by_one() {
        let mut batch = Batch::new(STREAM.parse().unwrap());
        let (mut number, mut previous_hash) = (0, None);
        for count in [1, 2, 0, 5, 40, 17] {
            let mut expected = Vec::new();
            let before = previous_hash;
            let mut leaves = Vec::new();
            batch.clear();
            for _ in 0..count {
                let filler = "x".repeat(usize::try_from(number * number % 701).unwrap());
                let record = RECORD.replacen('{', &format!(r#"{{"action":"{filler}","#), 1);
                let start = expected.len();
                let sequence = Sequence { number, previous_hash, stream_id: STREAM.parse().unwrap() };
                write_line(&mut expected, record.as_bytes(), &sequence);
                previous_hash = Some(Hash::leaf(&expected[start..]));
                leaves.extend(previous_hash);
                expected.push(b'\n');
                batch.push(record.as_bytes(), number);
                number += 1;
            }
            batch.seal(before);
            assert_eq!((batch.bytes(), batch.leaves()), (expected.as_slice(), leaves.as_slice()));
        }
    }
}

//! Verification of a log over its bytes: nothing derived is trusted, every line is hashed as it stands.
//!
//! A [`Verifier`] is fed the lines of all segments in order and says what does not fit, and where. It knows of files
//! only what it is told: reading them is the caller's part.

use core::fmt;
use std::collections::HashMap;

use crate::checkpoint::Checkpoint;
use crate::entry::{self, EntryHead, LINE_BYTES_MAX};
use crate::hash::Hash;
use crate::id::{CallId, StreamId};
use crate::time::Time;
use crate::tree::Frontier;
use crate::vocabulary::{EventName, Stage};

/// The schema of records and entries that this version writes and reads.
pub const SCHEMA_VERSION: &str = "1";

/// What does not fit in a log, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The first bad entry, where one can be named.
    pub entry: Option<u64>,
    /// What was expected and what was found.
    pub reason: String,
    /// True if nothing is known to be wrong but the check cannot be made.
    pub unverifiable: bool,
}

impl Fault {
    /// Makes a fault of one entry that shows a change after the fact.
    #[must_use]
    pub fn tampered(entry: impl Into<Option<u64>>, reason: impl Into<String>) -> Self {
        Self { entry: entry.into(), reason: reason.into(), unverifiable: false }
    }

    /// Makes a fault that leaves open whether anything was changed; the reason names what is missing.
    #[must_use]
    pub fn unverifiable(reason: impl Into<String>) -> Self {
        Self { entry: None, reason: reason.into(), unverifiable: true }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Some(entry) => write!(f, "entry {entry}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// What a log holds, as far as it was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The stream that all entries belong to.
    pub stream_id: Option<StreamId>,
    /// How many entries there are.
    pub entries: u64,
    /// How many of them lie beyond the checkpoint and rest on the chain alone.
    pub beyond_checkpoint: u64,
    /// How many bytes of an unfinished line follow the last entry.
    pub unfinished_bytes: u64,
    /// How many calls there are.
    pub calls: u64,
    /// How many of them were given up because their process ended.
    pub abandoned: u64,
    /// The calls that have a beginning and no end, with the number of the entry that began them.
    pub open_calls: HashMap<CallId, u64>,
    /// The earliest and the latest time of a record.
    pub span: Option<(Time, Time)>,
    /// True if the last entry is `log.closed`.
    pub closed: bool,
}

/// What follows the last line feed of a log: the beginning of a line and a run of NUL bytes, either of which may be empty.
///
/// A killed process leaves a line half written; a machine that lost power leaves NUL bytes where the file grew and its
/// bytes did not reach the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail<'a> {
    /// The bytes up to the last one that is not NUL; at most [`LINE_BYTES_MAX`].
    pub start: &'a [u8],
    /// How many bytes there are, the NUL bytes after `start` included.
    pub bytes: u64,
}

impl<'a> Tail<'a> {
    /// Takes all bytes after the last line feed.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Self { start: bytes.get(..length).unwrap_or_default(), bytes: bytes.len() as u64 }
    }

    /// Tells whether the bytes may be what is left of the first line of a log that was being opened again.
    fn may_be_opening(&self) -> bool {
        let compared = self.start.len().min(OPENED_START.len());
        self.start.get(..compared) == OPENED_START.get(..compared)
    }
}

/// How the line of every `log.opened` begins; nothing else may follow `log.closed`.
const OPENED_START: &[u8] = br#"{"record":{"action":"log.opened","#;

/// Checks lines one after the other: form, numbers, stream, chain, and the checkpoint's root.
#[derive(Debug, Default)]
pub struct Verifier {
    summary: Summary,
    checkpoint: Option<Checkpoint>,
    root_matches: Option<bool>,
    /// The tree over all entries but the newest: a leaf goes in once its successor vouches for it.
    frontier: Frontier,
    newest: Option<Hash>,
    /// The entry whose bytes and successor disagree; the line after tells which of the two is bad.
    suspect: Option<u64>,
    /// The first line of a schema that is not known. It stands only if nothing else is wrong: chain and tree hold
    /// whatever the schema says, and an altered `schema_version` must not pass for a newer version's.
    unknown: Option<Fault>,
}

impl Verifier {
    /// Makes a verifier; with a checkpoint, the tree over its size must have its root.
    #[must_use]
    pub fn new(checkpoint: Option<Checkpoint>) -> Self {
        Self { checkpoint, ..Self::default() }
    }

    /// Returns the number that the next line must have.
    #[must_use]
    pub const fn next_number(&self) -> u64 {
        self.summary.entries
    }

    /// Checks the next line, given without its line feed.
    ///
    /// # Errors
    /// The line does not continue the log; nothing after it is checked.
    pub fn line<'a>(&mut self, line: &'a [u8]) -> Result<EntryHead<'a>, Fault> {
        let number = self.summary.entries;
        if line.len() > LINE_BYTES_MAX {
            let reason = format!("expected at most {LINE_BYTES_MAX} bytes in a line, found {}", line.len());
            return Err(self.or_suspect(Fault::tampered(number, reason)));
        }
        let head =
            entry::parse_line(line).map_err(|fault| self.or_suspect(Fault::tampered(number, fault.to_string())))?;
        self.check_place(number, &head)?;
        self.check_chain(number, &head)?;
        self.newest = Some(Hash::leaf(line));
        self.count(number, &head);
        Ok(head)
    }

    /// Ends the verification; `tail` is what follows the last line feed.
    ///
    /// # Errors
    /// The log ends before its checkpoint, has another root, bytes follow its end, or it holds lines of a schema that
    /// this version does not read.
    pub fn finish(self, tail: Tail<'_>) -> Result<Summary, Fault> {
        self.finish_with_tree(tail).map(|(summary, _tree)| summary)
    }

    /// Ends the verification like [`finish`](Self::finish) and also returns the tree and the hash of the last entry,
    /// which are what a writer needs to go on.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_with_tree(mut self, tail: Tail<'_>) -> Result<(Summary, Tree), Fault> {
        if let Some(leaf) = self.newest {
            self.push(leaf);
        }
        if let Some(suspect) = self.suspect {
            let bad = if self.root_matches == Some(true) { suspect } else { suspect + 1 };
            return Err(altered(bad));
        }
        let entries = self.summary.entries;
        let covered = self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        if entries < covered {
            let reason = format!("missing: the checkpoint covers {covered} entries, the log ends after {entries}");
            return Err(Fault::tampered(entries, reason));
        }
        if self.root_matches == Some(false) {
            let reason = format!(
                "the first {covered} entries do not have the checkpoint's root: this entry or the file `checkpoint` was \
                 altered, or all entries from some point on were written anew"
            );
            return Err(Fault::tampered(covered - 1, reason));
        }
        if self.summary.closed && !tail.may_be_opening() {
            return Err(Fault::tampered(entries, format!("{} bytes follow the end of a closed log", tail.bytes)));
        }
        if let Some(unknown) = self.unknown {
            return Err(unknown);
        }
        self.summary.unfinished_bytes = tail.bytes;
        self.summary.beyond_checkpoint = entries - covered;
        Ok((self.summary, Tree { frontier: self.frontier, last: self.newest }))
    }

    /// Returns what is first in the log: the given fault, found after the last line, or a disagreement seen before it.
    #[must_use]
    pub fn or_suspect(&self, fault: Fault) -> Fault {
        self.suspect.map_or(fault, altered)
    }

    fn check_place(&mut self, number: u64, head: &EntryHead<'_>) -> Result<(), Fault> {
        let fault = |reason| Err(self.or_suspect(Fault::tampered(number, reason)));
        if head.sequence.number != number {
            return fault(format!("expected entry {number}, found entry {} in its place", head.sequence.number));
        }
        if let Some(stream_id) = self.summary.stream_id
            && stream_id != head.sequence.stream_id
        {
            return fault(format!("expected stream {stream_id}, found {}", head.sequence.stream_id));
        }
        if head.sequence.previous_hash.is_some() != (number > 0) {
            return fault("expected a previous_hash in every entry but the first".to_owned());
        }
        let is_known = head.record.schema_version == SCHEMA_VERSION;
        if is_known && number == 0 && head.record.event_name != EventName::LogOpened.as_str() {
            return fault(format!("expected log.opened first, found {}", head.record.event_name.escape_debug()));
        }
        if !is_known && self.unknown.is_none() {
            let found = head.record.schema_version.escape_debug();
            let reason = format!("entry {number} is of schema {found}, this version reads schema {SCHEMA_VERSION}");
            self.unknown = Some(Fault::unverifiable(reason));
        }
        Ok(())
    }

    fn check_chain(&mut self, number: u64, head: &EntryHead<'_>) -> Result<(), Fault> {
        let (Some(claimed), Some(previous)) = (head.sequence.previous_hash, self.newest) else { return Ok(()) };
        if let Some(suspect) = self.suspect {
            return Err(altered(if claimed == previous { suspect } else { suspect + 1 }));
        }
        if claimed != previous {
            self.suspect = Some(number - 1);
        }
        self.push(claimed);
        Ok(())
    }

    fn push(&mut self, leaf: Hash) {
        self.frontier.push(leaf);
        if let Some(checkpoint) = &self.checkpoint
            && checkpoint.size == self.frontier.size()
        {
            self.root_matches = Some(checkpoint.root == self.frontier.root());
        }
    }

    fn count(&mut self, number: u64, head: &EntryHead<'_>) {
        let summary = &mut self.summary;
        summary.stream_id = Some(head.sequence.stream_id);
        summary.entries = number + 1;
        summary.closed = head.record.event_name == EventName::LogClosed.as_str();
        if let Some(time) = Time::parse(&head.record.time) {
            let (first, last) = summary.span.unwrap_or((time, time));
            summary.span = Some((first.min(time), last.max(time)));
        }
        let call_id = head.record.call.as_ref().and_then(|call| call.id.parse::<CallId>().ok());
        let (Some(call_id), Some(stage)) = (call_id, Stage::parse(&head.record.stage)) else { return };
        if stage == Stage::Started {
            summary.calls += 1;
            summary.open_calls.insert(call_id, number);
        } else if stage.ends_call() {
            let was_open = summary.open_calls.remove(&call_id).is_some();
            summary.calls += u64::from(!was_open);
            summary.abandoned += u64::from(stage == Stage::Abandoned);
        }
    }
}

/// What a writer needs to go on after the last entry.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The tree over all entries.
    pub frontier: Frontier,
    /// The leaf hash of the last entry.
    pub last: Option<Hash>,
}

fn altered(entry: u64) -> Fault {
    Fault::tampered(entry, "altered: its bytes do not have the hash that the entry after it, or the checkpoint, states")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Sequence, write_line};

    const STREAM: &str = "01a17cbc-f240-7dca-883e-717b1f64eb14";

    /// Five lines: an opened log and four events whose content is a single letter.
    fn lines() -> Vec<Vec<u8>> {
        let mut previous_hash = None;
        let write = |(number, letter): (u64, char)| {
            let name = if number == 0 { "log.opened" } else { "run.created" };
            let record = format!(
                r#"{{"action":"{letter}","event_name":"{name}","schema_version":"1","stage":"event","time":"2026-10-27T09:42:0{number}Z"}}"#
            );
            let mut line = Vec::new();
            let stream_id = STREAM.parse().unwrap();
            write_line(&mut line, record.as_bytes(), &Sequence { number, previous_hash, stream_id });
            previous_hash = Some(Hash::leaf(&line));
            line
        };
        (0..).zip("abcde".chars()).map(write).collect()
    }

    fn checkpoint(lines: &[Vec<u8>]) -> Checkpoint {
        let mut tree = Frontier::new();
        lines.iter().for_each(|line| tree.push(Hash::leaf(line)));
        Checkpoint { origin: "o".into(), size: tree.size(), root: tree.root() }
    }

    fn verify(lines: &[Vec<u8>], checkpoint: Checkpoint) -> Result<Summary, Fault> {
        let mut verifier = Verifier::new(Some(checkpoint));
        for line in lines {
            verifier.line(line)?;
        }
        verifier.finish(Tail::default())
    }

    fn altered_at(entry: usize) -> Option<u64> {
        let mut altered = lines();
        let checkpoint = checkpoint(&altered);
        altered[entry] =
            String::from_utf8(altered[entry].clone()).unwrap().replace("\"action\":\"", "\"action\":\"x").into();
        verify(&altered, checkpoint).unwrap_err().entry
    }

    #[test]
    fn an_altered_entry_is_named_wherever_it_stands() {
        assert_eq!((0..5).map(altered_at).collect::<Vec<_>>(), [0, 1, 2, 3, 4].map(Some));
    }

    #[test]
    fn an_altered_previous_hash_is_blamed_on_its_own_entry() {
        for entry in 1..5 {
            let mut altered = lines();
            let checkpoint = checkpoint(&altered);
            let text = String::from_utf8(altered[entry].clone()).unwrap();
            let at = text.find("previous_hash\":\"").unwrap() + 16;
            altered[entry][at] = if altered[entry][at] == b'0' { b'1' } else { b'0' };
            assert_eq!(verify(&altered, checkpoint).unwrap_err().entry, Some(entry as u64));
        }
    }

    #[test]
    fn deleting_swapping_and_doubling_are_found_by_number() {
        let intact = lines();
        let check = |change: fn(&mut Vec<Vec<u8>>), entry| {
            let mut altered = intact.clone();
            change(&mut altered);
            assert_eq!(verify(&altered, checkpoint(&intact)).unwrap_err().entry, Some(entry));
        };
        check(|lines| drop(lines.remove(2)), 2);
        check(|lines| drop(lines.pop()), 4);
        check(|lines| lines.swap(1, 2), 1);
        check(|lines| lines.insert(3, lines[2].clone()), 3);
    }

    #[test]
    fn entries_beyond_the_checkpoint_are_counted() {
        let lines = lines();
        let summary = verify(&lines, checkpoint(&lines[..3])).unwrap();
        assert_eq!((summary.entries, summary.beyond_checkpoint), (5, 2));
    }

    fn with_tail(lines: &[Vec<u8>], tail: &[u8]) -> Result<u64, Fault> {
        let mut verifier = Verifier::new(Some(checkpoint(lines)));
        for line in lines {
            verifier.line(line)?;
        }
        verifier.finish(Tail::new(tail)).map(|summary| summary.unfinished_bytes)
    }

    #[test]
    fn an_unfinished_tail_is_counted() {
        for tail in [&b"{\"rec"[..], b"x", b"\0\0\0", b"{\0"] {
            assert_eq!(with_tail(&lines(), tail), Ok(tail.len() as u64));
        }
    }

    #[test]
    fn only_the_beginning_of_an_opening_may_follow_the_end_of_a_closed_log() {
        let mut closed = lines();
        let record = r#"{"event_name":"log.closed","schema_version":"1","stage":"event","time":"t"}"#;
        let previous_hash = closed.last().map(|line| Hash::leaf(line));
        let mut line = Vec::new();
        let sequence = Sequence { number: 5, previous_hash, stream_id: STREAM.parse().unwrap() };
        write_line(&mut line, record.as_bytes(), &sequence);
        closed.push(line);
        for tail in [&b""[..], b"{", OPENED_START, b"\0", b"{\"record\":\0\0"] {
            assert_eq!(with_tail(&closed, tail), Ok(tail.len() as u64));
        }
        assert!(with_tail(&closed, &[OPENED_START, b"\"actor\":{\0\0"].concat()).is_ok());
        for tail in [&b"x"[..], b"\0x", b"{\"record\":{\"action\":\"log.closed\",", b"{}", b"{\0{"] {
            let fault = with_tail(&closed, tail).unwrap_err();
            assert_eq!((fault.entry, fault.unverifiable), (Some(6), false), "{fault}");
        }
    }

    /// Sets the schema of one entry to 2.
    fn of_another_schema(lines: &mut [Vec<u8>], entry: usize) {
        let text = String::from_utf8(lines[entry].clone()).unwrap();
        lines[entry] = text.replace(r#""schema_version":"1""#, r#""schema_version":"2""#).into();
    }

    #[test]
    fn another_schema_hides_no_change() {
        let intact = lines();
        let check = |checkpoint: &Checkpoint, lines: &[Vec<u8>], expected: (Option<u64>, bool)| {
            let fault = verify(lines, checkpoint.clone()).unwrap_err();
            assert_eq!((fault.entry, fault.unverifiable), expected, "{fault}");
        };
        for entry in 0..5 {
            let mut altered = lines();
            of_another_schema(&mut altered, entry);
            check(&checkpoint(&intact), &altered, (Some(entry as u64), false));
            // The last line that is left is altered so that nothing vouches for it.
            check(
                &checkpoint(&intact),
                &altered[..=entry],
                (Some(if entry == 4 { 4 } else { entry as u64 + 1 }), false),
            );
        }
        let mut last = lines();
        of_another_schema(&mut last, 4);
        check(&checkpoint(&last), &last, (None, true));
        check(&checkpoint(&intact[..4]), &last, (None, true));
        let junk = [&last[..], &[b"{}".to_vec()]].concat();
        check(&checkpoint(&last), &junk, (Some(5), false));
    }
}

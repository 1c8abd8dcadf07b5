//! Verification of a log over its bytes: nothing derived is trusted, every line is hashed as it stands.
//!
//! A [`Verifier`] is fed the lines of all segments in order and says what does not fit, and where. It knows of files
//! only what it is told: reading them is the caller's part.

mod calls;
mod heads;
mod part;
mod rotation;
#[cfg(feature = "signatures")]
mod signatures;
mod span;
mod state;

use core::fmt;
use std::collections::HashMap;

use crate::entry::{self, EntryHead, LINE_BYTES_MAX};
use crate::hash::Hash;
use crate::id::{CallId, StreamId};
use crate::time::Time;
use crate::tree::Frontier;
use crate::vocabulary::{EventName, Stage};

pub use heads::{Head, Heads};
pub use part::{Bounds, Part, PartReader};
pub use rotation::Rotation;
#[cfg(feature = "signatures")]
pub use signatures::{Declared, Signatures};
pub use state::State;

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
    /// The entries that name another key for the checkpoints after them.
    pub rotations: Vec<Rotation>,
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
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    summary: Summary,
    heads: Heads,
    /// The greatest size at which the tree had the root that it must have.
    matched: Option<u64>,
    /// The first head whose root the tree did not have.
    mismatch: Option<Head>,
    /// The tree over all entries but the newest: a leaf goes in once its successor vouches for it.
    frontier: Frontier,
    newest: Option<Hash>,
    /// True where the tree holds the newest leaf already: at the point where a verification was resumed.
    is_newest_in_tree: bool,
    /// The entry whose bytes and successor disagree; the line after tells which of the two is bad.
    suspect: Option<u64>,
    /// The first line of a schema that is not known. It stands only if nothing else is wrong: chain and tree hold
    /// whatever the schema says, and an altered `schema_version` must not pass for a newer version's.
    unknown: Option<Fault>,
}

impl Verifier {
    /// Makes a verifier; at the size of each head the tree must have its root.
    #[must_use]
    pub fn new(heads: impl Into<Heads>) -> Self {
        Self { heads: heads.into(), ..Self::default() }
    }

    /// Goes on where another verification was; the caller has compared the entry before this point with `tree.last`.
    ///
    /// All that the state says is taken for true, down to the roots that heads are compared with; heads of fewer entries
    /// are passed over. `None` if all heads are of fewer entries than the state, as their roots can then no longer be
    /// computed, or if the state contradicts itself.
    #[must_use]
    pub fn resume(state: State, heads: impl Into<Heads>) -> Option<Self> {
        let heads = heads.into();
        let State { summary, tree } = state;
        let entries = summary.entries;
        let is_whole = tree.frontier.size() == entries && tree.last.is_some() == (entries > 0);
        if !is_whole || (heads != Heads::default() && heads.covered() < entries) {
            return None;
        }
        let mut verifier =
            Self { summary, is_newest_in_tree: tree.last.is_some(), newest: tree.last, ..Self::new(heads) };
        verifier.frontier = tree.frontier;
        verifier.compare_root();
        Some(verifier)
    }

    /// Makes a verifier of entries alone that begin at `first`: their tree is not built, so no root is compared.
    ///
    /// `previous` is the hash of the entry before `first`.
    #[must_use]
    pub fn range(first: u64, previous: Option<Hash>) -> Self {
        let summary = Summary { entries: first, ..Summary::default() };
        Self { summary, newest: previous, ..Self::default() }
    }

    /// Returns the state after the entries so far, to [`resume`](Self::resume) there; `None` if something does not fit.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        if self.suspect.is_some() || self.unknown.is_some() || self.mismatch.is_some() {
            return None;
        }
        let mut frontier = self.frontier.clone();
        if let Some(newest) = self.newest
            && !self.is_newest_in_tree
        {
            frontier.push(newest);
        }
        Some(State { summary: self.summary.clone(), tree: Tree { frontier, last: self.newest } })
    }

    /// Tells whether a checkpoint covers so many entries.
    #[must_use]
    pub fn covers(&self, entries: u64) -> bool {
        entries <= self.heads.covered()
    }

    /// Takes the entries of a part at once; false, and nothing is changed, if they do not continue the log.
    ///
    /// [`line`](Self::line), called with the same lines, then tells what does not fit. Where this returns true, it
    /// would have accepted each of them.
    pub fn part(&mut self, part: &Part) -> bool {
        let entries = self.summary.entries;
        let continues = part.first == entries
            && part.previous == self.newest
            && self.summary.stream_id.is_none_or(|stream_id| stream_id == part.stream_id)
            && self.suspect.is_none();
        // Roots are compared at borders between parts.
        let is_cut = self.heads.beyond(part.first).first().is_none_or(|head| head.size >= part.end());
        if !continues || !is_cut {
            return false;
        }
        self.push_newest();
        for (level, root) in &part.subtrees {
            self.frontier.push_subtree(*level, *root);
        }
        self.newest = Some(part.last);
        let summary = &mut self.summary;
        summary.stream_id = Some(part.stream_id);
        summary.entries = part.end();
        summary.closed = part.is_closed;
        summary.span = span::join(summary.span, part.span);
        part.calls.add_to(summary);
        summary.rotations.extend_from_slice(&part.rotations);
        true
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
        self.summary.rotations.extend(Rotation::of(number, &head.record.event_name, line));
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
        self.push_newest();
        if let Some(suspect) = self.suspect {
            let is_vouched_for = self.matched.is_some() && self.mismatch.is_none();
            let bad = if is_vouched_for { suspect } else { suspect + 1 };
            return Err(self.earliest(altered(bad)));
        }
        let entries = self.summary.entries;
        let covered = self.heads.covered();
        if let Some(Head { size, .. }) = self.mismatch {
            return Err(Fault::tampered(size.saturating_sub(1), self.mismatch_at(size)));
        }
        if entries < covered {
            let reason = format!("missing: the checkpoint covers {covered} entries, the log ends after {entries}");
            return Err(Fault::tampered(entries, reason));
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

    fn mismatch_at(&self, size: u64) -> String {
        let since = self
            .matched
            .map_or(String::new(), |matched| format!("; up to entry {} all is as stated", matched.saturating_sub(1)));
        format!(
            "the first {size} entries do not have the checkpoint's root: this entry or the checkpoint was altered, or all \
             entries from some point on were written anew{since}"
        )
    }

    /// Returns what is first in the log: the given fault, found after the last line, or what did not fit before it.
    #[must_use]
    pub fn or_suspect(&self, fault: Fault) -> Fault {
        self.earliest(self.suspect.map_or(fault, altered))
    }

    /// Returns the fault, or the first head whose root the tree did not have if that lies before it. A suspect may
    /// itself be why a root is another, so only heads that do not cover it count.
    fn earliest(&self, fault: Fault) -> Fault {
        let bound = self.suspect.or(fault.entry);
        match self.mismatch {
            Some(Head { size, .. }) if bound.is_none_or(|entry| size <= entry) => {
                Fault::tampered(size.saturating_sub(1), self.mismatch_at(size))
            }
            _ => fault,
        }
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
            return Err(self.earliest(altered(if claimed == previous { suspect } else { suspect + 1 })));
        }
        if claimed != previous {
            self.suspect = Some(number - 1);
        }
        if !core::mem::take(&mut self.is_newest_in_tree) {
            self.push(claimed);
        }
        Ok(())
    }

    fn push_newest(&mut self) {
        if let Some(newest) = self.newest
            && !core::mem::take(&mut self.is_newest_in_tree)
        {
            self.push(newest);
        }
    }

    fn push(&mut self, leaf: Hash) {
        self.frontier.push(leaf);
        self.compare_root();
    }

    /// Compares the root if there is a head of the tree's size.
    fn compare_root(&mut self) {
        let size = self.frontier.size();
        for head in self.heads.at(size) {
            if head.root == self.frontier.root() {
                self.matched = Some(size);
            } else {
                self.mismatch.get_or_insert(*head);
            }
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
mod tests;

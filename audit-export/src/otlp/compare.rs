//! Whether a log and what a receiver has of it say the same.

use std::collections::BTreeMap;

use audit_core::names;

use super::{LogRecord, Mapping, Received};

/// Holds what a receiver has of one log against its lines.
///
/// Duplicates count once: what was sent at least once may have come twice. What a collector added to a log record is passed
/// over; what it left out or altered is a difference.
#[derive(Debug)]
pub struct Comparison {
    /// By the numbers of the entries that they say they are.
    received: BTreeMap<u64, Vec<Received>>,
    checkpoints: Vec<String>,
    findings: Findings,
}

/// Where a log and a receiver's copy differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The number of the entry.
    pub number: u64,
    /// What differs: `body`, `time`, `event name`, `trace`, or the name of an attribute.
    pub what: String,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many entries the log has.
    pub entries: u64,
    /// How many of them the receiver has, as they stand in the log.
    pub equal: u64,
    /// How many log records came more than once.
    pub duplicates: u64,
    /// The entries that are not equal; one of the two was altered.
    pub altered: Vec<Difference>,
    /// The entries that the receiver has and the log has not: the log was cut, or was another one.
    pub beyond: Vec<u64>,
    /// The entries that the log has and the receiver has not, while it has later ones.
    pub missing: Vec<u64>,
    /// How many entries at the end of the log the receiver has nothing of: they may be on their way.
    pub unsent: u64,
    /// How many checkpoints the receiver has.
    pub checkpoints: u64,
}

impl Comparison {
    /// Takes what a receiver has. What is of other streams than this one, by its identifier, is passed over.
    #[must_use]
    pub fn new(received: Vec<Received>, stream_id: &str) -> Self {
        let mut comparison = Self { received: BTreeMap::new(), checkpoints: Vec::new(), findings: Findings::default() };
        let of_stream = |record: &Received| record.text(names::SEQUENCE_STREAM_ID) == Some(stream_id);
        for record in received.into_iter().filter(of_stream) {
            if record.is_checkpoint() {
                comparison.checkpoints.extend(record.body);
            } else if let Some(number) = record.number() {
                comparison.received.entry(number).or_default().push(record);
            }
        }
        let sent = comparison.checkpoints.len();
        comparison.checkpoints.sort_unstable();
        comparison.checkpoints.dedup();
        let copies = comparison.received.values().map(|copies| copies.len() - 1).sum::<usize>();
        comparison.findings.duplicates = (copies + sent - comparison.checkpoints.len()) as u64;
        comparison.findings.checkpoints = comparison.checkpoints.len() as u64;
        comparison
    }

    /// Tells whether the receiver has nothing of the log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.received.is_empty() && self.checkpoints.is_empty()
    }

    /// Returns the notes of the checkpoints that the receiver has: copies that the log must agree with.
    #[must_use]
    pub fn checkpoints(&self) -> &[String] {
        &self.checkpoints
    }

    /// Compares the next line of the log, without its line feed.
    pub fn line(&mut self, number: u64, line: &[u8]) {
        self.findings.entries = number + 1;
        match self.received.remove(&number) {
            None => self.findings.missing.push(number),
            Some(copies) => match copies.iter().find_map(|copy| difference(copy, line)) {
                None => self.findings.equal += 1,
                Some(what) => self.findings.altered.push(Difference { number, what }),
            },
        }
    }

    /// Ends the comparison: the log has no more lines.
    #[must_use]
    pub fn finish(mut self) -> Findings {
        self.findings.beyond = self.received.into_keys().collect();
        let findings = &mut self.findings;
        let end = findings.entries;
        // What is missing at the end was not sent yet, unless something later was.
        if findings.beyond.is_empty() {
            while findings.missing.last().is_some_and(|last| last + 1 + findings.unsent == end) {
                findings.missing.pop();
                findings.unsent += 1;
            }
        }
        self.findings
    }
}

impl Findings {
    /// Tells whether the log, or the receiver's copy of it, was altered or cut.
    #[must_use]
    pub fn differs(&self) -> bool {
        !self.altered.is_empty() || !self.beyond.is_empty()
    }
}

/// The ways in which an entry may have been exported.
fn mappings() -> impl Iterator<Item = Mapping> {
    [(false, false), (false, true), (true, false), (true, true)]
        .into_iter()
        .map(|(draft, user)| Mapping::new().audit_draft(draft).user_as_actor(user))
}

/// Returns what of the copy is not as the line says; `None` if it is, in one of the ways of exporting it.
fn difference(copy: &Received, line: &[u8]) -> Option<String> {
    let mut first = None;
    for mapping in mappings() {
        let found = match mapping.entry(line) {
            Err(fault) => Some(fault.to_string()),
            Ok(expected) => differing(copy, &expected),
        };
        found.as_ref()?;
        first = first.or(found);
    }
    first
}

fn differing(copy: &Received, expected: &LogRecord) -> Option<String> {
    let span = expected.span.map(|(trace, span)| (hex::encode(trace), hex::encode(span)));
    let parts = [
        ("body", copy.body.as_deref() == Some(&expected.body)),
        ("event name", copy.event_name == expected.event_name),
        ("time", copy.time == Some(expected.time)),
        ("trace", copy.span == span),
    ];
    if let Some((part, _)) = parts.iter().find(|(_, is_equal)| !is_equal) {
        return Some((*part).to_owned());
    }
    let attribute = expected.attributes.iter().find(|(name, value)| copy.attributes.get(*name) != Some(value));
    attribute.map(|(name, _)| (*name).to_owned())
}

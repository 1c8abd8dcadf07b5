//! The lines of many consecutive entries, written and hashed together.

use crate::entry::LineEnd;
use crate::hash::{self, Hash, LeafStart};
use crate::id::StreamId;

/// The lines of consecutive entries, written and hashed at once.
///
/// Each line holds the hash of the one before it, but only near its end. So all of them are written first with room
/// for the hash, what stands before it is hashed for many lines together, and then each line gets its hash in turn. A
/// batch is used again and again; no line of it allocates once it was as large.
///
/// ```
/// use audit_core::entry::{Batch, parse_line};
///
/// # let stream_id = "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap();
/// # let record = br#"{"event_name":"log.opened","schema_version":"1","stage":"event","time":"t"}"#;
/// let mut batch = Batch::new(stream_id);
/// batch.push(record, 0);
/// batch.push(record, 1);
/// batch.seal(None);
/// let last = batch.bytes().strip_suffix(b"\n").and_then(|bytes| bytes.split(|byte| *byte == b'\n').next_back());
/// assert_eq!(parse_line(last.unwrap()).unwrap().sequence.previous_hash, batch.leaves().first().copied());
/// ```
#[derive(Debug)]
pub struct Batch {
    end: LineEnd,
    bytes: Vec<u8>,
    places: Vec<Place>,
    starts: Vec<LeafStart>,
    leaves: Vec<Hash>,
}

/// Where a line stands among the bytes: its beginning, its hash if it holds one, and its line feed.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    hash: Option<usize>,
    end: usize,
}

impl Batch {
    /// Makes an empty batch of lines of one stream.
    #[must_use]
    pub fn new(stream_id: StreamId) -> Self {
        let end = LineEnd::new(stream_id);
        Self { end, bytes: Vec::new(), places: Vec::new(), starts: Vec::new(), leaves: Vec::new() }
    }

    /// Appends the line of an entry, which must follow the one before it in number.
    pub fn push(&mut self, record: &[u8], number: u64) {
        self.push_with(number, |bytes| bytes.extend_from_slice(record));
    }

    /// Appends the line of an entry whose record is appended to the bytes by the caller.
    pub fn push_with(&mut self, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        let room = (number > 0).then_some(Hash::from_bytes([0; 32]));
        self.end.write_with(&mut self.bytes, number, room, write);
        let end = self.bytes.len();
        self.bytes.push(b'\n');
        let hash = room.map(|_| end - self.end.after_hash());
        self.places.push(Place { start, hash, end });
    }

    /// Chains and hashes all lines; `previous` is the hash of the entry before the first, which entry 0 has not.
    pub fn seal(&mut self, previous: Option<Hash>) {
        self.starts.clear();
        self.leaves.clear();
        let bytes = &self.bytes;
        let before_hash = |place: &Place| bytes.get(place.start..place.hash.unwrap_or(place.end)).unwrap_or_default();
        hash::start_leaves(self.places.iter().map(before_hash), &mut self.starts);
        let mut previous = previous;
        for (place, start) in self.places.iter().zip(&self.starts) {
            if let (Some(at), Some(hash)) = (place.hash, previous)
                && let Some(room) = self.bytes.get_mut(at..at + 64)
            {
                room.copy_from_slice(&hash.to_hex());
            }
            let leaf = start.finish(self.bytes.get(place.start..place.end).unwrap_or_default());
            self.leaves.push(leaf);
            previous = Some(leaf);
        }
    }

    /// Returns the lines, each with its line feed; those that were not sealed hold zeros for the hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the leaf hash of every sealed line.
    #[must_use]
    pub fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// Returns how many lines there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether there is no line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Takes all lines out.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
        self.leaves.clear();
    }
}

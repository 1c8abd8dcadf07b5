//! Finding the entry of a record in a long log.
//!
//! The identifier of a record begins with the time when it was made (RFC 9562 §5.7), and entries stand nearly in that order:
//! threads overtake each other by a little, and a clock that went back by more. Nothing rests on it but where is looked first.

use audit_core::entry::stated_sequence;
use audit_core::id::RecordId;
use serde::Deserialize;

use crate::Error;
use crate::layout::Layout;
use crate::proof::Which;
use crate::read::{Segment, Segments};
use crate::segment::{Blocks, Buffer, read_error};
use crate::tiles::{Entries, Lines, last_place};

/// How many places before and behind the one that the time tells are looked at before everything is.
const NEAR_PLACES: u64 = 2;

/// Returns number and line of an entry.
pub(super) fn entry(layout: &Layout, entries: &mut Entries, which: Which) -> Result<(u64, Vec<u8>), Error> {
    let found = match which {
        Which::Number(number) => entries.line(number)?.map(|line| (number, line)),
        Which::Record(record_id) => Search::new(layout, record_id)?.run()?,
    };
    found.ok_or_else(|| Error::not_found(&layout.directory, which.to_string()))
}

struct Search<'a> {
    layout: &'a Layout,
    segments: Segments,
    record_id: RecordId,
    /// The member as a line has it.
    member: String,
    buffer: Buffer,
}

impl<'a> Search<'a> {
    fn new(layout: &'a Layout, record_id: RecordId) -> Result<Self, Error> {
        let segments = Segments::list(&layout.directory)?;
        let member = format!(r#""record_id":"{record_id}""#);
        Ok(Self { layout, segments, record_id, member, buffer: Buffer::default() })
    }

    fn run(mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let segments = self.segments.clone();
        let segments = segments.as_slice();
        let likely = self.likely_segment(segments)?;
        for segment in segments.get(likely.saturating_sub(1)..).unwrap_or_default().iter().take(3) {
            if let Some(found) = self.near(segment)? {
                return Ok(Some(found));
            }
        }
        for segment in segments.iter().rev() {
            if let Some(found) = self.within(segment, 0, u64::MAX)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Returns the index of the last segment whose first record is not younger.
    fn likely_segment(&mut self, segments: &[Segment]) -> Result<usize, Error> {
        let (mut low, mut high) = (0, segments.len());
        while high.saturating_sub(low) > 1 {
            let middle = low + (high - low) / 2;
            let Some(segment) = segments.get(middle) else { break };
            let blocks = self.open(segment)?;
            let line = blocks.first_line(0, &mut self.buffer);
            let line = line.map_err(|failed| read_error(&self.layout.directory, blocks.name(), None, failed))?;
            if is_before(line, self.record_id) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Looks around the place of a segment that the time tells.
    fn near(&mut self, segment: &Segment) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let blocks = self.open(segment)?;
        let record_id = self.record_id;
        let place = last_place(&blocks, &mut self.buffer, |line| is_before(line, record_id));
        let place = place.map_err(|failed| read_error(&self.layout.directory, blocks.name(), None, failed))?;
        if let Some(found) = self.within(segment, place, place + 1)? {
            return Ok(Some(found));
        }
        self.within(segment, place.saturating_sub(NEAR_PLACES), place.saturating_add(NEAR_PLACES + 1))
    }

    /// Looks at the places of a segment from the first up to, and without, the last.
    fn within(&mut self, segment: &Segment, from: u64, to: u64) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let blocks = self.open(segment)?;
        let failed = |failed| read_error(&self.layout.directory, blocks.name(), None, failed);
        let member = memchr::memmem::Finder::new(&self.member);
        for place in from..to.min(blocks.count().map_err(failed)?) {
            blocks.read(place, &mut self.buffer).map_err(failed)?;
            // The text may stand in an argument of another record, too.
            let mut from = 0;
            while let Some(at) = self.buffer.bytes.get(from..).and_then(|bytes| member.find(bytes)) {
                let begin = before(&self.buffer.bytes, from + at);
                let Some(line) = self.buffer.bytes.get(begin..).and_then(|bytes| Lines(bytes).next()) else { break };
                if record_id_of(line) == Some(self.record_id)
                    && let Some(sequence) = stated_sequence(line)
                {
                    return Ok(Some((sequence.number, line.to_vec())));
                }
                from = begin + line.len() + 1;
            }
        }
        Ok(None)
    }

    fn open(&self, segment: &Segment) -> Result<Blocks, Error> {
        let opened = Blocks::open(&segment.path);
        opened.map_err(|failed| read_error(&self.layout.directory, segment.name(), None, failed))
    }
}

/// Returns where the line begins that has a byte.
fn before(lines: &[u8], at: usize) -> usize {
    lines.get(..at).and_then(|lines| memchr::memrchr(b'\n', lines)).map_or(0, |end| end + 1)
}

/// Tells whether the identifier in a line is not made later than another one, as far as the times in them tell.
fn is_before(line: &[u8], record_id: RecordId) -> bool {
    record_id_of(line).is_some_and(|found| time_of(found) <= time_of(record_id))
}

/// Returns the first half of an identifier: milliseconds, and in this project's the fraction of one.
fn time_of(record_id: RecordId) -> [u8; 8] {
    record_id.to_bytes().first_chunk().copied().unwrap_or_default()
}

fn record_id_of(line: &[u8]) -> Option<RecordId> {
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        record: Record<'a>,
    }
    #[derive(Deserialize)]
    struct Record<'a> {
        record_id: &'a str,
    }
    serde_json::from_slice::<Entry<'_>>(line).ok()?.record.record_id.parse().ok()
}

//! The header of a journal file: to which stream it belongs, and which generation of slots is in it.
//!
//! There are two copies, eight words each, at the beginning of the file's first page. A new generation is written over
//! the older copy, and its last word, without which it does not count, is cleared first and written last. So a kill at
//! any instant leaves the old generation's header or the new one's.
//!
//! ```text
//! word 0    "auditjnl"
//! word 1    version of this format
//! word 2    bytes in the file
//! word 3    generation
//! word 4    number of entries in the log when the generation began
//! word 5,6  stream id
//! word 7    1 << 32 | crc32c of the words before; 0: not written yet
//! ```

use core::sync::atomic::Ordering::Release;

use super::memory::Word;
use super::slot::{WORD_BYTES, halves};

/// The bytes before the first slot.
pub(super) const PAGE_BYTES: u64 = 4096;
/// The words of both copies.
pub(super) const WORDS: usize = 2 * COPY_WORDS;

const COPY_WORDS: usize = 8;
const MAGIC: u64 = u64::from_le_bytes(*b"auditjnl");
const VERSION: u64 = 1;
const WRITTEN: u64 = 1 << 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) stream_id: [u8; 16],
    pub(super) file_bytes: u64,
    pub(super) generation: u64,
    /// No record of this generation has a smaller number.
    pub(super) base_entry: u64,
}

impl Header {
    /// Writes the copy whose turn it is.
    pub(super) fn write<W: Word>(&self, words: &[W]) {
        let (copies, _) = words.as_chunks::<COPY_WORDS>();
        // The generations of one half are all even or all odd.
        let copy = if self.generation & 2 == 0 { copies.first() } else { copies.get(1) };
        let Some([fields @ .., last]) = copy else { return };
        last.store(0, Release);
        // Each store is a release, so that none is moved before the one that clears.
        for (word, value) in fields.iter().zip(self.fields()) {
            word.store(value, Release);
        }
        last.store(WRITTEN | u64::from(checksum(self.fields())), Release);
    }

    /// Reads the newest header, or none if none was written yet.
    pub(super) fn read(page: &[u8]) -> Result<Option<Self>, &'static str> {
        let (words, _) = page.as_chunks::<WORD_BYTES>();
        let (copies, _) = words.as_chunks::<COPY_WORDS>();
        let mut newest: Option<Self> = None;
        for copy in copies.iter().take(2) {
            if let Some(header) = Self::read_copy(copy.map(u64::from_le_bytes))? {
                newest = newest.filter(|other| other.generation > header.generation).or(Some(header));
            }
        }
        Ok(newest)
    }

    fn read_copy(copy: [u64; COPY_WORDS]) -> Result<Option<Self>, &'static str> {
        let [magic, version, file_bytes, generation, base_entry, stream_low, stream_high, last] = copy;
        if last == 0 {
            return Ok(None);
        }
        if magic != MAGIC {
            return Err("expected a journal, found something else");
        }
        if last
            != WRITTEN
                | u64::from(checksum([magic, version, file_bytes, generation, base_entry, stream_low, stream_high]))
        {
            return Err("the header's checksum is wrong");
        }
        if version != VERSION {
            return Err("expected version 1 of the format, found another one");
        }
        let stream_id = (u128::from(stream_high) << 64 | u128::from(stream_low)).to_le_bytes();
        Ok(Some(Self { stream_id, file_bytes, generation, base_entry }))
    }

    fn fields(&self) -> [u64; COPY_WORDS - 1] {
        let (low, high) = halves(self.stream_id);
        [MAGIC, VERSION, self.file_bytes, self.generation, self.base_entry, low, high]
    }
}

fn checksum(fields: [u64; COPY_WORDS - 1]) -> u32 {
    crc_fast::crc32_iscsi(fields.map(u64::to_le_bytes).as_flattened())
}

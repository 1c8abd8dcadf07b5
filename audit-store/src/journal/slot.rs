//! The bytes of one slot, and how a cursor packs a generation and an offset.
//!
//! ```text
//! word 0    generation (low 32 bits), 0, 1 << 23 | 1 << 22 for the end of the file | length (16 bits)    stored last
//! word 1    call id, bytes 3 to 6;   0xff;   call id, bytes 0 to 2
//! word 2    call id, bytes 10 to 13; 0xff;   call id, bytes 7 to 9
//! word 3    checksum;                0xff;   role and flags (8 bits), call id, bytes 14 and 15
//! words     the record's bytes, filled up with 0xff
//! ```
//! Words are little-endian and written here with their highest bits first.
//!
//! Only word 0 has zeros in its bits 24 to 31: a record is JSON and has no zero byte, and all other words carry 0xff
//! there. So whatever older generations left at some place, it is not taken for the beginning of a slot of this one:
//! either it is no beginning at all, or it bears another generation. A half need not be wiped before it is used again,
//! and recovery can look for the next slot behind a hole.

use super::memory::Word;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The most bytes that one record may have.
pub(crate) const RECORD_BYTES_MAX: usize = 65_535;
/// The words of a slot before the record's bytes.
pub(super) const HEADER_WORDS: usize = 4;
pub(super) const WORD_BYTES: usize = 8;

const COMMITTED: u64 = 1 << 23;
const END: u64 = 1 << 22;
const LENGTH: u64 = 0xffff;
const LOW: u64 = 0xffff_ffff;
const TAG: u64 = 0xff << 24;
const PADDING: u64 = u64::MAX;

/// What a record does to its call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is an event, or anything else that ends nothing.
    #[default]
    Other,
    /// It begins a call.
    Begins,
    /// It ends a call: room is kept for it.
    Ends,
}

/// Six bits that the journal keeps for its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Keeps the low six bits.
    pub(crate) const fn new(bits: u8) -> Self {
        Self(bits & 0x3f)
    }
}

/// What is kept beside a record's bytes, so that nobody needs to parse them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) role: Role,
    pub(crate) flags: Flags,
    pub(crate) call_id: [u8; 16],
}

impl Meta {
    /// Spreads the bytes over the words 1 to 3, without the checksum. In numbers, as words put together from bytes in
    /// memory are slow to load.
    fn words(self) -> [u64; 3] {
        let (low, high) = halves(self.call_id);
        let role = match self.role {
            Role::Other => 0,
            Role::Begins => 1,
            Role::Ends => 2,
        };
        let bits = u64::from(role | self.flags.0 << 2);
        [
            low & 0x00ff_ffff | TAG | low >> 24 << 32,
            low >> 56 | (high & 0xffff) << 8 | TAG | high >> 16 << 32,
            high >> 48 | bits << 16 | TAG,
        ]
    }

    /// Reads the words 1 to 3; none if no journal wrote them.
    fn from_words(words: [u64; 3]) -> Option<Self> {
        let [[a, b, c, 0xff, d, e, f, g], [h, i, j, 0xff, k, l, m, n], [o, p, bits, 0xff, ..]] =
            words.map(u64::to_le_bytes)
        else {
            return None;
        };
        let role = match bits & 3 {
            0 => Role::Other,
            1 => Role::Begins,
            2 => Role::Ends,
            _ => return None,
        };
        Some(Self { role, flags: Flags::new(bits >> 2), call_id: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] })
    }
}

/// What the first word of a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A record of so many bytes.
    Record(usize),
    /// Nothing: the rest of the half is not used, and the next generation has begun in the other one.
    End,
}

impl Mark {
    /// The word that stands for this in the generation.
    pub(super) fn word(self, generation: u64) -> u64 {
        let bits = match self {
            Self::Record(length) => u64::try_from(length).unwrap_or(u64::MAX) & LENGTH,
            Self::End => END,
        };
        generation << 32 | COMMITTED | bits
    }

    /// Reads a word; none if it does not begin a slot of the generation.
    pub(super) fn read(word: u64, generation: u64) -> Option<Self> {
        let bits = word ^ (generation << 32 | COMMITTED);
        if bits == END { Some(Self::End) } else { (bits <= LENGTH).then(|| Self::Record(index(bits))) }
    }
}

/// Counts the words of a slot that holds so many bytes.
pub(super) const fn slot_words(record_bytes: usize) -> usize {
    HEADER_WORDS + record_bytes.div_ceil(WORD_BYTES)
}

/// The first words of a slot, ready but for the generation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    mark: u64,
    meta: [u64; 3],
}

impl Head {
    /// Makes them for a record of at most [`RECORD_BYTES_MAX`] bytes.
    #[inline]
    pub(super) fn new(meta: Meta, record: &[u8]) -> Self {
        let mark = Mark::Record(record.len()).word(0);
        let [one, two, three] = meta.words();
        let checksum = checksum([mark, one, two, three], record);
        Self { mark, meta: [one, two, three | checksum << 32] }
    }

    /// Enters the generation, into the checksum too: a word with one bit turned must not make an old slot a new one.
    #[inline]
    const fn in_generation(self, generation: u64) -> [u64; HEADER_WORDS] {
        let [one, two, three] = self.meta;
        [self.mark | generation << 32, one, two, three ^ generation << 32]
    }
}

/// Writes a slot: everything first, then the word that makes it one.
///
/// Nothing in here can panic, so a live thread that reserved a slot also commits it. Only the end of the process leaves
/// a hole.
#[inline]
pub(super) fn write<W: Word>(words: &[W], generation: u64, head: Head, record: &[u8]) {
    let Some(([word_0, word_1, word_2, word_3], body)) = words.split_first_chunk::<HEADER_WORDS>() else { return };
    let (chunks, rest) = record.as_chunks::<WORD_BYTES>();
    for (word, chunk) in body.iter().zip(chunks) {
        word.store(u64::from_le_bytes(*chunk), Relaxed);
    }
    if let Some(last) = body.get(chunks.len()) {
        last.store(rest.iter().rev().fold(PADDING, |word, byte| word << 8 | u64::from(*byte)), Relaxed);
    }
    let [mark, one, two, three] = head.in_generation(generation);
    word_1.store(one, Relaxed);
    word_2.store(two, Relaxed);
    word_3.store(three, Relaxed);
    word_0.store(mark, Release);
}

/// Makes the checksum of a committed slot a wrong one, if it is this slot. What the drain reads of it stays as it is.
pub(super) fn spoil<W: Word>(words: &[W], generation: u64, record_bytes: usize) {
    let Some(([mark, one, two, three], _)) = words.split_first_chunk::<HEADER_WORDS>() else { return };
    if mark.load(Acquire) != Mark::Record(record_bytes).word(generation) {
        return;
    }
    let low = three.load(Relaxed) & LOW;
    let header = [Mark::Record(record_bytes).word(0), one.load(Relaxed), two.load(Relaxed), low];
    let mut record = Vec::with_capacity(words.len() * WORD_BYTES);
    copy_record(words, record_bytes, &mut record);
    // From the record and not from what is there, so that spoiling twice is spoiling once.
    let right = checksum(header, &record) ^ generation & LOW;
    three.store(low | (right ^ LOW) << 32, Relaxed);
}

/// Reads the meta of a committed slot.
pub(super) fn read_meta<W: Word>(words: &[W]) -> Meta {
    let Some(([_, one, two, three], _)) = words.split_first_chunk::<HEADER_WORDS>() else { return Meta::default() };
    Meta::from_words([one, two, three].map(|word| word.load(Relaxed))).unwrap_or_default()
}

/// Appends a committed slot's bytes to others.
pub(super) fn copy_record<W: Word>(words: &[W], length: usize, bytes: &mut Vec<u8>) {
    let before = bytes.len();
    let body = words.get(HEADER_WORDS..).unwrap_or_default();
    bytes.resize(before + body.len() * WORD_BYTES, 0);
    let (chunks, _) = bytes.get_mut(before..).unwrap_or_default().as_chunks_mut::<WORD_BYTES>();
    for (chunk, word) in chunks.iter_mut().zip(body) {
        *chunk = word.load(Relaxed).to_le_bytes();
    }
    bytes.truncate(before + length);
}

/// A slot found in bytes that a dead process left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) meta: Meta,
    pub(super) bytes: &'a [u8],
}

/// Reads the slot at the beginning of the bytes, if it is whole.
pub(super) fn check(bytes: &[u8], length: usize) -> Option<Found<'_>> {
    let (header, body) = bytes.as_chunks::<WORD_BYTES>().0.split_first_chunk::<HEADER_WORDS>()?;
    let record = body.as_flattened().get(..length)?;
    let [mark, one, two, three] = header.map(u64::from_le_bytes);
    let (generation, mark) = (mark >> 32, mark & LOW);
    let (stated, three) = ((three >> 32) ^ generation, three & LOW);
    if checksum([mark, one, two, three], record) != stated {
        return None;
    }
    Some(Found { meta: Meta::from_words([one, two, three])?, bytes: record })
}

/// Reads an identifier as two numbers.
pub(super) const fn halves(id: [u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, high @ ..] = id;
    (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes(high))
}

/// Returns the checksum of a header whose room for it holds, meanwhile, the record's own.
#[inline]
fn checksum([mark, one, two, three]: [u64; HEADER_WORDS], record: &[u8]) -> u64 {
    let record = u64::from(crc_fast::crc32_iscsi(record));
    let header = [mark, one, two, three | record << 32].map(u64::to_le_bytes);
    u64::from(crc_fast::crc32_iscsi(header.as_flattened()))
}

/// A place in the journal: a generation and an offset in its half, in words.
///
/// Places are ordered as they are reserved. No arithmetic on bytes is possible across generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position(u64);

const OFFSET_BITS: u32 = 24;
const OFFSET: u64 = (1 << OFFSET_BITS) - 1;
/// The last generation there is: with the shortest files that is 70,000 terabytes.
pub(super) const GENERATION_MAX: u64 = (1 << 39) - 1;

impl Position {
    pub(super) const fn new(generation: u64, offset: u64) -> Self {
        Self(generation << OFFSET_BITS | offset)
    }

    /// Returns a number that orders positions as they are.
    pub(crate) const fn as_u64(self) -> u64 {
        self.0
    }

    pub(super) const fn generation(self) -> u64 {
        self.0 >> OFFSET_BITS
    }

    pub(super) const fn offset(self) -> u64 {
        self.0 & OFFSET
    }

    /// Returns the place so many words on in the same half.
    pub(super) const fn plus(self, words: u64) -> Self {
        Self(self.0 + words)
    }
}

/// Where the next slot begins, and whether there will be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor(pub(super) u64);

impl Cursor {
    /// The bit that closes.
    pub(super) const CLOSED: u64 = 1 << 63;

    pub(super) const fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }

    pub(super) const fn position(self) -> Position {
        Position(self.0 & !Self::CLOSED)
    }
}

/// Turns a number of words or bytes in a half into an index. It fits, as no half is longer than the address space.
pub(super) fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Turns a count into a number.
pub(super) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

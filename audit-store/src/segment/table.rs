//! The seek table at the end of a compressed segment: which bytes of the file are which frame.
//!
//! ```text
//! 5E 2A 4D 18  <bytes that follow>                   a skippable frame, which `zstd -d` passes over
//! <compressed bytes> <bytes> <checksum>              one row of three little-endian u32 for each frame
//! <number of frames> 80  B1 EA 92 8F                 u32, "with checksums", the magic number of the seekable format
//! ```

use std::fs::File;
use std::io;

use crate::segment::{CHUNK_BYTES_MAX, altered, read_exact_at};

const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
/// Rows have checksums; the reserved bits, and those without a meaning, are zero.
const DESCRIPTOR: u8 = 0x80;
const HEAD_BYTES: u64 = 8;
const ROW_BYTES: u64 = 12;
const FOOT_BYTES: u64 = 9;

/// How many frames a segment can have: at 2 MiB each, a segment of 128 GiB. The table in memory takes 1.5 MiB then.
pub(super) const FRAMES_MAX: u32 = 65_536;

/// One frame of a compressed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it begins in the file.
    pub(super) offset: u64,
    pub(super) compressed_bytes: u32,
    pub(super) bytes: u32,
    /// The low half of the XXH64 of the uncompressed bytes, which also ends the frame itself.
    pub(super) checksum: u32,
}

/// Reads the table of a file and checks that it and its frames fill the file.
pub(super) fn read(file: &File) -> io::Result<Vec<Frame>> {
    let length = file.metadata()?.len();
    let rows_end = length.checked_sub(FOOT_BYTES).ok_or_else(|| no_table(length))?;
    let mut foot = [0; 9];
    read_exact_at(file, &mut foot, rows_end)?;
    let (frames, foot) = take_u32(&foot).ok_or_else(|| no_table(length))?;
    let [descriptor, magic @ ..] = foot else { return Err(no_table(length)) };
    if *descriptor != DESCRIPTOR || *magic != SEEKABLE_MAGIC.to_le_bytes() {
        return Err(no_table(length));
    }
    if frames == 0 || frames > FRAMES_MAX {
        return Err(altered(format!("expected a seek table of 1 to {FRAMES_MAX} frames, found {frames}")));
    }
    let rows_bytes = u64::from(frames) * ROW_BYTES;
    let begin = rows_end.checked_sub(rows_bytes + HEAD_BYTES).ok_or_else(|| no_table(length))?;
    let mut table = vec![0; usize::try_from(rows_bytes + HEAD_BYTES).map_err(|_too_large| no_table(length))?];
    read_exact_at(file, &mut table, begin)?;
    parse(&table, begin)
}

fn no_table(length: u64) -> io::Error {
    altered(format!("expected a zstd seek table at the end of the {length} compressed bytes, found none"))
}

/// Parses head and rows; the frames must take exactly the bytes before them.
fn parse(table: &[u8], begin: u64) -> io::Result<Vec<Frame>> {
    let malformed = || altered("expected the seek table in a skippable frame of its own length");
    let (magic, rest) = take_u32(table).ok_or_else(malformed)?;
    let (length, mut rows) = take_u32(rest).ok_or_else(malformed)?;
    if magic != SKIPPABLE_MAGIC || u64::from(length) != rows.len() as u64 + FOOT_BYTES {
        return Err(malformed());
    }
    let mut frames = Vec::with_capacity(rows.len() / 12);
    let mut offset = 0;
    while let Some((compressed_bytes, rest)) = take_u32(rows) {
        let (bytes, rest) = take_u32(rest).ok_or_else(malformed)?;
        let (checksum, rest) = take_u32(rest).ok_or_else(malformed)?;
        rows = rest;
        if bytes == 0 || bytes as usize > CHUNK_BYTES_MAX {
            return Err(altered(format!("expected a frame of 1 to {CHUNK_BYTES_MAX} bytes, found one of {bytes}")));
        }
        if compressed_bytes as usize > zstd::zstd_safe::compress_bound(CHUNK_BYTES_MAX) {
            return Err(altered(format!("expected a frame, found one of {compressed_bytes} compressed bytes")));
        }
        frames.push(Frame { offset, compressed_bytes, bytes, checksum });
        offset += u64::from(compressed_bytes);
    }
    if offset != begin {
        return Err(altered(format!("expected {offset} bytes of frames before the seek table, found {begin}")));
    }
    Ok(frames)
}

/// Writes the table of frames.
pub(super) fn write(frames: &[Frame]) -> Vec<u8> {
    // At most FRAMES_MAX rows, so both numbers fit.
    let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
    let length = u32::try_from(frames.len() as u64 * ROW_BYTES + FOOT_BYTES).unwrap_or(u32::MAX);
    let mut table = [SKIPPABLE_MAGIC.to_le_bytes(), length.to_le_bytes()].concat();
    for frame in frames {
        for number in [frame.compressed_bytes, frame.bytes, frame.checksum] {
            table.extend(number.to_le_bytes());
        }
    }
    table.extend(count.to_le_bytes());
    table.push(DESCRIPTOR);
    table.extend(SEEKABLE_MAGIC.to_le_bytes());
    table
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

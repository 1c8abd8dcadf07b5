//! The frames of a compressed segment, each read, checked and decompressed alone.

use core::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use zstd::bulk::Decompressor;
use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use crate::disk;
use crate::segment::table::{self, Frame};
use crate::segment::{altered, read_exact_at};

/// The magic number of a zstd frame and its descriptor without the two bits that tell how long the stated size is: one
/// segment, which states its size, with a checksum, without a dictionary.
const FRAME_START: [u8; 5] = [0x28, 0xB5, 0x2F, 0xFD, 0x24];
const SIZE_FLAG: u8 = 0xC0;

/// What a chunk is read into; one for each thread, used again and again.
#[derive(Default)]
pub struct Buffer {
    pub(crate) bytes: Vec<u8>,
    compressed: Vec<u8>,
    decompressor: Option<Decompressor<'static>>,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// An open compressed segment.
#[derive(Debug)]
pub(crate) struct Compressed {
    file: File,
    frames: Vec<Frame>,
}

impl Compressed {
    /// Opens a compressed segment and reads its table.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = disk::open_plain(OpenOptions::new().read(true), path)?;
        let frames = table::read(&file)?;
        Ok(Self { file, frames })
    }

    /// Returns how many frames there are.
    pub(super) fn count(&self) -> u64 {
        self.frames.len() as u64
    }

    /// Returns how many bytes the frames hold.
    pub(crate) fn plain_bytes(&self) -> u64 {
        self.frames.iter().map(|frame| u64::from(frame.bytes)).sum()
    }

    /// Returns how long the file is.
    pub(crate) fn compressed_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads one frame into `buffer.bytes`: whole lines, or an error.
    pub(super) fn read(&self, index: u64, buffer: &mut Buffer) -> io::Result<()> {
        let frame = self.compressed(index, buffer)?;
        #[cfg(test)]
        FRAMES_READ.set(FRAMES_READ.get() + 1);
        let decompressor = match &mut buffer.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new()?),
        };
        let decompressed = decompress(decompressor, frame, &buffer.compressed, &mut buffer.bytes);
        decompressed.map_err(|reason| altered(format!("the frame at byte {}: {reason}", frame.offset)))
    }

    /// Reads the beginning of one frame into `buffer.bytes`, at most so many bytes. Neither its end nor its checksum is
    /// looked at: good enough for a hint where to look.
    pub(super) fn read_start(&self, index: u64, bytes_max: usize, buffer: &mut Buffer) -> io::Result<()> {
        self.compressed(index, buffer)?;
        buffer.bytes.clear();
        let decoder = zstd::stream::read::Decoder::with_buffer(buffer.compressed.as_slice())?;
        decoder.take(bytes_max as u64).read_to_end(&mut buffer.bytes).map(drop)
    }

    /// Reads the bytes of one frame as they stand in the file.
    fn compressed(&self, index: u64, buffer: &mut Buffer) -> io::Result<&Frame> {
        let frame = usize::try_from(index).ok().and_then(|index| self.frames.get(index));
        let Some(frame) = frame else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        buffer.compressed.resize(frame.compressed_bytes as usize, 0);
        read_exact_at(&self.file, &mut buffer.compressed, frame.offset)?;
        Ok(frame)
    }
}

/// Decompresses exactly one frame. Everything that a decoder may pass over is checked: a second frame after the first
/// one, a size that is not stated, bits without a meaning.
fn decompress(
    decompressor: &mut Decompressor<'static>,
    frame: &Frame,
    compressed: &[u8],
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    bytes.clear();
    let start =
        compressed.first_chunk::<5>().map(|start| [start[0], start[1], start[2], start[3], start[4] & !SIZE_FLAG]);
    if start != Some(FRAME_START) {
        return Err("expected a zstd frame of one segment with a checksum and no dictionary, found none".to_owned());
    }
    if find_frame_compressed_size(compressed) != Ok(compressed.len()) {
        return Err(format!("expected one frame of {} bytes, found another length", compressed.len()));
    }
    let stated = u64::from(frame.bytes);
    match get_frame_content_size(compressed) {
        Ok(Some(found)) if found == stated => {}
        _ => return Err(format!("expected a frame that states {stated} bytes as the seek table does")),
    }
    if compressed.last_chunk() != Some(&frame.checksum.to_le_bytes()) {
        return Err("expected the checksum that the seek table states".to_owned());
    }
    bytes.reserve_exact(frame.bytes as usize);
    let found = decompressor.decompress_to_buffer(compressed, bytes).map_err(|fault| format!("damaged: {fault}"))?;
    if found as u64 != stated || bytes.len() as u64 != stated {
        return Err(format!("expected {stated} bytes as the seek table states, found {found}"));
    }
    if bytes.last() != Some(&b'\n') {
        return Err("expected a line feed at its end".to_owned());
    }
    Ok(())
}

#[cfg(test)]
thread_local! {
    /// How many frames this thread has decompressed.
    pub(super) static FRAMES_READ: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

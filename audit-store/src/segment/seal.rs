//! The sealing of a segment: its compressed form takes the place of the plain one.
//!
//! The plain file is removed only after the compressed one, read back from its file, has given the same bytes and is on
//! the disk under its name. Until then readers see the plain file; a kill between any two steps leaves a log with the
//! same lines, and sealing again finishes it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use crate::Error;
use crate::disk::{self, Disk, Identity, Mode};
use crate::layout::{self, Layout, SegmentName};
use crate::segment::table::{self, FRAMES_MAX, Frame};
use crate::segment::{Buffer, Compressed, after_last_line_feed, altered, read_error, read_exact_at};

/// How many bytes of whole lines go into one frame, at most.
///
/// It is the window of the level below, so that a frame is never split into segments of its own; a recorded agent's log
/// takes 5 % more in such frames than in one piece, in frames half as long 10 %.
const FRAME_BYTES: usize = 2 * 1024 * 1024;
const LEVEL: i32 = 3;

/// What sealing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// How long the segment is in its plain form.
    pub(crate) plain_bytes: u64,
    /// How long the file is that took its place.
    pub(crate) compressed_bytes: u64,
}

/// Seals the segment that begins with the given entry. One that is sealed already stays as it is.
///
/// The caller holds the log and writes no more to the segment.
///
/// # Errors
/// The segment does not hold whole lines ([`Error::is_tampered`]), or a file operation failed: the plain segment is
/// there still, and sealing may be tried again.
pub(crate) fn seal(disk: &dyn Disk, layout: &Layout, first: u64) -> Result<Sealed, Error> {
    seal_in_frames(disk, layout, first, FRAME_BYTES)
}

/// Seals a segment in frames of at most so many bytes, which must be enough for the longest line.
pub(super) fn seal_in_frames(
    disk: &dyn Disk,
    layout: &Layout,
    first: u64,
    frame_bytes: usize,
) -> Result<Sealed, Error> {
    let sealing = Sealing { disk, layout, first, frame_bytes };
    let plain = layout.segment(first);
    let file = match disk::open_plain(OpenOptions::new().read(true), &plain) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return sealing.finished(),
        opened => opened.map_err(|source| Error::io(&plain, "open the segment", source))?,
    };
    let written = sealing.write(&file).and_then(|sealed| sealing.replace(&file).map(|()| sealed));
    if written.is_err() {
        // What is left of it is passed over by readers, and removed before the next attempt.
        let _removed_later = disk.remove(&layout.sealing_segment(first));
    }
    written
}

/// Removes what interrupted sealings left.
pub(crate) fn remove_leftovers(disk: &dyn Disk, layout: &Layout) -> Result<(), Error> {
    let directory = layout.segments();
    let failed = |source| Error::io(&directory, "remove what an interrupted sealing left", source);
    let mut is_changed = false;
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if matches!(SegmentName::parse(&entry.file_name().to_string_lossy()), Some(SegmentName::Sealing(_))) {
            disk.remove(&entry.path()).map_err(failed)?;
            is_changed = true;
        }
    }
    if is_changed { disk.sync_directory(&directory).map_err(failed) } else { Ok(()) }
}

/// The sealing of one segment.
struct Sealing<'a> {
    disk: &'a dyn Disk,
    layout: &'a Layout,
    first: u64,
    frame_bytes: usize,
}

impl Sealing<'_> {
    /// Tells what an earlier sealing came to.
    fn finished(&self) -> Result<Sealed, Error> {
        let path = self.layout.compressed_segment(self.first);
        let opened = Compressed::open(&path);
        let sealed = opened.and_then(|file| {
            Ok(Sealed { plain_bytes: file.plain_bytes(), compressed_bytes: file.compressed_bytes()? })
        });
        sealed
            .map_err(|fault| read_error(&self.layout.directory, layout::below_segments(&path), Some(self.first), fault))
    }

    /// Writes the compressed form beside the plain one and reads it back.
    fn write(&self, plain: &File) -> Result<Sealed, Error> {
        let path = self.layout.sealing_segment(self.first);
        let failed = |doing| {
            let path = path.clone();
            move |source| Error::io(&path, doing, source)
        };
        match self.disk.remove(&path) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(failed("remove what an interrupted sealing left"))?,
        }
        let file = self.disk.open(&path, Mode::New).map_err(failed("create the compressed segment"))?;
        let plain_bytes = plain.metadata().map_err(failed("read the length of the segment"))?.len();
        self.compress(plain, plain_bytes, &file).map_err(|fault| match fault {
            Trouble::Plain(fault) => {
                let file = layout::below_segments(&self.layout.segment(self.first));
                read_error(&self.layout.directory, file, None, fault)
            }
            Trouble::Compressed(fault) => failed("write the compressed segment")(fault),
        })?;
        self.disk.sync(&file).map_err(failed("bring the compressed segment to the disk"))?;
        let compressed_bytes =
            compare(plain, plain_bytes, &path).map_err(failed("read the compressed segment back"))?;
        Ok(Sealed { plain_bytes, compressed_bytes })
    }

    fn compress(&self, plain: &File, length: u64, to: &File) -> Result<(), Trouble> {
        let mut compressor = Compressor::new(LEVEL).map_err(Trouble::Compressed)?;
        compressor.include_checksum(true).map_err(Trouble::Compressed)?;
        let (mut lines, mut compressed) = (Vec::new(), Vec::with_capacity(compress_bound(self.frame_bytes)));
        let (mut frames, mut read, mut offset) = (Vec::new(), 0, 0);
        while read < length {
            let taken = usize::try_from(length - read).unwrap_or(usize::MAX).min(self.frame_bytes);
            lines.resize(taken, 0);
            read_lines(plain, read, &mut lines).map_err(Trouble::Plain)?;
            compressor.compress_to_buffer(&lines, &mut compressed).map_err(Trouble::Compressed)?;
            let frame = frame_of(offset, &lines, &compressed).map_err(Trouble::Compressed)?;
            disk::write_all(self.disk, to, &compressed).map_err(Trouble::Compressed)?;
            frames.push(frame);
            read += lines.len() as u64;
            offset += compressed.len() as u64;
        }
        if frames.is_empty() || frames.len() > FRAMES_MAX as usize {
            let found = format!("expected a segment of 1 to {FRAMES_MAX} frames, found one of {}", frames.len());
            return Err(Trouble::Compressed(io::Error::new(io::ErrorKind::InvalidInput, found)));
        }
        disk::write_all(self.disk, to, &table::write(&frames)).map_err(Trouble::Compressed)
    }

    /// Gives the compressed form its name, and only then takes the plain one away.
    fn replace(&self, plain: &File) -> Result<(), Error> {
        let (directory, plain_path) = (self.layout.segments(), self.layout.segment(self.first));
        let sealed = self.layout.compressed_segment(self.first);
        let renamed = self.disk.rename(&self.layout.sealing_segment(self.first), &sealed);
        renamed.map_err(|source| Error::io(&sealed, "name the compressed segment", source))?;
        let synced = |source| Error::io(&directory, "bring the directory to the disk", source);
        self.disk.sync_directory(&directory).map_err(synced)?;
        let failed = |source| Error::io(&plain_path, "remove the plain segment", source);
        // Another file at its place was not compared with anything.
        if !Identity::of(plain).map_err(failed)?.is_at(&plain_path) {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "expected the file that was compressed")));
        }
        self.disk.remove(&plain_path).map_err(failed)?;
        self.disk.sync_directory(&directory).map_err(synced)
    }
}

/// What went wrong while one file was read and the other written.
enum Trouble {
    Plain(io::Error),
    Compressed(io::Error),
}

/// Fills the buffer and keeps the whole lines in it.
fn read_lines(plain: &File, offset: u64, lines: &mut Vec<u8>) -> io::Result<()> {
    read_exact_at(plain, lines, offset)?;
    let found = lines.len();
    lines.truncate(after_last_line_feed(lines));
    if lines.is_empty() {
        return Err(altered(format!("expected a line feed in the {found} bytes from byte {offset} on, found none")));
    }
    Ok(())
}

fn frame_of(offset: u64, lines: &[u8], compressed: &[u8]) -> io::Result<Frame> {
    let checksum = compressed.last_chunk().map(|checksum| u32::from_le_bytes(*checksum));
    match (u32::try_from(compressed.len()), u32::try_from(lines.len()), checksum) {
        (Ok(compressed_bytes), Ok(bytes), Some(checksum)) => Ok(Frame { offset, compressed_bytes, bytes, checksum }),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "expected a frame below 4 GiB")),
    }
}

/// Compares what the compressed file gives with the plain file, and returns the length of the compressed one.
fn compare(plain: &File, length: u64, path: &Path) -> io::Result<u64> {
    let compressed = Compressed::open(path)?;
    let (mut buffer, mut expected, mut offset) = (Buffer::default(), Vec::new(), 0);
    for index in 0..compressed.count() {
        compressed.read(index, &mut buffer)?;
        expected.resize(buffer.bytes.len(), 0);
        read_exact_at(plain, &mut expected, offset)?;
        if buffer.bytes != expected {
            return Err(altered(format!("expected the plain segment's bytes after byte {offset}, found others")));
        }
        offset += expected.len() as u64;
    }
    let length_now = plain.metadata()?.len();
    if offset != length || length_now != length {
        return Err(altered(format!("expected {length_now} bytes, found {offset}")));
    }
    compressed.compressed_bytes()
}

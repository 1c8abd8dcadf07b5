//! Reading what a dead process left in the journal.

use core::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::path::Path;

use super::header::{Header, PAGE_BYTES};
use super::slot::{self, Found, Mark, Meta, Position, WORD_BYTES, index, number};
use super::{FILE_BYTES_MAX, FILE_NAMES};
use crate::disk::open_plain;

/// What both files hold: the whole slots of the last generation in each.
///
/// Some of the records may be in the segment already: whoever recovers compares them with the entries from
/// [`Recovered::base_entry`] on. At most both files are in memory.
pub(crate) struct Recovered {
    /// Ordered by generation.
    halves: Vec<Half>,
}

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecoveredRecord<'a> {
    /// What the append of this record was told, or would have been.
    pub(crate) position: Position,
    pub(crate) meta: Meta,
    pub(crate) bytes: &'a [u8],
}

struct Half {
    header: Header,
    file: Vec<u8>,
    scan: Scan,
}

/// Reads the journal in the directory; a file that is missing, or that got no header yet, holds nothing.
///
/// # Errors
/// `InvalidData` if a file is no journal of this stream or its header is damaged; else what reading gave.
pub(crate) fn recover(directory: &Path, stream_id: [u8; 16]) -> io::Result<Recovered> {
    let [first, second] = FILE_NAMES.map(|name| read_file(&directory.join(name)));
    Recovered::from_files([first?, second?], stream_id)
}

impl Recovered {
    /// Reads the bytes of the files that there are.
    pub(super) fn from_files(files: [Option<Vec<u8>>; 2], stream_id: [u8; 16]) -> io::Result<Self> {
        let mut halves = Vec::with_capacity(files.len());
        for (name, file) in FILE_NAMES.into_iter().zip(files) {
            let Some(file) = file else { continue };
            let half = Half::read(file, stream_id);
            halves
                .extend(half.map_err(|found| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {found}")))?);
        }
        halves.sort_by_key(|half| half.header.generation);
        Ok(Self { halves })
    }

    /// Returns the number below which no record in the journal has its own; none if there is no journal.
    pub(crate) fn base_entry(&self) -> Option<u64> {
        self.halves.iter().map(|half| half.header.base_entry).min()
    }

    /// Counts the stretches that were passed over: slots that were reserved when the process died and are not whole,
    /// or that were damaged since. What was reserved last may lie behind all that is whole and is not counted then.
    pub(crate) fn holes(&self) -> u64 {
        self.halves.iter().map(|half| half.scan.holes).sum()
    }

    /// Gives the records in the order in which their places were reserved.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecoveredRecord<'_>> {
        self.halves.iter().flat_map(Half::records)
    }
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovered")
            .field("base_entry", &self.base_entry())
            .field("records", &self.records().count())
            .field("holes", &self.holes())
            .finish()
    }
}

impl Half {
    fn read(file: Vec<u8>, stream_id: [u8; 16]) -> Result<Option<Self>, String> {
        let page = file.get(..index(PAGE_BYTES)).unwrap_or(&file);
        let Some(header) = Header::read(page)? else { return Ok(None) };
        if header.stream_id != stream_id {
            return Err("expected a journal of this stream, found one of another stream".to_owned());
        }
        if header.file_bytes != number(file.len()) {
            return Err(format!("expected {} bytes, found {}", header.file_bytes, file.len()));
        }
        let scan = Scan::new(file.get(index(PAGE_BYTES)..).unwrap_or_default(), header.generation);
        Ok(Some(Self { header, file, scan }))
    }

    fn records(&self) -> impl Iterator<Item = RecoveredRecord<'_>> {
        let slots = self.file.get(index(PAGE_BYTES)..).unwrap_or_default();
        self.scan.found.iter().filter_map(move |&(offset, length)| {
            let Found { meta, bytes } = slot::check(slots.get(offset * WORD_BYTES..)?, length)?;
            let end = number(offset + slot::slot_words(length));
            Some(RecoveredRecord { position: Position::new(self.header.generation, end), meta, bytes })
        })
    }
}

/// Where the whole slots of one half are.
#[derive(Debug, Default)]
struct Scan {
    /// Offsets in words, and lengths of the records in bytes.
    found: Vec<(usize, usize)>,
    holes: u64,
}

impl Scan {
    fn new(slots: &[u8], generation: u64) -> Self {
        let mut scan = Self::default();
        let mut passed = Passed::Nothing;
        let mut offset = 0;
        while let Some((word, _)) = slots.get(offset * WORD_BYTES..).and_then(<[u8]>::split_first_chunk) {
            let mark = Mark::read(u64::from_le_bytes(*word), generation);
            let length = match mark {
                Some(Mark::Record(length)) => Some(length),
                _ => None,
            };
            let is_whole = length.is_some_and(|length| {
                slots.get(offset * WORD_BYTES..).is_some_and(|rest| slot::check(rest, length).is_some())
            });
            // Behind the end nothing of this generation follows. It is looked for all the same, as the mark has no
            // checksum.
            if (is_whole || mark == Some(Mark::End)) && passed != Passed::Nothing {
                scan.holes += 1;
            }
            match length {
                Some(length) if is_whole => {
                    scan.found.push((offset, length));
                    offset += slot::slot_words(length);
                    passed = Passed::Nothing;
                }
                damaged => {
                    passed = match mark {
                        Some(Mark::End) => Passed::Nothing,
                        _ if damaged.is_some() => Passed::Damaged,
                        _ => passed.max(Passed::Anything),
                    };
                    offset += 1;
                }
            }
        }
        scan.holes += u64::from(passed == Passed::Damaged);
        scan
    }
}

/// What lies between the last whole slot and here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Passed {
    Nothing,
    /// Words that were never written, or by an older generation, or by a slot that was not committed.
    Anything,
    /// Among others the beginning of a slot of this generation.
    Damaged,
}

fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match open_plain(OpenOptions::new().read(true), path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    // One byte more than any journal has shows a file that is too long.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

//! The names of a log's files, and what a directory looks like before it is opened.

use core::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use audit_core::entry::LINE_BYTES_MAX;

use crate::disk::{self, Disk};

/// The derived copy of entry 0.
pub(crate) const LOG_JSON: &str = "log.json";
/// The empty file that the one writer holds locked.
pub(crate) const LOCK: &str = "lock";
/// The newest checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// All checkpoints, oldest first.
pub(crate) const CHECKPOINTS: &str = "checkpoints.log";
/// The seal over them, where the log has one.
pub(crate) const SEAL: &str = "seal";
/// The directory of segments.
pub(crate) const SEGMENTS: &str = "segments";
/// The two mapped files of records that are not in a segment yet.
const JOURNAL: [&str; 2] = ["journal.0", "journal.1"];
/// The directory of what can be derived from the segments.
const INDEX: &str = "index";
/// The directory of what anchors gave.
pub(crate) const ANCHORS: &str = "anchors";
/// The directory of how far the log was sent elsewhere.
const EXPORTS: &str = "exports";
/// The directory of payloads too large for a line.
pub(crate) const BLOBS: &str = "blobs";
/// The directory of sealed values.
const PAYLOADS: &str = "payloads";

/// How long the files beside the segments may be: a line, its line feed and room for nothing else.
const SMALL_FILE_BYTES_MAX: u64 = LINE_BYTES_MAX as u64 + 1;

/// The paths of one log.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) directory: PathBuf,
}

impl Layout {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub(crate) fn log_json(&self) -> PathBuf {
        self.directory.join(LOG_JSON)
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join(LOCK)
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.directory.join(CHECKPOINT)
    }

    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.directory.join(CHECKPOINTS)
    }

    pub(crate) fn seal(&self) -> PathBuf {
        self.directory.join(SEAL)
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.directory.join(SEGMENTS)
    }

    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.segments().join(SegmentName::Plain(first).to_string())
    }

    pub(crate) fn compressed_segment(&self, first: u64) -> PathBuf {
        self.segments().join(SegmentName::Compressed(first).to_string())
    }

    /// The compressed form of a segment before it is whole.
    pub(crate) fn sealing_segment(&self, first: u64) -> PathBuf {
        self.segments().join(SegmentName::Sealing(first).to_string())
    }

    /// One of the two files of the journal: 0 or 1.
    pub(crate) fn journal(&self, half: usize) -> PathBuf {
        self.directory.join(format!("journal.{half}"))
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.directory.join(INDEX)
    }

    pub(crate) fn anchors(&self) -> PathBuf {
        self.directory.join(ANCHORS)
    }

    pub(crate) fn exports(&self) -> PathBuf {
        self.directory.join(EXPORTS)
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.directory.join(BLOBS)
    }

    pub(crate) fn payloads(&self) -> PathBuf {
        self.directory.join(PAYLOADS)
    }

    /// Looks at the directory without changing it.
    pub(crate) fn survey(&self) -> io::Result<Survey> {
        match fs::metadata(&self.directory) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Survey::Absent),
            Err(fault) => return Err(fault),
            Ok(metadata) if !metadata.is_dir() => return Ok(Survey::NotALog("a file".to_owned())),
            Ok(_) => {}
        }
        let is = |name: &str, test: fn(&fs::Metadata) -> bool| {
            fs::metadata(self.directory.join(name)).is_ok_and(|metadata| test(&metadata))
        };
        let has_segments = is(SEGMENTS, fs::Metadata::is_dir);
        // A log whose segments were removed is still a log: what is missing is for the verification to tell.
        if has_segments || (is(LOG_JSON, fs::Metadata::is_file) && is(CHECKPOINT, fs::Metadata::is_file)) {
            return Ok(Survey::Log);
        }
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            if name != LOCK && name != SEAL && !JOURNAL.iter().any(|half| name == *half) {
                // Somebody is creating the log at this moment: nothing else is put there before the segments.
                if is(SEGMENTS, fs::Metadata::is_dir) {
                    return Ok(Survey::Log);
                }
                let found = format!("a directory without `{SEGMENTS}` that holds `{}`", name.display());
                return Ok(Survey::NotALog(found));
            }
        }
        Ok(Survey::Empty)
    }
}

/// What a path holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Survey {
    /// Nothing.
    Absent,
    /// A directory with nothing in it but, at most, a seal that was made before it, and the lock and journal of a creation that did not get
    /// further.
    Empty,
    /// A log, whole or not.
    Log,
    /// Something else: what was found.
    NotALog(String),
}

/// The names in the directory of segments, each with the number of the segment's first entry in 20 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentName {
    /// `<20 digits>.jsonl`: lines as they stand.
    Plain(u64),
    /// `<20 digits>.jsonl.zst`: the same lines, compressed.
    Compressed(u64),
    /// `<20 digits>.jsonl.zst.tmp`: what a sealing that is under way, or was interrupted, has written.
    Sealing(u64),
}

impl SegmentName {
    /// Parses what `Display` writes, and nothing else.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (digits, form) = name.split_at_checked(20)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let first = digits.parse().ok()?;
        match form {
            ".jsonl" => Some(Self::Plain(first)),
            ".jsonl.zst" => Some(Self::Compressed(first)),
            ".jsonl.zst.tmp" => Some(Self::Sealing(first)),
            _ => None,
        }
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(first) => write!(f, "{first:020}.jsonl"),
            Self::Compressed(first) => write!(f, "{first:020}.jsonl.zst"),
            Self::Sealing(first) => write!(f, "{first:020}.jsonl.zst.tmp"),
        }
    }
}

/// Tells whether a path is that of a compressed segment.
pub(crate) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

/// Returns the path of the compressed form of a plain segment.
pub(crate) fn compressed(plain: &Path) -> PathBuf {
    plain.with_extension("jsonl.zst")
}

/// Returns a segment's name below the log's directory.
pub(crate) fn below_segments(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().escape_debug().to_string());
    format!("{SEGMENTS}/{}", name.unwrap_or_default())
}

/// Creates a directory of the log if it is missing, and brings its name to the disk.
pub(crate) fn create_below(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    match disk.create_directory(directory) {
        // Whoever created it may have been interrupted before its name was on the disk.
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
        created => created?,
    }
    directory.parent().map_or(Ok(()), |parent| disk.sync_directory(parent))
}

/// What one of the small files beside the segments holds.
#[derive(Debug)]
pub(crate) enum SmallFile {
    Missing,
    Bytes(Vec<u8>),
    /// Not a plain file, or longer than any of them can be.
    Odd(String),
}

/// Reads a small file whole, without following it into unbounded memory.
pub(crate) fn read_small(path: &Path) -> io::Result<SmallFile> {
    match fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(SmallFile::Missing),
        Err(fault) => return Err(fault),
        Ok(metadata) if !metadata.is_file() => {
            return Ok(SmallFile::Odd("something else than a plain file".to_owned()));
        }
        Ok(_) => {}
    }
    let file = match disk::open_plain(fs::OpenOptions::new().read(true), path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(SmallFile::Missing),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.take(SMALL_FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SMALL_FILE_BYTES_MAX {
        return Ok(SmallFile::Odd(format!("more than {SMALL_FILE_BYTES_MAX} bytes")));
    }
    Ok(SmallFile::Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_have_one_name_in_each_form() {
        for (name, text) in [
            (SegmentName::Plain(7), "00000000000000000007.jsonl"),
            (SegmentName::Compressed(u64::MAX), "18446744073709551615.jsonl.zst"),
            (SegmentName::Sealing(0), "00000000000000000000.jsonl.zst.tmp"),
        ] {
            assert_eq!(name.to_string(), text);
            assert_eq!(SegmentName::parse(text), Some(name));
        }
        for other in [
            "",
            "7.jsonl",
            "+0000000000000000007.jsonl",
            "000000000000000000007.jsonl",
            "18446744073709551616.jsonl",
            "00000000000000000007",
            "00000000000000000007.jsonl.tmp",
            "00000000000000000007.jsonl.ZST",
            "00000000000000000007.jsonl.zst.tmp.tmp",
            "0000000000000000000é.jsonl",
        ] {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_creation_that_did_not_get_further_is_an_empty_directory() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        for path in [layout.lock(), layout.journal(0), layout.journal(1)] {
            fs::write(path, b"").unwrap();
            assert_eq!(layout.survey().unwrap(), Survey::Empty);
        }
        fs::write(layout.checkpoint(), b"").unwrap();
        assert!(matches!(layout.survey().unwrap(), Survey::NotALog(_)));
        fs::create_dir(layout.segments()).unwrap();
        assert_eq!(layout.survey().unwrap(), Survey::Log);
    }
}

//! The names of a log's files, and what a directory looks like before it is opened.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use audit_core::entry::LINE_BYTES_MAX;

use crate::disk;

/// The derived copy of entry 0.
pub(crate) const LOG_JSON: &str = "log.json";
/// The empty file that the one writer holds locked.
pub(crate) const LOCK: &str = "lock";
/// The newest checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The directory of segments.
pub(crate) const SEGMENTS: &str = "segments";

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

    pub(crate) fn segments(&self) -> PathBuf {
        self.directory.join(SEGMENTS)
    }

    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.segments().join(segment_name(first))
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
            if name != LOCK {
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
    /// A directory with nothing in it but, at most, the lock of a creation that did not get further.
    Empty,
    /// A log, whole or not.
    Log,
    /// Something else: what was found.
    NotALog(String),
}

/// Returns the name of the segment that begins with the given entry: 20 digits and `.jsonl`.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}.jsonl")
}

/// Parses what [`segment_name`] writes, and nothing else.
pub(crate) fn parse_segment_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".jsonl")?;
    let canonical = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if canonical { digits.parse().ok() } else { None }
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

//! The files beside the segments, compared with what the entries say.

use audit_core::checkpoint::Checkpoint;
use audit_core::verify::Fault;
use serde::Deserialize;

use crate::Error;
use crate::layout::{CHECKPOINT, LOCK, LOG_JSON, Layout, SmallFile, read_small};
use crate::verify::{Finding, Scan};

/// Compares `log.json` with entry 0; false if the file is missing.
pub(crate) fn check_log_json(layout: &Layout, entry_0: Option<&[u8]>) -> Result<bool, Error> {
    let path = layout.log_json();
    let bytes = match read_small(&path).map_err(|source| Error::io(&path, "read the copy of entry 0", source))? {
        SmallFile::Missing => return Ok(false),
        SmallFile::Bytes(bytes) => bytes,
        SmallFile::Odd(found) => {
            return Err(altered_file(layout, LOG_JSON, format!("expected entry 0, found {found}")));
        }
    };
    match entry_0 {
        Some(entry_0) if bytes.strip_suffix(b"\n") == Some(entry_0) => Ok(true),
        Some(_) => Err(altered_file(layout, LOG_JSON, "altered: expected entry 0 and a line feed".to_owned())),
        None => {
            let fault = Fault::tampered(0, "missing: `log.json` is a copy of it");
            Err(Error::finding(&layout.directory, Finding { file: None, fault }))
        }
    }
}

/// Checks that nothing was written into the lock; a missing one is fine.
pub(crate) fn check_lock(layout: &Layout) -> Result<(), Error> {
    let path = layout.lock();
    let found = match read_small(&path).map_err(|source| Error::io(&path, "read the lock", source))? {
        SmallFile::Missing => return Ok(()),
        SmallFile::Bytes(bytes) if bytes.is_empty() => return Ok(()),
        SmallFile::Bytes(bytes) => format!("{} bytes", bytes.len()),
        SmallFile::Odd(found) => found,
    };
    Err(altered_file(layout, LOCK, format!("expected an empty file, found {found}")))
}

/// Returns the origin that entry 0 states, if the checkpoint states the same.
pub(crate) fn check_origin(checkpoint: Option<&Checkpoint>, scan: &Scan) -> Result<Option<String>, Finding> {
    let Some(line) = &scan.entry_0 else { return Ok(None) };
    let Some(origin) = stated_origin(line) else {
        return Err(Finding::in_segments(
            &scan.segments,
            Fault::tampered(0, "expected the origin in log.origin, found none"),
        ));
    };
    match checkpoint {
        Some(checkpoint) if checkpoint.origin != origin => {
            let reason = format!("expected the origin {origin:?} of entry 0, found {:?}", checkpoint.origin);
            Err(Finding::in_file(CHECKPOINT, Fault::tampered(None, reason)))
        }
        _ => Ok(Some(origin)),
    }
}

fn stated_origin(entry_0: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Entry {
        record: Record,
    }
    #[derive(Deserialize)]
    struct Record {
        log: Opened,
    }
    #[derive(Deserialize)]
    struct Opened {
        origin: String,
    }
    serde_json::from_slice::<Entry>(entry_0).ok().map(|entry| entry.record.log.origin)
}

fn altered_file(layout: &Layout, file: &str, reason: String) -> Error {
    Error::finding(&layout.directory, Finding::in_file(file, Fault::tampered(None, reason)))
}

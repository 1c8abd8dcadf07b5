//! How far a log was sent, in a small file that is replaced as a whole.
//!
//! ```text
//! {"checkpoints":412,"entries":1200,"stream_id":"01a17cbc-f240-7dca-883e-717b1f64eb14","time":"2026-10-27T09:42:00.000456000Z"}
//! ```

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use audit_core::hash::Hash;
use audit_core::id::StreamId;
use audit_core::time::Time;
use audit_store::feed::{self, Position};
use serde_json::{Value, json};

/// How far a log was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// The log: another one in its place is sent from its beginning.
    pub(super) stream_id: StreamId,
    pub(super) position: Position,
    /// The time of the last entry that was sent.
    pub(super) time: Time,
}

/// Returns the file for a receiver below the log's directory.
pub(super) fn file_of(log: &Path, url: &str) -> PathBuf {
    let hash = Hash::leaf(url.as_bytes()).to_string();
    feed::positions(log).join(format!("otlp-{}.json", hash.get(..16).unwrap_or(&hash)))
}

/// Reads the file; `None` if there is none.
pub(super) fn read(file: &Path) -> io::Result<Option<Reached>> {
    let bytes = match fs::read(file) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    let invalid =
        || io::Error::new(io::ErrorKind::InvalidData, "expected how far a log was sent, found something else");
    parse(&serde_json::from_slice(&bytes).unwrap_or_default()).map(Some).ok_or_else(invalid)
}

fn parse(value: &Value) -> Option<Reached> {
    let number = |name: &str| value.get(name)?.as_u64();
    let text = |name: &str| value.get(name)?.as_str();
    Some(Reached {
        stream_id: text("stream_id")?.parse().ok()?,
        position: Position { entries: number("entries")?, checkpoints: number("checkpoints")? },
        time: Time::parse(text("time")?)?,
    })
}

/// Replaces the file, once the new one is on the disk.
pub(super) fn write(file: &Path, reached: &Reached) -> io::Result<()> {
    let Reached { stream_id, position, time } = reached;
    let text = json!({
        "checkpoints": position.checkpoints,
        "entries": position.entries,
        "stream_id": stream_id.to_string(),
        "time": time.to_string(),
    });
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let new = file.with_extension(format!("json.{}", std::process::id()));
    let mut written = File::create(&new)?;
    writeln!(written, "{text}")?;
    written.sync_data()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_none_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = file_of(directory.path(), "http://localhost:4318/v1/logs");
        assert_eq!(read(&file).unwrap(), None);
        let reached = Reached {
            stream_id: "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap(),
            position: Position { entries: 12, checkpoints: 99 },
            time: Time::parse("2026-10-27T09:42:00.000456Z").unwrap(),
        };
        write(&file, &reached).unwrap();
        assert_eq!(read(&file).unwrap(), Some(reached));
        fs::write(&file, "{}").unwrap();
        assert_eq!(read(&file).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

//! Logs on disk for tests.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::checkpoint::Checkpoint;
use audit_core::entry::{Sequence, write_line};
use audit_core::hash::Hash;
use audit_core::tree::Frontier;
use tempfile::TempDir;

/// One entry of each kind, chained.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec/entries.jsonl");

/// A record that opens a log.
pub(crate) const OPENED: &str = r#"{"action":"log.opened","actor":{"system":{"id":"audited"}},"event_name":"log.opened","log":{"origin":"example.com/orders"},"observed_time":"2026-10-27T09:42:00.000457250Z","outcome":{"effect":"none","status":"success"},"record_id":"01a17cbc-f240-7dd1-8916-96e15e2ee293","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00.000456000Z"}"#;

/// A log in a directory of its own.
pub(crate) struct Log {
    directory: TempDir,
}

impl Log {
    /// Makes a log of the samples of the specification, 21 entries, without the key that they name: nobody has its secret.
    pub(crate) fn samples() -> Self {
        let key = r#""verification_key":"example.com/orders+111d35ca+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f","#;
        let text = fs::read_to_string(SAMPLES).unwrap();
        let record = |line: &str| {
            let end = line.rfind(r#","sequence":{"number":"#).unwrap();
            line[r#"{"record":"#.len()..end].replacen(key, "", 1)
        };
        Self::chained(text.lines().map(record))
    }

    /// Makes a log that is opened and then holds these records.
    pub(crate) fn of_records(records: &[String]) -> Self {
        Self::chained(core::iter::once(OPENED.to_owned()).chain(records.iter().cloned()))
    }

    fn chained(records: impl Iterator<Item = String>) -> Self {
        let mut text = Vec::new();
        let mut previous_hash = None;
        for (number, record) in (0..).zip(records) {
            let mut line = Vec::new();
            let stream_id = "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap();
            write_line(&mut line, record.as_bytes(), &Sequence { number, previous_hash, stream_id });
            previous_hash = Some(Hash::leaf(&line));
            text.extend(line);
            text.push(b'\n');
        }
        Self::of_lines(std::str::from_utf8(&text).unwrap())
    }

    /// Makes a log of whole lines, chained by the caller, and a checkpoint over all of them.
    pub(crate) fn of_lines(text: &str) -> Self {
        let log = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(log.path().join("segments")).unwrap();
        fs::write(log.segment(), text).unwrap();
        fs::write(log.path().join("log.json"), text.split_inclusive('\n').next().unwrap()).unwrap();
        fs::write(log.path().join("lock"), "").unwrap();
        log.cover(text.lines().count());
        log
    }

    /// Writes a checkpoint over the first entries.
    pub(crate) fn cover(&self, entries: usize) {
        let mut tree = Frontier::new();
        let text = fs::read_to_string(self.segment()).unwrap();
        text.lines().take(entries).for_each(|line| tree.push(Hash::leaf(line.as_bytes())));
        let checkpoint = Checkpoint { origin: "example.com/orders".into(), size: tree.size(), root: tree.root() };
        fs::write(self.path().join("checkpoint"), checkpoint.to_string()).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn segment(&self) -> PathBuf {
        self.path().join("segments/00000000000000000000.jsonl")
    }

    /// Replaces the first occurrence of a text in the segment.
    pub(crate) fn alter(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.segment()).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(self.segment(), text.replacen(from, to, 1)).unwrap();
    }
}

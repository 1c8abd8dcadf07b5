//! A log as others see it: exported, and its proofs, decided by implementations that nobody here wrote.

mod go;
mod rust;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::id::{RandomIds, RecordId};
use audit_core::note::SecretKey;
use audit_core::sink::{Prepared, Sink as _};
use audit_core::time::Time;
use audit_core::vocabulary::Stage;
use audit_store::Log;
use audit_store::export::export_tlog;
use tempfile::TempDir;

const ORIGIN: &str = "example.com/orders";
/// Two full tiles of leaves and a partial one, and one above them.
const ENTRIES: usize = 600;

/// A log, its key, and the directory that it was exported to.
struct Exported {
    _directory: TempDir,
    log: PathBuf,
    tlog: PathBuf,
    vkey: String,
}

impl Exported {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let secret = SecretKey::from_bytes(ORIGIN, &[7; 32]).unwrap();
        let vkey = secret.verification_key().unwrap().to_string();
        let open =
            Log::options().origin(ORIGIN).signer(Arc::new(secret)).segment_bytes_max(100_000).open(&log).unwrap();
        for number in 0..ENTRIES {
            open.append(&Prepared::new(record(number).as_bytes(), Stage::Event)).wait().unwrap();
        }
        open.close().unwrap();
        let tlog = directory.path().join("tlog");
        let exported = export_tlog(&log, &tlog).unwrap();
        assert!(exported.is_signed && exported.entries > ENTRIES as u64 && exported.bundles == 3, "{exported:?}");
        Self { _directory: directory, log, tlog, vkey }
    }

    /// Checks that the export is accepted, and refused with every one of these changes to any of its files.
    fn check(&self, accepts: impl Fn(&Path) -> Result<(), String>) {
        assert_eq!(accepts(&self.tlog), Ok(()));
        let mut changes = 0;
        for file in files(&self.tlog) {
            let name = file.strip_prefix(&self.tlog).unwrap().display().to_string();
            let whole = fs::read(&file).unwrap();
            let mut refused = |altered: Option<Vec<u8>>, what: &str| {
                match altered {
                    Some(altered) => fs::write(&file, altered).unwrap(),
                    None => fs::remove_file(&file).unwrap(),
                }
                assert!(accepts(&self.tlog).is_err(), "{name}: {what}");
                fs::write(&file, &whole).unwrap();
                changes += 1;
            };
            for place in [0, whole.len() / 3, whole.len() / 2, whole.len() - 2] {
                let mut altered = whole.clone();
                altered[place] ^= 1;
                refused(Some(altered), &format!("byte {place}"));
            }
            refused(Some(whole[..whole.len() - 1].to_vec()), "cut");
            refused(Some(Vec::new()), "emptied");
            refused(None, "removed");
        }
        assert!(changes >= 7 * 7, "{changes}");
        assert_eq!(accepts(&self.tlog), Ok(()));
    }
}

fn record(number: usize) -> String {
    let record_id = RecordId::new(&RandomIds, Time::from_unix(core::time::Duration::from_secs(1_793_094_120)));
    format!(
        r#"{{"action":"decision.proposed","annotations":{{"number":{number}}},"event_name":"decision.proposed","observed_time":"2026-10-27T09:42:00Z","outcome":{{"status":"success"}},"record_id":"{record_id}","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00Z"}}"#
    )
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn a_directory_with_something_in_it_is_not_exported_to() {
    let exported = Exported::new();
    let before = files(&exported.tlog).len();
    let error = export_tlog(&exported.log, &exported.tlog).unwrap_err();
    assert!(error.to_string().contains("expected an empty directory"), "{error}");
    assert_eq!(files(&exported.tlog).len(), before);
}

#[test]
fn a_log_that_was_altered_is_not_exported() {
    let exported = Exported::new();
    let segment = exported.log.join("segments/00000000000000000000.jsonl.zst");
    let plain = segment.with_extension("");
    let text = match fs::read(&segment) {
        Ok(bytes) => zstd::decode_all(bytes.as_slice()).unwrap(),
        Err(_not_sealed_yet) => fs::read(&plain).unwrap(),
    };
    let text = String::from_utf8(text).unwrap();
    fs::write(&plain, text.replacen(r#""number":7}"#, r#""number":8}"#, 1)).unwrap();
    let _none = fs::remove_file(segment);
    let to = exported.log.with_file_name("again");
    assert!(export_tlog(&exported.log, &to).unwrap_err().is_tampered());
    assert!(!to.join("checkpoint").exists());
}

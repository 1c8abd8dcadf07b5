//! Logs that the store wrote: both verifiers find them intact, rotated, sealed, compressed and torn as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::checkpoint::Checkpoint;
use audit_core::seal::{Seal, SealKey};
use audit_store::Log;
use audit_store::keys::{create_key_file, read_key_file};
use tempfile::TempDir;

use super::story::{ORIGIN, secret};
use super::verifiers::{Demands, Python, Said, ours};

/// A log of several lives, signed by epochs' keys and by one that never changes, and sealed.
struct Stored {
    directory: TempDir,
    path: PathBuf,
    demands: Demands,
}

impl Stored {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (path, key_file) = (directory.path().join("log"), directory.path().join("key"));
        create_key_file(&key_file, ORIGIN).unwrap();
        let key = read_key_file(&key_file).unwrap().verification_key().unwrap();
        let seal = SealKey::from_bytes([5; 32]);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("seal"), Seal::new(&seal).to_text().as_bytes()).unwrap();
        let demands = Demands { key: Some(key), seal: Some(seal), ..Demands::default() };
        let stored = Self { directory, path, demands };
        (0..3).for_each(|_| stored.life());
        stored
    }

    fn life(&self) {
        let options = Log::options().key_file(self.directory.path().join("key")).signer(Arc::new(secret(ORIGIN, 7)));
        let log = options.open(&self.path).unwrap();
        log.flush().unwrap();
        log.close().unwrap();
    }

    fn both(&self, python: &mut Python) -> [Said; 2] {
        [ours(&self.path, &self.demands), python.verify(&self.path, &self.demands)]
    }

    fn expect(&self, python: &mut Python, verdict: &str) {
        for said in self.both(python) {
            assert_eq!(said.verdict, verdict, "{said:#?}");
        }
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let mut all = fs::read(path).unwrap();
    all.extend_from_slice(bytes);
    fs::write(path, all).unwrap();
}

#[test]
fn what_the_store_wrote_is_intact_under_either_pinned_key() {
    let mut python = Python::start();
    let mut stored = Stored::new();
    stored.expect(&mut python, "intact");
    let first = stored.demands.key.replace(secret(ORIGIN, 7).verification_key().unwrap());
    stored.expect(&mut python, "intact");
    stored.demands.key = Some(secret(ORIGIN, 8).verification_key().unwrap());
    stored.expect(&mut python, "tampered");
    stored.demands.key = first;
    let copy = stored.directory.path().join("copy");
    fs::copy(stored.path.join("checkpoint"), &copy).unwrap();
    stored.life();
    stored.demands.copy = Some(copy);
    stored.expect(&mut python, "intact");
}

#[test]
fn a_compressed_segment_says_what_the_plain_one_did() {
    let mut python = Python::start();
    let stored = Stored::new();
    let plain = stored.path.join("segments/00000000000000000000.jsonl");
    let bytes = fs::read(&plain).unwrap();
    // An empty segment after it: only the last one is plain.
    let count = bytes.iter().filter(|byte| **byte == b'\n').count();
    fs::write(stored.path.join(format!("segments/{count:020}.jsonl")), b"").unwrap();
    audit_store::segment::compact(&stored.path).unwrap();
    assert!(!plain.exists());
    stored.expect(&mut python, "intact");
}

/// A machine may stop while a note is listed; the last of its bytes are then missing, or NUL.
#[test]
fn a_note_that_is_being_listed_is_no_finding_whatever_of_it_is_there() {
    let mut python = Python::start();
    let stored = Stored::new();
    let list = stored.path.join("checkpoints.log");
    let whole = fs::read(&list).unwrap();
    let newest = fs::read_to_string(stored.path.join("checkpoint")).unwrap();
    let Checkpoint { size, root, .. } = Checkpoint::of_note(&newest).unwrap();
    let signatures: Vec<&str> = newest.lines().skip(4).collect();
    let note = format!("{}\n{}", Checkpoint { origin: ORIGIN.to_owned(), size, root }, signatures.join("\n"));
    for length in 0..note.len() {
        for nul in [&b""[..], b"\0\0\0"] {
            fs::write(&list, [&whole, &note.as_bytes()[..length], nul].concat()).unwrap();
            for said in stored.both(&mut python) {
                assert_eq!(said.verdict, "intact", "{length} bytes and {nul:?}: {said:#?}");
            }
        }
    }
}

/// What is not signed vouches for nothing, wherever it is listed.
#[test]
fn a_note_without_its_signatures_is_tampered_with_if_another_follows() {
    let mut python = Python::start();
    let stored = Stored::new();
    let newest = fs::read_to_string(stored.path.join("checkpoint")).unwrap();
    let bare = Checkpoint::of_note(&newest).unwrap().to_string();
    append(&stored.path.join("checkpoints.log"), format!("{bare}{newest}").as_bytes());
    stored.expect(&mut python, "tampered");
}

#[test]
fn the_first_checkpoint_of_a_log_may_be_torn_before_there_is_one() {
    let mut python = Python::start();
    let stored = Stored::new();
    let list = stored.path.join("checkpoints.log");
    let first = fs::read_to_string(&list).unwrap();
    fs::remove_file(stored.path.join("checkpoint")).unwrap();
    fs::remove_file(stored.path.join("seal")).unwrap();
    let bare: String = first.split_inclusive('\n').take(3).collect();
    fs::write(&list, bare).unwrap();
    stored.expect(&mut python, "unverifiable");
}

//! What anchors gave for the checkpoints of a log: the cosignatures of two witnesses, and the timestamps of an authority that
//! OpenSSL is.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use audit_core::hash::Hash;
use audit_core::note::{Algorithm, Note, SecretKey, Signature, VerificationKey};
use audit_core::policy::Policy;
use tempfile::TempDir;

use super::story::{Files, text};
use crate::anchors::timestamps::{run_shell, run_well};

/// The witnesses, all of which are asked for.
pub const WITNESSES: [&str; 2] = ["east", "west"];
/// When they cosigned, by their clocks.
const TIME: u64 = 1_700_000_000;

/// Returns the secret of a witness.
fn secret(witness: &str) -> SecretKey {
    let seed = witness.as_bytes()[0];
    SecretKey::from_bytes(format!("witness.example/{witness}"), &[seed; 32]).unwrap()
}

pub fn key(witness: &str) -> VerificationKey {
    let secret = secret(witness);
    let public = secret.verification_key().unwrap().public_key();
    VerificationKey::new(secret.name(), Algorithm::Cosignature, public).unwrap()
}

/// The policy in which both are demanded.
pub fn policy() -> Policy {
    let lines = WITNESSES.map(|witness| format!("witness {witness} {}\n", key(witness)));
    Policy::parse(format!("{}group both all east west\nquorum both\n", lines.concat()).as_bytes()).unwrap()
}

/// Returns a signed note with the cosignature of a witness.
pub fn cosigned(note: &str, witness: &str) -> String {
    let mut note = Note::parse(note).unwrap();
    note.push(Signature::cosign(note.text(), TIME, &key(witness), &secret(witness)).unwrap());
    note.to_string()
}

/// Puts what a witness gave for a note into its place.
pub fn witness(files: &mut Files, note: &str, witness: &str) {
    files.insert(place(note, witness, "note"), cosigned(note, witness).into_bytes());
}

/// Puts what one witness gives into the place of what another one gave.
pub fn witness_as(files: &mut Files, note: &str, witness: &str, other: &str) {
    files.insert(place(note, other, "note"), cosigned(note, witness).into_bytes());
}

/// Returns the text of a checkpoint with a signature that means nothing to verifiers, as the note of a log that another one
/// signs.
pub fn signed_as(text: &str) -> String {
    let other = SecretKey::from_bytes(text.lines().next().unwrap(), &[8; 32]).unwrap();
    let mut note = Note::new(text).unwrap();
    note.push(Signature::make(note.text(), &other.verification_key().unwrap(), &other).unwrap());
    note.to_string()
}

/// Puts a timestamp of a note into its place.
pub fn stamp(files: &mut Files, note: &str, authority: &Authority) {
    files.insert(place(note, "tsa", "tsr"), authority.stamp(note));
}

pub fn place(note: &str, anchor: &str, form: &str) -> String {
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    format!("anchors/{anchor}/{size:020}.{form}")
}

/// A timestamp authority of `docs/anchors.md`, and the timestamps that it made already.
pub struct Authority {
    directory: TempDir,
    made: Mutex<BTreeMap<Hash, Vec<u8>>>,
}

/// The one that verifiers trust, and another one.
pub static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::new);
pub static OTHER: LazyLock<Authority> = LazyLock::new(Authority::new);

impl Authority {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for commands in ["root", "signer"] {
            run_well(commands, directory.path());
        }
        Self { directory, made: Mutex::default() }
    }

    /// Returns the file of its root certificate.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    fn stamp(&self, note: &str) -> Vec<u8> {
        let imprint = Hash::of(format!("{}\n", text(note)).as_bytes());
        let mut made = self.made.lock().unwrap();
        made.entry(imprint).or_insert_with(|| self.make(imprint)).clone()
    }

    fn make(&self, imprint: Hash) -> Vec<u8> {
        let query = format!("openssl ts -query -sha256 -cert -digest {imprint} -out request.tsq");
        let output = run_shell(&query, self.directory.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        run_well("answer", self.directory.path());
        fs::read(self.directory.path().join("answer.tsr")).unwrap()
    }
}

//! Logs made by hand, by whoever knows the format: the honest one, and what an attacker makes of it.

use std::collections::BTreeMap;
use std::path::Path;

use audit_core::checkpoint::Checkpoint;
use audit_core::entry::{Sequence, write_line};
use audit_core::hash::Hash;
use audit_core::id::StreamId;
use audit_core::note::{Note, SecretKey, Signature, VerificationKey};
use audit_core::seal::{Seal, SealKey};
use audit_core::tree::Frontier;
use serde_json::{Value, json};

pub const ORIGIN: &str = "example.com/orders";

/// The files of a log, by their names below its directory.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a log is made of.
#[derive(Clone)]
pub struct Story {
    pub origin: String,
    pub stream: StreamId,
    pub records: Vec<Value>,
    /// The seeds of the keys that sign, one for each epoch; none signs nothing.
    pub ring: Vec<Option<u8>>,
    /// The sizes of the checkpoints.
    pub sizes: Vec<usize>,
    pub seal: Option<SealKey>,
    /// A payload too long for a line.
    pub blob: Vec<u8>,
    /// What anchors gave for the checkpoints of the honest log.
    pub anchors: Files,
}

/// The first entries of the segments.
const SEGMENTS: [usize; 3] = [0, 5, 10];

pub fn secret(origin: &str, seed: u8) -> SecretKey {
    SecretKey::from_bytes(origin, &[seed; 32]).unwrap()
}

pub fn key(origin: &str, seed: u8) -> VerificationKey {
    secret(origin, seed).verification_key().unwrap()
}

impl Story {
    /// Fourteen entries in three segments and five checkpoints, of which the last covers twelve; where there are three keys,
    /// entries 3 and 8 name the second and the third.
    pub fn new(ring: &[u8]) -> Self {
        let mut story = Self {
            origin: ORIGIN.to_owned(),
            stream: "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap(),
            records: (0..14).map(record).collect(),
            ring: ring.iter().copied().map(Some).collect(),
            sizes: vec![2, 4, 6, 9, 12],
            seal: None,
            blob: b"a payload too long for a line".to_vec(),
            anchors: Files::new(),
        };
        story.name(ORIGIN);
        for (seed, entry) in ring.iter().skip(1).zip([3, 8]) {
            story.rotate(entry, *seed);
        }
        story
    }

    /// Lets entry 0 state the origin and the first key.
    pub fn name(&mut self, origin: &str) {
        self.origin = origin.to_owned();
        let key = self.ring.first().copied().flatten().map(|seed| key(origin, seed).to_string());
        self.records[0]["log"] = json!({"origin": origin});
        if let Some(key) = key {
            self.records[0]["log"]["verification_key"] = key.into();
        }
    }

    /// Lets an entry name the key of that seed.
    pub fn rotate(&mut self, entry: usize, seed: u8) {
        self.records[entry]["event_name"] = "key.rotated".into();
        self.records[entry]["log"] = json!({"verification_key": key(&self.origin, seed).to_string()});
    }

    /// The log as it was when it had so many entries.
    pub fn until(&self, entries: usize) -> Self {
        let mut past = self.clone();
        past.records.truncate(entries);
        past.sizes.retain(|size| *size <= entries);
        past.anchors.retain(|name, _bytes| size_in(name) <= entries);
        past
    }

    pub fn lines(&self) -> Vec<Vec<u8>> {
        let mut previous_hash = None;
        let line = |(number, record): (u64, &Value)| {
            let mut line = Vec::new();
            write_line(
                &mut line,
                &audit_core::canonical::to_vec(record).unwrap(),
                &Sequence { number, previous_hash, stream_id: self.stream },
            );
            previous_hash = Some(Hash::leaf(&line));
            line
        };
        (0..).zip(&self.records).map(line).collect()
    }

    /// The checkpoints, oldest first.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let lines = self.lines();
        let mut tree = Frontier::new();
        let mut found = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            tree.push(Hash::leaf(line));
            for _ in self.sizes.iter().filter(|size| **size == index + 1) {
                found.push(Checkpoint { origin: self.origin.clone(), size: tree.size(), root: tree.root() });
            }
        }
        found
    }

    /// Their notes, each signed by the key of its epoch.
    pub fn notes(&self) -> Vec<String> {
        let rotations: Vec<u64> = (0..)
            .zip(&self.records)
            .filter(|(_, record)| record["event_name"] == "key.rotated")
            .map(|(n, _)| n)
            .collect();
        let mut epoch = 0;
        let sign = |checkpoint: &Checkpoint| {
            let seed = self.ring.get(epoch.min(self.ring.len().saturating_sub(1))).copied().flatten();
            epoch = rotations.iter().filter(|entry| **entry < checkpoint.size).count();
            signed(checkpoint, seed)
        };
        self.checkpoints().iter().map(sign).collect()
    }

    /// The notes that an attacker has: those of the honest log where they state the same, and what the ring signs.
    pub fn notes_over(&self, honest: &Self) -> Vec<String> {
        let known = honest.notes();
        let same = |note: &String| known.iter().find(|known| text(known) == text(note)).unwrap_or(note).clone();
        self.notes().iter().map(same).collect()
    }

    pub fn files(&self) -> Files {
        self.files_with(&self.notes())
    }

    pub fn files_with(&self, notes: &[String]) -> Files {
        let lines = self.lines();
        let mut files = Files::new();
        for (index, first) in SEGMENTS.iter().enumerate().filter(|(_, first)| **first < lines.len().max(1)) {
            let end = SEGMENTS.get(index + 1).map_or(lines.len(), |end| (*end).min(lines.len()));
            files.insert(segment(*first), joined(&lines[*first..end]));
        }
        files.insert("log.json".into(), joined(&lines[..1]));
        files.insert("lock".into(), Vec::new());
        files.insert(format!("blobs/{}", Hash::of(&self.blob)), self.blob.clone());
        files.extend(self.anchors.clone());
        put_notes(&mut files, notes);
        if let Some(key) = &self.seal {
            files.insert("seal".into(), seal(key, notes).to_text().as_bytes().to_vec());
        }
        files
    }
}

fn record(number: usize) -> Value {
    let name = if number == 0 { "log.opened" } else { "run.created" };
    json!({
        "action": if number == 0 { "log.opened".to_owned() } else { format!("order.note.{number}") },
        "event_name": name,
        "schema_version": "1",
        "stage": "event",
        "time": format!("2026-10-27T09:42:{number:02}.000456000Z"),
    })
}

fn signed(checkpoint: &Checkpoint, seed: Option<u8>) -> String {
    let text = checkpoint.to_string();
    let Some(seed) = seed else { return text };
    let mut note = Note::new(text).unwrap();
    let secret = secret(&checkpoint.origin, seed);
    note.push(Signature::make(note.text(), &secret.verification_key().unwrap(), &secret).unwrap());
    note.to_string()
}

/// Returns how many entries the checkpoint covers for which an anchor gave a file.
fn size_in(name: &str) -> usize {
    name.rsplit('/').next().and_then(|name| name.split('.').next()?.parse().ok()).unwrap()
}

pub fn text(note: &str) -> &str {
    note.split("\n\n").next().unwrap().trim_end()
}

/// The seal over notes, made as the writer makes it.
pub fn seal(key: &SealKey, notes: &[String]) -> Seal {
    let mut seal = Seal::new(key);
    for note in notes {
        seal.absorb(Checkpoint::of_note(note).unwrap().head(), note.len() as u64);
    }
    seal
}

/// Puts the notes into both of their files.
pub fn put_notes(files: &mut Files, notes: &[String]) {
    files.insert("checkpoints.log".into(), notes.concat().into_bytes());
    files.insert("checkpoint".into(), notes.last().cloned().unwrap_or_default().into_bytes());
}

pub fn segment(first: usize) -> String {
    format!("segments/{first:020}.jsonl")
}

pub fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.iter().chain(b"\n")).copied().collect()
}

pub fn write(files: &Files, directory: &Path) {
    for (name, bytes) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

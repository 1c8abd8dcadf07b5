//! A log, a key ring beside it, and calls that seal and make tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_store::privacy::{Opened, open};
use audit_store::streams::Streams;
use audited::keyring::{FileKeyRing, TenantKey};
use audited::{Log, audited};
use serde::Serialize;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

pub const TENANT: &str = "acme";

#[derive(Debug, Serialize)]
pub struct Customer {
    pub id: String,
    pub street: String,
}

impl Customer {
    /// A customer of a made-up town.
    pub fn new(id: &str, street: &str) -> Self {
        Self { id: id.to_owned(), street: street.to_owned() }
    }
}

#[audited(
    action = "order.ship",
    level = "request_response",
    redact = [
        token(card), token(customer.id), seal(customer.street, subject = customer.id),
        seal(return.street, subject = customer.id), token(return.id)
    ]
)]
pub fn ship(card: u64, customer: &Customer) -> Result<Customer, String> {
    if card == 0 {
        return Err(format!("nobody at {}", customer.street));
    }
    Ok(Customer::new(&customer.id, &customer.street))
}

/// Where everything of one test lies.
pub struct Place(PathBuf);

impl Place {
    /// Makes a key ring in a new directory.
    pub fn new(directory: &Path) -> Self {
        let place = Self::at(directory);
        std::fs::create_dir_all(directory).unwrap();
        TenantKey::create(place.path("tenant.key")).unwrap();
        FileKeyRing::create(place.path("ring")).unwrap();
        place
    }

    /// Takes what another process made.
    pub fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn log(&self) -> PathBuf {
        self.path("log")
    }

    pub fn ring(&self) -> FileKeyRing {
        FileKeyRing::open(self.path("ring"), TenantKey::read(self.path("tenant.key")).unwrap()).unwrap()
    }

    pub fn open(&self) -> Log {
        Log::options().key_ring(Arc::new(self.ring())).open_or_sibling(self.log()).unwrap()
    }

    /// The records of all logs that are read together.
    pub fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for stream in Streams::find(self.log()).unwrap().as_slice() {
            let text = std::fs::read_to_string(stream.path().join("segments/00000000000000000000.jsonl")).unwrap();
            records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].take()));
        }
        records
    }

    /// The records of calls at a stage.
    pub fn calls(&self, stage: &str) -> Vec<Value> {
        let of_calls = |record: &Value| record["action"] == "order.ship" && record["stage"] == stage;
        self.records().into_iter().filter(of_calls).collect()
    }

    /// Reads what is sealed at a place of a record, wherever the record stands.
    pub fn read(&self, record: &Value, pointer: &str) -> Option<String> {
        let digest = record.pointer(pointer).and_then(|sealed| sealed["_sd"][0].as_str()).unwrap();
        let ring = self.ring();
        let streams = Streams::find(self.log()).unwrap();
        streams.as_slice().iter().find_map(|stream| match open(stream.path(), digest, &ring, Some(TENANT)).unwrap() {
            Opened::Value { disclosure, .. } => Some(disclosure.value().to_owned()),
            _ => None,
        })
    }

    /// Tells whether any file below a directory holds a text.
    pub fn holds(&self, name: &str, text: &str) -> bool {
        let mut open = vec![self.path(name)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if std::fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
                return true;
            }
        }
        false
    }

    /// Runs a command in which `DIR` stands for the directory; returns its output and messages, and its exit code.
    pub fn run(&self, arguments: &str) -> (String, u8) {
        let path = self.0.to_str().unwrap();
        let arguments = format!("audited {arguments} --key-ring DIR/ring --tenant-key-file DIR/tenant.key");
        self.run_words(&arguments.replace("DIR", path))
    }

    /// Runs a command that needs no keys of the ring.
    pub fn run_plain(&self, arguments: &str) -> (String, u8) {
        self.run_words(&format!("audited {arguments}").replace("DIR", self.0.to_str().unwrap()))
    }

    fn run_words(&self, arguments: &str) -> (String, u8) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = audit_cli::run(arguments.split(' '), &mut stdout, &mut stderr);
        stdout.extend(stderr);
        (String::from_utf8(stdout).unwrap().replace(self.0.to_str().unwrap(), "DIR"), exit.code())
    }
}

/// Calls tools for the tenant, recorded in the log.
pub fn recorded(log: &Log, work: impl FnOnce()) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(audited::layer(log)), || {
        audited::context().tenant(TENANT).in_scope(work);
    });
}

/// The identifier of the key that something in a record was removed with.
pub fn key_id(record: &Value, pointer: &str) -> String {
    let redactions = record["redactions"].as_array().unwrap();
    let found = redactions.iter().find(|redaction| redaction["path"] == pointer);
    found.unwrap_or_else(|| panic!("{pointer} in {redactions:?}"))["key_id"].as_str().unwrap().to_owned()
}

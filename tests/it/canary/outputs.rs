//! Where a secret could come out: every way out of a program that records its calls.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use audit_core::privacy::Privacy;
use audit_core::sink::{Hash, Health, Prepared, Receipt, Sink};
use audited::Log;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// A log, and beside it what it was given.
#[derive(Clone)]
pub struct Watched {
    log: Log,
    given: Arc<Mutex<Vec<u8>>>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Watched").field(&self.log).field(&self.log.privacy()).finish()
    }
}

impl Watched {
    pub fn new(log: Log) -> Self {
        Self { log, given: Arc::default() }
    }

    /// Returns the records and payloads since the last time.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.given.lock().unwrap())
    }
}

impl Sink for Watched {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        self.given.lock().unwrap().extend_from_slice(prepared.record());
        self.log.append(prepared)
    }

    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        self.given.lock().unwrap().extend_from_slice(payload);
        self.log.keep(payload)
    }

    fn health(&self) -> Health {
        self.log.health()
    }

    fn privacy(&self) -> Option<Arc<Privacy>> {
        self.log.privacy()
    }
}

/// What a layer that writes everything writes.
#[derive(Clone, Debug, Default)]
pub struct Telemetry(Arc<Mutex<Vec<u8>>>);

impl Telemetry {
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A subscriber with the audit layer on the sink, and one that writes every span and event with all of its fields.
    pub fn subscriber(&self, sink: &Watched) -> impl tracing::Subscriber + Send + Sync {
        let everything = tracing_subscriber::fmt::layer()
            .json()
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_writer(self.clone());
        let plain = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_writer(self.clone());
        tracing_subscriber::registry().with(everything).with(plain).with(audited::layer(sink))
    }
}

impl io::Write for Telemetry {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Telemetry {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What the command line says of a log, in text and in JSON, and what it exports.
pub fn command_line(log: &Path, export: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    let log = log.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["show", log],
        &["show", log, "--json"],
        &["timeline", log, "--run", "run-1"],
        &["stats", log],
        &["verify", log, "--json"],
        &["export", "tlog", log, export.to_str().unwrap()],
    ];
    for command in commands {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = std::iter::once("audited").chain(command.iter().copied());
        let _exit = audit_cli::run(arguments, &mut out, &mut err);
        assert!(!out.is_empty(), "{command:?}: {}", String::from_utf8_lossy(&err));
        all.append(&mut out);
        all.append(&mut err);
    }
    all
}

/// What the values of the interface say of themselves by `Debug` and `Display`.
pub fn debug_texts(parts: &[&dyn std::fmt::Debug]) -> String {
    let mut text = String::new();
    for part in parts {
        write!(text, "{part:?} {part:#?}").unwrap();
    }
    text
}

//! Sends a log, batch by batch, on the thread that asks for it.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use audit_core::entry::parse_line;
use audit_core::id::StreamId;
use audit_core::time::Time;
use audit_export::ExportError;
use audit_export::otlp::{Checkpoint, LogRecord, Mapping};
use audit_store::feed::{self, Feed, Item, Position};
use opentelemetry::InstrumentationScope;
use opentelemetry_otlp::{LogExporter, RetryPolicy, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _, SdkLogRecord};
use prost::Message as _;

use super::Options;
use super::convert::Maker;
use super::position::{self, Reached};
use crate::http::Client;

/// How many log records are sent at once.
const BATCH_RECORDS_MAX: usize = 512;

/// How long their bodies are together, about; a body is at most a line of the log.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Sends a log to a receiver: see [the module](super).
pub struct Sender {
    log: PathBuf,
    file: PathBuf,
    mapping: Mapping,
    exporter: LogExporter,
    maker: Maker,
    /// None while the log has no entry.
    reading: Option<Reading>,
    anew: bool,
}

/// The log as far as it was read.
struct Reading {
    stream_id: StreamId,
    feed: Feed,
    time: Time,
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many entries.
    pub entries: u64,
    /// How many checkpoints.
    pub checkpoints: u64,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("log", &self.log).field("file", &self.file).finish_non_exhaustive()
    }
}

impl Sender {
    /// Prepares to send the log at `log`; nothing is sent yet, and the log need not be there.
    ///
    /// # Errors
    /// The receiver's address, or a variable of the environment that says how to reach it, is malformed.
    pub fn open(log: impl AsRef<Path>, options: &Options) -> Result<Self, SendError> {
        let log = log.as_ref().to_owned();
        let url = options.url();
        let setup = |reason: String| SendError(Kind::Setup { url: url.clone(), reason });
        let client = Client::new(examine).map_err(setup)?;
        // A batch is tried again by whoever asks for it, with what came meanwhile.
        let exporter = LogExporter::builder().with_http().with_http_client(client).with_endpoint(&url);
        let exporter = exporter.with_retry_policy(RetryPolicy::disabled()).build();
        let mut exporter = exporter.map_err(|fault| setup(fault.to_string()))?;
        exporter.set_resource(&Resource::builder().build());
        let file = options.position.clone().unwrap_or_else(|| position::file_of(&log, &url));
        let (maker, mapping) = (Maker::new(), options.mapping);
        Ok(Self { log, file, mapping, exporter, maker, reading: None, anew: options.anew })
    }

    /// Sends all that the log holds under its newest checkpoint and that was not sent before.
    ///
    /// # Errors
    /// The receiver does not take it, the log cannot be read or is shorter than what was sent, or the position cannot be
    /// stored. What was taken before stays sent; the rest is sent by the next call.
    pub fn send(&mut self) -> Result<Sent, SendError> {
        let mut sent = Sent::default();
        while let Some(batch) = self.send_batch()? {
            sent.entries += batch.entries;
            sent.checkpoints += batch.checkpoints;
        }
        Ok(sent)
    }

    /// Sends one batch; `None` if there is nothing to send.
    pub(super) fn send_batch(&mut self) -> Result<Option<Sent>, SendError> {
        let Some(mut reading) = self.take_reading()? else { return Ok(None) };
        let batch = self.read_batch(&mut reading)?;
        if batch.records.is_empty() {
            self.reading = Some(reading);
            return Ok(None);
        }
        self.export(batch.records)?;
        let Reading { stream_id, feed, time } = &reading;
        let reached = Reached { stream_id: *stream_id, position: feed.position(), time: *time };
        let stored = position::write(&self.file, &reached);
        // It was sent, whether or not that could be noted.
        (self.reading, self.anew) = (Some(reading), false);
        stored.map_err(|source| SendError(Kind::Position { file: self.file.clone(), source }))?;
        Ok(Some(batch.sent))
    }

    /// Takes where the log was read to; a failure leaves nothing there, so that it is found anew from what is stored.
    fn take_reading(&mut self) -> Result<Option<Reading>, SendError> {
        if let Some(reading) = self.reading.take() {
            return Ok(Some(reading));
        }
        let Some(stream_id) = feed::stream_id(&self.log).map_err(SendError::log)? else { return Ok(None) };
        let stored = if self.anew { Ok(None) } else { position::read(&self.file) };
        let stored = stored.map_err(|source| SendError(Kind::Position { file: self.file.clone(), source }))?;
        let same = stored.filter(|reached| reached.stream_id == stream_id);
        let (position, time) = same
            .map_or((Position::default(), Time::from_unix(core::time::Duration::ZERO)), |reached| {
                (reached.position, reached.time)
            });
        Ok(Some(Reading { stream_id, feed: Feed::new(&self.log, position), time }))
    }

    fn read_batch(&self, reading: &mut Reading) -> Result<Batch, SendError> {
        let mut batch = Batch::default();
        while batch.records.len() < BATCH_RECORDS_MAX && batch.bytes < BATCH_BYTES_MAX {
            let Some(item) = reading.feed.next_item().map_err(SendError::log)? else { break };
            let record = match &item {
                Item::Entry(_, line) => {
                    batch.sent.entries += 1;
                    let record = self.mapping.entry(line).map_err(|fault| self.unreadable(fault))?;
                    // Of the entry itself, that checkpoints come after; not of when it was observed.
                    reading.time =
                        parse_line(line).ok().and_then(|head| Time::parse(&head.record.time)).unwrap_or(record.time);
                    record
                }
                Item::Checkpoint(_, note) => {
                    batch.sent.checkpoints += 1;
                    self.mapping.checkpoint(Checkpoint { note, stream_id: reading.stream_id, time: reading.time })
                }
            };
            batch.push(record);
        }
        Ok(batch)
    }

    fn export(&self, records: Vec<LogRecord>) -> Result<(), SendError> {
        let records: Vec<SdkLogRecord> = records.into_iter().map(|record| self.maker.make(record)).collect();
        // Audit logs have no scope.
        let scope = InstrumentationScope::default();
        let batch: Vec<(&SdkLogRecord, &InstrumentationScope)> =
            records.iter().map(|record| (record, &scope)).collect();
        let exported = futures_executor::block_on(self.exporter.export(LogBatch::new(&batch)));
        exported.map_err(|fault| SendError(Kind::Receiver(fault.to_string())))
    }

    fn unreadable(&self, fault: ExportError) -> SendError {
        SendError(Kind::Entry { log: self.log.clone(), source: fault })
    }
}

/// Log records that are sent at once.
#[derive(Default)]
struct Batch {
    records: Vec<LogRecord>,
    bytes: usize,
    sent: Sent,
}

impl Batch {
    fn push(&mut self, record: LogRecord) {
        self.bytes += record.body.len();
        self.records.push(record);
    }
}

/// A receiver may accept a request and reject log records in it, which the exporter would only warn of.
fn examine(answer: &[u8]) -> Result<(), String> {
    let Ok(response) = ExportLogsServiceResponse::decode(answer) else { return Ok(()) };
    match response.partial_success {
        Some(partial) if partial.rejected_log_records > 0 => Err(format!(
            "the receiver rejected {} log records: {}",
            partial.rejected_log_records, partial.error_message
        )),
        _ => Ok(()),
    }
}

/// A log could not be sent.
#[derive(Debug)]
pub struct SendError(Kind);

#[derive(Debug)]
enum Kind {
    Setup { url: String, reason: String },
    Log(audit_store::Error),
    Entry { log: PathBuf, source: ExportError },
    Receiver(String),
    Position { file: PathBuf, source: io::Error },
    Thread(io::Error),
}

impl SendError {
    fn log(fault: audit_store::Error) -> Self {
        Self(Kind::Log(fault))
    }

    pub(super) const fn thread(fault: io::Error) -> Self {
        Self(Kind::Thread(fault))
    }

    /// Tells whether the receiver did not take what was sent: it may take it later.
    #[must_use]
    pub const fn is_receiver(&self) -> bool {
        matches!(self.0, Kind::Receiver(_))
    }

    /// Tells whether the log is not what it was: it was altered, or is shorter than what was sent of it.
    #[must_use]
    pub const fn is_tampered(&self) -> bool {
        match &self.0 {
            Kind::Log(fault) => fault.is_tampered(),
            Kind::Entry { .. } => true,
            Kind::Setup { .. } | Kind::Receiver(_) | Kind::Position { .. } | Kind::Thread(_) => false,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Setup { url, reason } => write!(f, "{}: {reason}", url.escape_debug()),
            Kind::Log(_) => f.write_str("the log could not be sent"),
            Kind::Entry { log, .. } => write!(f, "{}: an entry cannot be sent", log.display()),
            Kind::Receiver(reason) => write!(f, "expected the receiver to take log records, found: {reason}"),
            Kind::Thread(_) => f.write_str("the thread that sends the log could not be started"),
            Kind::Position { file, .. } => {
                write!(f, "{}: could not keep how far the log was sent", file.display())
            }
        }
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Log(fault) => Some(fault),
            Kind::Entry { source, .. } => Some(source),
            Kind::Position { source, .. } | Kind::Thread(source) => Some(source),
            Kind::Setup { .. } | Kind::Receiver(_) => None,
        }
    }
}

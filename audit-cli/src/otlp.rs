//! `audited export otlp`: a log as OTLP log records, sent to a receiver or written to a file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use audit_core::entry::parse_line;
use audit_core::time::Time;
use audit_export::otlp::{Checkpoint, LogRecord, Mapping, write_request};
use audit_otel::logs::{Options, SendError, Sender};
use audit_store::feed::{Feed, Item, Position, stream_id};
use clap::Args;
use serde::Serialize;

use crate::Exit;
use crate::output::Output;
use crate::text::identifier;

/// How many log records stand in a line of a file.
const LINE_RECORDS_MAX: usize = 512;

#[derive(Debug, Args)]
#[command(after_long_help = "\
What the checkpoints of LOG cover is sent, each checkpoint behind it, also while the log grows: at least once, in order, and
from where the last export to this receiver stopped. How far that is stands in LOG/exports, or in the file of --position. What
is sent twice has the same audit.record.id. LOG alone is exported, not the logs beside it.

Without --endpoint the variables OTEL_EXPORTER_OTLP_LOGS_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT say where to send, or
it is http://localhost:4318. Headers, timeout and certificates are those of OTEL_EXPORTER_OTLP_HEADERS, …_TIMEOUT and
…_CERTIFICATE. The protocol is http/protobuf.

Examples:
  audited export otlp /var/lib/orders/audit --endpoint http://localhost:4318
  audited export otlp audit --endpoint https://collector.example/v1/audit --audit-draft
  audited export otlp audit --output audit.otlp.jsonl")]
pub(crate) struct Otlp {
    /// The log's directory
    log: PathBuf,
    /// The receiver's URL; if it has no path, /v1/logs is added
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Write the requests to a file instead, one in a line, as the file exporter of a collector does
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["endpoint", "position", "anew"])]
    output: Option<PathBuf>,
    /// Keep the rules of OpenTelemetry's draft for audit logs
    #[arg(long)]
    audit_draft: bool,
    /// Name the user on whose behalf an agent acts as the actor, not the agent
    #[arg(long)]
    user_as_actor: bool,
    /// Keep in this file how far the log was sent
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,
    /// Send the log from its beginning, whatever was sent before
    #[arg(long)]
    anew: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The account as it is printed.
#[derive(Serialize)]
struct Account {
    log: String,
    to: String,
    entries: u64,
    checkpoints: u64,
}

pub(crate) fn execute(arguments: &Otlp, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let mapping = Mapping::new().audit_draft(arguments.audit_draft).user_as_actor(arguments.user_as_actor);
    let account = match &arguments.output {
        Some(file) => write(&arguments.log, file, mapping)?,
        None => match send(arguments, mapping) {
            Err(fault) if fault.is_tampered() => {
                output.report(&fault.into());
                return Ok(Exit::Negative);
            }
            sent => sent?,
        },
    };
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the account as JSON")?)?;
    } else {
        let lines = [
            ("log", identifier(&account.log)),
            ("to", identifier(&account.to)),
            ("entries", account.entries.to_string()),
            ("checkpoints", account.checkpoints.to_string()),
        ];
        lines.iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(Exit::Success)
}

fn send(arguments: &Otlp, mapping: Mapping) -> Result<Account, SendError> {
    let mut options = Options::new().mapping(mapping).anew(arguments.anew);
    if let Some(url) = &arguments.endpoint {
        options = options.endpoint(url);
    }
    if let Some(file) = &arguments.position {
        options = options.position(file);
    }
    let sent = Sender::open(&arguments.log, &options)?.send()?;
    let log = arguments.log.display().to_string();
    Ok(Account { log, to: options.url(), entries: sent.entries, checkpoints: sent.checkpoints })
}

fn write(log: &Path, file: &Path, mapping: Mapping) -> anyhow::Result<Account> {
    let failed = || format!("could not write {}", file.display());
    let stream_id = stream_id(log)?.context("expected a log with entries, found none")?;
    let mut to = BufWriter::new(File::create(file).with_context(failed)?);
    let mut account =
        Account { log: log.display().to_string(), to: file.display().to_string(), entries: 0, checkpoints: 0 };
    let mut feed = Feed::new(log, Position::default());
    let mut time = Time::from_unix(core::time::Duration::ZERO);
    let mut records: Vec<LogRecord> = Vec::new();
    loop {
        let item = feed.next_item()?;
        if records.len() == LINE_RECORDS_MAX || item.is_none() && !records.is_empty() {
            writeln!(to, "{}", write_request(&records, &[])).with_context(failed)?;
            records.clear();
        }
        match item {
            None => break,
            Some(Item::Entry(_, line)) => {
                let record = mapping.entry(&line)?;
                time = parse_line(&line).ok().and_then(|head| Time::parse(&head.record.time)).unwrap_or(record.time);
                account.entries += 1;
                records.push(record);
            }
            Some(Item::Checkpoint(_, note)) => {
                account.checkpoints += 1;
                records.push(mapping.checkpoint(Checkpoint { note: &note, stream_id, time }));
            }
        }
    }
    to.flush().with_context(failed)?;
    Ok(account)
}

//! `audited reveal`: shows sealed values of a record to who holds the key, once that is recorded.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use audit_core::evidence::Disclosed;
use audit_core::id::RecordId;
use audit_core::privacy::sealed_at;
use audit_store::keyring::FileKeyRing;
use audit_store::privacy::{Opened, WholeRecord, open};
use audit_store::proof::{self, Which};
use audit_store::streams::{Stream, Streams};
use audit_store::{Error, Reading};
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Exit;
use crate::arguments::Secrets;
use crate::output::Output;
use crate::ring::{By, Ring, checked, open_for_record};
use crate::text::identifier;

/// How many values are read at a time.
const PATHS_MAX: usize = 256;

#[derive(Debug, Args)]
#[command(after_long_help = "\
The value is read from LOG or the logs beside it, wherever the record stands. Before it is shown, log.read is appended to LOG,
with the record, the paths and who you are, and never the value; to LOG.operator if a process holds LOG, or its secrets were
not named. A path is a JSON Pointer from the record's root, as it stands in the record's redactions.

Exit codes: 0 all values are shown, 1 one was erased, is missing or is not sealed, 2 an error.

Examples:
  audited reveal audit 01a17cbd-e826-77ed-86a8-0e9a0a0ad21c --path /request/arguments/customer/name \\
      --key-ring ring --tenant-key-env TENANT_KEY")]
pub(crate) struct Reveal {
    /// The log's directory
    log: PathBuf,
    /// The record
    record_id: RecordId,
    /// Where the value stands; may be given several times
    #[arg(long, value_name = "POINTER", required = true)]
    path: Vec<String>,
    #[command(flatten)]
    ring: Ring,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    secrets: Secrets,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The account as it is printed.
#[derive(Serialize)]
struct Account {
    log: String,
    number: u64,
    record_id: String,
    /// Where it was recorded; none if there was nothing to show.
    recorded_in: Option<String>,
    values: Vec<Line>,
}

/// One value.
#[derive(Serialize)]
struct Line {
    path: String,
    /// `revealed`, `erased`, `missing` or `not_sealed`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosure: Option<String>,
}

pub(crate) fn execute(arguments: &Reveal, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let ring = arguments.ring.open()?;
    let Some(found) = Found::find(&arguments.log, arguments.record_id)? else {
        output.warn(&format!("no entry with the record {}", arguments.record_id));
        return Ok(Exit::Negative);
    };
    let values = found.values(&arguments.path, &ring)?;
    let reading = reading(&found, &values, &arguments.by, "reveal")?;
    let recorded_in = record(&arguments.log, &arguments.secrets, reading.as_ref())?;
    // Only now: what is shown is in the log by then.
    let account = Account {
        log: found.stream.name().to_owned(),
        number: found.number,
        record_id: arguments.record_id.to_string(),
        recorded_in: recorded_in.map(|path| path.display().to_string()),
        values: values.into_iter().map(Line::new).collect::<anyhow::Result<_>>()?,
    };
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the values as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    let is_whole = account.values.iter().all(|line| line.state == "revealed");
    Ok(if is_whole { Exit::Success } else { Exit::Negative })
}

/// Opens sealed values of a record for evidence that is given away, and records that.
pub(crate) fn disclose(
    log: &Path,
    record_id: RecordId,
    arguments: &crate::prove::Disclose,
) -> anyhow::Result<Vec<Disclosed>> {
    let ring = arguments.ring.open()?;
    let stream = Streams::find(log)?.as_slice().iter().find(|stream| stream.path() == log).cloned();
    let stream = stream.with_context(|| format!("{}: expected a log, found none", log.display()))?;
    let (number, line) = proof::entry(log, Which::Record(record_id))?;
    // Nothing stands in the entry but what stands in its line.
    let record = serde_json::from_slice::<serde_json::Value>(&line)?;
    let found = Found { stream, number, record_id, record: WholeRecord::read(log, &line)?? };
    for path in &arguments.disclose {
        let is_there = record.get("record").is_some_and(|record| sealed_at(record, path).is_some());
        ensure!(
            is_there,
            "expected a sealed value at {path} in the entry itself, found none; {}",
            found.sealed_there()
        );
    }
    let values = found.values(&arguments.disclose, &ring)?;
    if let Some((path, opened)) = values.iter().find(|(_path, opened)| !matches!(opened, Some(Opened::Value { .. }))) {
        bail!("expected a value that can be read at {path}, found one that {}", state(opened.as_ref()).1);
    }
    record_reading(log, &found, &values, arguments)?;
    let disclosed = values.into_iter().filter_map(|(path, opened)| match opened {
        Some(Opened::Value { disclosure, .. }) => Some(Disclosed { path, disclosure }),
        _ => None,
    });
    Ok(disclosed.collect())
}

fn record_reading(
    log: &Path,
    found: &Found,
    values: &[(String, Option<Opened>)],
    arguments: &crate::prove::Disclose,
) -> anyhow::Result<()> {
    let reading = reading(found, values, &arguments.by, "proof")?;
    record(log, &arguments.secrets, reading.as_ref()).map(drop)
}

/// A record, and the log that holds it.
struct Found {
    stream: Stream,
    number: u64,
    record_id: RecordId,
    record: WholeRecord,
}

impl Found {
    /// Looks for a record in a log and in those beside it.
    fn find(log: &Path, record_id: RecordId) -> anyhow::Result<Option<Self>> {
        let mut unread: Option<Error> = None;
        for stream in Streams::find(log)?.as_slice() {
            match proof::entry(stream.path(), Which::Record(record_id)) {
                Err(fault) if fault.is_not_found() => {}
                Err(fault) => unread = unread.or(Some(fault)),
                Ok((number, line)) => {
                    let record = WholeRecord::read(stream.path(), &line)??;
                    return Ok(Some(Self { stream: stream.clone(), number, record_id, record }));
                }
            }
        }
        // It may stand in the one that could not be read.
        unread.map_or(Ok(None), |fault| Err(fault.into()))
    }

    /// Opens what is sealed at the paths; none where nothing is.
    fn values(&self, paths: &[String], ring: &FileKeyRing) -> anyhow::Result<Vec<(String, Option<Opened>)>> {
        ensure!(paths.len() <= PATHS_MAX, "expected at most {PATHS_MAX} paths, found {}", paths.len());
        let mut values = Vec::with_capacity(paths.len());
        for path in paths {
            let path = checked("a path", path.clone(), 0..=1_024)?;
            let digest = sealed_at(self.record.value(), &path);
            let opened =
                digest.map(|digest| open(self.stream.path(), digest, ring, self.record.tenant())).transpose()?;
            values.push((path, opened));
        }
        Ok(values)
    }

    /// Tells where there is something to be read, so that a wrong path is put right.
    fn sealed_there(&self) -> String {
        match self.record.sealed() {
            paths if paths.is_empty() => "nothing is sealed in this record".to_owned(),
            paths => format!("sealed in this record: {}", paths.join(" ")),
        }
    }
}

/// Tells what is about to be read; none if nothing can be.
fn reading(
    found: &Found,
    values: &[(String, Option<Opened>)],
    by: &By,
    purpose: &str,
) -> anyhow::Result<Option<Reading>> {
    let mut reading = Reading::new(found.stream.name(), found.record_id);
    for (path, opened) in values {
        if let Some(Opened::Value { key_id, .. }) = opened {
            reading.paths.push(path.clone());
            if !reading.key_ids.contains(key_id) {
                reading.key_ids.push(key_id.clone());
            }
        }
    }
    reading.by = by.name()?;
    purpose.clone_into(&mut reading.purpose);
    Ok((!reading.paths.is_empty()).then_some(reading))
}

/// Records a reading, and returns in which log.
fn record(log: &Path, secrets: &Secrets, reading: Option<&Reading>) -> anyhow::Result<Option<PathBuf>> {
    let Some(reading) = reading else { return Ok(None) };
    let (opened, path) = open_for_record(log, secrets).context("nothing is shown that cannot be recorded")?;
    opened.record_read(reading).context("nothing is shown that cannot be recorded")?;
    opened.close()?;
    Ok(Some(path))
}

/// Returns the word for what became of a value, and how it is told.
const fn state(opened: Option<&Opened>) -> (&'static str, &'static str) {
    match opened {
        Some(Opened::Value { .. }) => ("revealed", "can be read"),
        Some(Opened::Erased { .. }) => ("erased", "was erased, or belongs to another key ring"),
        Some(Opened::Missing) => ("missing", "is not in the log's payloads"),
        None => ("not_sealed", "is not sealed"),
    }
}

impl Line {
    fn new((path, opened): (String, Option<Opened>)) -> anyhow::Result<Self> {
        let (state, _told) = state(opened.as_ref());
        let (key_id, value, disclosure) = match opened {
            Some(Opened::Value { disclosure, key_id }) => {
                let value = RawValue::from_string(disclosure.value().to_owned())?;
                (Some(key_id), Some(value), Some(disclosure.as_str().to_owned()))
            }
            Some(Opened::Erased { key_id }) => (Some(key_id), None, None),
            Some(Opened::Missing) | None => (None, None, None),
        };
        Ok(Self { path, state, key_id, value, disclosure })
    }

    fn text(&self) -> String {
        match (&self.value, self.state) {
            (Some(value), _) => value.get().to_owned(),
            (None, "erased") => state(Some(&Opened::Erased { key_id: String::new() })).1.to_owned(),
            (None, "missing") => state(Some(&Opened::Missing)).1.to_owned(),
            (None, _) => state(None).1.to_owned(),
        }
    }
}

impl Account {
    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&str, String)> {
        let mut lines = vec![("log", identifier(&self.log)), ("entry", self.number.to_string())];
        lines.extend(self.recorded_in.as_ref().map(|log| ("recorded in", identifier(log))));
        for line in &self.values {
            lines.push(("path", line.path.clone()));
            lines.push(("value", line.text()));
        }
        lines
    }
}

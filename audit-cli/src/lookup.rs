//! `audited lookup`: finds the records that hold the token of a value.

use core::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use audit_core::privacy::Token;
use audit_store::privacy::{WholeRecord, tokens};
use audit_store::query::{Entry, scan_streams};
use audit_store::streams::{Stream, Streams};
use clap::{Args, ValueEnum};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Exit;
use crate::conclude::{Read, conclude};
use crate::output::Output;
use crate::ring::{Ring, text_or_stdin};
use crate::text::{identifier, instant};

#[derive(Debug, Args)]
#[command(after_long_help = "\
A token stands for a value that was not recorded. The same value of the same type has the same token for a tenant, in each
epoch of its keys: all of them are looked for, in LOG and the logs beside it. The value is stored nowhere. Give it on the
standard input, so that it does not stand in the shell's history or the list of processes.

Examples:
  audited lookup audit --value - --key-ring ring --tenant acme --tenant-key-env TENANT_KEY < value
  audited lookup audit --value 4242 --type number --key-ring ring --tenant-key-file tenant.key --json")]
pub(crate) struct Lookup {
    /// The log's directory, or a directory of logs
    log: PathBuf,
    /// The value; `-` for the standard input
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    value: String,
    /// The type that the value has in the record: the number 42 and the text "42" have different tokens
    #[arg(long = "type", value_name = "TYPE", value_enum, default_value_t = Type::String)]
    kind: Type,
    /// The tenant for whom the agent acted
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    #[command(flatten)]
    ring: Ring,
    /// Print one JSON object for each record
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    String,
    Number,
    Bool,
}

/// A record that holds the token.
#[derive(Serialize)]
struct Found<'a> {
    log: &'a str,
    number: u64,
    record_id: Option<String>,
    time: &'a str,
    action: &'a str,
    key_id: &'a str,
    paths: Vec<String>,
}

pub(crate) fn execute(arguments: &Lookup, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let streams = Streams::find(&arguments.log)?;
    let value = text_or_stdin("--value", &arguments.value)?;
    let scalar = scalar(arguments.kind, &value)?;
    let tokens = tokens(&arguments.ring.open()?, arguments.tenant.as_deref(), &scalar)?;
    ensure!(!tokens.is_empty(), "expected token keys of the tenant in the key ring, found none");
    let (mut found, mut outcome) = (0_u64, Ok(()));
    let scanned = scan_streams(streams.as_slice(), |index, entry| {
        let Some(stream) = streams.as_slice().get(index) else { return ControlFlow::Continue(()) };
        match look(arguments, &tokens, stream, entry, output) {
            Ok(count) => {
                found += count;
                ControlFlow::Continue(())
            }
            Err(fault) => {
                outcome = Err(fault);
                ControlFlow::Break(())
            }
        }
    });
    outcome?;
    let nothing_found = (found == 0).then_some("no record holds the token of this value");
    conclude(Read { path: &arguments.log, streams: &streams, scanned }, nothing_found, output)
}

/// Returns the value as the record would have it, in canonical JSON.
fn scalar(kind: Type, value: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let canonical = match kind {
        Type::String => audit_core::canonical::to_vec(value),
        Type::Number => {
            let number: serde_json::Number =
                value.parse().ok().context("expected --value to be a number, found another text")?;
            audit_core::canonical::to_vec(&number)
        }
        Type::Bool => {
            let truth: bool = value.parse().ok().context("expected --value to be true or false, found another text")?;
            audit_core::canonical::to_vec(&truth)
        }
    };
    canonical.map(Zeroizing::new).ok().context("expected a value that can be written as JSON")
}

/// Looks into one entry, and prints it if it holds one of the tokens; returns how many.
fn look(
    arguments: &Lookup,
    tokens: &[Token],
    stream: &Stream,
    entry: &Entry<'_>,
    output: &mut Output<'_>,
) -> anyhow::Result<u64> {
    let may_hold = |token: &Token| entry.line.contains(token.text.as_str());
    // What is kept in a blob does not stand in the line.
    if !entry.line.contains(r#""ref":"blobs/"#) && !tokens.iter().any(may_hold) {
        return Ok(0);
    }
    // Lines that are none were passed over by the scan.
    let Ok(record) = WholeRecord::read(stream.path(), entry.line.as_bytes())? else { return Ok(0) };
    let mut count = 0;
    for token in tokens {
        let paths = record.places_of(&token.text);
        if paths.is_empty() {
            continue;
        }
        count += 1;
        let found = Found {
            log: stream.name(),
            number: entry.number,
            record_id: record.record_id().map(|id| id.to_string()),
            time: &entry.record.time,
            action: &entry.record.action,
            key_id: &token.key_id,
            paths,
        };
        found.print(arguments.json, output)?;
    }
    Ok(count)
}

impl Found<'_> {
    fn print(&self, as_json: bool, output: &mut Output<'_>) -> anyhow::Result<()> {
        if as_json {
            return output.json(&serde_json::to_string(self).context("could not write a record as JSON")?);
        }
        let record_id = self.record_id.as_deref().unwrap_or("-");
        let (log, action, paths) = (identifier(self.log), identifier(self.action), self.paths.join(" "));
        output.line(&format!("{log}  {}  {}  {record_id}  {action}  {paths}", self.number, instant(self.time)))
    }
}

//! `audited export`: a log in the forms that the tools of others read.

use std::path::PathBuf;

use anyhow::Context as _;
use audit_store::export::export_tlog;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::Exit;
use crate::output::Output;
use crate::text::identifier;

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Write the log as a directory of C2SP tlog-tiles: checkpoint, tiles and bundles of entries
    Tlog(Tlog),
    /// Send the log to a receiver of OpenTelemetry, as OTLP log records
    #[cfg(feature = "otlp")]
    Otlp(crate::otlp::Otlp),
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
What the newest checkpoint covers is exported, also while the log grows. Every entry is hashed, and the checkpoint is
written last, once the entries have the root that it states. LOG alone is exported, not the logs beside it.

Examples:
  audited export tlog /var/lib/orders/audit /srv/www/orders")]
pub(crate) struct Tlog {
    /// The log's directory
    log: PathBuf,
    /// The directory to write, empty or not there yet
    directory: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The account as it is printed.
#[derive(Serialize)]
struct Account {
    log: String,
    directory: String,
    entries: u64,
    tiles: u64,
    bundles: u64,
    signed: bool,
}

pub(crate) fn execute(arguments: &Export, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    match arguments {
        Export::Tlog(arguments) => tlog(arguments, output),
        #[cfg(feature = "otlp")]
        Export::Otlp(arguments) => crate::otlp::execute(arguments, output),
    }
}

fn tlog(arguments: &Tlog, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let exported = export_tlog(&arguments.log, &arguments.directory)?;
    let account = Account {
        log: arguments.log.display().to_string(),
        directory: arguments.directory.display().to_string(),
        entries: exported.entries,
        tiles: exported.tiles,
        bundles: exported.bundles,
        signed: exported.is_signed,
    };
    if !account.signed {
        output.warn("the checkpoint has no signature, without which the tools of others refuse it");
    }
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the account as JSON")?)?;
    } else {
        let lines = [
            ("log", identifier(&account.log)),
            ("directory", identifier(&account.directory)),
            ("entries", account.entries.to_string()),
            ("tiles", format!("{}, {} bundles of entries", account.tiles, account.bundles)),
        ];
        lines.iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(Exit::Success)
}

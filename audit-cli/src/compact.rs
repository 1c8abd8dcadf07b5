//! `audited compact`: compresses what is full of a log. It changes no line.

use anyhow::Context as _;
use audit_store::segment::{CompactReport, compact};
use serde::Serialize;

use crate::Exit;
use crate::arguments::Compact;
use crate::output::Output;
use crate::text::identifier;

/// The report as it is printed.
#[derive(Serialize)]
struct Account {
    log: String,
    segments: u64,
    compressed: u64,
    compressed_before: u64,
    bytes_before: u64,
    bytes_after: u64,
}

pub(crate) fn execute(arguments: &Compact, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let report = compact(&arguments.log)?;
    let account = Account::new(arguments, report);
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the report as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(Exit::Success)
}

impl Account {
    fn new(arguments: &Compact, report: CompactReport) -> Self {
        let CompactReport { segments, compressed, compressed_before, bytes_before, bytes_after } = report;
        let log = arguments.log.display().to_string();
        Self { log, segments, compressed, compressed_before, bytes_before, bytes_after }
    }

    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let (compressed, before) = (self.compressed, self.compressed_before);
        vec![
            ("log", identifier(&self.log)),
            ("segments", format!("{}, {compressed} compressed now, {before} before", self.segments)),
            ("bytes", format!("{}, {} before", self.bytes_after, self.bytes_before)),
        ]
    }
}

//! `audited recover`: finishes a log whose process died, as the next process to open it would.

use anyhow::Context as _;
use audit_core::sink::Sink as _;
use audit_store::Log;
use audit_store::verify::verify_log;
use serde::Serialize;

use crate::Exit;
use crate::arguments::Recover;
use crate::output::Output;
use crate::text::{entries, identifier};

/// The report as it is printed.
#[derive(Serialize)]
struct Account {
    log: String,
    /// Entries before and after; equal if there was nothing to do.
    entries_before: u64,
    entries: u64,
    /// Calls that had begun and not ended.
    abandoned: u64,
}

pub(crate) fn execute(arguments: &Recover, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    // What does not verify is evidence: nothing is appended to it. Nor is a log made where there is none.
    let report = verify_log(&arguments.log)?;
    if let Some(finding) = &report.finding {
        anyhow::bail!("the log is {}, and is left as it is: {finding}", report.verdict);
    }
    let before = report.summary.entries;
    let (mut after, mut abandoned) = (before, 0);
    if !report.summary.closed {
        let log = arguments.secrets.give(Log::options())?.open(&arguments.log)?;
        abandoned = log.health().abandoned();
        log.close()?;
        after = log.size();
    }
    let log = arguments.log.display().to_string();
    let account = Account { log, entries_before: before, entries: after, abandoned };
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the report as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(Exit::Success)
}

impl Account {
    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let appended = match self.entries.saturating_sub(self.entries_before) {
            0 => "it was closed, nothing to recover".to_owned(),
            count => format!("{} appended", entries(count)),
        };
        vec![
            ("log", identifier(&self.log)),
            ("entries", format!("{}, {appended}", self.entries)),
            ("calls given up", self.abandoned.to_string()),
        ]
    }
}

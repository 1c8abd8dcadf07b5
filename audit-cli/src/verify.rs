//! `audited verify`: whether the log is what was written.

use anyhow::Context as _;
use audit_store::verify::{Report, Verdict, verify_log};
use serde::Serialize;

use crate::Exit;
use crate::arguments::Verify;
use crate::output::{Output, is_broken_pipe};
use crate::text::{identifier, instant};

/// What the verdict rests on: as long as logs have no keys, always the same.
const ASSURANCE: &str = "chain only";
const ASSURANCE_MEANING: &str = "no key was pinned: whoever can write the directory can rewrite it";

pub(crate) fn execute(arguments: &Verify, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let report = verify_log(&arguments.log)?;
    let account = Account::new(arguments, &report);
    let verdict = match report.verdict {
        Verdict::Intact => Exit::Success,
        Verdict::Tampered => Exit::Negative,
        _ => Exit::Error,
    };
    match print(arguments, &account, output) {
        Err(error) if !is_broken_pipe(&error) => Err(error),
        _ => Ok(verdict),
    }
}

fn print(arguments: &Verify, account: &Account, output: &mut Output<'_>) -> anyhow::Result<()> {
    if arguments.json {
        output.json(&serde_json::to_string(account).context("could not write the report as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    output.flush()
}

/// The report as it is printed. What a log that does not verify leaves unknown is `null` or left out.
#[derive(Serialize)]
struct Account {
    log: String,
    verdict: &'static str,
    finding: Option<Found>,
    assurance: &'static str,
    assurance_meaning: &'static str,
    origin: Option<String>,
    /// How many entries were read until the check ended, here or at a fault.
    entries_read: u64,
    segments: usize,
    #[serde(flatten)]
    contents: Option<Contents>,
    checkpoint: Option<Covered>,
}

#[derive(Serialize)]
struct Found {
    entry: Option<u64>,
    file: Option<String>,
    reason: String,
}

#[derive(Serialize)]
struct Contents {
    stream_id: Option<String>,
    entries: u64,
    first_time: Option<String>,
    last_time: Option<String>,
    calls: u64,
    open_calls: usize,
    abandoned_calls: u64,
    closed: bool,
    entries_beyond_checkpoint: u64,
    unfinished_bytes: u64,
}

#[derive(Serialize)]
struct Covered {
    size: u64,
    root: String,
}

impl Account {
    fn new(arguments: &Verify, report: &Report) -> Self {
        let found = |finding: &audit_store::verify::Finding| Found {
            entry: finding.fault.entry,
            file: finding.file.clone(),
            reason: finding.fault.reason.clone(),
        };
        Self {
            log: arguments.log.display().to_string(),
            verdict: report.verdict.as_str(),
            finding: report.finding.as_ref().map(found),
            assurance: ASSURANCE,
            assurance_meaning: ASSURANCE_MEANING,
            origin: report.origin.clone(),
            entries_read: report.summary.entries,
            segments: report.segments,
            // Without a root the lines were not read to their end, and nothing in them was counted for good.
            contents: report.root.map(|_| Contents::new(report)),
            checkpoint: report.checkpoint.as_ref().map(|checkpoint| Covered {
                size: checkpoint.size,
                // The third line of the note is the root in the form in which the file `checkpoint` states it.
                root: checkpoint.to_string().lines().nth(2).unwrap_or_default().to_owned(),
            }),
        }
    }

    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("verdict", self.verdict.to_owned())];
        if let Some(found) = &self.finding {
            lines.extend(found.entry.map(|entry| ("first bad entry", entry.to_string())));
            lines.extend(found.file.as_ref().map(|file| ("file", identifier(file))));
            lines.push(("reason", found.reason.clone()));
        }
        lines.push(("assurance", format!("{}; {}", self.assurance, self.assurance_meaning)));
        lines.push(("log", identifier(&self.log)));
        lines.extend(self.origin.as_ref().map(|origin| ("origin", identifier(origin))));
        match &self.contents {
            Some(contents) => contents.add_lines(&mut lines),
            None => lines.push(("entries", format!("{} read until the check ended", self.entries_read))),
        }
        lines.push(("segments", self.segments.to_string()));
        lines.push(("checkpoint", self.checkpoint_line()));
        lines
    }

    fn checkpoint_line(&self) -> String {
        let Some(checkpoint) = &self.checkpoint else { return "none".to_owned() };
        let covered = format!("unsigned, {} with root {}", entries(checkpoint.size), checkpoint.root);
        match &self.contents {
            Some(contents) => format!("{covered}; {} beyond it", entries(contents.entries_beyond_checkpoint)),
            None => covered,
        }
    }
}

impl Contents {
    fn new(report: &Report) -> Self {
        let summary = &report.summary;
        Self {
            stream_id: summary.stream_id.map(|id| id.to_string()),
            entries: summary.entries,
            first_time: summary.span.map(|(first, _)| first.to_string()),
            last_time: summary.span.map(|(_, last)| last.to_string()),
            calls: summary.calls,
            open_calls: summary.open_calls.len(),
            abandoned_calls: summary.abandoned,
            closed: summary.closed,
            entries_beyond_checkpoint: summary.beyond_checkpoint,
            unfinished_bytes: summary.unfinished_bytes,
        }
    }

    fn add_lines(&self, lines: &mut Vec<(&'static str, String)>) {
        lines.extend(self.stream_id.as_ref().map(|id| ("stream", id.clone())));
        let end = if self.closed { "closed" } else { "not closed" };
        lines.push(("entries", format!("{}, {end}", self.entries)));
        if self.unfinished_bytes > 0 {
            lines.push(("unfinished", format!("{} bytes of an entry after the last one", self.unfinished_bytes)));
        }
        lines.push(("calls", format!("{}, {} open, {} abandoned", self.calls, self.open_calls, self.abandoned_calls)));
        if let (Some(first), Some(last)) = (&self.first_time, &self.last_time) {
            lines.push(("time", format!("{} to {}", instant(first), instant(last))));
        }
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

//! `audited verify`: whether the log, and each of those beside it, is what was written.

mod assurance;
mod progress;
mod received;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use audit_core::verify::Fault;
use audit_export::otlp::Findings;
use audit_store::streams::{Stream, Streams};
use audit_store::verify::{Finding, Options, Range, Report, Verdict};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Exit;
use crate::arguments::Verify;
use crate::output::{Output, is_broken_pipe};
use crate::quorum;
use crate::text::{entries, identifier, instant};
use assurance::RestsOn;
use received::{Copy, Received};

pub(crate) fn execute(arguments: &Verify, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let subjects = subjects(arguments)?;
    let (mut verdicts, mut accounts) = (Vec::new(), Vec::new());
    for subject in &subjects {
        let (report, findings) = match verify(arguments, subject, output) {
            Ok(verified) => verified,
            // What stands in the way of the only log is an error; of one of several it is that one's verdict.
            Err(error) if subjects.len() == 1 => return Err(error),
            Err(error) => (unread(&error), None),
        };
        verdicts.push(report.verdict);
        accounts.push(Account::new(&subject.log, &report, findings.as_ref()));
    }
    let verdict = Verdict::worst(verdicts);
    let exit = match verdict {
        Verdict::Intact => Exit::Success,
        Verdict::Tampered => Exit::Negative,
        _ => Exit::Error,
    };
    match print(arguments, verdict, &accounts, output) {
        Err(error) if !is_broken_pipe(&error) => Err(error),
        _ => Ok(exit),
    }
}

/// A log to verify.
struct Subject {
    log: PathBuf,
    /// Its name, where there are several.
    name: Option<String>,
    /// The file to go on from.
    resume: Option<PathBuf>,
}

/// Finds the logs to verify: numbers of entries mean those of one log, so that a range is of the log that was given.
fn subjects(arguments: &Verify) -> anyhow::Result<Vec<Subject>> {
    let given = || Subject { log: arguments.log.clone(), name: None, resume: arguments.resume.clone() };
    if arguments.from.is_some() || arguments.to.is_some() {
        return Ok(vec![given()]);
    }
    let streams = Streams::find(&arguments.log)?;
    if streams.single().is_some_and(|stream| stream.path() == arguments.log) {
        return Ok(vec![given()]);
    }
    let subject = |stream: &Stream| {
        let name = stream.name().to_owned();
        let is_given = stream.path() == arguments.log;
        let resume = arguments.resume.as_ref().map(|file| if is_given { file.clone() } else { beside(file, &name) });
        Subject { log: stream.path().to_owned(), name: Some(name), resume }
    };
    Ok(streams.as_slice().iter().map(subject).collect())
}

/// Returns the file for another log than the one that was given: `<file>.<name of the log>`.
fn beside(file: &Path, name: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(name);
    path.into()
}

/// Reports that a log could not be read.
fn unread(error: &anyhow::Error) -> Report {
    let finding = Finding { file: None, fault: Fault::unverifiable(error.to_string()) };
    Report { verdict: Verdict::Unverifiable, finding: Some(finding), ..Report::default() }
}

fn verify(
    arguments: &Verify,
    subject: &Subject,
    output: &mut Output<'_>,
) -> anyhow::Result<(Report, Option<Findings>)> {
    let copy = Copy::read(arguments, subject)?;
    let mut report = verify_alone(arguments, subject, copy.as_ref(), output)?;
    let findings = copy.map(|copy| copy.compare(&subject.log, &mut report)).transpose()?;
    Ok((report, findings))
}

fn verify_alone(
    arguments: &Verify,
    subject: &Subject,
    received: Option<&Copy>,
    output: &mut Output<'_>,
) -> anyhow::Result<Report> {
    let mut options = Options::new().threads(arguments.threads.map_or(0, usize::from));
    if let (Some(from), Some(to)) = (arguments.from, arguments.to) {
        ensure!(from <= to, "expected --from to be at most --to, found {from} and {to}");
    }
    if let Some(from) = arguments.from {
        options = options.from(from);
    }
    if let Some(to) = arguments.to {
        options = options.to(to);
    }
    if let Some(file) = &subject.resume {
        options = options.resume(file);
    }
    for key in &arguments.key {
        options = options.key(key.clone());
    }
    // The logs beside it have no seal, or one of their own.
    if let Some(file) = arguments.seal_key.as_ref().filter(|_| subject.log == arguments.log) {
        let text = Zeroizing::new(read(file)?);
        options = options.seal_key(text.trim_end().parse().with_context(|| file.display().to_string())?);
    }
    if let Some(file) = &arguments.policy {
        options = options.policy(quorum::read(file)?);
    }
    for file in &arguments.copy {
        options = options.copy(read(file)?);
    }
    #[cfg(feature = "anchor")]
    let authority = authority(arguments)?;
    #[cfg(feature = "anchor")]
    if let Some(authority) = &authority {
        options = options.timestamps(authority);
    }
    if let Some(received) = received {
        options = received.demand(options);
    }
    if !progress::is_wanted(arguments) {
        return Ok(options.verify(&subject.log)?);
    }
    let mut telling = progress::Telling::of(subject.name.as_deref());
    let report = options.progress(&mut |progress| telling.tell(&progress, output)).verify(&subject.log)?;
    if arguments.progress {
        telling.conclude(output);
    }
    Ok(report)
}

/// Returns who verifies timestamps, once it is known that the certificates can be read.
#[cfg(feature = "anchor")]
fn authority(arguments: &Verify) -> anyhow::Result<Option<audit_anchor::OpenSsl>> {
    let Some(file) = &arguments.timestamps_ca else { return Ok(None) };
    let _certificates = read(file)?;
    Ok(Some(audit_anchor::OpenSsl::new(file)))
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

fn print(arguments: &Verify, verdict: Verdict, logs: &[Account], output: &mut Output<'_>) -> anyhow::Result<()> {
    match logs {
        [account] if arguments.json => output.json(&as_json(account)?)?,
        [account] => account.print(output)?,
        logs if arguments.json => {
            let log = arguments.log.display().to_string();
            output.json(&as_json(&Together { log, verdict: verdict.as_str(), logs })?)?;
        }
        logs => {
            print_line("verdict", &format!("{verdict}: the worst of {} logs", logs.len()), output)?;
            for account in logs {
                print_line(account.verdict, &identifier(&account.log), output)?;
            }
            for account in logs {
                output.line("")?;
                account.print(output)?;
            }
        }
    }
    output.flush()
}

fn print_line(name: &str, text: &str, output: &mut Output<'_>) -> anyhow::Result<()> {
    output.line(&format!("{name:<17}{text}"))
}

fn as_json(report: &impl Serialize) -> anyhow::Result<String> {
    serde_json::to_string(report).context("could not write the report as JSON")
}

/// The reports on several logs as they are printed.
#[derive(Serialize)]
struct Together<'a> {
    log: String,
    /// The worst of theirs.
    verdict: &'static str,
    logs: &'a [Account],
}

/// The files of the journal.
const JOURNAL: [&str; 2] = ["journal.0", "journal.1"];

/// The report as it is printed. What a log that does not verify leaves unknown is `null` or left out.
#[derive(Serialize)]
struct Account {
    log: String,
    verdict: &'static str,
    finding: Option<Found>,
    assurance: String,
    assurance_meaning: String,
    #[serde(flatten)]
    rests_on: Option<RestsOn>,
    #[serde(flatten)]
    received: Option<Received>,
    origin: Option<String>,
    /// How many entries were read until the check ended, here or at a fault.
    entries_read: u64,
    segments: usize,
    #[serde(flatten)]
    contents: Option<Contents>,
    checkpoint: Option<Covered>,
    /// The entries that were verified, where not all were to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Verified>,
    /// The entry that a verification begun before ended at.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_at: Option<u64>,
    /// There is a journal, which may hold records that are no entries yet.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    journal: bool,
}

#[derive(Serialize)]
struct Verified {
    from: u64,
    to: Option<u64>,
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
    fn new(log: &Path, report: &Report, findings: Option<&Findings>) -> Self {
        let found = |finding: &Finding| Found {
            entry: finding.fault.entry,
            file: finding.file.clone(),
            reason: finding.fault.reason.clone(),
        };
        Self {
            log: log.display().to_string(),
            verdict: report.verdict.as_str(),
            finding: report.finding.as_ref().map(found),
            assurance: assurance::level(report),
            assurance_meaning: assurance::meaning(report),
            rests_on: RestsOn::new(report),
            received: findings.map(Received::new),
            range: report.range.map(|Range { from, to }| Verified { from, to }),
            resumed_at: report.resumed_at,
            journal: JOURNAL.iter().any(|name| log.join(name).exists()),
            origin: report.origin.clone(),
            entries_read: report.summary.entries
                - report.range.map_or(0, |range| range.from.min(report.summary.entries)),
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

    fn print(&self, output: &mut Output<'_>) -> anyhow::Result<()> {
        self.lines().iter().try_for_each(|(name, text)| print_line(name, text, output))
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
        if let Some(range) = &self.range {
            let to = range.to.map_or("the last one".to_owned(), |to| to.to_string());
            lines.push(("entries", format!("{} to {to}, in a row from the entry before them", range.from)));
            lines.push(("segments", self.segments.to_string()));
            return lines;
        }
        lines.extend(
            self.resumed_at.map(|entry| ("resumed", format!("at entry {entry}; those before it were not read again"))),
        );
        match &self.contents {
            Some(contents) => contents.add_lines(&mut lines),
            None => lines.push(("entries", format!("{} read until the check ended", self.entries_read))),
        }
        lines.push(("segments", self.segments.to_string()));
        if self.journal {
            let journal = "in use, or left by a process that died: `audited recover` then appends what it holds";
            lines.push(("journal", journal.to_owned()));
        }
        lines.push(("checkpoint", self.checkpoint_line()));
        if let Some(rests_on) = &self.rests_on {
            rests_on.add_lines(&mut lines);
        }
        lines.extend(self.received.as_ref().map(Received::line));
        lines
    }

    fn checkpoint_line(&self) -> String {
        let Some(checkpoint) = &self.checkpoint else { return "none".to_owned() };
        let signed = self.rests_on.as_ref().map_or("", RestsOn::signed);
        let covered = format!("{signed}{} with root {}", entries(checkpoint.size), checkpoint.root);
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

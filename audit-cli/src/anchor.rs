//! `audited anchor`: gives the newest checkpoint of a log to witnesses and timestamp authorities.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use audit_anchor::{Connection, Timestamps, Witness};
use audit_core::anchor::{Anchor as Keeper, AnchorName};
use audit_core::note::VerificationKey;
use audit_store::anchors::{self, Outcome};
use clap::Args;
use serde::Serialize;

use crate::Exit;
use crate::arguments::Secrets;
use crate::output::Output;
use crate::policy;
use crate::ring::open_for_record;
use crate::text::{entries, identifier};

#[derive(Debug, Args)]
#[command(after_long_help = "\
The log may be closed or held by a process. What an anchor gives is kept in LOG/anchors and is taken for the next time:
what it already has it is not given again. That it was given, or why not, is recorded in the log; if a process holds it,
or its secrets were not named, in LOG.operator.

A witness is asked with `add-checkpoint` of C2SP tlog-witness, a timestamp authority as RFC 3161 says.

Exit codes: 0 all have the newest checkpoint, 1 one refused it, or has seen another log, 2 an error, or one that could
not be asked.

Examples:
  audited anchor audit --policy witnesses.policy
  audited anchor audit --witness w1=witness.example/w1+3c9dd02b+BP…=https://witness.example/
  audited anchor audit --timestamps tsa=https://tsa.example/ --key-file /etc/orders/audit.key")]
pub(crate) struct Anchor {
    /// The log's directory
    pub(crate) log: PathBuf,
    /// A witness: a name of a-z, 0-9, `-` and `_`, its key in C2SP's form, its submission prefix; may be given several times
    #[arg(long, value_name = "NAME=VKEY=URL", value_parser = parse_witness)]
    pub(crate) witness: Vec<NamedWitness>,
    /// Ask the witnesses of this policy that have a URL
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// A timestamp authority: a name and its URL; may be given several times
    #[arg(long, value_name = "NAME=URL", value_parser = parse_authority)]
    pub(crate) timestamps: Vec<NamedAuthority>,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A witness as it is named on the command line.
#[derive(Clone, Debug)]
pub(crate) struct NamedWitness {
    name: AnchorName,
    key: VerificationKey,
    url: String,
}

/// A timestamp authority as it is named on the command line.
#[derive(Clone, Debug)]
pub(crate) struct NamedAuthority {
    name: AnchorName,
    url: String,
}

fn parse_witness(text: &str) -> anyhow::Result<NamedWitness> {
    // The key is base64, and may end with `=`.
    let parts = text.split_once('=').and_then(|(name, rest)| {
        let at = rest.find("=http")?;
        Some((name, rest.get(..at)?, rest.get(at + 1..)?))
    });
    let (name, key, url) = parts.context("expected NAME=VKEY=URL")?;
    Ok(NamedWitness { name: name.parse()?, key: key.parse()?, url: url.to_owned() })
}

fn parse_authority(text: &str) -> anyhow::Result<NamedAuthority> {
    let (name, url) = text.split_once('=').context("expected NAME=URL")?;
    Ok(NamedAuthority { name: name.parse()?, url: url.to_owned() })
}

/// The report as it is printed.
#[derive(Serialize)]
struct Account {
    log: String,
    /// Where it was recorded; none if there was nothing to record.
    recorded_in: Option<String>,
    anchors: Vec<Line>,
}

/// What came of one anchor.
#[derive(Serialize)]
struct Line {
    name: String,
    /// `added`, `current` if it had the newest checkpoint, or `failed`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stated_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    alarm: bool,
}

pub(crate) fn execute(arguments: &Anchor, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let keepers = keepers(arguments)?;
    ensure!(!keepers.is_empty(), "expected --witness, --timestamps or a --policy whose witnesses have URLs");
    let mut outcomes = Vec::with_capacity(keepers.len());
    for keeper in &keepers {
        outcomes.push(anchors::anchor(&arguments.log, Arc::clone(keeper))?);
    }
    let mut exit = outcomes.iter().map(exit_of).fold(Exit::Success, worst);
    let has_news = outcomes.iter().any(|outcome| !outcome.is_nothing());
    let recorded_in = if has_news { Some(record(arguments, &keepers, &outcomes)?) } else { None };
    if recorded_in.as_ref() == Some(&arguments.log) {
        // The records moved the log's end: with its new checkpoint given, too, the next time finds nothing to do.
        for (keeper, outcome) in keepers.iter().zip(&mut outcomes).filter(|(_keeper, outcome)| outcome.failed.is_none())
        {
            let again = anchors::anchor(&arguments.log, Arc::clone(keeper))?;
            exit = worst(exit, exit_of(&again));
            outcome.added = again.added.or(outcome.added);
            outcome.failed = again.failed;
        }
    }
    let line = |(keeper, outcome): (&Arc<dyn Keeper>, &Outcome)| Line::new(keeper.name(), outcome);
    let account = Account {
        log: arguments.log.display().to_string(),
        recorded_in: recorded_in.map(|path| path.display().to_string()),
        anchors: keepers.iter().zip(&outcomes).map(line).collect(),
    };
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the report as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(exit)
}

/// Sets up those who are to be asked.
fn keepers(arguments: &Anchor) -> anyhow::Result<Vec<Arc<dyn Keeper>>> {
    let connection = Connection::new();
    let mut keepers: Vec<Arc<dyn Keeper>> = Vec::new();
    for NamedWitness { name, key, url } in arguments.witness.iter().cloned().chain(of_policy(arguments)?) {
        keepers.push(Arc::new(Witness::new(name, key, &url, &connection)?));
    }
    for NamedAuthority { name, url } in arguments.timestamps.iter().cloned() {
        keepers.push(Arc::new(Timestamps::new(name, &url, &connection)?));
    }
    for (index, keeper) in keepers.iter().enumerate() {
        let is_taken = keepers.iter().take(index).any(|other| other.name() == keeper.name());
        ensure!(!is_taken, "expected each anchor to have a name of its own, found {} twice", keeper.name());
    }
    Ok(keepers)
}

fn of_policy(arguments: &Anchor) -> anyhow::Result<Vec<NamedWitness>> {
    let Some(file) = &arguments.policy else { return Ok(Vec::new()) };
    let policy = policy::read(file)?;
    let with_url = policy.witnesses().filter_map(|witness| Some((witness, witness.url()?)));
    let named = with_url.map(|(witness, url)| {
        let name = witness.name().parse().with_context(|| format!("{}: {}", file.display(), witness.name()))?;
        Ok(NamedWitness { name, key: witness.key().clone(), url: url.into_owned() })
    });
    named.collect()
}

/// Records what came of it, and returns in which log.
fn record(arguments: &Anchor, keepers: &[Arc<dyn Keeper>], outcomes: &[Outcome]) -> anyhow::Result<PathBuf> {
    let (log, path) = open_for_record(&arguments.log, &arguments.secrets)?;
    for (keeper, outcome) in keepers.iter().zip(outcomes) {
        anchors::record(&log, keeper.name(), outcome);
    }
    log.close()?;
    Ok(path)
}

fn exit_of(outcome: &Outcome) -> Exit {
    match &outcome.failed {
        None => Exit::Success,
        Some(failed) if failed.is_passing => Exit::Error,
        Some(_) => Exit::Negative,
    }
}

/// A refusal outweighs what could not be asked: it may be an alarm.
fn worst(one: Exit, other: Exit) -> Exit {
    match (one, other) {
        (Exit::Negative, _) | (_, Exit::Negative) => Exit::Negative,
        _ => one.worse(other),
    }
}

impl Line {
    fn new(name: &AnchorName, outcome: &Outcome) -> Self {
        let failed = outcome.failed.as_ref();
        let state = match (&outcome.added, failed) {
            (_, Some(_)) => "failed",
            (Some(_), None) => "added",
            (None, None) => "current",
        };
        Self {
            name: name.to_string(),
            state,
            size: failed.map(|failed| failed.size).or(outcome.added.map(|added| added.size)),
            stated_time: outcome.added.and_then(|added| added.time).map(|time| time.to_string()),
            kind: failed.map(|failed| failed.kind),
            reason: failed.map(|failed| failed.reason.clone()),
            alarm: failed.is_some_and(|failed| failed.contradicts_log),
        }
    }

    fn text(&self) -> String {
        let size = entries(self.size.unwrap_or(0));
        match (self.state, &self.reason) {
            ("failed", Some(reason)) if self.alarm => format!("ALARM, {reason}"),
            ("failed", Some(reason)) => format!("failed, {reason}"),
            ("added", _) => format!("has the checkpoint of {size}"),
            _ => "had the newest checkpoint".to_owned(),
        }
    }
}

impl Account {
    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&str, String)> {
        let mut lines = vec![("log", identifier(&self.log))];
        lines.extend(self.anchors.iter().map(|line| (line.name.as_str(), line.text())));
        lines.extend(self.recorded_in.as_ref().map(|log| ("recorded in", identifier(log))));
        lines
    }
}

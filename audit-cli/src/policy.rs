//! `audited policy`: checks audit policies, and tells what a log would have held under one.

use std::path::PathBuf;

use anyhow::Context as _;
use audit_core::audit_policy::{AuditPolicy, Decision, Match, Removal, Rule};
use audit_store::policy::{self, Difference, PolicyError};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::Exit;
use crate::output::Output;

#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
A policy decides how much of which call is recorded, what is removed from it, and for how long it is to be kept. A
program is given one with Options::policy_file; docs/policy.md tells what it may say.

Examples:
  audited policy check audit.toml
  audited policy diff audit.toml /var/lib/orders/audit")]
pub(crate) enum Policy {
    /// Check that a file is a policy, and name the line where it is not
    Check(CheckPolicy),
    /// Tell what a log would have held under a policy, rule by rule
    Diff(DiffPolicy),
}

#[derive(Debug, Args)]
pub(crate) struct CheckPolicy {
    /// The policy's file
    pub(crate) file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Records are looked at as they stand, whatever policy they were recorded under. `-` is what the log would not have, `+`
what it would have besides. What was never recorded cannot be shown; it is listed under `unknown`.

Examples:
  audited policy diff audit.toml /var/lib/orders/audit
  audited policy diff audit.toml audit --json | jq '.rules[] | {rule, records}'")]
pub(crate) struct DiffPolicy {
    /// The policy's file
    pub(crate) file: PathBuf,
    /// The log's directory
    pub(crate) log: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn execute(arguments: &Policy, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    match arguments {
        Policy::Check(arguments) => check(arguments, output),
        Policy::Diff(arguments) => diff(arguments, output),
    }
}

/// What is told of a file.
#[derive(Serialize)]
struct Checked {
    file: String,
    valid: bool,
    hash: Option<String>,
    rules: Vec<String>,
    error: Option<Wrong>,
}

#[derive(Serialize)]
struct Wrong {
    line: usize,
    column: usize,
    reason: String,
}

impl From<&PolicyError> for Wrong {
    fn from(fault: &PolicyError) -> Self {
        Self { line: fault.line(), column: fault.column(), reason: fault.reason().to_owned() }
    }
}

fn check(arguments: &CheckPolicy, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let file = arguments.file.display().to_string();
    let (checked, exit) = match policy::read(&arguments.file) {
        Ok(policy) => {
            if !arguments.json {
                describe(&policy, output)?;
            }
            let rules = policy.rules().iter().map(|rule| rule.name.clone()).collect();
            let hash = policy.hash().map(|hash| format!("sha-256:{hash}"));
            (Checked { file, valid: true, hash, rules, error: None }, Exit::Success)
        }
        Err(error) => {
            let Some(fault) = error.policy() else { return Err(error.into()) };
            if !arguments.json {
                output.warn(&format!("{file}:{}:{}: {}", fault.line(), fault.column(), fault.reason()));
            }
            let error = Some(Wrong::from(fault));
            (Checked { file, valid: false, hash: None, rules: Vec::new(), error }, Exit::Negative)
        }
    };
    if arguments.json {
        output.json(&serde_json::to_string(&checked).context("could not write the account as JSON")?)?;
    }
    Ok(exit)
}

/// Writes the rules as they were understood, one line each.
fn describe(policy: &AuditPolicy, output: &mut Output<'_>) -> anyhow::Result<()> {
    if let Some(hash) = policy.hash() {
        output.line(&format!("policy           sha-256:{hash}"))?;
    }
    for rule in policy.rules() {
        output.line(&format!("{:<17}{}", rule.name, sentence(rule)))?;
    }
    let always = removals(policy.redaction());
    if always.is_empty() { Ok(()) } else { output.line(&format!("{:<17}{}", "redaction", always.join(", "))) }
}

fn sentence(rule: &Rule) -> String {
    let conditions = conditions(&rule.matches);
    let decisions = decisions(&rule.decision);
    let decisions = if decisions.is_empty() { "as the attribute says".to_owned() } else { decisions.join(", ") };
    if conditions.is_empty() { format!("all: {decisions}") } else { format!("{}: {decisions}", conditions.join(", ")) }
}

fn conditions(matches: &Match) -> Vec<String> {
    let globs = |list: &[audit_core::audit_policy::Glob]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let effects = matches.effects.iter().map(ToString::to_string).collect();
    let outcomes = matches.outcomes.iter().map(ToString::to_string).collect();
    [
        ("action", globs(&matches.actions)),
        ("tool", globs(&matches.tools)),
        ("effect", effects),
        ("tenant", globs(&matches.tenants)),
        ("outcome", outcomes),
    ]
    .into_iter()
    .filter(|(_, values): &(&str, Vec<String>)| !values.is_empty())
    .map(|(name, values)| format!("{name} {}", values.join("|")))
    .collect()
}

fn decisions(decision: &Decision) -> Vec<String> {
    let limit = |name: &str, limit: Option<usize>| limit.map(|limit| format!("{name} {limit}"));
    let said = [
        decision.level.map(|level| format!("level {level}")),
        decision.stages.map(|stages| format!("stages {stages}")),
        decision.durability.map(|durability| format!("durability {durability}")),
        decision.retention.as_ref().map(|class| format!("retention {class}")),
        limit("arguments_bytes_max", decision.limits.arguments_bytes_max),
        limit("result_bytes_max", decision.limits.result_bytes_max),
        decision.limits.oversize.map(|oversize| format!("oversize {}", oversize.as_str())),
    ];
    said.into_iter().flatten().chain(removals(&decision.removal)).collect()
}

fn removals(removal: &Removal) -> Vec<String> {
    let paths = removal.paths.iter().map(|removed| format!("{} {}", removed.way.as_str(), removed.path));
    let names = removal.names.iter().map(|named| format!("{} name {}", named.way.as_str(), named.name));
    let patterns = removal.patterns.iter().map(|named| format!("{} pattern {}", named.way.as_str(), named.name));
    paths.chain(names).chain(patterns).collect()
}

/// What is told of a log.
#[derive(Serialize)]
struct Account<'a> {
    log: String,
    policy: Option<String>,
    unreadable: u64,
    #[serde(flatten)]
    diff: &'a policy::Diff,
}

fn diff(arguments: &DiffPolicy, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let policy = policy::read(&arguments.file)?;
    let (diff, scanned) = policy::diff(&policy, &arguments.log)?;
    if arguments.json {
        let account = Account {
            log: arguments.log.display().to_string(),
            policy: policy.hash().map(|hash| format!("sha-256:{hash}")),
            unreadable: scanned.unreadable,
            diff: &diff,
        };
        output.json(&serde_json::to_string(&account).context("could not write the account as JSON")?)?;
    } else {
        write(&diff, output)?;
    }
    if let Some(line) = &scanned.first_unreadable {
        output.warn(&format!(
            "{} lines cannot be read, the first is {}: {}",
            scanned.unreadable, line.number, line.reason
        ));
        return Ok(Exit::Negative);
    }
    Ok(Exit::Success)
}

fn write(diff: &policy::Diff, output: &mut Output<'_>) -> anyhow::Result<()> {
    output.line(&format!(
        "records          {}: {} the same, {} not in the log",
        diff.records, diff.unchanged, diff.gone
    ))?;
    for rule in &diff.rules {
        output.line(&format!("rule {:<12}{} records", rule.rule, rule.records))?;
        write_differences(&rule.differences, output)?;
    }
    if !diff.unknown.is_empty() {
        output.line("unknown          what the log cannot tell")?;
        write_differences(&diff.unknown, output)?;
    }
    Ok(())
}

fn write_differences(differences: &[Difference], output: &mut Output<'_>) -> anyhow::Result<()> {
    for Difference { what, why, count, examples } in differences {
        let entries: Vec<String> = examples.iter().map(ToString::to_string).collect();
        output.line(&format!("  {count:>6}  {what}"))?;
        output.line(&format!("          {why}; entries {}", entries.join(", ")))?;
    }
    Ok(())
}

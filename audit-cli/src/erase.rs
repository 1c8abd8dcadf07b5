//! `audited erase`: destroys the keys of a subject, and records that.

use core::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Context as _;
use audit_core::vocabulary::EventName;
use audit_store::SubjectErased;
use audit_store::keyring::{Erasure, KeyRing as _};
use audit_store::query::scan_streams;
use audit_store::streams::Streams;
use clap::Args;
use serde::Serialize;

use crate::Exit;
use crate::arguments::Secrets;
use crate::output::Output;
use crate::ring::{By, Ring, checked, open_for_record, text_or_stdin};
use crate::text::identifier;

#[derive(Debug, Args)]
#[command(after_long_help = "\
All values that were sealed for the subject become unreadable, in LOG and wherever it or its payloads were copied to: the keys
are written over and removed. Nothing in the log changes, so it verifies as before, and so do proofs. subject.erased is
appended to LOG, or to LOG.operator if a process holds LOG or its secrets were not named; it names the keys and the reason,
not the subject. Processes stop using the keys with the next value. Copies of the key ring, and what a device keeps of
overwritten bytes, are not reached. Tokens stay: they tell no value.

An erasure that was not recorded is recorded by doing it again.

Exit codes: 0 erased, 1 the key ring has no key of the subject, or the erasure is recorded already, 2 an error.

Examples:
  audited erase audit --subject customer-17 --reason 'request of 2026-11-02' --key-ring ring --tenant-key-env TENANT_KEY
  audited erase audit --subject - --tenant acme --reason 'end of contract' --key-ring ring --tenant-key-file k < id")]
pub(crate) struct Erase {
    /// The log's directory
    log: PathBuf,
    /// Whose values they are, as the program named the subject; `-` for the standard input
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    subject: String,
    /// Why; it is recorded, so do not name the subject in it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The tenant for whom the agent acted
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
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
    /// The keys that were destroyed now.
    destroyed: Vec<String>,
    /// Those that were before.
    destroyed_before: Vec<String>,
    recorded_in: String,
}

pub(crate) fn execute(arguments: &Erase, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let streams = Streams::find(&arguments.log)?;
    let ring = arguments.ring.open()?;
    let subject = text_or_stdin("--subject", &arguments.subject)?;
    let reason = checked("--reason", arguments.reason.clone(), 1..=1_024)?;
    let by = arguments.by.name()?;
    // First, so that nothing is destroyed that cannot be recorded.
    let (log, recorded_in) = open_for_record(&arguments.log, &arguments.secrets)?;
    let Erasure { destroyed, destroyed_before } = ring.erase(arguments.tenant.as_deref(), &subject)?;
    let unrecorded = unrecorded(&streams, &destroyed_before);
    let key_ids: Vec<String> = destroyed.iter().chain(&unrecorded).cloned().collect();
    if key_ids.is_empty() {
        log.close()?;
        let is_known = !destroyed_before.is_empty();
        output.warn(if is_known { "the subject was erased before" } else { "the key ring has no key of this subject" });
        return Ok(Exit::Negative);
    }
    let mut erased = SubjectErased::new(key_ids, reason);
    erased.by = by;
    let not_recorded = "the keys are destroyed, but that is not recorded; the same command records it";
    log.record_erasure(&erased).context(not_recorded)?;
    log.close()?;
    let log = arguments.log.display().to_string();
    let account = Account { log, destroyed, destroyed_before, recorded_in: recorded_in.display().to_string() };
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the report as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(Exit::Success)
}

/// Returns those of the keys whose erasure no log states. What cannot be read states nothing: a second record does no harm.
fn unrecorded(streams: &Streams, key_ids: &[String]) -> Vec<String> {
    let mut left = key_ids.to_vec();
    if left.is_empty() {
        return left;
    }
    let _as_far_as_it_could_be_read = scan_streams(streams.as_slice(), |_index, entry| {
        if *entry.record.event_name == *EventName::SubjectErased.as_str() {
            let stated = entry.member(&["annotations", "key_ids"]);
            let stated: Vec<String> = stated.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
            left.retain(|key_id| !stated.contains(key_id));
        }
        ControlFlow::Continue(())
    });
    left
}

impl Account {
    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("log", identifier(&self.log))];
        lines.extend(self.destroyed.iter().map(|key_id| ("destroyed", key_id.clone())));
        lines.extend(self.destroyed_before.iter().map(|key_id| ("before", key_id.clone())));
        lines.push(("recorded in", identifier(&self.recorded_in)));
        lines
    }
}

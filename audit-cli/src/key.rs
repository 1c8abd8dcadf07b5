//! `audited key`: makes, shows and replaces the keys that sign checkpoints, and makes the seal over them.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use audit_core::seal::SealKey;
use audit_store::verify::{Report, verify_log};
use audit_store::{Log, keys};
use serde::Serialize;

use crate::Exit;
use crate::arguments::{Key, NewKey, RotateKey, SealLog, ShowKeys};
use crate::output::Output;
use crate::text::identifier;

pub(crate) fn execute(arguments: &Key, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    match arguments {
        Key::New(arguments) => new(arguments, output),
        Key::Show(arguments) => show(arguments, output),
        Key::Rotate(arguments) => rotate(arguments, output),
        Key::Seal(arguments) => seal(arguments, output),
    }?;
    Ok(Exit::Success)
}

fn new(arguments: &NewKey, output: &mut Output<'_>) -> anyhow::Result<()> {
    let secret = keys::create_key_file(&arguments.file, &arguments.name)?;
    output.line(&secret.verification_key()?.to_string())
}

/// The keys as they are printed.
#[derive(Serialize)]
struct Account {
    log: String,
    first: String,
    identity: Option<String>,
    rotations: Vec<Rotated>,
}

#[derive(Serialize)]
struct Rotated {
    entry: u64,
    verification_key: String,
}

fn show(arguments: &ShowKeys, output: &mut Output<'_>) -> anyhow::Result<()> {
    let report = intact(&arguments.log)?;
    let Some(first) = &report.keys.first else { bail!("{}: the log has no keys", arguments.log.display()) };
    let rotated = |rotation: &audit_core::verify::Rotation| Rotated {
        entry: rotation.entry,
        verification_key: rotation.verification_key.clone(),
    };
    let account = Account {
        log: arguments.log.display().to_string(),
        first: first.to_string(),
        identity: report.keys.identity.as_ref().map(ToString::to_string),
        rotations: report.summary.rotations.iter().map(rotated).collect(),
    };
    if arguments.json {
        return output.json(&serde_json::to_string(&account).context("could not write the keys as JSON")?);
    }
    let mut line = |name: &str, text: &str| output.line(&format!("{name:<17}{text}"));
    line("log", &identifier(&account.log))?;
    line("first key", &account.first)?;
    account.identity.iter().try_for_each(|key| line("identity key", key))?;
    let rotations = account.rotations.iter();
    rotations.clone().try_for_each(|rotated| line(&format!("from entry {}", rotated.entry), &rotated.verification_key))
}

/// A log that does not verify has no keys that could be believed.
fn intact(log: &Path) -> anyhow::Result<Report> {
    let report = verify_log(log)?;
    match &report.finding {
        None => Ok(report),
        Some(finding) => bail!("{}: the log is {}: {finding}", log.display(), report.verdict),
    }
}

fn rotate(arguments: &RotateKey, output: &mut Output<'_>) -> anyhow::Result<()> {
    ensure!(arguments.secrets.key_file.is_some(), "expected --key-file, the file of the secret that is replaced");
    // Nothing is appended to a log that does not verify, and none is made where there is none.
    let before = intact(&arguments.log)?.summary.rotations.len();
    let once = keys::Rotation::NEVER.at_open(true);
    arguments.secrets.give(Log::options())?.rotation(once).open(&arguments.log)?.close()?;
    let report = intact(&arguments.log)?;
    let Some(rotation) = report.summary.rotations.get(before..).and_then(<[_]>::last) else {
        bail!("{}: the next secret could not be kept, and the key was not replaced", arguments.log.display());
    };
    output.line(&rotation.verification_key)
}

fn seal(arguments: &SealLog, output: &mut Output<'_>) -> anyhow::Result<()> {
    let key = SealKey::generate()?;
    keys::create_seal(&arguments.log, &key)?;
    output.line(&key.to_text())
}

//! `audited check`: checks evidence of one entry, without the log.

use core::time::Duration;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use audit_core::evidence::{self, Checked, Cosigner};
use audit_core::note::VerificationKey;
use audit_core::policy::Policy;
use audit_core::time::Time;
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Exit;
use crate::output::Output;
use crate::text::{identifier, instant};

#[derive(Debug, Args)]
#[command(after_long_help = "\
The checkpoint in the file must rest on one of the keys: be signed by it, or by one that the rotations in the file lead
to from it. Pin the log's first key or its identity key, as audited key show printed it when the log was new. Every byte
of the file counts. A sealed value that the file discloses is shown if its digest stands at its place in the entry. What is
shown of the entry stands in the log's tree as the checkpoint states it; whether the log says the truth is for its owner to
tell; that it showed others no other tree, for witnesses: with --policy, a quorum of them must have cosigned the checkpoint.
Its `log` lines count as keys.

Examples:
  audited check 01a17cbd-e826-77ed-86a8-0e9a0a0ad21c.tlog-proof --key \"$KEY\"
  audited check receipt.tlog-proof --policy witnesses.policy
  audited check receipt.tlog-proof --key \"$KEY\" --json | jq .entry.record.action")]
pub(crate) struct Check {
    /// The .tlog-proof file; `-` for the standard input
    file: PathBuf,
    /// A key of the log, in the form name+id+key
    #[arg(long, value_name = "VKEY", required_unless_present = "policy")]
    key: Vec<VerificationKey>,
    /// Demand a quorum of the witnesses of this policy, in C2SP's form
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The account as it is printed.
#[derive(Serialize)]
struct Account<'a> {
    origin: &'a str,
    number: u64,
    record_id: String,
    checkpoint: Covered,
    key: String,
    signer: String,
    rotations: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cosigners: Vec<Saw<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disclosed: Vec<Revealed<'a>>,
    entry: &'a RawValue,
}

/// A sealed value of the entry that the file opens.
#[derive(Serialize)]
struct Revealed<'a> {
    path: &'a str,
    value: &'a RawValue,
}

/// A witness that cosigned the checkpoint.
#[derive(Serialize)]
struct Saw<'a> {
    name: &'a str,
    time: String,
}

#[derive(Serialize)]
struct Covered {
    size: u64,
    root: String,
}

pub(crate) fn execute(arguments: &Check, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let bytes = read(arguments)?;
    let policy = arguments.policy.as_deref().map(crate::policy::read).transpose()?;
    let is_keyless = |policy: &Policy| arguments.key.is_empty() && policy.logs().is_empty();
    ensure!(
        !policy.as_ref().is_some_and(is_keyless),
        "expected a key of the log, as --key or in the policy, found none"
    );
    let checked = match &policy {
        Some(policy) => evidence::check_cosigned(&bytes, &arguments.key, policy),
        None => evidence::check(&bytes, &arguments.key),
    };
    let checked = match checked {
        Ok(checked) => checked,
        Err(fault) => {
            output.warn(&format!("{}: refused: {fault}", arguments.file.display()));
            return Ok(Exit::Negative);
        }
    };
    let entry: &RawValue = serde_json::from_slice(&checked.entry)?;
    let mut account = Account::new(&checked, entry);
    for disclosed in &checked.disclosed {
        let value = serde_json::from_str(disclosed.disclosure.value())?;
        account.disclosed.push(Revealed { path: &disclosed.path, value });
    }
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the account as JSON")?)?;
    } else {
        account.lines().iter().try_for_each(|(name, text)| output.line(&format!("{name:<17}{text}")))?;
    }
    Ok(Exit::Success)
}

/// Reads no more than such a file may have, and one byte to see that there is more.
fn read(arguments: &Check) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = evidence::BYTES_MAX as u64 + 1;
    let read = if arguments.file.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(&arguments.file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("could not read {}", arguments.file.display()))?;
    Ok(bytes)
}

impl<'a> Account<'a> {
    fn new(checked: &'a Checked, entry: &'a RawValue) -> Self {
        let checkpoint = &checked.checkpoint;
        Self {
            origin: &checkpoint.origin,
            number: checked.number,
            record_id: checked.record_id.to_string(),
            checkpoint: Covered { size: checkpoint.size, root: audit_core::checkpoint::root_text(checkpoint.root) },
            key: checked.key.to_string(),
            signer: checked.signer.to_string(),
            rotations: checked.rotations,
            cosigners: checked.cosigners.iter().map(Saw::new).collect(),
            disclosed: Vec::new(),
            entry,
        }
    }

    /// What is printed for a person: names and texts.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let signer = match self.rotations {
            0 => format!("{}, the key given", self.signer),
            1 => format!("{}, 1 rotation after the key given", self.signer),
            count => format!("{}, {count} rotations after the key given", self.signer),
        };
        let mut lines = vec![
            ("origin", identifier(self.origin)),
            ("entry", format!("{}, in the tree of {} entries", self.number, self.checkpoint.size)),
            ("record", self.record_id.clone()),
            ("key given", self.key.clone()),
            ("signed by", signer),
        ];
        let cosigned =
            |saw: &Saw<'_>| ("cosigned by", format!("{}, {} by its clock", identifier(saw.name), instant(&saw.time)));
        lines.extend(self.cosigners.iter().map(cosigned));
        lines.push(("line", self.entry.get().to_owned()));
        for Revealed { path, value } in &self.disclosed {
            lines.push(("disclosed", format!("{path} {}", value.get())));
        }
        lines
    }
}

impl<'a> Saw<'a> {
    fn new(cosigner: &'a Cosigner) -> Self {
        Self { name: &cosigner.name, time: Time::from_unix(Duration::from_secs(cosigner.time)).to_string() }
    }
}

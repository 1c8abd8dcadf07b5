//! `audited prove`: makes the evidence of one entry, or shows that a log only grew.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use audit_core::evidence::{BYTES_MAX, Evidence};
use audit_core::id::RecordId;
use audit_store::proof::{Options, Tree, Which, prove_consistency};
use clap::Args;

use crate::Exit;
use crate::arguments::Secrets;
use crate::output::Output;
use crate::reveal::disclose;
use crate::ring::{By, Ring};
use crate::text::identifier;

#[derive(Debug, Args)]
#[command(after_long_help = "\
The file is one entry with the proof that it is in the tree of the log's newest checkpoint (C2SP tlog-proof). Whoever has
it checks it with a key of the log and nothing else: audited check. An entry can be proved once a checkpoint covers it,
within a second or when the log is closed. LOG alone is looked at, not the logs beside it. A file that is there already
is not replaced. With --policy the checkpoint is one that a quorum of witnesses cosigned, of those in LOG/anchors (audited
anchor); without it, it has whatever cosignatures lie there for it.

With --disclose the file also opens values that were sealed: whoever has it reads them, and checks without a key that they are
those of the record. That is recorded as log.read, in LOG or LOG.operator, before the file is written.

OLD and NEW are each the size of a tree, or a file with a checkpoint of the log; what is printed are both sizes and roots,
and the hashes of the proof that the first is the beginning of the second (RFC 6962).

Examples:
  audited prove audit 01a17cbd-e826-77ed-86a8-0e9a0a0ad21c
  audited prove audit --number 12 -o - | audited check - --key \"$KEY\"
  audited prove audit 01a17cbd-e826-77ed-86a8-0e9a0a0ad21c --disclose /request/arguments/customer/name \\
      --key-ring ring --tenant-key-env TENANT_KEY
  audited prove audit --number 12 --policy witnesses.policy
  audited prove audit --consistency checkpoint.of-yesterday 120000")]
pub(crate) struct Prove {
    /// The log's directory
    log: PathBuf,
    /// The record whose entry is proved
    #[arg(required_unless_present_any = ["number", "consistency"])]
    record_id: Option<RecordId>,
    /// Prove the entry of this number
    #[arg(long, value_name = "NUMBER", conflicts_with = "record_id")]
    number: Option<u64>,
    /// Write to this file, `-` for the standard output; <record id>.tlog-proof by default
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Add the rotations of the keys, so that the first key suffices where the log has an identity key, too
    #[arg(long)]
    rotations: bool,
    /// Take the newest checkpoint that a quorum of this policy cosigned, instead of the newest of all
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    disclose: Disclose,
    /// Prove that a tree of the log is the beginning of another
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["record_id", "number", "output", "rotations", "policy"])]
    consistency: Option<Vec<String>>,
}

/// Sealed values that go with the evidence.
#[derive(Debug, Args)]
pub(crate) struct Disclose {
    /// Open the value that is sealed at this JSON Pointer, for who is given the file; may be given several times
    #[arg(long, value_name = "POINTER", conflicts_with = "consistency")]
    pub(crate) disclose: Vec<String>,
    #[command(flatten)]
    pub(crate) ring: Ring,
    #[command(flatten)]
    pub(crate) by: By,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
}

pub(crate) fn execute(arguments: &Prove, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    if let Some([old, new]) = arguments.consistency.as_deref() {
        return consistency(&arguments.log, old, new, output);
    }
    let which = arguments.number.map(Which::Number).or(arguments.record_id.map(Which::Record));
    let which = which.context("expected the identifier of a record or a number, found neither")?;
    let mut options = Options::new().rotations(arguments.rotations);
    if let Some(file) = &arguments.policy {
        options = options.policy(crate::policy::read(file)?);
    }
    let mut evidence = match options.prove(&arguments.log, which) {
        Err(error) if error.is_not_found() => {
            output.warn(&error.to_string());
            return Ok(Exit::Negative);
        }
        evidence => evidence?,
    };
    if !arguments.disclose.disclose.is_empty() {
        evidence.disclose(disclose(&arguments.log, record_id(&evidence)?, &arguments.disclose)?)?;
    }
    let text = evidence.to_string();
    ensure!(text.len() <= BYTES_MAX, "expected evidence of at most {BYTES_MAX} bytes, found {}", text.len());
    let path = match &arguments.output {
        Some(path) if path.as_os_str() == "-" => {
            // The form has no character that acts on a terminal.
            text.lines().try_for_each(|line| output.line(line))?;
            return Ok(Exit::Success);
        }
        Some(path) => path.clone(),
        None => default_path(&evidence, which)?,
    };
    write_new(&path, &text)?;
    let file = path.display().to_string();
    output.line(&format!("{:<17}{}", "entry", evidence.index))?;
    output.line(&format!("{:<17}{}", "file", identifier(&file)))?;
    Ok(Exit::Success)
}

fn default_path(evidence: &Evidence, which: Which) -> anyhow::Result<PathBuf> {
    if let Which::Record(record_id) = which {
        return Ok(format!("{record_id}.tlog-proof").into());
    }
    Ok(format!("{}.tlog-proof", record_id(evidence)?).into())
}

fn record_id(evidence: &Evidence) -> anyhow::Result<RecordId> {
    let extra = evidence.parse_extra()?.context("expected the entry in its evidence, found none")?;
    let entry: serde_json::Value = serde_json::from_slice(&extra.entry)?;
    let record_id = entry.pointer("/record/record_id").and_then(serde_json::Value::as_str);
    // What the log holds must not choose another place for the file.
    Ok(record_id.context("expected a record with an identifier, found none")?.parse()?)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("could not create {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("could not write {}", path.display()))
}

fn consistency(log: &Path, old: &str, new: &str, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let proof = prove_consistency(log, &tree(old)?, &tree(new)?)?;
    proof.to_string().lines().try_for_each(|line| output.line(line))?;
    Ok(Exit::Success)
}

/// Takes a size, or a file with a checkpoint.
fn tree(text: &str) -> anyhow::Result<Tree> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Tree::Size).with_context(|| format!("expected a size below 2^64, found {text}"));
    }
    let note = fs::read_to_string(text).with_context(|| format!("could not read the checkpoint {text}"))?;
    Tree::of_note(&note).map_err(|reason| anyhow::anyhow!("{text}: {reason}"))
}

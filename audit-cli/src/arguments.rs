//! The arguments of each command.

use std::path::PathBuf;

use audit_core::note::VerificationKey;
use audit_core::vocabulary::Status;
use audit_store::query::{By, Pattern};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::check::Check;
use crate::erase::Erase;
use crate::export::Export;
use crate::key_ring::KeyRing;
use crate::lookup::Lookup;
use crate::policy::Policy;
use crate::prove::Prove;
use crate::reveal::Reveal;

/// Reads tamper-evident audit logs of AI agents.
#[derive(Debug, Parser)]
#[command(name = "audited", version, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  audited verify /var/lib/orders/audit
  audited show /var/lib/orders/audit --tool refund --outcome failure
  audited show /var/lib/orders/audit --action 'order.*' --json | jq .record.request.arguments
  audited timeline /var/lib/orders/audit --conversation conv_abc123
  audited stats /var/lib/orders/audit --by tool
  audited sites target/release/orders
  audited compact /var/lib/orders/audit
  audited recover /var/lib/orders/audit
  audited key new orders.key --name example.com/orders
  audited key show /var/lib/orders/audit
  audited policy diff audit.toml /var/lib/orders/audit
  audited export otlp /var/lib/orders/audit --endpoint http://localhost:4318
  audited prove /var/lib/orders/audit 01a17cbd-e826-77ed-86a8-0e9a0a0ad21c

Processes that write at the same time have a log each: LOG, LOG.1, LOG.2 and so on. verify, show, timeline and stats
take those beside LOG along, LOG.operator too, or read all logs in a directory: together, by time. Of their verdicts the
worst counts, and one that cannot be read is an error.

Exit codes:
  verify                 0 intact, 1 tampered, 2 unverifiable or an error
  show, timeline, stats  0 found, 1 nothing found or some lines cannot be read, 2 an error
  sites                  0 found, 1 nothing found, 2 an error
  compact                0 all full segments are compressed, 2 an error
  recover                0 the log is closed, 2 an error
  key, export            0 done, 1 the log to be sent was altered or is shorter than before, 2 an error
  lookup                 0 found, 1 nothing found or some lines cannot be read, 2 an error
  reveal                 0 all values are shown, 1 one of them cannot be, 2 an error
  erase                  0 erased, 1 there was nothing to erase, 2 an error
  prove                  0 proved, 1 there is no such entry, 2 an error
  anchor                 0 anchored, 1 an anchor refuses or has seen another log, 2 an error
  policy check           0 a policy, 1 none, 2 an error
  policy diff            0 compared, 1 some lines cannot be read, 2 an error
  check                  0 it holds, 1 it is refused, 2 an error";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check that the log is what was written, and name the first bad entry
    Verify(Verify),
    /// Show the records that match, one per line
    Show(Show),
    /// Show what a run or conversation did, one line per call
    Timeline(Timeline),
    /// Show how the calls went: counts, rates and durations
    Stats(Stats),
    /// Show which functions of a program are audited, and which are exempt
    Sites(Sites),
    /// Compress the full segments of a log that no process writes
    Compact(Compact),
    /// Make, show and replace the keys that sign checkpoints
    #[command(subcommand)]
    Key(Key),
    /// Make, show and rotate the keys by which values stay linkable, and can be read until they are erased
    #[command(subcommand)]
    KeyRing(KeyRing),
    /// Find the records that hold the token of a value
    Lookup(Lookup),
    /// Show sealed values of a record to who holds the key, and record that
    Reveal(Reveal),
    /// Destroy the keys of a subject, so that nothing that was sealed for it can be read again
    Erase(Erase),
    /// Make the evidence of one entry, that others check without the log
    Prove(Prove),
    /// Check evidence of one entry, without the log
    Check(Check),
    /// Write a log in the forms that the tools of others read
    #[command(subcommand)]
    Export(Export),
    /// Give the newest checkpoint of a log to witnesses and timestamp authorities, and keep what they give
    #[cfg(feature = "anchor")]
    Anchor(crate::anchor::Anchor),
    /// Check audit policies, and tell what a log would have held under one
    #[command(subcommand)]
    Policy(Policy),
    /// Finish a log whose process died, so that it holds all that was recorded
    Recover(Recover),
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Each log has a verdict of its own: LOG, those beside it (LOG.1, LOG.operator), or those in a directory.

With --from or --to only the entries of the range are checked, in LOG alone: their form, numbers and chain, and that
they rest on the entry before them. No root is compared and no other file is looked at.

The file of --resume is what the next verification goes on from. It is written over the entries that the checkpoint
covers, and every few seconds while there are more. What it says is believed: keep it where the log's writer cannot
write. The entries before its point are not read again and still count for the checkpoint's root. Of the logs beside
LOG each has its own: FILE.<name of the log>.

With --key every checkpoint must be signed by that key or by one that it vouched for; take it from `audited key show`
when the log is new, and keep it. With --policy a quorum of its witnesses must have cosigned a checkpoint; what they gave
is taken from LOG/anchors and from the copies. With --copy the log must agree with a checkpoint that was kept elsewhere, and with
--seal-key the seal must cover what is listed. With --timestamps-ca the program `openssl` must verify every timestamp in
LOG/anchors, and there must be one; that each is of a listed checkpoint is checked always. With --against-otlp each entry
that a receiver has must be as it is in the log, and the log must agree with all checkpoints that it has: one that was cut
or rewritten does not.

Examples:
  audited verify audit --progress
  audited verify audit --key example.com/orders+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
  audited verify audit --copy /mnt/other/orders.checkpoint --seal-key orders.seal-key
  audited verify audit --policy witnesses.policy
  audited verify audit --timestamps-ca authority.pem
  audited verify audit --against-otlp /mnt/collector/logs.jsonl
  audited verify audit --from 120000 --to 130000
  audited verify audit --resume /var/lib/auditor/orders.resume")]
pub(crate) struct Verify {
    /// The log's directory, or a directory of logs
    pub(crate) log: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Check a range: this entry is the first
    #[arg(long, value_name = "NUMBER", conflicts_with = "resume")]
    pub(crate) from: Option<u64>,
    /// Check a range: this entry is the last
    #[arg(long, value_name = "NUMBER", conflicts_with = "resume")]
    pub(crate) to: Option<u64>,
    /// Demand this key of C2SP's form, of the log or of one beside it; may be given several times
    #[arg(long, value_name = "VKEY", conflicts_with_all = ["from", "to"])]
    pub(crate) key: Vec<VerificationKey>,
    /// Demand the seal whose first key is in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    pub(crate) seal_key: Option<PathBuf>,
    /// Demand a quorum of the witnesses of this policy, in C2SP's form
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    pub(crate) policy: Option<PathBuf>,
    /// Demand timestamps of authorities whose root certificates are in this file, in PEM; `openssl` verifies them
    #[cfg(feature = "anchor")]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    pub(crate) timestamps_ca: Option<PathBuf>,
    /// Demand that the log agrees with the checkpoint in this file; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    pub(crate) copy: Vec<PathBuf>,
    /// Compare the log with what a receiver of OpenTelemetry has: OTLP JSON, one request in a line, as the file exporter of a
    /// collector writes it; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    pub(crate) against_otlp: Vec<PathBuf>,
    /// Go on where the verification stopped that wrote this file, and write it anew
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// Read with so many threads; one for each core by default
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Tell on the standard error how far it is, as on a terminal
    #[arg(long)]
    pub(crate) progress: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Several filters must all hold. A pattern may end with `*`: --action 'order.*'.

Examples:
  audited show audit --outcome failure --limit 10
  audited show audit --run run_01HZX --json | jq -c '[.record.time, .record.action]'")]
pub(crate) struct Show {
    /// The log's directory, or a directory of logs
    pub(crate) log: PathBuf,
    /// Print the lines as stored, one JSON object each; of several logs with the log's name as its member `log`
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this action; `order.*` means every action that begins with `order.`
    #[arg(long, value_parser = Pattern::parse)]
    pub(crate) action: Option<Pattern>,
    /// Only this tool; may end with `*`
    #[arg(long, value_parser = Pattern::parse)]
    pub(crate) tool: Option<Pattern>,
    /// Only records that state this outcome; what only began states none
    #[arg(long, value_parser = statuses())]
    pub(crate) outcome: Option<Status>,
    /// Only this run
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Only this conversation
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: Option<String>,
    /// Stop after this many matches
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

fn statuses() -> impl clap::builder::TypedValueParser<Value = Status> {
    let words = PossibleValuesParser::new(Status::ALL.iter().map(|status| status.as_str()));
    // The parser before this one lets nothing else pass.
    words.map(|word| Status::parse(&word).unwrap_or(Status::Unknown))
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").required(true).args(["conversation", "run"]))]
#[command(after_long_help = "\
Calls stand in the order in which they began, calls within calls indented:
  ✓ ok       it did what it should          ‼ panic    its body panicked
  ✗ FAIL     it did not                     − gone     it was dropped before its end
  ± part     it did some of it              ? lost     its process ended before it did
  ? unknown  nobody can tell how it ended   … open     no end is recorded
  ⊘ deny     it was refused                 ·          an event of the agent

Examples:
  audited timeline audit --conversation conv_abc123
  audited timeline audit --run run_01HZX")]
pub(crate) struct Timeline {
    /// The log's directory, or a directory of logs
    pub(crate) log: PathBuf,
    /// The conversation
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: Option<String>,
    /// The run
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Calls of which nobody knows how they ended (open, abandoned, cancelled) are unresolved; `success` is the share of the
others that succeeded, rounded down. Refused calls are counted apart. A percentile is the nearest rank.

Examples:
  audited stats audit --by tool
  audited stats audit --by user --json | jq '.groups[] | select(.failures > 0)'")]
pub(crate) struct Stats {
    /// The log's directory, or a directory of logs
    pub(crate) log: PathBuf,
    /// What to group the calls by
    #[arg(long, value_enum)]
    pub(crate) by: Option<Grouping>,
    /// Print one JSON object; durations are in nanoseconds
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Grouping {
    Tool,
    Action,
    User,
    Agent,
}

impl From<Grouping> for By {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Tool => Self::Tool,
            Grouping::Action => Self::Action,
            Grouping::User => Self::User,
            Grouping::Agent => Self::Agent,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
The program is read, not run. A function that the linker left out because nothing calls it is not in it.

Example:
  audited sites target/release/orders --json | jq -r '.sites[].action'")]
pub(crate) struct Sites {
    /// The program: an executable or a library
    pub(crate) binary: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
All segments but the last one, to which the next entry goes, are compressed with zstd; `zstd -d` gives back the plain
lines. No line changes, so the log verifies as before. Each segment is read back and compared before the plain one is
removed. It may be interrupted and done again. A log that a process writes is refused: it compresses its own segments.

Examples:
  audited compact /var/lib/orders/audit
  audited compact audit --json | jq '.bytes_after / .bytes_before'")]
pub(crate) struct Compact {
    /// The log's directory
    pub(crate) log: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
A process that is killed leaves its last records in the journal of its log, and calls without an end. The next process
that opens the log appends them; this command does the same without one. Nothing is done to a log that was closed, that
a process holds, or that does not verify. A log with keys is signed with those that it was opened with.

Examples:
  audited recover /var/lib/orders/audit")]
pub(crate) struct Recover {
    /// The log's directory
    pub(crate) log: PathBuf,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The secrets that a log's checkpoints are signed with.
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    /// The file of the secret that is replaced from time to time
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The environment variable that holds the secret that never changes
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) signer_env: Option<String>,
}

#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
A log is given its keys when it is created, by the program that writes it: Options::key_file, Options::signer. Whoever
knows the first key (`audited key show`) verifies all checkpoints with it.

Examples:
  audited key new /etc/orders/audit.key --name example.com/orders
  audited key show /var/lib/orders/audit
  audited key rotate /var/lib/orders/audit --key-file /etc/orders/audit.key
  audited key seal /var/lib/orders/audit > /media/safe/orders.seal-key")]
pub(crate) enum Key {
    /// Make a secret key in a new file, readable by its owner alone, and print its verification key
    New(NewKey),
    /// Print the verification keys of a log: the first, which is the one to pin, and those that followed it
    Show(ShowKeys),
    /// Replace the key of a log that no process writes, and destroy its secret
    Rotate(RotateKey),
    /// Make the seal of a log, new or closed, and print its first key, once: keep it where the log's writer cannot read
    Seal(SealLog),
}

#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// The file to make; there must be none
    pub(crate) file: PathBuf,
    /// The origin of the log, best as a domain and a path
    #[arg(long)]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ShowKeys {
    /// The log's directory
    pub(crate) log: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    /// The log's directory
    pub(crate) log: PathBuf,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
}

#[derive(Debug, Args)]
pub(crate) struct SealLog {
    /// The log's directory, which may not exist yet
    pub(crate) log: PathBuf,
}

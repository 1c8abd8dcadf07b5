//! What proofs cost: to keep the log's tree ready for them, to make one, and to check one.
//!
//! `cargo bench -p tests --bench proof` prints a table and writes `target/bench/proof.json`. Behind `--`: `--records
//! NUMBER` sets the length of the log, a million by default; `--full` is ten million (some GB on the disk), `--document`
//! writes `docs/proof-cost.md`.

#[path = "engine/clock.rs"]
#[expect(dead_code, reason = "shared with the benchmark of the engine")]
mod clock;
#[path = "proof/document.rs"]
mod document;
#[path = "engine/feed.rs"]
#[expect(dead_code, reason = "shared with the benchmark of the engine")]
mod feed;
#[path = "proof/log.rs"]
mod log;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use audit_core::evidence::{self, Evidence};
use audit_core::id::RecordId;
use audit_core::note::VerificationKey;
use audit_store::proof::{Which, prove};
use testkit::bench::{self, Subject, Table, Target, by_turns, median};

use crate::log::{Ids, Kind};

const ROUNDS: usize = 7;
const PROOFS: u64 = 200;

fn main() -> Result<()> {
    let mut records = 1_000_000;
    let mut writes = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--full" => records = 10_000_000,
            "--document" => writes = true,
            "--records" => records = arguments.next().unwrap_or_default().parse()?,
            // Cargo says so to every benchmark.
            "--bench" => {}
            _ => bail!("expected --full, --document or --records NUMBER, found {argument:?}"),
        }
    }
    let place = bench::directory().join("proof");
    let mut table = Table::default();
    appending(&place, records.min(2_000_000), &mut table)?;
    proofs(&place, records, &mut table)?;
    table.publish("proof")?;
    if writes { document::write(&table) } else { Ok(()) }
}

/// What signed checkpoints and tiles cost those who append.
fn appending(place: &Path, records: u64, table: &mut Table) -> Result<()> {
    table.heading(format!("{records} records of 500 bytes, until all are in segments; a checkpoint every second"));
    let rate = |kind: Kind| log::rate(place, kind, records);
    let mut bare = || rate(Kind::Bare);
    let mut signed = || rate(Kind::Signed);
    let mut tiled = || rate(Kind::SignedAndTiled);
    let mut subjects: [Subject<'_, anyhow::Error>; 3] = [&mut bare, &mut signed, &mut tiled];
    let rounds = by_turns(ROUNDS, &mut subjects)?;
    table.add("without key and tiles", rounds.median(0), "records/s", None);
    table.add("signed checkpoints", rounds.median(1), "records/s", None);
    table.add("signed checkpoints and tiles", rounds.median(2), "records/s", None);
    table.add("signed checkpoints / without", rounds.ratio(1, 0), "×", None);
    table.judge("signed checkpoints and tiles / without", rounds.ratio(2, 0), "×", Target::AtLeast(0.95));
    Ok(())
}

/// What a proof costs in a long log.
fn proofs(place: &Path, records: u64, table: &mut Table) -> Result<()> {
    let path = place.join("log");
    let (key, ids) = log::write(&path, records)?;
    table.heading(format!("Proofs of entries all over a log of {records}, sealed segments compressed"));
    let by_number = |index: u64| Which::Number(spread(index, records));
    let by_record = |index: u64| ids.record(spread(index, records)).map_or(Which::Number(0), Which::Record);
    let (number, longest) = proved(&path, by_number)?;
    let (record, _longest) = proved(&path, by_record)?;
    table.judge("made, by the entry's number", number, "ms", Target::AtMost(10.0));
    table.judge("made, by the record's identifier", record, "ms", Target::AtMost(10.0));
    #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
    let longest = longest as f64;
    table.judge("the longest file, less the entry in it", longest, "bytes", Target::AtMost(4096.0));
    let evidence = prove(&path, Which::Number(records / 3))?.to_string();
    table.judge("checked, on one core", checked(&evidence, &key)?, "proofs/s", Target::AtLeast(10_000.0));
    std::fs::remove_dir_all(place).context("the benchmark's logs cannot be removed")
}

/// Places all over a log.
const fn spread(index: u64, records: u64) -> u64 {
    index.wrapping_mul(0x9E37_79B9_7F4A_7C15) % records
}

/// Returns how many milliseconds a proof took, and how long the longest evidence is without its entry.
fn proved(path: &Path, which: impl Fn(u64) -> Which) -> Result<(f64, usize)> {
    let (mut times, mut longest) = (Vec::new(), 0);
    for index in 0..PROOFS {
        let which = which(index);
        let start = Instant::now();
        let evidence: Evidence = prove(path, which)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        let entry = evidence.parse_extra()?.context("expected an entry in the evidence")?.entry.len();
        longest = longest.max(evidence.to_string().len() - entry);
    }
    Ok((median(times), longest))
}

/// Returns how many proofs a second one thread checks, of its processor time.
fn checked(evidence: &str, key: &VerificationKey) -> Result<f64> {
    let keys = [key.clone()];
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let start = clock::thread_time();
        for _ in 0..2_000 {
            core::hint::black_box(evidence::check(core::hint::black_box(evidence.as_bytes()), &keys)?);
        }
        rates.push(2_000.0 / (clock::thread_time() - start) * 1e9);
    }
    Ok(median(rates))
}

impl Ids {
    /// Returns the record of an entry near a number.
    fn record(&self, number: u64) -> Option<RecordId> {
        let index = usize::try_from(number / log::IDS_EVERY).ok()?;
        self.0.get(index.min(self.0.len().saturating_sub(1))).copied()
    }
}

//! How many records a second go through the whole engine, from the journal over chain and tree into segments, beside what
//! hashing the same bytes costs alone.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use audited::Log;
use sha2::{Digest as _, Sha256};
use testkit::bench::{Subject, Table, Target, by_turns, median};

use crate::clock::{thread_time, time_of};
use crate::feed::{feed, segments};
use crate::settings::{Settings, remove};

const ROUNDS: usize = 5;

/// The thread that drains the journal, and so the one whose time limits the log.
const WRITER: &str = "audited-write";

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Result<()> {
    let records = settings.records;
    table.heading(format!("{records} records of 500 bytes, until all are in segments on {}", settings.file_system()));
    let kept = settings.fresh("sustained")?;
    let (mut of_hashing, mut of_writing) = (Vec::new(), Vec::new());
    let mut hashed = || {
        let hashed = hash(&kept)?;
        of_hashing.push(rate(records, hashed.of_processor));
        Ok(rate(records, hashed.seconds))
    };
    let mut one = || {
        let written = written(&settings.fresh("sustained")?, 1, records, false)?;
        of_writing.push(rate(records, written.of_writer));
        Ok(rate(records, written.seconds))
    };
    let discarded = |threads: u64, compresses: bool| {
        let path = settings.fresh("sustained-too")?;
        let written = written(&path, threads, records, compresses)?;
        remove(&path)?;
        Ok(rate(records, written.seconds))
    };
    let mut two = || discarded(2, false);
    let mut one_compressed = || discarded(1, true);
    let mut two_compressed = || discarded(2, true);
    let mut subjects: [Subject<'_, anyhow::Error>; 5] =
        [&mut one, &mut two, &mut hashed, &mut one_compressed, &mut two_compressed];
    let rounds = by_turns(ROUNDS, &mut subjects)?;
    table.add("bare SHA-256 over the lines, one core", rounds.median(2), "records/s", None);
    for (subject, threads) in [(0, "1 thread"), (1, "2 threads")] {
        let rate = rounds.median(subject);
        table.judge(&format!("chain, tree and segments, {threads}"), rate, "records/s", Target::AtLeast(1e6));
        let ratio = rounds.ratio(subject, 2);
        table.judge(&format!("chain, tree and segments, {threads} / SHA-256"), ratio, "×", Target::AtLeast(0.5));
    }
    table.add("the same, full segments compressed meanwhile, 1 thread", rounds.median(3), "records/s", None);
    table.add("the same, full segments compressed meanwhile, 2 threads", rounds.median(4), "records/s", None);
    let (hashing, writing) = (median(of_hashing), median(of_writing));
    table.add("bare SHA-256, by its processor time", hashing, "records/s", None);
    table.add("chain, tree and segments, by the writing thread's processor time", writing, "records/s", None);
    remove(&kept)
}

/// How long it took to write a log.
pub(crate) struct Written {
    seconds: f64,
    /// How long the writing thread was on a processor.
    of_writer: f64,
}

/// Appends records to a new log and waits until all are in segments.
pub(crate) fn written(path: &Path, threads: u64, records: u64, compresses: bool) -> Result<Written> {
    let log = Log::options().compress(compresses).open(path)?;
    let (start, writer) = (Instant::now(), time_of(WRITER));
    feed(&log, threads, records)?;
    log.flush()?;
    let written = Written { seconds: start.elapsed().as_secs_f64(), of_writer: (time_of(WRITER) - writer) / 1e9 };
    log.close()?;
    Ok(written)
}

/// How long it took to hash a log.
pub(crate) struct Hashed {
    pub(crate) seconds: f64,
    /// How long the thread was on a processor.
    pub(crate) of_processor: f64,
    pub(crate) bytes: u64,
}

/// Hashes the lines of a log, which are in memory by then, in one go.
pub(crate) fn hash(log: &Path) -> Result<Hashed> {
    let mut hasher = Sha256::new();
    let mut hashed = Hashed { seconds: 0.0, of_processor: 0.0, bytes: 0 };
    for segment in segments(log)? {
        let lines = std::fs::read(&segment)?;
        let (start, processor) = (Instant::now(), thread_time());
        hasher.update(&lines);
        hashed.seconds += start.elapsed().as_secs_f64();
        hashed.of_processor += (thread_time() - processor) / 1e9;
        hashed.bytes += lines.len() as u64;
    }
    core::hint::black_box(hasher.finalize());
    Ok(hashed)
}

#[expect(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
pub(crate) fn rate(records: u64, seconds: f64) -> f64 {
    records as f64 / seconds
}

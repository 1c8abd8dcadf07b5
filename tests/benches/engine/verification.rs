//! How fast a log is verified, beside hashing the same bytes.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use audit_store::verify::Options;
use testkit::bench::{Table, Target, by_turns, median};

use crate::clock::process_time;
use crate::settings::{Settings, remove};
use crate::sustained::{hash, written};

const ROUNDS: usize = 5;

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Result<()> {
    let path = settings.fresh("verification")?;
    written(&path, 1, settings.records, false)?;
    let bytes = hash(&path)?.bytes;
    table.heading(format!("Verification of {} entries, {} MB, root recomputed", settings.records, bytes / 1_000_000));
    let (mut of_hashing, mut of_verifying) = (Vec::new(), Vec::new());
    let mut hashed = || {
        let hashed = hash(&path)?;
        of_hashing.push(speed(bytes, hashed.of_processor));
        Ok(speed(bytes, hashed.seconds))
    };
    let mut one = || verified(&path, 1, bytes);
    let mut two = || {
        let start = process_time();
        let verified = verified(&path, 2, bytes)?;
        of_verifying.push(speed(bytes, (process_time() - start) / 1e9));
        Ok(verified)
    };
    let rounds = by_turns::<anyhow::Error>(ROUNDS, &mut [&mut hashed, &mut one, &mut two])?;
    table.add("SHA-256 (`sha2`) over the same bytes in one go, one core", rounds.median(0), "MB/s", None);
    table.add("verified, 1 thread", rounds.median(1), "MB/s", None);
    table.add("verified, 2 threads", rounds.median(2), "MB/s", None);
    table.add("verified, 1 thread / SHA-256", rounds.ratio(1, 0), "×", None);
    table.judge("verified, 2 threads / SHA-256", rounds.ratio(2, 0), "×", Target::AtLeast(1.4));
    table.judge("verified, 2 threads / 1 thread", rounds.ratio(2, 1), "×", Target::AtLeast(1.8));

    table.add("SHA-256, by its processor time", median(of_hashing), "MB/s", None);
    table.add("verified, by the processor time of both threads", median(of_verifying), "MB/s", None);

    audit_store::segment::compact(&path)?;
    let mut one = || verified(&path, 1, bytes);
    let mut two = || verified(&path, 2, bytes);
    let rounds = by_turns::<anyhow::Error>(ROUNDS, &mut [&mut one, &mut two])?;
    table.add("verified from compressed segments, 1 thread", rounds.median(0), "MB/s", None);
    table.add("verified from compressed segments, 2 threads", rounds.median(1), "MB/s", None);
    remove(&path)
}

/// Returns how many million bytes of lines a second are verified.
fn verified(path: &Path, threads: usize, bytes: u64) -> Result<f64> {
    let start = Instant::now();
    let report = Options::new().threads(threads).verify(path)?;
    let seconds = start.elapsed().as_secs_f64();
    if !report.is_intact() {
        bail!("expected an intact log, found {report:?}");
    }
    report.root.context("the root of an intact log is known")?;
    Ok(speed(bytes, seconds))
}

#[expect(clippy::cast_precision_loss, reason = "a speed is shown with a few digits")]
fn speed(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 / seconds / 1e6
}

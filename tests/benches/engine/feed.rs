//! Records of 500 bytes, as the library itself writes them, as fast as a log takes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use audit_core::port::AuditPort;
use audited::sink::{AppendErrorKind, Prepared, Receipt, Sink, WhenFull};
use audited::{AuditLayer, Log};
use testkit::Memory;
use tracing_subscriber::layer::SubscriberExt as _;

/// How long a record is.
pub(crate) const RECORD_BYTES: usize = 500;

/// How often each record is appended: making one costs more than appending it.
const REPEATED: u64 = 1_000;

/// Appends each record that it is given many times: a log sees no difference to as many records.
#[derive(Clone, Debug)]
struct Repeater {
    log: Log,
    times: u64,
}

impl Sink for Repeater {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        let prepared = prepared.when_full(WhenFull::Block);
        let unasked = prepared.unasked();
        for _ in 1..self.times {
            match self.log.append(&unasked).now() {
                Some(Err(fault)) if fault.kind() != AppendErrorKind::Unasked => return Receipt::ready(Err(fault)),
                _ => {}
            }
        }
        self.log.append(&prepared)
    }
}

/// Appends so many records from each of so many threads.
pub(crate) fn feed(log: &Log, threads: u64, records: u64) -> Result<()> {
    let filler = filler(RECORD_BYTES)?;
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| feed_here(log, &filler, records / threads))).collect();
        for worker in workers {
            match worker.join() {
                Ok(fed) => fed?,
                Err(_) => bail!("a feeding thread panicked"),
            }
        }
        Ok(())
    })
}

fn feed_here(log: &Log, filler: &str, records: u64) -> Result<()> {
    let times = REPEATED.min(records);
    let sink = Repeater { log: log.clone(), times };
    let layer = AuditLayer::new(AuditPort::new(Arc::new(sink)));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for _ in 0..records / times {
            record(filler)?;
        }
        Ok(())
    })
}

/// Records an event; the filler makes it as long as it is to be.
fn record(filler: &str) -> Result<()> {
    audited::event("decision.proposed").annotation("note", filler).record()?;
    Ok(())
}

/// Returns the text that makes a record so many bytes long.
fn filler(bytes: usize) -> Result<String> {
    let empty = one(String::new())?.len();
    let length = bytes.checked_sub(empty).with_context(|| format!("a record has at least {empty} bytes"))?;
    let mut state = 1_u32;
    let letters = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_digit(state >> 27, 32).unwrap_or('x')
    });
    Ok(letters.collect())
}

/// Returns the bytes of one record.
fn one(filler: String) -> Result<String> {
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || record(&filler))?;
    Ok(memory.text().trim_end().to_owned())
}

/// Returns a record of [`RECORD_BYTES`].
pub(crate) fn sample() -> Result<String> {
    let record = one(filler(RECORD_BYTES)?)?;
    if record.len() != RECORD_BYTES {
        bail!("expected a record of {RECORD_BYTES} bytes, found {}", record.len());
    }
    Ok(record)
}

/// Returns the segments of a log, in their order.
pub(crate) fn segments(log: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(log.join("segments"))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

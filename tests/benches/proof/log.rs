//! The logs that the benchmark writes.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use audit_core::id::{RandomIds, RecordId};
use audit_core::note::{SecretKey, VerificationKey};
use audit_core::time::{Clock as _, SystemClock};
use audit_core::vocabulary::Stage;
use audited::Log;
use audited::sink::{Prepared, Sink as _, WhenFull};

use crate::feed::feed;

const ORIGIN: &str = "example.com/orders";

/// Every so many entries the identifier is kept.
pub(crate) const IDS_EVERY: u64 = 1_000;

/// Which log is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Bare,
    Signed,
    SignedAndTiled,
}

/// Identifiers of records all over a log.
#[derive(Debug, Default)]
pub(crate) struct Ids(pub(crate) Vec<RecordId>);

fn secret() -> Result<SecretKey> {
    Ok(SecretKey::from_bytes(ORIGIN, &[7; 32])?)
}

/// Returns how many records a second go into a new log.
pub(crate) fn rate(place: &Path, kind: Kind, records: u64) -> Result<f64> {
    let path = place.join("appending");
    remove(&path)?;
    let options = Log::options().origin(ORIGIN).compress(false).tiles(matches!(kind, Kind::SignedAndTiled));
    let options = if matches!(kind, Kind::Bare) { options } else { options.signer(Arc::new(secret()?)) };
    let log = options.open(&path)?;
    let start = Instant::now();
    feed(&log, 1, records)?;
    log.flush()?;
    let seconds = start.elapsed().as_secs_f64();
    log.close()?;
    remove(&path)?;
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
    let records = records as f64;
    Ok(records / seconds)
}

/// Writes a log of records with identifiers of their own, and closes it.
pub(crate) fn write(path: &Path, records: u64) -> Result<(VerificationKey, Ids)> {
    remove(path)?;
    let secret = secret()?;
    let key = secret.verification_key()?;
    let log = Log::options().origin(ORIGIN).signer(Arc::new(secret)).open(path)?;
    let mut ids = Ids::default();
    for number in 0..records {
        let record_id = RecordId::new(&RandomIds, SystemClock.now());
        if number.is_multiple_of(IDS_EVERY) {
            ids.0.push(record_id);
        }
        let record = record(record_id, number);
        let prepared = Prepared::new(record.as_bytes(), Stage::Event).when_full(WhenFull::Block);
        let _unasked = log.append(&prepared.unasked()).now();
    }
    log.close()?;
    // What closing did not wait for the next opening makes up for.
    Log::options().signer(Arc::new(self::secret()?)).open(path)?.close()?;
    Ok((key, ids))
}

fn record(record_id: RecordId, number: u64) -> String {
    let random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!(
        concat!(
            r#"{{"action":"decision.proposed","actor":{{"agent":{{"id":"agent:support-7","name":"support"}}}},"#,
            r#""annotations":{{"city":"{:016x}","customer":"C-{}","note":"the refund is within the limit of the policy"}},"#,
            r#""correlation":{{"conversation_id":"conv_{:x}","run_id":"run_{:x}"}},"event_name":"decision.proposed","#,
            r#""observed_time":"2026-10-27T09:42:00.000456000Z","outcome":{{"effect":"none","status":"success"}},"#,
            r#""record_id":"{}","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00.000456000Z"}}"#
        ),
        random,
        random % 50_000,
        random >> 40,
        number / 50,
        record_id,
    )
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault.into()),
        _ => Ok(()),
    }
}

//! How many records a second are on the disk before their callers go on, beside SQLite and PostgreSQL.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Result, bail};
use audit_core::vocabulary::Stage;
use audited::sink::{Prepared, Sink as _};
use audited::{Durability, Log};
use testkit::bench::{Table, Target, by_turns};

use crate::feed;
use crate::peers::Peers;
use crate::settings::Settings;

const ROUNDS: usize = 5;
const CALLERS: usize = 64;
const TIME: Duration = Duration::from_secs(1);

pub(crate) fn measure(settings: &Settings, peers: &mut Peers, table: &mut Table) -> Result<()> {
    table.heading(format!("`disk`, {CALLERS} concurrent callers, records of 500 bytes on {}", settings.file_system()));
    let log = Log::options().durability(Durability::Disk).open(settings.fresh("disk")?)?;
    let record = feed::sample()?;
    let databases = settings.fresh("databases")?;
    let databases = databases.display();
    let requests = [
        ("SQLite", 10.0, format!("sqlite {CALLERS} {} {databases}", TIME.as_millis())),
        ("PostgreSQL", 5.0, format!("postgres {CALLERS} {} {databases}", TIME.as_millis())),
    ];
    for (peer, times, request) in &requests {
        let (measure, target) = (format!("`disk` / {peer}"), Target::AtLeast(*times));
        if let Err(reason) = peers.ask(request)? {
            table.absent(&measure, Some(target), reason);
            continue;
        }
        let mut ours = || committed(&log, &record);
        let mut theirs = || peers.insist(request);
        let rounds = by_turns(ROUNDS, &mut [&mut ours, &mut theirs])?;
        table.add(&format!("`disk`, beside {peer}"), rounds.median(0), "records/s", None);
        table.add(&format!("{peer}, one insert in a transaction"), rounds.median(1), "transactions/s", None);
        table.judge(&measure, rounds.ratio(0, 1), "×", target);
    }
    log.close()?;
    Ok(())
}

/// Returns how many records a second were on the disk, each caller waiting for its own before it goes on.
fn committed(log: &Log, record: &str) -> Result<f64> {
    let (stop, commits) = (AtomicBool::new(false), AtomicU64::new(0));
    let all = Barrier::new(CALLERS + 1);
    std::thread::scope(|scope| {
        let call = || -> Result<()> {
            let prepared = Prepared::new(record.as_bytes(), Stage::Proposed);
            all.wait();
            while !stop.load(Ordering::Relaxed) {
                log.append(&prepared).wait()?;
                commits.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        all.wait();
        let start = Instant::now();
        std::thread::sleep(TIME);
        let (committed, elapsed) = (commits.load(Ordering::Relaxed), start.elapsed());
        stop.store(true, Ordering::Relaxed);
        for caller in callers {
            match caller.join() {
                Ok(result) => result?,
                Err(_) => bail!("a calling thread panicked"),
            }
        }
        Ok(crate::sustained::rate(committed, elapsed.as_secs_f64()))
    })
}

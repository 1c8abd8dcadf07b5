//! What the log costs: a call, a stream of records, records that are on the disk, verification, room and memory.
//!
//! `cargo bench -p tests --bench engine` prints a table and writes `target/bench/engine.json`. Behind `--`: names of parts
//! run only those, `--records NUMBER` makes the logs that are timed longer or shorter, `--full` looks at the memory with
//! ten million records (8 GB on the disk where they do not compress), `--document` writes `docs/engine-cost.md`.
//!
//! The log is measured beside fastrace, SQLite and PostgreSQL, which `tests/compare/peers` runs. PostgreSQL is the
//! system's (on Debian, `apt-get install postgresql`); the benchmark starts a server of its own. What is absent is told
//! in its row.

#[path = "engine/allocations.rs"]
mod allocations;
#[path = "engine/calls.rs"]
mod calls;
#[path = "engine/clock.rs"]
mod clock;
#[path = "engine/disk.rs"]
mod disk;
#[path = "engine/document.rs"]
mod document;
#[path = "engine/feed.rs"]
mod feed;
#[path = "engine/memory.rs"]
mod memory;
#[path = "engine/peers.rs"]
mod peers;
#[path = "engine/rest.rs"]
mod rest;
#[path = "engine/settings.rs"]
mod settings;
#[path = "engine/sustained.rs"]
mod sustained;
#[path = "engine/verification.rs"]
mod verification;

use anyhow::Result;
use testkit::bench::Table;

use crate::peers::Peers;
use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if memory::is_child(&arguments)? {
        return Ok(());
    }
    let settings = Settings::parse(arguments.into_iter())?;
    settings.prepare()?;
    let mut peers = Peers::default();
    let versions = settings.document.then(|| peers.versions()).transpose()?;
    let table = measure(&settings, peers)?;
    settings.clean()?;
    table.publish("engine")?;
    versions.map_or(Ok(()), |versions| document::write(&settings, &versions, &table))
}

fn measure(settings: &Settings, mut peers: Peers) -> Result<Table> {
    let mut table = Table::default();
    if settings.wants("calls") {
        calls::measure(settings, &mut peers, &mut table)?;
    }
    if settings.wants("disk") {
        disk::measure(settings, &mut peers, &mut table)?;
    }
    // The database server ends: what follows is to have the machine to itself.
    drop(peers);
    if settings.wants("sustained") {
        sustained::measure(settings, &mut table)?;
    }
    if settings.wants("verification") {
        verification::measure(settings, &mut table)?;
    }
    if settings.wants("rest") {
        rest::measure(settings, &mut table)?;
    }
    if settings.wants("memory") {
        memory::measure(settings, &mut table)?;
    }
    Ok(table)
}

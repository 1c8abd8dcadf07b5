//! SQLite: WAL, `synchronous=FULL`, one insert in a transaction.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use rusqlite::Connection;

use crate::RECORD;
use crate::commits::Load;

/// Returns the transactions of one second.
///
/// All threads share one connection, in turn: SQLite has one writer at a time, and with a connection for each thread they
/// would also sleep and look again whenever it is taken, which was found to be slower by far.
pub(crate) fn round(load: &Load) -> Result<f64> {
    let path = load.directory.join("sqlite.db");
    for name in ["sqlite.db", "sqlite.db-wal", "sqlite.db-shm"] {
        match std::fs::remove_file(load.directory.join(name)) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => return Err(fault.into()),
            _ => {}
        }
    }
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("CREATE TABLE records (number INTEGER PRIMARY KEY, record TEXT NOT NULL)", [])?;
    let connection = Mutex::new(connection);
    let committers = (0..load.threads).map(|_| {
        || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            connection.prepare_cached("INSERT INTO records (record) VALUES (?1)")?.execute([RECORD])?;
            Ok(())
        }
    });
    load.run(committers.collect())
}

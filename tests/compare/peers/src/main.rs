//! What the log's benchmark is measured beside, in a process of its own: it does one round whenever it is told to, so that
//! the benchmark goes by turns.
//!
//! A request is a line on the standard input, its answer a line on the standard output: `ok` and a number, or `no` and
//! why. The process ends when its input does.
//! ```text
//! trace BURSTS CALLS PAUSE_US      nanoseconds of the thread's own time for one traced call
//! sqlite THREADS MS DIRECTORY      transactions a second
//! postgres THREADS MS DIRECTORY    transactions a second
//! versions                         the databases and their versions, instead of a number
//! ```

mod commits;
mod postgresql;
mod sqlite;
mod trace;

use core::time::Duration;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::commits::Load;
use crate::postgresql::Server;

/// What a row holds: a record of 500 bytes.
const RECORD: &str = include_str!("record.json");

fn main() -> Result<()> {
    let mut peers = Peers::default();
    for request in stdin().lock().lines() {
        let answer = match peers.answer(&request?) {
            Ok(answer) => format!("ok {answer}"),
            Err(fault) => format!("no {}", format!("{fault:#}").replace('\n', " ")),
        };
        writeln!(stdout().lock(), "{answer}")?;
        stdout().lock().flush()?;
    }
    Ok(())
}

/// What is kept from one round to the next.
#[derive(Default)]
struct Peers {
    tracer: Option<trace::Tracer>,
    server: Option<Server>,
}

impl Peers {
    fn answer(&mut self, request: &str) -> Result<String> {
        let words: Vec<&str> = request.splitn(4, ' ').collect();
        if words == ["versions"] {
            let postgresql = postgresql::version().unwrap_or_else(|_| "absent".to_owned());
            return Ok(format!("SQLite {}, PostgreSQL {postgresql}", rusqlite::version()));
        }
        self.round(&words).map(|number| number.to_string())
    }

    fn round(&mut self, words: &[&str]) -> Result<f64> {
        match *words {
            ["trace", bursts, calls, pause_us] => {
                let pause = Duration::from_micros(pause_us.parse()?);
                self.tracer.get_or_insert_with(trace::Tracer::new).round(bursts.parse()?, calls.parse()?, pause)
            }
            ["sqlite", threads, ms, directory] => sqlite::round(&load(threads, ms, directory)?),
            ["postgres", threads, ms, directory] => {
                let load = load(threads, ms, directory)?;
                if self.server.is_none() {
                    self.server = Some(Server::start(&load.directory)?);
                }
                self.server.as_ref().context("the server was started")?.round(&load)
            }
            _ => bail!("expected a request, found {words:?}"),
        }
    }
}

fn load(threads: &str, ms: &str, directory: &str) -> Result<Load> {
    let directory = PathBuf::from(directory);
    std::fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    Ok(Load { directory, threads: threads.parse()?, time: Duration::from_millis(ms.parse()?) })
}

//! Observes `#[logcall]` through a logger.

use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
pub use probe_common::*;
use serde_json::{Value, json};

#[derive(Debug)]
struct Line {
    text: String,
    /// How many bodies had run when the line was written.
    bodies: usize,
}

struct Lines(Mutex<Vec<Line>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        let line = Line { text: record.args().to_string(), bodies: bodies::ran() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

/// Called by each body.
pub fn body() {
    bodies::note(false);
}

/// Runs a shape and tells what was seen of it: a body counts as inside if the last line was written after it.
pub fn observe(run: impl FnOnce()) -> Value {
    // The first logger stays, and this is the only one.
    if log::set_logger(&LINES).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
    run();
    let lines = LINES.0.lock().unwrap_or_else(PoisonError::into_inner);
    let arguments: Vec<&str> = lines.iter().flat_map(|line| names(&line.text)).collect();
    let inside = lines.last().map_or(0, |line| line.bodies);
    json!({
        "calls": lines.len(), "bodies": bodies::ran(), "inside": inside, "arguments": arguments,
        "result": lines.iter().any(|line| line.text.contains(") => ")),
    })
}

/// The names of the arguments in `path::function(first = 1, second = "2") => result`.
fn names(line: &str) -> Vec<&str> {
    let arguments = line.split_once('(').map_or("", |(_, rest)| rest);
    arguments.split(" = ").filter_map(|before| before.rsplit([' ', '(']).next()).collect()
}

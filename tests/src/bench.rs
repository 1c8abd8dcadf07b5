//! What all benchmarks share: alternating rounds, medians, a table, and a file for machines.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::workspace;

/// How many rounds are measured; the median counts.
pub const ROUNDS: usize = 9;

/// The numbers of one benchmark.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<(String, Row)>,
}

#[derive(Debug)]
struct Row {
    value: f64,
    unit: &'static str,
    /// The most that the value should be.
    target: Option<f64>,
}

impl Table {
    /// Adds a measure; with a target it is to be at most that.
    pub fn add(&mut self, measure: &str, value: f64, unit: &'static str, target: Option<f64>) {
        self.rows.push((measure.to_owned(), Row { value, unit, target }));
    }

    /// Prints the table and writes `target/bench/<name>.json`: `{measure: {value, unit, target, ok}}`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, name: &str) -> std::io::Result<()> {
        let widest = self.rows.iter().map(|(measure, _)| measure.len()).max().unwrap_or_default();
        let mut measures = Map::new();
        for (measure, Row { value, unit, target }) in &self.rows {
            let ok = target.is_none_or(|target| *value <= target);
            let goal = target.map(|target| format!("  target ≤ {target} {}", if ok { "ok" } else { "MISSED" }));
            #[expect(clippy::print_stdout, reason = "a benchmark is there to be read")]
            {
                println!("{measure:<widest$}  {value:>10.3} {unit}{}", goal.unwrap_or_default());
            }
            measures.insert(measure.clone(), json!({"value": value, "unit": unit, "target": target, "ok": ok}));
        }
        let path = file(name);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, format!("{:#}\n", Value::Object(measures)))
    }
}

fn file(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    target.join("bench").join(format!("{name}.json"))
}

/// Runs all subjects by turns, [`ROUNDS`] times after one round that does not count, `calls` calls each; returns the
/// median nanoseconds of one call for each.
pub fn alternate(calls: u32, subjects: &mut [&mut dyn FnMut(u32)]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(ROUNDS); subjects.len()];
    for round in 0..=ROUNDS {
        for (subject, times) in subjects.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (0..calls).for_each(&mut *subject);
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
            }
        }
    }
    times.into_iter().map(median).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

//! What all benchmarks share: alternating rounds, medians, a table, and a file for machines.

use core::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::workspace;

/// How many rounds are measured; the median counts.
pub const ROUNDS: usize = 9;

/// The numbers of one benchmark.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Heading(String),
    Measured { measure: String, value: f64, unit: &'static str, target: Option<Target> },
    Absent { measure: String, target: Option<Target>, reason: String },
}

/// What a measure is to be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// This much or less.
    AtMost(f64),
    /// This much or more.
    AtLeast(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    fn json(self) -> (f64, &'static str) {
        match self {
            Self::AtMost(most) => (most, "at most"),
            Self::AtLeast(least) => (least, "at least"),
        }
    }
}

impl core::fmt::Display for Target {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {}", number(*most)),
            Self::AtLeast(least) => write!(f, "≥ {}", number(*least)),
        }
    }
}

impl Table {
    /// Begins a group of measures.
    pub fn heading(&mut self, heading: impl Into<String>) {
        self.rows.push(Row::Heading(heading.into()));
    }

    /// Adds a measure; with a target it is to be at most that.
    pub fn add(&mut self, measure: &str, value: f64, unit: &'static str, target: Option<f64>) {
        self.push(measure, value, unit, target.map(Target::AtMost));
    }

    /// Adds a measure that has a target.
    pub fn judge(&mut self, measure: &str, value: f64, unit: &'static str, target: Target) {
        self.push(measure, value, unit, Some(target));
    }

    /// Adds a measure that could not be taken, and why.
    pub fn absent(&mut self, measure: &str, target: Option<Target>, reason: impl Into<String>) {
        self.rows.push(Row::Absent { measure: measure.to_owned(), target, reason: reason.into() });
    }

    fn push(&mut self, measure: &str, value: f64, unit: &'static str, target: Option<Target>) {
        self.rows.push(Row::Measured { measure: measure.to_owned(), value, unit, target });
    }

    /// Prints the table and writes `target/bench/<name>.json`: `{measure: {value, unit, target, bound, ok}}`, or
    /// `{measure: {absent, target, bound, ok: null}}` for what could not be measured.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, name: &str) -> std::io::Result<()> {
        let measures = self.rows.iter().map(|row| match row {
            Row::Heading(_) => 0,
            Row::Measured { measure, .. } | Row::Absent { measure, .. } => measure.chars().count(),
        });
        let widest = measures.max().unwrap_or_default();
        for row in &self.rows {
            #[expect(clippy::print_stdout, reason = "a benchmark is there to be read")]
            {
                println!("{}", row.text(widest));
            }
        }
        let path = directory().join(format!("{name}.json"));
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let measures: Map<String, Value> = self.rows.iter().filter_map(Row::json).collect();
        std::fs::write(path, format!("{:#}\n", Value::Object(measures)))
    }

    /// Returns the groups as Markdown, each a heading and a table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let _infallible = match row {
                Row::Heading(heading) => {
                    write!(text, "\n## {heading}\n| measure | value | target | |\n|---|--:|--:|---|\n")
                }
                Row::Measured { measure, value, unit, target } => {
                    let (bound, verdict) = target.map_or_else(Default::default, |target| {
                        (target.to_string(), if target.is_met(*value) { "met" } else { "**MISSED**" })
                    });
                    writeln!(text, "| {measure} | {} {unit} | {bound} | {verdict} |", number(*value))
                }
                Row::Absent { measure, target, reason } => {
                    let bound = target.map(|target| target.to_string()).unwrap_or_default();
                    writeln!(text, "| {measure} |  | {bound} | not measured: {reason} |")
                }
            };
        }
        text
    }
}

impl Row {
    fn text(&self, widest: usize) -> String {
        match self {
            Self::Heading(heading) => format!("\n{heading}"),
            Self::Measured { measure, value, unit, target } => {
                let goal = target
                    .map(|target| format!("  target {target} {}", if target.is_met(*value) { "ok" } else { "MISSED" }));
                format!("{measure:<widest$}  {:>12} {unit}{}", number(*value), goal.unwrap_or_default())
            }
            Self::Absent { measure, reason, .. } => format!("{measure:<widest$}  not measured: {reason}"),
        }
    }

    fn json(&self) -> Option<(String, Value)> {
        let bound = |target: &Option<Target>| target.map(Target::json).unzip();
        match self {
            Self::Heading(_) => None,
            Self::Measured { measure, value, unit, target } => {
                let ok = target.is_none_or(|target| target.is_met(*value));
                let (target, bound) = bound(target);
                let row = json!({"value": value, "unit": unit, "target": target, "bound": bound, "ok": ok});
                Some((measure.clone(), row))
            }
            Self::Absent { measure, target, reason } => {
                let (target, bound) = bound(target);
                Some((measure.clone(), json!({"absent": reason, "target": target, "bound": bound, "ok": null})))
            }
        }
    }
}

/// Writes a number as one reads it: large ones without a fraction and with their thousands apart.
fn number(value: f64) -> String {
    if value.abs() < 1_000.0 {
        let text = format!("{value:.3}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the directory that benchmarks write to: `bench` in cargo's target directory.
#[must_use]
pub fn directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    target.join("bench")
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

/// Something that is measured: what one round of it comes to.
pub type Subject<'a, E> = &'a mut dyn FnMut() -> Result<f64, E>;

/// What each subject came to in each round.
#[derive(Debug)]
pub struct Rounds(Vec<Vec<f64>>);

/// Runs all subjects by turns, so many times after one round that does not count.
///
/// # Errors
/// As the first subject that fails.
pub fn by_turns<E>(rounds: usize, subjects: &mut [Subject<'_, E>]) -> Result<Rounds, E> {
    let mut values = vec![Vec::with_capacity(rounds); subjects.len()];
    for round in 0..=rounds {
        for (subject, values) in subjects.iter_mut().zip(&mut values) {
            let value = subject()?;
            if round > 0 {
                values.push(value);
            }
        }
    }
    Ok(Rounds(values))
}

impl Rounds {
    /// Returns the median of a subject, by its place among them.
    #[must_use]
    pub fn median(&self, subject: usize) -> f64 {
        median(self.of(subject).collect())
    }

    /// Returns the median over the rounds of what one subject came to, divided by what another one did in the same round.
    #[must_use]
    pub fn ratio(&self, subject: usize, to: usize) -> f64 {
        median(self.of(subject).zip(self.of(to)).map(|(value, base)| value / base).collect())
    }

    /// Returns the median over the rounds of how much more one subject came to than another one in the same round.
    #[must_use]
    pub fn difference(&self, subject: usize, to: usize) -> f64 {
        median(self.of(subject).zip(self.of(to)).map(|(value, base)| value - base).collect())
    }

    fn of(&self, subject: usize) -> impl Iterator<Item = f64> + '_ {
        self.0.get(subject).into_iter().flatten().copied()
    }
}

/// Returns the median.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_compared_with_their_own_round() {
        let (mut load, mut other) = (0.0, 0.0);
        let mut subject = || {
            load += 1.0;
            Ok::<f64, ()>(load * 3.0)
        };
        let mut base = || {
            other += 1.0;
            Ok(other)
        };
        let rounds = by_turns(5, &mut [&mut subject, &mut base]).unwrap();
        // The first of six rounds does not count.
        assert_eq!((rounds.median(0), rounds.median(1)), (12.0, 4.0));
        assert_eq!((rounds.ratio(0, 1), rounds.difference(0, 1)), (3.0, 8.0));
    }

    #[test]
    fn numbers_are_written_to_be_read() {
        for (value, text) in
            [(0.25, "0.25"), (3.0, "3"), (999.5, "999.5"), (1_000_000.4, "1,000,000"), (12_345.0, "12,345")]
        {
            assert_eq!(number(value), text);
        }
    }
}

//! The document that the benchmark writes.

use anyhow::{Context as _, Result};
use testkit::bench::Table;
use testkit::workspace;

use crate::settings::Settings;

/// Written by hand: what stands behind the numbers that miss their target.
const REMARKS: &str = include_str!("remarks.md");

/// Writes `docs/engine-cost.md`.
pub(crate) fn write(settings: &Settings, versions: &str, table: &Table) -> Result<()> {
    let text = format!(
        "# What the log costs\n\n\
         Made by `cargo bench -p tests --bench engine -- --full --document`; no number in the tables is written by hand.\n\
         {}, {versions}. {}, {} processors, files on {}.\n\n\
         Everything is measured in one run, by turns; medians of at least five rounds, and the median of each round's\n\
         ratio. A line holds the record of 500 bytes and its place in the chain.\n{}\n{REMARKS}",
        compiler()?,
        processor(),
        std::thread::available_parallelism()?,
        settings.file_system(),
        table.markdown(),
    );
    let path = workspace().join("docs/engine-cost.md");
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn compiler() -> Result<String> {
    let output = std::process::Command::new("rustc").arg("--version").output().context("rustc cannot be run")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    line.map_or("an unknown processor", |(_, name)| name).to_owned()
}

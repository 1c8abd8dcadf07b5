//! The document that the benchmark writes.

use anyhow::{Context as _, Result};
use testkit::bench::Table;
use testkit::workspace;

/// Writes `docs/proof-cost.md`.
pub(crate) fn write(table: &Table) -> Result<()> {
    let compiler = std::process::Command::new("rustc").arg("--version").output().context("rustc cannot be run")?;
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let text = format!(
        "# What proofs cost\n\n\
         Made by `cargo bench -p tests --bench proof -- --full --document`; no number in the tables is written by hand.\n\
         {}. {}, {} processors.\n\n\
         Rates are measured by turns, medians of seven rounds and the median of each round's ratio. Each proof opens the\n\
         log anew, whose files the system has in memory; the median of 200 counts.\n{}",
        String::from_utf8(compiler.stdout)?.trim(),
        processor.map_or("an unknown processor", |(_, name)| name),
        std::thread::available_parallelism()?,
        table.markdown(),
    );
    let path = workspace().join("docs/proof-cost.md");
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

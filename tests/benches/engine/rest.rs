//! How much room the log of the recorded airline runs takes once its segment is compressed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use audited::Log;
use testkit::bench::{Table, Target};
use testkit::{outside_data, workspace};

use crate::feed::segments;
use crate::settings::{Settings, remove};

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Result<()> {
    table.heading("At rest, the log of the recorded airline runs");
    let of_lines = ("compressed segment / its lines", Target::AtMost(0.2));
    let of_whole = ("compressed segment / `zstd -3` of the whole file", Target::AtMost(1.15));
    let Some(data) = outside_data("AUDITED_DATA", "data/airline") else {
        for (measure, target) in [of_lines, of_whole] {
            table.absent(measure, Some(target), "the runs are absent; AUDITED_DATA names their directory");
        }
        return Ok(());
    };
    let log = settings.fresh("rest")?;
    replay(&data.join("calls.jsonl"), &log)?;
    let [plain] = &segments(&log)?[..] else { bail!("expected one segment") };
    let lines = std::fs::read(plain)?;
    let whole = zstd::bulk::compress(&lines, 3)?;
    // An entry more does not fit: it begins the next segment, and the first one can be sealed.
    Log::options().segment_bytes_max(1).open(&log)?.close()?;
    audit_store::segment::compact(&log)?;
    let sealed = plain.with_extension("jsonl.zst");
    let sealed = std::fs::metadata(&sealed).with_context(|| format!("{} is absent", sealed.display()))?.len();

    let (lines, whole, sealed) = (size(lines.len())?, size(whole.len())?, size(usize::try_from(sealed)?)?);
    table.add("lines", lines, "bytes", None);
    table.add("`zstd -3` of the whole file", whole, "bytes", None);
    table.add("compressed segment, frames and index", sealed, "bytes", None);
    table.judge(of_lines.0, sealed / lines, "×", of_lines.1);
    table.judge(of_whole.0, sealed / whole, "×", of_whole.1);
    remove(&log)
}

fn size(bytes: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(bytes)?))
}

/// Lets the example replay the runs, as a user would.
fn replay(calls: &Path, log: &Path) -> Result<()> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--package", "examples", "--example", "support_agent", "--", "--calls"])
        .arg(calls)
        .arg("--log")
        .arg(log)
        .current_dir(workspace())
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("the example failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

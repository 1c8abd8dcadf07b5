//! How much memory a process takes that appends, and one that verifies: this benchmark again, started for that alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use audited::Log;
use testkit::bench::{Table, Target};

use crate::feed::feed;
use crate::settings::{Settings, remove};

const APPEND: &str = "--append";
const VERIFY: &str = "--verify";

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Result<()> {
    let records = settings.memory_records;
    table.heading(format!("Most memory resident, {records} records of 500 bytes"));
    let path = settings.fresh("memory")?;
    let appending = peak(&[APPEND, &records.to_string()], &path)?;
    table.judge(&format!("{records} records appended"), appending, "MiB", Target::AtMost(64.0));
    let verifying = peak(&[VERIFY], &path)?;
    table.judge(&format!("{records} records verified"), verifying, "MiB", Target::AtMost(64.0));
    remove(&path)
}

/// Does what this process was started for, if that is to append or to verify; returns whether it was.
pub(crate) fn is_child(arguments: &[String]) -> Result<bool> {
    match arguments {
        [mode, records, path] if mode == APPEND => {
            let log = Log::open(path)?;
            feed(&log, 2, records.parse()?)?;
            log.close()?;
        }
        [mode, path] if mode == VERIFY => {
            let report = audited::verify_log(path)?;
            if !report.is_intact() {
                bail!("expected an intact log, found {report:?}");
            }
        }
        _ => return Ok(false),
    }
    #[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
    {
        println!("{}", resident_most()?);
    }
    Ok(true)
}

/// Starts this benchmark once more; returns the most MiB that it had resident.
fn peak(mode: &[&str], path: &Path) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?).args(mode).arg(path).output()?;
    if !output.status.success() {
        bail!("{mode:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let kib: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(kib / 1024.0)
}

/// The most KiB that this process had resident, mapped files included.
fn resident_most() -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status").context("the system tells no process's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("expected the line VmHWM")?;
    Ok(kib.to_owned())
}

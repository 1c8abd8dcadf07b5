//! The measuring: wall clock of the compiler, sizes of what comes out, depths that it takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::subjects::{self, FUNCTIONS, Kind, LIBRARIES, Outermost, Subject};
use crate::toolchain::{Profile, Toolchain, generated};

/// How many times each crate is compiled; the best counts.
pub(crate) const ROUNDS: usize = 3;

/// What one attribute costs on [`FUNCTIONS`] functions.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) subject: Subject,
    /// Seconds to compile the crate, by the clock.
    pub(crate) seconds: f64,
    /// Seconds that the processors worked for it, which other work on the machine disturbs less.
    pub(crate) processor_seconds: f64,
    /// Bytes of machine code of the crate.
    pub(crate) text: u64,
    /// Bytes of code and constant data, unwinding tables included: what `size` calls text.
    pub(crate) size: u64,
}

/// Compiles the crate of each subject by turns.
pub(crate) fn crates(toolchain: &Toolchain, profile: Profile, kind: Kind) -> Result<Vec<Cost>> {
    let directory = generated("cost")?;
    let mut costs = Vec::new();
    for (index, subject) in subjects::SUBJECTS.into_iter().enumerate() {
        let source = directory.join(format!("{}_{}_{index}.rs", kind.name(), profile.name()));
        std::fs::write(&source, subjects::source(kind, subject))?;
        costs.push((
            source,
            Cost { subject, seconds: f64::INFINITY, processor_seconds: f64::INFINITY, text: 0, size: 0 },
        ));
    }
    for _ in 0..ROUNDS {
        for (source, cost) in &mut costs {
            let (start, worked) = (Instant::now(), processor_seconds()?);
            compile(toolchain, source, "rlib")?;
            cost.seconds = cost.seconds.min(start.elapsed().as_secs_f64());
            cost.processor_seconds = cost.processor_seconds.min(processor_seconds()? - worked);
        }
    }
    costs.into_iter().map(|(source, cost)| measured(&source.with_extension("rlib"), cost)).collect()
}

/// The processor time of all processes that this one started and that have ended, by `proc_pid_stat(5)`: the fields
/// `cutime` and `cstime`, in hundredths of a second.
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("the processor time is read from /proc")?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let hundredths = after_name.split_whitespace().skip(13).take(2).map(str::parse::<f64>);
    Ok(hundredths.sum::<core::result::Result<f64, _>>()? / 100.0)
}

/// Adds the sizes.
fn measured(library: &Path, cost: Cost) -> Result<Cost> {
    let sections = run(Command::new("size").arg("-A").arg(library))?;
    let text = sum(&sections, |line| {
        let mut words = line.split_whitespace();
        words.next().filter(|name| name.starts_with(".text")).and(words.next())
    });
    let sizes = run(Command::new("size").arg(library))?;
    let size = sum(&sizes, |line| line.split_whitespace().next());
    Ok(Cost { text, size, ..cost })
}

fn sum<'a>(lines: &'a str, number: impl Fn(&'a str) -> Option<&'a str>) -> u64 {
    lines.lines().filter_map(|line| number(line)?.parse::<u64>().ok()).sum()
}

/// Returns the size of the future of an async function.
pub(crate) fn future_size(toolchain: &Toolchain, subject: Subject) -> Result<u64> {
    let source = generated("cost")?.join("future.rs");
    std::fs::write(&source, subjects::future_size(subject))?;
    let program = compile(toolchain, &source, "bin")?;
    Ok(run(&mut Command::new(program))?.trim().parse()?)
}

/// How deep nesting is tried at most.
pub(crate) const DEPTH_MAX: u32 = 512;

/// Returns the deepest nesting of async functions that compiles and runs.
pub(crate) fn depth(toolchain: &Toolchain, subject: Subject, outermost: Outermost) -> Result<u32> {
    let source = generated("cost")?.join("nested.rs");
    let (mut works, mut fails) = (0, DEPTH_MAX + 1);
    while fails - works > 1 {
        let middle = works.midpoint(fails);
        std::fs::write(&source, subjects::nested(subject, outermost, middle))?;
        let compiled = compile(toolchain, &source, "bin");
        if compiled.is_ok_and(|program| run(&mut Command::new(program)).is_ok()) {
            works = middle;
        } else {
            fails = middle;
        }
    }
    Ok(works)
}

fn compile(toolchain: &Toolchain, source: &Path, kind: &str) -> Result<PathBuf> {
    let mut rustc = toolchain.rustc();
    for library in LIBRARIES {
        toolchain.give(&mut rustc, library, library)?;
    }
    let out = source.with_extension(kind);
    rustc.args(["--cap-lints=allow", "--crate-type", kind, "--crate-name=measured"]).arg("-o").arg(&out).arg(source);
    run(&mut rustc)?;
    Ok(out)
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot be run"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

impl Cost {
    /// Microseconds of compilation that one function costs beyond the same without an attribute.
    pub(crate) fn time_per_function(&self, bare: &Self) -> f64 {
        (self.seconds - bare.seconds) * 1e6 / f64::from(FUNCTIONS)
    }

    /// Bytes of machine code that one function costs beyond the same without an attribute.
    pub(crate) fn text_per_function(&self, bare: &Self) -> f64 {
        difference(self.text, bare.text) / f64::from(FUNCTIONS)
    }

    /// Bytes of code and constants that one function costs beyond the same without an attribute.
    pub(crate) fn size_per_function(&self, bare: &Self) -> f64 {
        difference(self.size, bare.size) / f64::from(FUNCTIONS)
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of one crate are far below 2^52")]
fn difference(larger: u64, smaller: u64) -> f64 {
    larger as f64 - smaller as f64
}

//! The document of the costs.

use core::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::measure::{Cost, DEPTH_MAX, ROUNDS};
use super::subjects::{self, FUNCTIONS, Kind, Subject};
use super::{Costs, Futures};
use crate::toolchain::{self, Profile};

/// Writes `docs/expansion-cost.md`.
pub(crate) fn write(costs: &Costs) -> Result<()> {
    let mut text = head()?;
    targets(&mut text, costs)?;
    text.push_str(REMAINS);
    for (kind, profile, rows) in &costs.crates {
        table(&mut text, *kind, *profile, rows)?;
    }
    futures(&mut text, costs)?;
    let path = toolchain::docs().join("expansion-cost.md");
    std::fs::write(&path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
    print!("{text}");
    Ok(())
}

fn head() -> Result<String> {
    let version = toolchain::version;
    Ok(format!(
        "# What the expansion costs

Made by `cargo run --release -- cost` in `tests/compare`; no number is written by hand. {compiler}, fastrace {fastrace},
tracing {tracing}.

A crate of {FUNCTIONS} functions with three parameters (`u32`, `&str`, a struct that derives `Debug` and `Serialize`) that
return a `Result`, compiled by the command that cargo gives to rustc, without incremental compilation, by turns; the best
of {ROUNDS} counts. *Per function* is the difference to the same crate without attributes, divided by {FUNCTIONS}. `text`
is machine code; `size` adds constant data and unwinding tables, and counts the crate's own objects, not the libraries'.
",
        compiler = toolchain::compiler()?,
        fastrace = version("fastrace")?,
        tracing = version("tracing")?,
    ))
}

/// One target, and what was measured.
struct Target {
    what: String,
    measured: f64,
    limit: f64,
    /// The value is to be at least the limit, not at most.
    at_least: bool,
}

impl Target {
    const fn is_met(&self) -> bool {
        if self.at_least { self.measured >= self.limit } else { self.measured <= self.limit }
    }
}

fn targets(text: &mut String, costs: &Costs) -> Result<()> {
    text.push_str("\n## Targets\n| target | measured | limit | |\n|---|--:|--:|---|\n");
    let mut all = Vec::new();
    for (kind, profile, rows) in &costs.crates {
        all.extend(crate_targets(*kind, *profile, rows)?);
    }
    let audited = futures_of(costs, subjects::AUDITED)?;
    let instrument = futures_of(costs, subjects::INSTRUMENT)?;
    all.push(Target {
        what: "bytes of the future of an async function ≤ `#[instrument]`".to_owned(),
        measured: f64::from(u32::try_from(audited.size)?),
        limit: f64::from(u32::try_from(instrument.size)?),
        at_least: false,
    });
    let boxed = futures_of(costs, subjects::AUDITED_BOXED)?;
    let depths = [
        ("awaited", audited.awaited),
        ("spawned on tokio", audited.spawned),
        ("awaited, with `boxed`", boxed.awaited),
        ("spawned on tokio, with `boxed`", boxed.spawned),
    ];
    for (words, depth) in depths {
        all.push(Target {
            what: format!("depth of nested async functions, {words}, ≥ {DEPTH_TARGET}"),
            measured: f64::from(depth),
            limit: f64::from(DEPTH_TARGET),
            at_least: true,
        });
    }
    for target in &all {
        let verdict = if target.is_met() { "met" } else { "**MISSED**" };
        writeln!(text, "| {} | {:.0} | {:.0} | {verdict} |", target.what, target.measured, target.limit)?;
    }
    Ok(())
}

/// What `audited` is held against: for sync functions fastrace's span with the same arguments and, beyond what is alike,
/// its span without any.
fn rivals(kind: Kind) -> &'static [(Subject, f64, &'static str)] {
    match kind {
        Kind::Sync => &[
            (subjects::FASTRACE_ARGUMENTS, 1.0, "≤ `fastrace::trace` with the arguments"),
            (subjects::FASTRACE, 1.0, "≤ `fastrace::trace` without arguments"),
        ],
        Kind::Async => &[(subjects::INSTRUMENT_RESULT, 0.5, "≤ half of `#[instrument(ret, err)]`")],
    }
}

fn crate_targets(kind: Kind, profile: Profile, rows: &[Cost]) -> Result<Vec<Target>> {
    let bare = row(rows, subjects::BARE)?;
    let audited = row(rows, subjects::AUDITED)?;
    let mut targets = Vec::new();
    for (rival, share, words) in rivals(kind) {
        let rival = row(rows, *rival)?;
        let (kind, profile_name) = (kind.name(), profile.name());
        let mut compare = |what: &str, measure: fn(&Cost, &Cost) -> f64| {
            targets.push(Target {
                what: format!("{kind}, {profile_name}: {what} per function {words}"),
                measured: measure(audited, bare),
                limit: measure(rival, bare) * share,
                at_least: false,
            });
        };
        compare("µs of build", Cost::time_per_function);
        if profile == Profile::Release {
            compare("bytes of text", Cost::text_per_function);
            compare("bytes of `size`", Cost::size_per_function);
        }
    }
    Ok(targets)
}

fn row(rows: &[Cost], subject: Subject) -> Result<&Cost> {
    rows.iter().find(|row| row.subject == subject).with_context(|| format!("{} was not measured", subject.name))
}

fn futures_of(costs: &Costs, subject: Subject) -> Result<&Futures> {
    let found = costs.futures.iter().find(|row| row.subject == subject);
    found.with_context(|| format!("{} was not measured", subject.name))
}

fn table(text: &mut String, kind: Kind, profile: Profile, rows: &[Cost]) -> Result<()> {
    let bare = row(rows, subjects::BARE)?;
    let audited = row(rows, subjects::AUDITED)?;
    writeln!(text, "\n## {FUNCTIONS} {} functions, {}", kind.name(), profile.name())?;
    text.push_str("| attribute | build, s | of processors, s | µs per function | audited is | text per function | audited is | size per function | audited is |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for row in rows {
        writeln!(
            text,
            "| {} | {:.3} | {:.2} | {} | {} | {} |",
            row.subject.name,
            row.seconds,
            row.processor_seconds,
            beside(audited.time_per_function(bare), row.time_per_function(bare)),
            beside(audited.text_per_function(bare), row.text_per_function(bare)),
            beside(audited.size_per_function(bare), row.size_per_function(bare)),
        )?;
    }
    Ok(())
}

/// A number, and how many times as much ours is.
fn beside(ours: f64, theirs: f64) -> String {
    if theirs > 0.0 { format!("{theirs:.0} | {:.2} ×", ours / theirs) } else { "0 | ".to_owned() }
}

fn futures(text: &mut String, costs: &Costs) -> Result<()> {
    write!(
        text,
        "
## Futures
The size of the future of such an async function, and how many of them can await each other at the default recursion
limit, without optimisation: where the outermost is awaited in place, and where it is spawned on tokio, for which the
compiler proves that all of it is `Send`. More than {DEPTH_MAX} are not tried.

| attribute | bytes | deepest, awaited | deepest, spawned |
|---|--:|--:|--:|
"
    )?;
    for Futures { subject, size, awaited, spawned } in &costs.futures {
        writeln!(text, "| {} | {size} | {} | {} |", subject.name, depth(*awaited), depth(*spawned))?;
    }
    Ok(())
}

fn depth(depth: u32) -> String {
    if depth == DEPTH_MAX { format!("≥ {DEPTH_MAX}") } else { depth.to_string() }
}

/// How deep audited async functions have to nest.
const DEPTH_TARGET: u32 = 30;

/// Why the targets that are missed are.
const REMAINS: &str = "
## What remains
- A span without arguments looks at no value; the record has each argument and the result. The compiler finds the best form
  of each value by its type: one look-up for each argument, six for a `Result`. Without optimisation these, and the
  references that they go through, are the largest part of what a sync function costs. What is found is one reference and a tag;
  the forms of the value are asked for behind it.
- A sync function has one closure, its body, and an async one a closure more, which ends the call; all else that runs is
  compiled once, in the library. Arguments are a list, since each closure that a library calls by reference brings two
  functions of its own.
- An async function is one future in another: the record is awaited, the body polled and the call ended in one state. What is
  dropped early is dropped inside its call by the order of the future's fields, without code of each function's own.
- `size` counts one line of text for each site, by which it is found in the binary, with the path of its file.
- Depth is the compiler's: it gives up computing the layout of a type 128 queries deep. A future that an `async` block keeps
  costs four, the block and the three types of the library around what it keeps, so that plain functions nest 30 deep. An audited
  one is two such blocks, the function's own, whose signature is left alone, and the body's, which something has to enter
  at each poll, and the call between them: nine. Without the call's own type it would be eight, 16 deep; only a pointer ends the walk,
  and one to the body is an allocation for each call. That is what `boxed` is for: with it the walk ends at the box.
";

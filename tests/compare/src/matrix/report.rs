//! The document of the matrix.

use core::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::column::{COLUMNS, Column, Form};
use super::verdict::Verdict;
use super::{Cell, Row};
use crate::toolchain;

/// The parts of the table by the first digit of a shape's number.
const GROUPS: [(char, &str); 4] =
    [('1', "Functions"), ('2', "Async and futures"), ('3', "Streams"), ('4', "Types, names and surroundings")];

/// Writes `docs/compare-macros.md`.
pub(crate) fn write(rows: &[Row]) -> Result<()> {
    let mut text = head(rows.len())?;
    totals(&mut text, rows)?;
    for (digit, group) in GROUPS {
        table(&mut text, group, digit, rows)?;
    }
    reasons(&mut text, rows)?;
    let path = toolchain::docs().join("compare-macros.md");
    std::fs::write(&path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
    print!("{text}");
    Ok(())
}

fn printed() -> impl Iterator<Item = Column> {
    COLUMNS.into_iter().filter(|column| *column != Column::Bare)
}

fn head(shapes: usize) -> Result<String> {
    let version = toolchain::version;
    let mut text = format!(
        "# The attribute beside others, on {shapes} shapes of function

Made by `cargo run --release` in `tests/compare`; no cell is written by hand. {compiler}; audited {audited}, tracing {tracing}
with tracing-attributes {attributes}, fastrace {fastrace}, emit {emit}, logcall {logcall}, async-trait {async_trait}.

Each shape (`tests/compare/shapes`) is a function and a call of it that asserts the function's own behaviour. It is compiled
alone under each attribute, where a warning counts as a failure, then run in a process of its own, and what was recorded is
looked at. Without an attribute all shapes compile without a warning and pass.

Each attribute gets its best documented form. The next form is tried where the one before falls short:
",
        compiler = toolchain::compiler()?,
        audited = version("audited")?,
        tracing = version("tracing")?,
        attributes = version("tracing-attributes")?,
        fastrace = version("fastrace")?,
        emit = version("emit")?,
        logcall = version("logcall")?,
        async_trait = version("async-trait")?,
    );
    text.push_str("\n| attribute | by itself | with all arguments listed | with fewer arguments | the result |\n");
    text.push_str("|---|---|---|---|---|\n");
    for column in printed() {
        let [default, listed, shown, result] = column.described();
        writeln!(text, "| {} | {default} | {listed} | {shown} | {result} |", column.name())?;
    }
    text.push_str(
        "
On a closure or a block, which no attribute takes on stable Rust, the macro for it stands: `audited::call!`,
`tracing::info_span!` with `in_scope`, fastrace's `LocalSpan`, `emit::span_guard!`. On an `impl` block each attribute stands
as it is; only ours is made for it. fastrace's spans are seen under a root span on the thread that the shape starts on, as
its documentation asks for.

**ok**: compiles, behaves as without the attribute, every call is recorded around its body, with all arguments and, where
the attribute can, the result. For `#[audited]` that means exactly the expected records `started` and `completed`, with
arguments and summary compared as JSON; for the others it is enough that each argument, and something of the result, is
there. **partly**: only with some of the arguments, or without any. **early**: the span was closed, or the line written,
before the body ran, or the body ran outside of it. **lost**: not every call was recorded. **incomplete**: something is
missing in what was recorded. **broken**: the function itself behaves differently. **no form**: the crate has nothing to
write there.
",
    );
    Ok(text)
}

impl Cell {
    fn is_ok(&self) -> bool {
        self.tried.iter().any(|(form, verdict)| *form != Form::Shown && matches!(verdict, Verdict::Ok))
    }

    fn is_partly(&self) -> bool {
        self.tried.iter().any(|(form, verdict)| *form == Form::Shown && matches!(verdict, Verdict::Ok))
    }

    /// True if a form with all arguments can be built.
    fn takes_arguments(&self) -> bool {
        self.tried.iter().any(|(form, verdict)| *form != Form::Shown && verdict.compiles())
    }

    fn compiles(&self) -> bool {
        self.tried.iter().any(|(_, verdict)| verdict.compiles())
    }

    /// The verdict that counts: the first of a form that can be built, if there is one.
    fn counted(&self) -> Option<&Verdict> {
        let verdicts = || self.tried.iter().map(|(_, verdict)| verdict);
        let ok = verdicts().find(|verdict| matches!(verdict, Verdict::Ok));
        ok.or_else(|| verdicts().find(|verdict| verdict.compiles())).or_else(|| verdicts().next())
    }

    fn words(&self) -> String {
        match self.counted() {
            Some(Verdict::Ok) if self.is_ok() => "ok".to_owned(),
            Some(Verdict::Ok) => "partly".to_owned(),
            Some(verdict) => format!("**{}**", verdict.word()),
            None => String::new(),
        }
    }

    fn counts_as(&self, is: fn(&Verdict) -> bool) -> bool {
        self.counted().is_some_and(is)
    }
}

/// A line of the totals: what it counts, and whether a cell belongs to it.
type Count = (&'static str, fn(&Cell) -> bool);

const COUNTS: [Count; 8] = [
    ("compiles with all arguments, without a warning", Cell::takes_arguments),
    ("compiles at all, without a warning", Cell::compiles),
    ("**ok**", Cell::is_ok),
    ("partly", Cell::is_partly),
    ("early", |cell| cell.counts_as(|verdict| matches!(verdict, Verdict::Early))),
    ("lost or incomplete", |cell| {
        cell.counts_as(|verdict| matches!(verdict, Verdict::Lost(_) | Verdict::Incomplete(_)))
    }),
    ("broken", |cell| cell.counts_as(|verdict| matches!(verdict, Verdict::Broken(_)))),
    ("does not compile, warns, or no form", |cell| !cell.compiles()),
];

fn totals(text: &mut String, rows: &[Row]) -> Result<()> {
    writeln!(text, "\n## Totals of {}", rows.len())?;
    heading(text, "")?;
    for (what, counts) in COUNTS {
        write!(text, "| {what} |")?;
        for column in printed() {
            let count = rows.iter().filter_map(|row| row.cell(column)).filter(|cell| counts(cell)).count();
            write!(text, " {count} |")?;
        }
        text.push('\n');
    }
    Ok(())
}

fn heading(text: &mut String, first: &str) -> Result<()> {
    write!(text, "| {first} |")?;
    for column in printed() {
        write!(text, " {} |", column.name())?;
    }
    writeln!(text, "\n|---|{}", printed().map(|_| "---|").collect::<String>())?;
    Ok(())
}

fn table(text: &mut String, group: &str, digit: char, rows: &[Row]) -> Result<()> {
    writeln!(text, "\n## {group}")?;
    heading(text, "shape")?;
    for row in rows.iter().filter(|row| row.shape.stem.starts_with(digit)) {
        write!(text, "| {} {} |", number(row), row.shape.title)?;
        for column in printed() {
            write!(text, " {} |", row.cell(column).map(Cell::words).unwrap_or_default())?;
        }
        text.push('\n');
    }
    Ok(())
}

fn number(row: &Row) -> &str {
    row.shape.stem.split('_').next().unwrap_or_default()
}

/// Says for each cell that is not ok what the compiler said, or what is missing.
fn reasons(text: &mut String, rows: &[Row]) -> Result<()> {
    text.push_str(
        "\n## Why\nFor each cell that is not ok: the compiler's first message, or what is missing, by form.\n",
    );
    for column in printed() {
        let mut lines = String::new();
        for row in rows {
            let Some(cell) = row.cell(column).filter(|cell| !cell.is_ok()) else { continue };
            let mut said: Vec<String> = Vec::new();
            for (_, verdict) in &cell.tried {
                let detail = verdict.detail().map(|detail| format!(": {}", shortened(detail))).unwrap_or_default();
                let reason = format!("{}{detail}", verdict.word());
                if !matches!(verdict, Verdict::Ok) && !said.contains(&reason) {
                    said.push(reason);
                }
            }
            writeln!(lines, "- {}: {}", number(row), said.join("; then "))?;
        }
        if !lines.is_empty() {
            write!(text, "\n### {}\n{lines}", column.name())?;
        }
    }
    Ok(())
}

/// The first line of a message, and not all of a long one.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let mut characters = line.chars();
    let mut short: String = characters.by_ref().take(MESSAGE_CHARACTERS_MAX).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short.replace('|', "\\|").replace('<', "\\<")
}

const MESSAGE_CHARACTERS_MAX: usize = 140;

//! Each shape is compiled alone under each attribute; all that compile are linked into one program and run, each in a
//! process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::column::{Column, Form};
use super::shape::Shape;
use crate::toolchain::{Toolchain, generated};

/// What the shapes can name, beside `probe`.
const LIBRARIES: [&str; 11] =
    ["anyhow", "async_trait", "audited", "emit", "fastrace", "futures", "log", "logcall", "serde", "tokio", "tracing"];

/// How long a shape may run.
const RUN_MAX: Duration = Duration::from_secs(20);

/// Why a shape is not to be run.
#[derive(Clone, Debug)]
pub(crate) enum Refused {
    /// The crate has nothing for it.
    NoForm,
    /// It does not compile; the compiler's first message.
    Error(String),
    /// It compiles with warnings; the first one.
    Warning(String),
}

/// One attribute on one shape, compiled.
pub(crate) fn check(toolchain: &Toolchain, column: Column, form: Form, shape: &Shape) -> Result<Option<Refused>> {
    let Some(source) = column.apply(form, shape) else { return Ok(Some(Refused::NoForm)) };
    let directory = directory(column, form)?;
    let file = directory.join(format!("{}.rs", shape.stem));
    std::fs::write(&file, source)?;
    let mut rustc = rustc(toolchain, column)?;
    rustc.args(["--crate-type=lib", "--crate-name=shape", "--emit=metadata", "--error-format=json"]);
    rustc.arg("-o").arg(file.with_extension("rmeta")).arg(&file).current_dir(&directory);
    let output = rustc.output().context("rustc cannot be run")?;
    let diagnostics = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = |level| messages(&diagnostics, level).first().map(said);
    if !output.status.success() {
        return Ok(Some(Refused::Error(first("error").unwrap_or(diagnostics))));
    }
    Ok(first("warning").map(Refused::Warning))
}

/// Links all shapes that compile under one attribute. Some mistakes show only where code is made: those shapes are told
/// instead, with the compiler's message.
pub(crate) fn link(
    toolchain: &Toolchain,
    column: Column,
    form: Form,
    shapes: &[&Shape],
) -> Result<core::result::Result<PathBuf, Vec<(String, Refused)>>> {
    let directory = directory(column, form)?;
    let main = directory.join("main.rs");
    std::fs::write(&main, program(shapes))?;
    let program = directory.join("shapes");
    let mut rustc = rustc(toolchain, column)?;
    rustc.args(["--crate-type=bin", "--crate-name=shapes", "--cap-lints=allow", "-Cdebuginfo=0"]);
    rustc.arg("--error-format=json").arg("-o").arg(&program).arg(&main).current_dir(&directory);
    let output = rustc.output()?;
    if output.status.success() {
        return Ok(Ok(program));
    }
    let diagnostics = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = culprits(&diagnostics, shapes);
    if refused.is_empty() {
        bail!("{} does not link: {diagnostics}", column.name());
    }
    Ok(Err(refused))
}

/// Finds the shapes that a failed link is about: an error is in a library, and the note after it names the place.
fn culprits(diagnostics: &str, shapes: &[&Shape]) -> Vec<(String, Refused)> {
    let mut refused: Vec<(String, Refused)> = Vec::new();
    let mut error = String::new();
    for message in parsed(diagnostics) {
        if message.get("level").and_then(Value::as_str) == Some("error") {
            error = said(&message);
        }
        let rendered = message.get("rendered").and_then(Value::as_str).unwrap_or_default();
        let named = shapes.iter().filter(|shape| rendered.contains(&format!("{}.rs", shape.stem)));
        refused.extend(named.map(|shape| (shape.stem.clone(), Refused::Error(error.clone()))));
    }
    refused
}

fn messages(diagnostics: &str, level: &str) -> Vec<Value> {
    parsed(diagnostics).filter(|message| message.get("level").and_then(Value::as_str) == Some(level)).collect()
}

fn parsed(diagnostics: &str) -> impl Iterator<Item = Value> {
    diagnostics.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn said(message: &Value) -> String {
    let text = message.get("message").and_then(Value::as_str).unwrap_or_default();
    // Closures are shown with the place of the file, which is nobody's concern.
    text.split_inclusive('@')
        .map(|part| part.rsplit_once('/').filter(|_| part.starts_with('/')).map_or(part, |(_, file)| file))
        .collect()
}

fn program(shapes: &[&Shape]) -> String {
    let modules: String =
        shapes.iter().map(|shape| format!("#[path = \"{0}.rs\"]\nmod shape_{0};\n", shape.stem)).collect();
    let arms: String = shapes.iter().map(|shape| arm(shape)).collect();
    format!(
        "{modules}
fn main() {{
    let shape = std::env::args().nth(1);
    let seen = probe::observe(|| match shape.as_deref() {{
{arms}        _ => panic!(\"no such shape\"),
    }});
    println!(\"{SEEN}{{seen}}\");
}}
"
    )
}

fn arm(shape: &Shape) -> String {
    let stem = &shape.stem;
    let run = format!("shape_{stem}::run()");
    let run = if shape.is_async { format!("probe::block_on({run})") } else { run };
    format!("        Some(\"{stem}\") => {run},\n")
}

/// Runs one shape; returns what its probe has seen, or how it failed.
pub(crate) fn run(program: &Path, shape: &Shape) -> Result<core::result::Result<Value, String>> {
    let mut command = Command::new(program);
    command.arg(&shape.stem).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Some(output) = within(RUN_MAX, command)? else { return Ok(Err("does not end".to_owned())) };
    let text = String::from_utf8_lossy(&output.stdout);
    if let Some(seen) = text.lines().find_map(|line| line.strip_prefix(SEEN)).filter(|_| output.status.success()) {
        return Ok(Ok(serde_json::from_str(seen)?));
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut lines = errors.lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    Ok(Err(lines.next().map_or_else(|| output.status.to_string(), str::to_owned)))
}

fn within(limit: Duration, mut command: Command) -> Result<Option<Output>> {
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be run"))?;
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::yield_now();
    }
    Ok(Some(child.wait_with_output()?))
}

fn rustc(toolchain: &Toolchain, column: Column) -> Result<Command> {
    let mut rustc = toolchain.rustc();
    toolchain.give(&mut rustc, "probe", column.probe())?;
    for library in LIBRARIES {
        toolchain.give(&mut rustc, library, library)?;
    }
    Ok(rustc)
}

fn directory(column: Column, form: Form) -> Result<PathBuf> {
    let form = match form {
        Form::Default => "default",
        Form::Listed => "listed",
        Form::Shown => "shown",
    };
    generated(&format!("shapes/{}/{form}", column.directory()))
}

/// What the program's one line begins with.
const SEEN: &str = "seen: ";

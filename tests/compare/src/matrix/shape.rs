//! A shape: one small file with a function, a placeholder for its attribute, and a `run` that calls it.
//!
//! The file begins with what it is, then `key: value` lines:
//! - `call`: JSON of one call that must be recorded, in order: `arguments`, `summary`, and, where they are not the usual
//!   ones, `status`, `action`, `error_type`. The text `*` stands for any text, the status `null` for a call without an end.
//! - `captures`: the parameters, as an attribute must be told of them where it takes a list.
//! - `shown`: those of them that have `Debug`, where not all have.
//! - `audited`: what `#[audited]` is told beside the action.
//! - `returns`: `value` (the default), `result`, or `result-debug` if the error has no `Display`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::toolchain;

/// What a function returns, as far as an attribute has to be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Returns {
    /// No `Result`.
    Value,
    /// A `Result` whose error has `Display`.
    Result,
    /// A `Result` whose error has only `Debug`.
    ResultDebug,
}

/// One shape of function.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The number and name of the file.
    pub(crate) stem: String,
    /// What it is, in a few words.
    pub(crate) title: String,
    /// The calls that must be recorded.
    pub(crate) calls: Vec<Value>,
    /// The parameters by name.
    pub(crate) captures: Vec<String>,
    /// Those of them that have `Debug`, where not all have.
    pub(crate) shown: Vec<String>,
    /// What `#[audited]` is told beside the action.
    pub(crate) audited: Option<String>,
    pub(crate) returns: Returns,
    /// True if `run` is `async`.
    pub(crate) is_async: bool,
    /// The file.
    pub(crate) source: String,
}

impl Shape {
    /// True if the audited function has a `self`.
    pub(crate) fn has_receiver(&self) -> bool {
        let after = self.source.split("#[shape]").nth(1).unwrap_or_default();
        after.split('{').next().is_some_and(|signature| signature.contains("self"))
    }

    /// True if the function's end has something that could be recorded: a value or an error, not a panic or a drop.
    pub(crate) fn has_result(&self) -> bool {
        let error_type = |call: &Value| call.get("error_type").and_then(Value::as_str).map(str::to_owned);
        let silent = |call: &Value| {
            matches!(error_type(call).as_deref(), Some("panic" | "cancelled"))
                || call.get("status") == Some(&Value::Null)
        };
        self.calls.iter().any(|call| !silent(call))
    }
}

/// Reads all shapes in the order of their numbers.
pub(crate) fn all() -> Result<Vec<Shape>> {
    let directory = toolchain::root().join("shapes");
    let entries = std::fs::read_dir(&directory)?.collect::<std::io::Result<Vec<_>>>()?;
    let mut paths: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    paths.iter().map(|path| read(path).with_context(|| path.display().to_string())).collect()
}

fn read(path: &Path) -> Result<Shape> {
    let source = std::fs::read_to_string(path)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).context("the file has no name")?;
    let mut header = source.lines().map_while(|line| line.strip_prefix("//! "));
    let title = header.next().context("the file says nothing of itself")?.trim_end_matches('.').to_owned();
    let is_async = source.contains("\npub async fn run()");
    let mut shape = Shape {
        stem: stem.to_owned(),
        title,
        calls: Vec::new(),
        captures: Vec::new(),
        shown: Vec::new(),
        audited: None,
        returns: Returns::Value,
        is_async,
        source: source.clone(),
    };
    for line in header {
        match line.split_once(": ").context("a line of the header is no `key: value`")? {
            ("call", call) => shape.calls.push(serde_json::from_str(call)?),
            ("captures", names) => shape.captures = names.split(", ").map(str::to_owned).collect(),
            ("shown", names) => shape.shown = names.split(", ").map(str::to_owned).collect(),
            ("audited", arguments) => shape.audited = Some(arguments.to_owned()),
            ("returns", "result") => shape.returns = Returns::Result,
            ("returns", "result-debug") => shape.returns = Returns::ResultDebug,
            (key, value) => bail!("`{key}: {value}` is not known"),
        }
    }
    if shape.calls.is_empty() || !source.contains("shape") {
        bail!("no call is expected, or no attribute is taken");
    }
    Ok(shape)
}

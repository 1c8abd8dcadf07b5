//! An airline support agent with audited tools, and what its log tells afterwards.
//!
//! Without arguments it serves one customer over a small data set of its own. With `--calls FILE` it replays recorded
//! agent runs instead: one JSON object a line, `{task_id, trial, turn, tool_call_id, name, arguments, observation}`; an
//! observation that starts with `Error` is a failure. `--log DIR` says where the log goes.

mod data;
mod live;
mod replay;
mod tools;

use std::io::{stderr, stdout};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

struct Options {
    log: PathBuf,
    calls: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = parse(std::env::args().skip(1))?;
    let guard = audited::init(&options.log)?;
    let conversation = match &options.calls {
        Some(file) => replay::run(file)?,
        None => live::run()?,
    };
    guard.close()?;

    // Everything below is what the command `audited` prints.
    let log = options.log.display().to_string();
    show(&["verify", &log])?;
    println!();
    show(&["timeline", &log, "--conversation", &conversation])?;
    println!("\nGo on with:");
    for rest in
        [format!("show {log} --outcome failure"), format!("stats {log} --by tool"), format!("verify {log} --json")]
    {
        println!("  cargo run -q -p audit-cli -- {rest}");
    }
    Ok(())
}

fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options { log: PathBuf::from("target/support-agent-audit"), calls: None };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("expected a value after {argument}"));
        match argument.as_str() {
            "--log" => options.log = value?.into(),
            "--calls" => options.calls = Some(value?.into()),
            _ => bail!("expected --log DIR or --calls FILE, found {argument}"),
        }
    }
    Ok(options)
}

fn show(arguments: &[&str]) -> anyhow::Result<()> {
    let command = ["audited"].into_iter().chain(arguments.iter().copied());
    let exit = audit_cli::run(command, &mut stdout().lock(), &mut stderr().lock());
    if exit != audit_cli::Exit::Success {
        bail!("`audited {}` ended with exit code {}", arguments.join(" "), exit.code());
    }
    Ok(())
}

//! The process that the log is measured beside: `tests/compare/peers`, a workspace of its own, because what it needs is
//! heavy and partly wants a newer compiler than this repository promises.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use testkit::{bench, workspace};

/// The process, or why there is none; built and started when it is first asked.
#[derive(Debug, Default)]
pub(crate) struct Peers(Option<Result<Process, String>>);

#[derive(Debug)]
struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    /// Names what it runs, with versions.
    pub(crate) fn versions(&mut self) -> Result<String> {
        let databases = self.tell("versions")?.unwrap_or_else(|reason| reason);
        Ok(format!("fastrace {}, {databases}", version("fastrace")?))
    }

    /// Asks for one round; returns what it came to, or why it cannot be measured.
    pub(crate) fn ask(&mut self, request: &str) -> Result<Result<f64, String>> {
        match self.tell(request)? {
            Ok(number) => Ok(Ok(number.parse()?)),
            Err(reason) => Ok(Err(reason)),
        }
    }

    fn tell(&mut self, request: &str) -> Result<Result<String, String>> {
        let started = self.0.get_or_insert_with(|| build().map_err(|fault| format!("{fault:#}")));
        let process = match started {
            Ok(process) => process,
            Err(reason) => return Ok(Err(reason.clone())),
        };
        let requests = process.requests.as_mut().context("the peers' process has ended")?;
        writeln!(requests, "{request}")?;
        let mut answer = String::new();
        process.answers.read_line(&mut answer)?;
        match answer.trim_end().split_once(' ') {
            Some(("ok", answer)) => Ok(Ok(answer.to_owned())),
            Some(("no", reason)) => Ok(Err(reason.to_owned())),
            _ => bail!("expected an answer to {request:?}, found {answer:?}"),
        }
    }

    /// Asks for one round that can be measured.
    pub(crate) fn insist(&mut self, request: &str) -> Result<f64> {
        self.ask(request)?.map_err(|reason| anyhow!(reason))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input is the end of the process, and of the server that it started.
        self.requests = None;
        let _ended = self.child.wait();
    }
}

fn build() -> Result<Process> {
    let target = bench::directory().join("peers");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(root())
        .status()
        .context("cargo cannot be run")?;
    if !status.success() {
        bail!("tests/compare/peers does not build");
    }
    let mut child = Command::new(target.join("release/peers")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (requests, answers) = (child.stdin.take(), child.stdout.take());
    let answers = BufReader::new(answers.context("the process has an output")?);
    Ok(Process { child, requests, answers })
}

fn root() -> std::path::PathBuf {
    workspace().join(Path::new("tests/compare/peers"))
}

/// Returns the version of a package that the peers are built of.
fn version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let name = format!("name = \"{package}\"");
    let after = lock.lines().skip_while(|line| *line != name).nth(1).unwrap_or_default();
    let version = after.strip_prefix("version = \"").and_then(|rest| rest.strip_suffix('"'));
    version.map(str::to_owned).with_context(|| format!("{package} is not in the lock file of the peers"))
}

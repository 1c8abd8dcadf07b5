//! The command line of `audited`: verifies a log and shows what is in it. All commands but `anchor`, `compact`, `erase`,
//! `key`, `key-ring`, `recover` and, for what they record, `reveal` and `prove --disclose` only read.
//!
//! ```
//! use audit_cli::{Exit, run};
//!
//! let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
//! let exit = run(["audited", "verify", "/no/log/here"], &mut stdout, &mut stderr);
//! assert_eq!(exit, Exit::Error);
//! assert!(stderr.starts_with(b"audited: /no/log/here: expected a log"));
//! ```
//!
//! # Several logs
//! Processes that write at the same time have a log each, as [`audit_store::streams`] says. `verify`, `show`, `timeline` and
//! `stats` take those beside a log along, or read all logs in a directory, and show which log a line is of. One of them that
//! is missing, altered or not readable does not hide the others: each has its own verdict, and the worst one counts.
//!
//! # Guarantees
//! - Nothing that a record or a file name holds can steer the terminal: control and format characters are written
//!   visibly (`\u{1b}`), in JSON as the escapes of JSON, so that its value stays the same.
//! - What cannot be read is reported on the standard error and in the exit code, never passed over in silence.
//! - A closed pipe ends a command without an error; `verify` keeps the exit code of its verdict.
//!
//! # Exit codes
//! | code | `verify`, `check` | `show`, `timeline`, `stats`, `sites`, `prove`, `lookup`, `reveal`, `erase` | `compact`, `recover`, `export` |
//! |---|---|---|---|
//! | 0 | intact; the evidence holds | something was found | all full segments are compressed; the log is closed |
//! | 1 | tampered; the evidence is refused | nothing was found, or some lines cannot be read | |
//! | 2 | unverifiable, or an error | an error, be it that one of several logs cannot be read | an error |
//!
//! # What it does not do
//! `show`, `timeline` and `stats` read the entries as they stand; only `verify` tells whether they are what was written.
//! `sites` reads a program and no log. `compact` changes no line and does not look at what the lines hold.

#[cfg(feature = "anchor")]
mod anchor;
mod arguments;
mod check;
mod compact;
mod conclude;
mod erase;
mod export;
mod key;
mod key_ring;
mod lookup;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
mod policy;
mod prove;
mod quorum;
mod recover;
mod reveal;
mod ring;
mod secrets;
mod show;
mod sites;
mod stats;
mod table;
mod text;
mod timeline;
mod verify;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use output::{Output, is_broken_pipe};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The log is intact, or something was found.
    Success,
    /// The log was tampered with, nothing was found, or some lines cannot be read.
    Negative,
    /// The log cannot be verified, or the command failed.
    Error,
}

impl Exit {
    /// Returns the exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Negative => 1,
            Self::Error => 2,
        }
    }

    /// Returns the one with the higher code.
    const fn worse(self, other: Self) -> Self {
        if self.code() < other.code() { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Runs the command that the arguments, the program's name first, ask for.
pub fn run<A>(arguments: A, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Exit
where
    A: IntoIterator,
    A::Item: Into<OsString> + Clone,
{
    let mut output = Output::new(stdout, stderr);
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => execute(&arguments.command, &mut output),
        Err(usage) => explain_usage(&usage, &mut output),
    };
    match outcome {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Success,
        Err(error) => {
            output.report(&error);
            Exit::Error
        }
    }
}

fn execute(command: &Command, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    match command {
        // It flushes itself: its verdict stands whether or not somebody reads the report.
        Command::Verify(arguments) => return verify::execute(arguments, output),
        Command::Show(arguments) => show::execute(arguments, output),
        Command::Timeline(arguments) => timeline::execute(arguments, output),
        Command::Stats(arguments) => stats::execute(arguments, output),
        Command::Sites(arguments) => sites::execute(arguments, output),
        Command::Compact(arguments) => compact::execute(arguments, output),
        Command::Key(arguments) => key::execute(arguments, output),
        Command::KeyRing(arguments) => key_ring::execute(arguments, output),
        Command::Lookup(arguments) => lookup::execute(arguments, output),
        Command::Reveal(arguments) => reveal::execute(arguments, output),
        Command::Erase(arguments) => erase::execute(arguments, output),
        Command::Policy(arguments) => policy::execute(arguments, output),
        Command::Prove(arguments) => prove::execute(arguments, output),
        Command::Check(arguments) => check::execute(arguments, output),
        Command::Export(arguments) => export::execute(arguments, output),
        #[cfg(feature = "anchor")]
        Command::Anchor(arguments) => anchor::execute(arguments, output),
        Command::Recover(arguments) => recover::execute(arguments, output),
    }
    .and_then(|exit| output.flush().map(|()| exit))
}

/// Prints what the arguments lack, or the help or version that they ask for.
fn explain_usage(usage: &clap::Error, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let text = usage.render().to_string();
    if usage.use_stderr() {
        output.warn(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
        return Ok(Exit::Error);
    }
    text.lines().try_for_each(|line| output.line(line))?;
    output.flush()?;
    Ok(Exit::Success)
}

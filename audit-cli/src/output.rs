//! The two streams of a command. Every line passes through here and is made safe for a terminal.

use core::fmt;
use std::io::{self, BufWriter, Write};

use crate::text::{escape, escape_json};

/// The standard output, buffered, and the standard error.
pub(crate) struct Output<'a> {
    stdout: BufWriter<&'a mut dyn Write>,
    stderr: &'a mut dyn Write,
}

impl<'a> Output<'a> {
    pub(crate) fn new(stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Self { stdout: BufWriter::new(stdout), stderr }
    }

    /// Writes one line for a person.
    pub(crate) fn line(&mut self, text: &str) -> anyhow::Result<()> {
        self.write(&escape(text))
    }

    /// Writes one line of JSON.
    pub(crate) fn json(&mut self, json: &str) -> anyhow::Result<()> {
        self.write(&escape_json(json))
    }

    fn write(&mut self, safe: &str) -> anyhow::Result<()> {
        writeln!(self.stdout, "{safe}").map_err(|source| StdoutError(source).into())
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.stdout.flush().map_err(|source| StdoutError(source).into())
    }

    /// Writes a message to the standard error, after all output so far.
    pub(crate) fn warn(&mut self, message: &str) {
        // A stream that takes no more is found by the next write to it; there is nowhere else to tell it.
        let _told_by_the_last_flush = self.stdout.flush();
        let safe = message.lines().map(escape).collect::<Vec<_>>().join("\n");
        let _nowhere_to_tell = writeln!(self.stderr, "audited: {safe}");
    }

    /// Writes an error and its causes to the standard error.
    pub(crate) fn report(&mut self, error: &anyhow::Error) {
        let mut message = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            // An error that already ends with its cause does not repeat it.
            if !message.ends_with(&cause) {
                message.push_str(": ");
                message.push_str(&cause);
            }
        }
        // What the error quotes may hold line feeds that would pose as further messages.
        self.warn(&escape(&message));
    }
}

/// Tells whether a command failed because the reader of its standard output has gone, which is no error of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<StdoutError>().is_some_and(|error| error.0.kind() == io::ErrorKind::BrokenPipe)
}

/// The standard output takes no more.
#[derive(Debug)]
pub(crate) struct StdoutError(io::Error);

impl fmt::Display for StdoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not write to the standard output")
    }
}

impl std::error::Error for StdoutError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

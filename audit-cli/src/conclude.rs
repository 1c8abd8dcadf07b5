//! What `show`, `timeline` and `stats` end with.

use std::path::Path;

use anyhow::ensure;
use audit_store::Error;
use audit_store::query::Scanned;
use audit_store::streams::{Stream, Streams};

use crate::Exit;
use crate::output::Output;
use crate::text::{escape, identifier};

/// What a command has read.
pub(crate) struct Read<'a> {
    /// The path that was given.
    pub(crate) path: &'a Path,
    pub(crate) streams: &'a Streams,
    /// How far each of them was read.
    pub(crate) scanned: Vec<Result<Scanned, Error>>,
}

/// Tells what could not be read and, with its message, that nothing was found.
pub(crate) fn conclude(read: Read<'_>, nothing_found: Option<&str>, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let Read { path, streams, mut scanned } = read;
    if streams.single().is_some()
        && let Some(failed) = scanned.pop_if(|scanned| scanned.is_err())
    {
        failed?;
    }
    let lines: u64 = scanned.iter().flatten().map(|scanned| scanned.lines).sum();
    let is_whole = scanned.iter().all(Result::is_ok);
    // Every log has an entry 0; a directory that is named by mistake should not pass for one where nothing happened.
    ensure!(lines > 0 || !is_whole, "{}: expected a log with entries, found none", path.display());
    let mut exit = if nothing_found.is_none() { Exit::Success } else { Exit::Negative };
    for (stream, scanned) in streams.as_slice().iter().zip(scanned) {
        let found = match scanned {
            Ok(scanned) => tell(stream, streams, &scanned, output),
            Err(error) => {
                output.report(&error.into());
                Exit::Error
            }
        };
        exit = exit.worse(found);
    }
    if let Some(message) = nothing_found {
        output.warn(message);
    }
    Ok(exit)
}

/// Tells what of one log was left out.
fn tell(stream: &Stream, streams: &Streams, scanned: &Scanned, output: &mut Output<'_>) -> Exit {
    if let Some(first) = &scanned.first_unreadable {
        let lines = if scanned.unreadable == 1 { "1 line".to_owned() } else { format!("{} lines", scanned.unreadable) };
        let (number, segment, reason) = (first.number, first.segment.display(), &first.reason);
        // The parser's reason may quote the line.
        output.warn(&escape(&format!("{lines} left out; the first, entry {number} in {segment}, is {reason}")));
    }
    if scanned.unfinished_bytes > 0 {
        let place =
            if streams.single().is_some() { String::new() } else { format!(" of {}", identifier(stream.name())) };
        // No reason for another exit code: in a log that is being written it is the next line.
        output.warn(&format!("{} bytes after the last line{place} are left out", scanned.unfinished_bytes));
    }
    if scanned.unreadable == 0 { Exit::Success } else { Exit::Negative }
}

//! What `show`, `timeline` and `stats` end with.

use std::path::Path;

use anyhow::ensure;
use audit_store::query::Scanned;

use crate::Exit;
use crate::output::Output;
use crate::text::escape;

/// Tells what could not be read and, with its message, that nothing was found.
pub(crate) fn conclude(
    log: &Path,
    scanned: &Scanned,
    nothing_found: Option<&str>,
    output: &mut Output<'_>,
) -> anyhow::Result<Exit> {
    // Every log has an entry 0; a directory that is named by mistake should not pass for one where nothing happened.
    ensure!(scanned.lines > 0, "{}: expected a log with entries, found none", log.display());
    if let Some(first) = &scanned.first_unreadable {
        let lines = if scanned.unreadable == 1 { "1 line".to_owned() } else { format!("{} lines", scanned.unreadable) };
        let (number, segment, reason) = (first.number, first.segment.display(), &first.reason);
        // The parser's reason may quote the line.
        output.warn(&escape(&format!("{lines} left out; the first, entry {number} in {segment}, is {reason}")));
    }
    if scanned.unfinished_bytes > 0 {
        // No reason for another exit code: in a log that is being written it is the next line.
        output.warn(&format!("{} bytes after the last line are left out", scanned.unfinished_bytes));
    }
    if let Some(message) = nothing_found {
        output.warn(message);
    }
    Ok(if scanned.unreadable == 0 && nothing_found.is_none() { Exit::Success } else { Exit::Negative })
}

//! Questions to a log: which entries match, what a conversation or run did, how the calls went.
//!
//! Every answer comes from one pass over the lines as they stand; no index is read. Reading is not verifying: whoever
//! must know that nothing was changed asks [`verify_log`](crate::verify::verify_log) first.
//!
//! ```no_run
//! use audit_store::query::{Filter, Pattern, Stats, scan};
//! use std::ops::ControlFlow;
//!
//! # fn main() -> Result<(), audit_store::Error> {
//! let filter = Filter { action: Some(Pattern::parse("order.*").unwrap_or_default()), ..Filter::default() };
//! let mut stats = Stats::new(None, filter);
//! let scanned = scan("audit".as_ref(), |entry| {
//!     stats.add(entry);
//!     ControlFlow::Continue(())
//! })?;
//! println!("{} calls, {} lines unreadable", stats.finish().total.calls, scanned.unreadable);
//! # Ok(())
//! # }
//! ```

mod entry;
mod filter;
mod json;
mod record;
mod stats;
mod timeline;

use core::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use audit_core::entry::ParseEntryError;
pub use entry::Entry;
pub use filter::{Filter, ParsePatternError, Pattern};
pub use record::{Actor, Call, Correlation, Identity, Model, Operation, Outcome, Record, Step, Text, Tool};
pub use stats::{By, Durations, Figures, Group, Stats, StatsReport};
pub use timeline::{Mark, Row, Timeline, TimelineReport};

use crate::Error;
use crate::read::Lines;

/// How far a log was read, and what of it could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// How many lines were read.
    pub lines: u64,
    /// How many of them could not be read as entries.
    pub unreadable: u64,
    /// The first of those.
    pub first_unreadable: Option<UnreadableLine>,
    /// How many bytes follow the last line feed, if the log was read to its end: an unfinished line, or one that is being
    /// written.
    pub unfinished_bytes: u64,
}

/// A line that could not be read as an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableLine {
    /// The number that its entry should have.
    pub number: u64,
    /// The file that holds it.
    pub segment: PathBuf,
    /// Why it could not be read.
    pub reason: ParseEntryError,
}

/// Reads the entries of the log at `path` in order until there are no more or `visit` breaks off.
///
/// Lines that are no entries are counted and passed over; the first is named in the result. An empty directory is read as
/// a log without lines. Memory is bounded by one line.
///
/// # Errors
/// The path is no log, or a file of it cannot be read.
pub fn scan(path: &Path, mut visit: impl FnMut(&Entry<'_>) -> ControlFlow<()>) -> Result<Scanned, Error> {
    let mut lines = Lines::open(path)?;
    let mut scanned = Scanned::default();
    while let Some(line) = lines.next_line() {
        let line = line?;
        scanned.lines += 1;
        match Entry::parse(line.number, line.bytes) {
            Ok(entry) => {
                if visit(&entry).is_break() {
                    break;
                }
            }
            Err(reason) => {
                scanned.unreadable += 1;
                let place = || UnreadableLine { number: line.number, segment: line.segment.to_owned(), reason };
                scanned.first_unreadable.get_or_insert_with(place);
            }
        }
    }
    scanned.unfinished_bytes = lines.tail().bytes;
    Ok(scanned)
}

/// Lines that the tests of this module read.
#[cfg(test)]
mod testing;

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
mod merge;
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
use crate::query::merge::Source;
use crate::streams::Stream;

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
    let mut source = Source::open(path);
    let _broke_off = source.read(None, &mut visit);
    source.finish()
}

/// Reads the entries of several logs in the order of their times until there are no more or `visit`, which is told the
/// index of the log, breaks off. Returns how far each was read; one that cannot be read ends, and the others go on.
///
/// Entries of one log stand in the order of their numbers, whatever their times say: what was written after a clock was
/// put back follows what was written before it. Of equal times the log that comes first stands first. Lines that are no
/// entries are treated as by [`scan`]. Memory is bounded by two lines of each log; all are open at the same time.
pub fn scan_streams(
    streams: &[Stream],
    mut visit: impl FnMut(usize, &Entry<'_>) -> ControlFlow<()>,
) -> Vec<Result<Scanned, Error>> {
    let mut sources: Vec<Source> = streams.iter().map(|stream| Source::open(stream.path())).collect();
    merge::merge(&mut sources, &mut visit);
    sources.into_iter().map(Source::finish).collect()
}

/// Lines that the tests of this module read.
#[cfg(test)]
mod testing;

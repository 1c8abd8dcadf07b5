//! Logs beside each other: each process writes a stream of its own, and they are read together.
//!
//! A log has one writer. A second process that is to write the log at `orders` opens the lowest of `orders.1`, `orders.2`
//! and so on that no process holds ([`Options::open_or_sibling`](crate::Options::open_or_sibling)); what people record by
//! hand while `orders` is held goes to `orders.operator`. All of them are logs like any other, each with its own stream,
//! checkpoint and verdict. [`Streams::find`] finds those that belong together:
//!
//! ```
//! use audit_store::Log;
//! use audit_store::streams::{Streams, verify_streams};
//! use audit_store::verify::Verdict;
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("orders");
//! let (first, second) = (Log::options().open_or_sibling(&path)?, Log::options().open_or_sibling(&path)?);
//! assert!(second.path().ends_with("orders.1"));
//! # (first.close()?, second.close()?);
//!
//! let reports = verify_streams(&path)?;
//! assert_eq!(reports.len(), 2);
//! assert_eq!(Verdict::worst(reports.iter().map(|report| report.verdict())), Verdict::Intact);
//! assert_eq!(Streams::find(directory.path())?, Streams::find(&path)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What counts
//! - *Beside a log*: `<log>.<n>` for n from 1 to [`SIBLINGS_MAX`], and `<log>.operator`, whatever is there under these
//!   names. A process opens a number only while all lower ones are held, so all lower ones were there: one that is not is
//!   listed too, and reading it fails.
//! - *Below a directory that is no log*: every log that is one of its immediate members, what stands beside each of them by
//!   name, and what cannot be looked at. Symbolic links are followed, and a log that is reached under several names counts
//!   once. Everything else is passed over.
//!
//! The order is that of the names, with numbers as numbers: `orders`, `orders.2`, `orders.10`, `orders.operator`, `shop`.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::layout::{Layout, Survey};
use crate::verify::{Report, Verdict, verify_log};

mod find;
mod open;

/// The highest number of a sibling: how many processes, less one, can write logs of one name at the same time.
pub const SIBLINGS_MAX: u16 = 1024;

/// The end of the name of the log that takes what people record while a process holds the log itself.
const OPERATOR: &str = "operator";

/// One of the logs that are read together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    name: Name,
    path: PathBuf,
}

impl Stream {
    /// Returns the name of its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name.text
    }

    /// Returns the path of its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The logs that are read together, in order; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams(Vec<Stream>);

impl Streams {
    /// Finds the log at `path` and those beside it, or the logs below it if it is no log itself.
    ///
    /// What is found need not be whole, nor even readable: verifying or reading it tells.
    ///
    /// # Errors
    /// There is no log at the path, beside it or below it ([`Error::is_not_a_log`]), or the directory cannot be read
    /// ([`Error::is_io`]).
    pub fn find(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let error = match Layout::new(path).survey() {
            Ok(Survey::Log | Survey::Empty) => return find::beside(path).map(Self),
            Ok(Survey::Absent) => Error::not_a_log(path, "nothing"),
            Ok(Survey::NotALog(found)) if path.is_dir() => {
                let below = find::below(path)?;
                if !below.is_empty() {
                    return Ok(Self(below));
                }
                Error::not_a_log(path, format!("{found}, and no log below it"))
            }
            Ok(Survey::NotALog(found)) => Error::not_a_log(path, found),
            Err(source) => Error::io(path, "look at the log's directory", source),
        };
        // Those beside it tell that there was a log, and are not to be hidden by what became of it.
        let streams = find::beside(path)?;
        if streams.len() > 1 { Ok(Self(streams)) } else { Err(error) }
    }

    /// Returns the logs in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Stream] {
        &self.0
    }

    /// Returns the log if there is one alone.
    #[must_use]
    pub fn single(&self) -> Option<&Stream> {
        if let [stream] = self.as_slice() { Some(stream) } else { None }
    }
}

/// What the verification of one of several logs came to.
#[derive(Debug)]
pub struct StreamReport {
    /// The log.
    pub stream: Stream,
    /// What [`verify_log`] says of it.
    pub outcome: Result<Report, Error>,
}

impl StreamReport {
    /// Returns the verdict; a log that cannot be read is [`Verdict::Unverifiable`].
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.outcome.as_ref().map_or(Verdict::Unverifiable, |report| report.verdict)
    }
}

/// Verifies the log at `path` and those beside it, or the logs below it: each by itself, so that none hides another.
///
/// # Errors
/// As [`Streams::find`]. What is wrong with a single one is in its report.
pub fn verify_streams(path: impl AsRef<Path>) -> Result<Vec<StreamReport>, Error> {
    let Streams(streams) = Streams::find(path)?;
    let verify = |stream: Stream| StreamReport { outcome: verify_log(stream.path()), stream };
    Ok(streams.into_iter().map(verify).collect())
}

impl Verdict {
    /// Returns the worst of the verdicts: tampered, else unverifiable, else intact.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max_by_key(|verdict| verdict.rank()).unwrap_or(Self::Intact)
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Intact => 0,
            Self::Unverifiable => 1,
            Self::Tampered => 2,
        }
    }
}

/// The name of a log's directory, ordered so that those beside each other stand together and numbers as numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    /// The name of the log that it stands beside, or else its own.
    base: String,
    place: Place,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    First,
    Beside(u16),
    Operator,
}

impl Name {
    fn parse(text: &str) -> Self {
        let beside = text.rsplit_once('.').and_then(|(base, end)| Some((base, Place::parse(end)?)));
        let (base, place) = beside.filter(|(base, _)| !base.is_empty()).unwrap_or((text, Place::First));
        Self { base: base.to_owned(), place, text: text.to_owned() }
    }
}

impl Place {
    /// Parses what follows the log's name and a point; a number has no sign and no leading zero.
    fn parse(end: &str) -> Option<Self> {
        if end == OPERATOR {
            return Some(Self::Operator);
        }
        let number = end.parse().ok().filter(|number| (1..=SIBLINGS_MAX).contains(number))?;
        (end == number.to_string()).then_some(Self::Beside(number))
    }
}

#[cfg(test)]
mod tests;

//! Where to look for the logs that belong together.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Name, OPERATOR, Place, SIBLINGS_MAX, Stream};
use crate::Error;
use crate::layout::{Layout, Survey};

/// Returns the log at the path, there or not, and those beside it.
///
/// The names are tried one by one, so that the directory above need not be readable.
pub(super) fn beside(path: &Path) -> Result<Vec<Stream>, Error> {
    let base = base(path).map_err(|source| Error::io(path, "look beside the log", source))?;
    let mut last = 0;
    for number in 1..=SIBLINGS_MAX {
        if is_there(&sibling(&base, number)) {
            last = number;
        }
    }
    let mut streams = vec![Stream { path: path.to_owned(), ..Stream::at(base.clone()) }];
    streams.extend((1..=last).map(|number| Stream::at(sibling(&base, number))));
    streams.extend(Some(with_end(&base, OPERATOR)).filter(|path| is_there(path)).map(Stream::at));
    Ok(streams)
}

/// Returns the logs that are members of the directory, in order.
pub(super) fn below(directory: &Path) -> Result<Vec<Stream>, Error> {
    let failed = |source| Error::io(directory, "list the logs", source);
    let mut members = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        members.push(Stream::at(entry.map_err(failed)?.path()));
    }
    let (mut logs, others): (BTreeSet<Stream>, BTreeSet<Stream>) =
        members.into_iter().partition(|stream| is_log(&stream.path));
    remove_aliases(&mut logs);

    let bases: Vec<String> =
        logs.iter().filter(|log| log.name.place == Place::First).map(|log| log.name.text.clone()).collect();
    for base in bases {
        let is_beside = |stream: &&Stream| stream.name.base == base && stream.name.place != Place::First;
        logs.extend(others.iter().filter(is_beside).cloned().collect::<Vec<_>>());
        let numbers: BTreeSet<u16> = logs.iter().filter(is_beside).filter_map(|log| log.name.place.number()).collect();
        let is_missing = |number: &u16| !numbers.contains(number);
        let missing = (1..numbers.last().copied().unwrap_or(0)).filter(is_missing);
        logs.extend(missing.map(|number| Stream::at(sibling(&directory.join(&base), number))));
    }
    Ok(logs.into_iter().collect())
}

/// Tells whether the path is a log, or cannot be looked at, so that it may be one.
fn is_log(path: &Path) -> bool {
    match Layout::new(path).survey() {
        Ok(survey) => survey == Survey::Log,
        Err(_) => true,
    }
}

/// Leaves, of the paths that lead to one directory, the one that is no symbolic link, or else the first.
fn remove_aliases(logs: &mut BTreeSet<Stream>) {
    let (links, directories): (Vec<Stream>, Vec<Stream>) =
        logs.iter().cloned().partition(|stream| stream.path.is_symlink());
    let mut seen = BTreeSet::new();
    for stream in directories.into_iter().chain(links) {
        if fs::canonicalize(&stream.path).is_ok_and(|real| !seen.insert(real)) {
            logs.remove(&stream);
        }
    }
}

/// Returns the path with a name at its end, so that another one can be put beside it: `.` has none.
pub(super) fn base(path: &Path) -> io::Result<PathBuf> {
    if path.file_name().is_some() { Ok(path.to_owned()) } else { fs::canonicalize(path) }
}

/// Returns the path of the sibling: `<log>.<n>`.
pub(super) fn sibling(base: &Path, number: u16) -> PathBuf {
    with_end(base, &number.to_string())
}

fn with_end(base: &Path, end: &str) -> PathBuf {
    let mut name: OsString = base.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(end);
    base.with_file_name(name)
}

/// Tells whether anything is at the path, be it a link that leads nowhere; true if that cannot be known.
fn is_there(path: &Path) -> bool {
    // Nothing can have a name that is too long.
    let is_nothing =
        |fault: &io::Error| matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename);
    !fs::symlink_metadata(path).is_err_and(|fault| is_nothing(&fault))
}

impl Stream {
    fn at(path: PathBuf) -> Self {
        Self { name: Name::parse(&path.file_name().unwrap_or_default().to_string_lossy()), path }
    }
}

impl Place {
    const fn number(self) -> Option<u16> {
        if let Self::Beside(number) = self { Some(number) } else { None }
    }
}

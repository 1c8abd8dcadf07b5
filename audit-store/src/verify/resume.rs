//! The point from which a verification goes on: a file that whoever verifies keeps outside the log.

use std::fs;
use std::io;
use std::path::Path;

use audit_core::verify::State;

use crate::Error;

/// Says what the file is, and in which version.
const HEAD: &str = "audited resume point 1\n";

/// Reads the state; none if there is no file yet.
pub(super) fn load(path: &Path) -> Result<Option<State>, Error> {
    let failed = |source| Error::io(path, "read the resume point", source);
    let text = match fs::read_to_string(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(failed)?,
    };
    // Whatever else the file holds is not to be written over.
    let state = text.strip_prefix(HEAD).and_then(|text| State::decode(text.trim_end()));
    state.map(Some).ok_or_else(|| {
        failed(io::Error::new(io::ErrorKind::InvalidData, "expected a resume point, found something else"))
    })
}

/// Writes the state into a file beside it first, so that an interruption leaves the one or the other.
pub(super) fn save(path: &Path, state: &State) -> Result<(), Error> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let text = format!("{HEAD}{}\n", state.encode());
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| Error::io(path, "write the resume point", source))
}

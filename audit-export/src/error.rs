//! The one error of this crate.

use core::fmt;

/// Something is not what is to be exported or read.
#[derive(Debug)]
pub struct ExportError {
    found: String,
}

impl ExportError {
    /// `found` says what was expected, what was found and where.
    pub(crate) fn new(found: impl Into<String>) -> Self {
        Self { found: found.into() }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found)
    }
}

impl std::error::Error for ExportError {}

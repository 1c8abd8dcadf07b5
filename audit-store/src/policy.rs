//! Audit policies in TOML: how much of which call is recorded, what is removed from it, and for how long it is kept.
//!
//! `docs/policy.md` tells what a policy may say. [`parse`] reads one, and refuses what it does not know, so that a slip of
//! the pen does not record less than was meant.
//!
//! ```
//! let policy = audit_store::policy::parse(r#"
//!     [[rule]]
//!     name = "reads"
//!     effect = "read"
//!     level = "metadata"
//! "#).unwrap();
//! assert_eq!(policy.rules()[0].name, "reads");
//!
//! let refused = audit_store::policy::parse("[[rule]]\nefect = \"read\"").unwrap_err();
//! assert_eq!(refused.to_string(), "line 2, column 1: expected a key of a rule, found `efect`: is `effect` meant?");
//! ```

mod diff;
mod document;
mod table;

use core::fmt;
use std::path::Path;

use audit_core::audit_policy::{AuditPolicy, Parts, PolicyFault};
use audit_core::hash::Hash;

use crate::Error;
pub use diff::{Diff, Difference, RuleDiff, diff};
use document::Document;

/// How large a policy may be.
pub const POLICY_BYTES_MAX: usize = 1024 * 1024;

/// Reads a policy.
///
/// # Errors
/// The text is no TOML, has a key or a value that policies do not have, or says what no policy may.
pub fn parse(text: &str) -> Result<AuditPolicy, PolicyError> {
    if text.len() > POLICY_BYTES_MAX {
        let found = format!("expected at most {POLICY_BYTES_MAX} bytes, found {}", text.len());
        return Err(PolicyError { line: 1, column: 1, reason: found });
    }
    let document = Document::read(text)?;
    let parts = Parts { hash: Some(Hash::of(text.as_bytes())), ..document.parts.clone() };
    AuditPolicy::new(parts).map_err(|fault| document.locate(text, &fault))
}

/// Reads the policy in a file.
///
/// # Errors
/// The file cannot be read, or it holds no policy ([`Error::policy`]).
pub fn read(path: &Path) -> Result<AuditPolicy, Error> {
    let text = read_text(path)?;
    parse(&text).map_err(|fault| Error::of_policy(path, fault))
}

/// Reads the text of a policy's file.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    use std::io::Read as _;
    let failed = |source| Error::io(path, "read the policy", source);
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    // One byte more than may be, so that `parse` sees that there is more.
    let limit = u64::try_from(POLICY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Why a text is no policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    line: usize,
    column: usize,
    reason: String,
}

impl PolicyError {
    fn at(text: &str, offset: usize, reason: impl Into<String>) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = text.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |feed| feed + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        Self { line: before.matches('\n').count() + 1, column, reason: reason.into() }
    }

    /// Returns the line, the first is 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns the place in the line in characters, the first is 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Returns what was expected and what was found.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for PolicyError {}

impl Document<'_> {
    /// Finds where in the text it stands what is wrong with the parts.
    fn locate(&self, text: &str, fault: &PolicyFault) -> PolicyError {
        PolicyError::at(text, self.place_of(fault), fault.to_string())
    }
}

#[cfg(test)]
mod tests;

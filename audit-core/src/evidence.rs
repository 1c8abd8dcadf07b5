//! Evidence: one `.tlog-proof` file that shows an entry to be in the tree of a checkpoint, without the log.
//!
//! Source: C2SP `tlog-proof`. What this project puts into the line `extra` is [`Extra`]: the entry itself, and the
//! evidence of the rotations that lead from the log's first key to that of the checkpoint.

#[cfg(feature = "signatures")]
mod check;
mod disclosed;
mod extra;

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::lines::{self, Fault, Lines};
use crate::proof::{self, ProofError};

#[cfg(feature = "signatures")]
pub use check::{CheckError, Checked, Cosigner, check, check_cosigned};
pub use disclosed::{DISCLOSURES_MAX, Disclosed};
pub use extra::{Extra, ParseExtraError, ROTATIONS_MAX};

/// The most bytes that a `.tlog-proof` file may have: 1 MiB.
pub const BYTES_MAX: usize = lines::BYTES_MAX;

/// The most hashes that its inclusion proof may have.
pub const HASHES_MAX: usize = lines::HASHES_MAX;

/// The content of a `.tlog-proof` file.
///
/// Neither reading nor [`check_inclusion`](Self::check_inclusion) looks at the checkpoint. Who trusts evidence has verified
/// its signatures, taken size and root from it, and checked the inclusion of the leaf hash of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What the line `extra` holds, if there is one: proved by nothing by itself. Never empty when read, and no line if empty.
    pub extra: Option<Vec<u8>>,
    /// The index of the entry in the tree.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling to the root's child; at most [`HASHES_MAX`].
    pub proof: Vec<Hash>,
    /// The signed note verbatim, with the line feed that ends it.
    pub checkpoint: String,
}

impl Evidence {
    /// Parses the one canonical form of a `.tlog-proof` file, of at most [`BYTES_MAX`] bytes.
    ///
    /// Of the checkpoint only that is looked at which separates it from the proof: it begins with a line that is not empty, and
    /// is UTF-8 in which the line feed is the only control character and the end.
    ///
    /// # Errors
    /// Tells which line is not as expected.
    pub fn parse(text: &[u8]) -> Result<Self, ParseEvidenceError> {
        let mut lines = Lines::new(text)?;
        lines.take("the line `c2sp.org/tlog-proof@v1`", |line| (line == HEADER).then_some(()))?;
        let extra = if lines.starts_with(EXTRA) {
            let parse = |line: &str| lines::parse_base64(line.strip_prefix(EXTRA)?.as_bytes());
            Some(lines.take("`extra` and at least one byte in base64", parse)?)
        } else {
            None
        };
        let parse = |line: &str| lines::parse_number(line.strip_prefix(INDEX)?);
        let index = lines.take("`index` and a number below 2^64 in plain decimal digits", parse)?;
        let (proof, checkpoint) = lines.proof_and_checkpoint()?;
        Ok(Self { extra, index, proof, checkpoint })
    }

    /// Reads the entry and the rotations that the line `extra` holds; `None` if there is no such line.
    ///
    /// # Errors
    /// Tells which line of the extra data is not as expected.
    pub fn parse_extra(&self) -> Result<Option<Extra>, ParseExtraError> {
        self.extra.as_deref().map(Extra::parse).transpose()
    }

    /// Adds sealed values of the entry, opened. Whether their digests stand in it is for the check to tell.
    ///
    /// # Errors
    /// The extra data holds no entry, is not that of this project's evidence, or would hold more than [`DISCLOSURES_MAX`].
    pub fn disclose(&mut self, disclosed: impl IntoIterator<Item = Disclosed>) -> Result<(), ParseExtraError> {
        let mut extra = Extra::parse(self.extra.as_deref().unwrap_or_default())?;
        extra.disclosures.extend(disclosed);
        let bytes = extra.to_bytes();
        Extra::parse(&bytes)?;
        self.extra = Some(bytes);
        Ok(())
    }

    /// Checks that the leaf is in the tree of `size` leaves that has this root, at the index of this evidence.
    ///
    /// # Errors
    /// Those of [`proof::check_inclusion`].
    pub fn check_inclusion(&self, leaf: Hash, size: u64, root: Hash) -> Result<(), ProofError> {
        proof::check_inclusion(leaf, self.index, size, &self.proof, root)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_deref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "{EXTRA}{}", STANDARD.encode(extra))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        lines::write_proof_and_checkpoint(f, &self.proof, &self.checkpoint)
    }
}

/// The bytes are not a `.tlog-proof` file in its one canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseEvidenceError(Fault);

impl ParseEvidenceError {
    /// Returns the number of the line that is not as expected, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.0.line
    }
}

impl From<Fault> for ParseEvidenceError {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl fmt::Display for ParseEvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a .tlog-proof file: expected {} on line {}", self.0.expected, self.0.line)
    }
}

impl std::error::Error for ParseEvidenceError {}

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";

#[cfg(test)]
mod tests;

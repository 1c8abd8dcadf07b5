//! What a log says to a witness: the request `add-checkpoint` of C2SP `tlog-witness`.

use core::fmt;

use crate::hash::Hash;
use crate::lines::{self, Fault, Lines};
use crate::proof::{self, ProofError};

/// The body of the request `add-checkpoint`: a checkpoint, and the proof that it continues the one that the witness knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The tree size of the newest checkpoint that the witness has cosigned; 0 if none.
    pub old_size: u64,
    /// The consistency proof from that size; at most 63 hashes, and none from 0.
    pub proof: Vec<Hash>,
    /// The signed note verbatim, with the line feed that ends it.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// Parses the one canonical form, of at most 1 MiB. The checkpoint is not looked at.
    ///
    /// What is written rightly and proves nothing, like a proof from size 0, is left to [`check`](Self::check): a witness
    /// answers it in another way.
    ///
    /// # Errors
    /// Tells which line is not as expected.
    pub fn parse(body: &[u8]) -> Result<Self, ParseAddCheckpointError> {
        let mut lines = Lines::new(body)?;
        let parse = |line: &str| lines::parse_number(line.strip_prefix(OLD)?);
        let old_size = lines.take("`old` and a tree size below 2^64 in plain decimal digits", parse)?;
        let (proof, checkpoint) = lines.proof_and_checkpoint()?;
        Ok(Self { old_size, proof, checkpoint })
    }

    /// Checks that the tree of `size` leaves with this root continues the tree of the old size, which had the root `old_root`.
    ///
    /// From size 0 every tree does, without a proof; what is given as its root does not matter.
    ///
    /// # Errors
    /// Those of [`proof::check_consistency`]; from size 0, that there is a proof, or that an empty tree has not the root that is
    /// the hash of nothing.
    pub fn check(&self, old_root: Hash, size: u64, root: Hash) -> Result<(), ProofError> {
        if self.old_size > 0 {
            return proof::check_consistency(self.old_size, old_root, size, root, &self.proof);
        }
        let nothing = Hash::of(b"");
        if !self.proof.is_empty() {
            Err(ProofError::Length { expected: 0, found: self.proof.len() })
        } else if size == 0 && root != nothing {
            Err(ProofError::Root { size, expected: nothing, found: root })
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD}{}", self.old_size)?;
        lines::write_proof_and_checkpoint(f, &self.proof, &self.checkpoint)
    }
}

/// The bytes are not the body of `add-checkpoint` in its one canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAddCheckpointError(Fault);

impl ParseAddCheckpointError {
    /// Returns the number of the line that is not as expected, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.0.line
    }
}

impl From<Fault> for ParseAddCheckpointError {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl fmt::Display for ParseAddCheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the body of add-checkpoint: expected {} on line {}", self.0.expected, self.0.line)
    }
}

impl std::error::Error for ParseAddCheckpointError {}

const OLD: &str = "old ";

#[cfg(test)]
mod tests;

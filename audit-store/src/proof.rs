//! Proofs about a log, for those who do not have it.
//!
//! [`prove`] makes the evidence of one entry: a `.tlog-proof` file that holds the entry, and that
//! [`audit_core::evidence::check`] verifies with a key alone. [`prove_consistency`] shows that a log only grew between two
//! checkpoints. Both read a log that may be growing, and write nothing.
//!
//! Tiles make them quick, and are not trusted: each proof is checked against the root of its checkpoint before it is handed
//! out, and made from the segments alone if it does not fit.

mod consistency;
mod cosigned;
mod find;
mod rotations;

use core::fmt;
use std::path::Path;

use audit_core::checkpoint::Checkpoint;
use audit_core::entry::parse_line;
use audit_core::evidence::{self, Evidence, Extra};
use audit_core::hash::Hash;
use audit_core::id::RecordId;
use audit_core::policy::Policy;
use audit_core::proof::{self, MakeProofError, TiledNodesError};
use audit_core::verify::Fault;

use crate::Error;
use crate::checkpoints::{self, Stated};
use crate::layout::Layout;
use crate::tiles::{Entries, Tiles};
use crate::verify::Finding;

pub use consistency::{Consistency, Tree, prove_consistency};

/// Which entry is to be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The entry of this number.
    Number(u64),
    /// The entry that holds the record of this identifier.
    Record(RecordId),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "entry {number}"),
            Self::Record(record_id) => write!(f, "an entry with the record {record_id}"),
        }
    }
}

/// How evidence is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    rotations: bool,
    policy: Option<Policy>,
}

impl Options {
    /// Returns the defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { rotations: false, policy: None }
    }

    /// Says whether the rotations of the keys are added where the log has an identity key, too, with which they are not
    /// needed. The default is that they are not. Without such a key they always are.
    #[must_use]
    pub const fn rotations(mut self, rotations: bool) -> Self {
        self.rotations = rotations;
        self
    }

    /// Takes, instead of the newest checkpoint, the newest one that a quorum of this policy cosigned, as far as that lies in
    /// `<log>/anchors`. The witnesses of the quorum may have been asked apart.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Makes the evidence of one entry; see [`prove`].
    ///
    /// # Errors
    /// Those of [`prove`]; with a policy, that no checkpoint over the entry meets it ([`Error::is_uncosigned`]).
    pub fn prove(self, log: impl AsRef<Path>, which: Which) -> Result<Evidence, Error> {
        let layout = Layout::new(log.as_ref());
        // The checkpoint first: what it covers is then in the segments.
        let newest = newest(&layout)?;
        let mut entries = Entries::new(&layout);
        let (number, line) = find::entry(&layout, &mut entries, which)?;
        if number >= newest.checkpoint.size {
            return Err(Error::uncovered(&layout.directory, number, newest.checkpoint.size));
        }
        let stated = match &self.policy {
            Some(policy) => cosigned::meeting(&layout, &newest, number, policy)?,
            None => cosigned::with_known(&layout, &newest)?,
        };
        let rotations = rotations::needed(&layout, &stated, self.rotations)?;
        let mut extra = Extra::of(line);
        for rotation in rotations {
            let of_rotation = Extra::of(rotation.line);
            extra.rotations.push(evidence_of(&layout, rotation.number, of_rotation, &rotation.stated)?);
        }
        let evidence = evidence_of(&layout, number, extra, &stated)?;
        let bytes = evidence.to_string().len();
        if bytes > evidence::BYTES_MAX {
            return Err(Error::too_many_rotations(&layout.directory, bytes));
        }
        Ok(evidence)
    }
}

/// Makes the evidence of one entry: the inclusion proof under the newest checkpoint, the entry itself, and, where the log
/// has no identity key, the rotations that lead from its first key to the one that signed the checkpoint. The checkpoint
/// has the cosignatures that lie for it in `<log>/anchors`, which are not looked at.
///
/// A record is looked for where the time in its identifier says, then around there, then everywhere.
///
/// # Errors
/// The path is no log, or has no checkpoint ([`Error::is_checkpoint_missing`]); there is no such entry
/// ([`Error::is_not_found`]), or no checkpoint covers it yet ([`Error::is_uncovered`]); the entries do not have the root
/// that the checkpoint states ([`Error::is_tampered`]); a file cannot be read.
pub fn prove(log: impl AsRef<Path>, which: Which) -> Result<Evidence, Error> {
    Options::new().prove(log, which)
}

/// Returns the number and the line of an entry, without its line feed, as it stands: nothing is proved.
///
/// # Errors
/// The path is no log; there is no such entry ([`Error::is_not_found`]); a file cannot be read.
pub fn entry(log: impl AsRef<Path>, which: Which) -> Result<(u64, Vec<u8>), Error> {
    let layout = Layout::new(log.as_ref());
    find::entry(&layout, &mut Entries::new(&layout), which)
}

/// Returns the newest checkpoint, which any proof needs.
fn newest(layout: &Layout) -> Result<Stated, Error> {
    // Tells what is no log.
    crate::read::Segments::list(&layout.directory)?;
    checkpoints::newest(layout)?.ok_or_else(|| Error::no_checkpoint(&layout.directory))
}

/// Makes the evidence of an entry under a checkpoint that covers it.
fn evidence_of(layout: &Layout, number: u64, extra: Extra, stated: &Stated) -> Result<Evidence, Error> {
    let found = parse_line(&extra.entry).map_err(|fault| bad(layout, number, fault.to_string()))?.sequence.number;
    if found != number {
        return Err(bad(layout, number, format!("expected its number, found {found}")));
    }
    let leaf = Hash::leaf(&extra.entry);
    let Checkpoint { size, root, .. } = stated.checkpoint;
    let make = |tiles: &mut Tiles| proof::inclusion(number, size, &mut tiles.nodes(size));
    let proof = checked(layout, make, |proof| proof::check_inclusion(leaf, number, size, proof, root).is_ok())?;
    Ok(Evidence { extra: Some(extra.to_bytes()), index: number, proof, checkpoint: stated.note.clone() })
}

/// Makes a proof that holds: with tiles, and if that one does not, from the segments alone.
fn checked(
    layout: &Layout,
    make: impl Fn(&mut Tiles) -> Result<Vec<Hash>, MakeProofError<TiledNodesError<Error>>>,
    holds: impl Fn(&[Hash]) -> bool,
) -> Result<Vec<Hash>, Error> {
    if let Some(proof) = make(&mut Tiles::new(layout)).ok().filter(|proof| holds(proof)) {
        return Ok(proof);
    }
    match make(&mut Tiles::without_files(layout)) {
        Ok(proof) if holds(&proof) => Ok(proof),
        Err(MakeProofError::Node(TiledNodesError::Read(fault))) => Err(fault),
        _ => {
            let reason = "expected the root that the checkpoint states, found that of other entries";
            Err(Error::finding(&layout.directory, Finding { file: None, fault: Fault::tampered(None, reason) }))
        }
    }
}

fn bad(layout: &Layout, number: u64, reason: String) -> Error {
    Error::finding(&layout.directory, Finding { file: None, fault: Fault::tampered(number, reason) })
}

#[cfg(test)]
mod tests;

//! Proofs that a log only grew.

use core::fmt;
use std::path::Path;

use audit_core::checkpoint::Checkpoint;
use audit_core::hash::Hash;
use audit_core::proof;
use audit_core::verify::Fault;

use crate::Error;
use crate::checkpoints::Stated;
use crate::layout::Layout;
use crate::proof::{checked, newest};
use crate::tiles::Tiles;
use crate::verify::Finding;

/// The tree of a log at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// The tree of so many entries, whatever its root.
    Size(u64),
    /// The tree that a checkpoint states, which must be the log's.
    Checkpoint(Checkpoint),
}

impl Tree {
    /// Takes the checkpoint of a note; its signatures are not looked at.
    ///
    /// # Errors
    /// The note is none, and why.
    pub fn of_note(note: &str) -> Result<Self, String> {
        Stated::parse(note).map(|stated| Self::Checkpoint(stated.checkpoint))
    }

    /// Returns how many entries it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        match self {
            Self::Size(size) => *size,
            Self::Checkpoint(checkpoint) => checkpoint.size,
        }
    }
}

/// A proof that one tree of a log is the beginning of another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Consistency {
    /// How many entries the older tree has.
    pub old: u64,
    /// Its root.
    pub old_root: Hash,
    /// How many entries the newer tree has.
    pub new: u64,
    /// Its root.
    pub new_root: Hash,
    /// The hashes that RFC 6962 §2.1.2 asks for.
    pub proof: Vec<Hash>,
}

/// Makes the proof that the tree of a log was `old`, and then grew to `new`.
///
/// The newer tree is within what the newest checkpoint covers, and leads to it: where a checkpoint is given, its root is the
/// log's.
///
/// # Errors
/// The sizes are not in order, or above what the newest checkpoint covers ([`Error::is_uncovered`]); the log does not have
/// the root that a checkpoint states ([`Error::is_tampered`]); and as [`prove`](super::prove).
pub fn prove_consistency(log: impl AsRef<Path>, old: &Tree, new: &Tree) -> Result<Consistency, Error> {
    let layout = Layout::new(log.as_ref());
    let newest = newest(&layout)?.checkpoint;
    let (old_size, new_size) = (old.size(), new.size());
    if new_size > newest.size {
        return Err(Error::uncovered(&layout.directory, new_size - 1, newest.size));
    }
    if old_size == 0 || old_size > new_size {
        return Err(Error::sizes(&layout.directory, old_size, new_size));
    }
    // Each tree is shown to lead to the newest checkpoint, whose root is the log's.
    let old_root = root_of(&layout, old, &newest)?;
    let new_root = root_of(&layout, new, &newest)?;
    let make = |tiles: &mut Tiles| proof::consistency(old_size, new_size, &mut tiles.nodes(new_size));
    let holds = |proof: &[Hash]| proof::check_consistency(old_size, old_root, new_size, new_root, proof).is_ok();
    let proof = checked(&layout, make, holds)?;
    Ok(Consistency { old: old_size, old_root, new: new_size, new_root, proof })
}

/// Returns the root of the log's tree at a size, once it leads to the newest checkpoint.
fn root_of(layout: &Layout, tree: &Tree, newest: &Checkpoint) -> Result<Hash, Error> {
    let size = tree.size();
    let rooted = |tiles: &mut Tiles| -> Option<Hash> {
        let root = proof::root(size, &mut tiles.nodes(size)).ok()?;
        let proof = proof::consistency(size, newest.size, &mut tiles.nodes(newest.size)).ok()?;
        proof::check_consistency(size, root, newest.size, newest.root, &proof).is_ok().then_some(root)
    };
    let found = rooted(&mut Tiles::new(layout)).or_else(|| rooted(&mut Tiles::without_files(layout)));
    let expected = match tree {
        Tree::Size(_) => None,
        Tree::Checkpoint(checkpoint) if checkpoint.origin != newest.origin => {
            return Err(Error::origin_differs(&layout.directory, &newest.origin, &checkpoint.origin));
        }
        Tree::Checkpoint(checkpoint) => Some(checkpoint.root),
    };
    match (found, expected) {
        (Some(found), None) => Ok(found),
        (Some(found), Some(expected)) if found == expected => Ok(found),
        (Some(_), Some(_)) => Err(altered(
            layout,
            format!("expected the root that the checkpoint of {size} entries states, found another"),
        )),
        (None, _) => Err(altered(
            layout,
            "expected the root that the newest checkpoint states, found that of other entries".to_owned(),
        )),
    }
}

fn altered(layout: &Layout, reason: String) -> Error {
    Error::finding(&layout.directory, Finding { file: None, fault: Fault::tampered(None, reason) })
}

/// The form in which it is printed, and which `check` of other tools can take: sizes and roots, then the hashes.
/// ```text
/// old 21 x7Ad…kQY=
/// new 34 sFod…i08=
/// bjQL…oB0=
/// ```
impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |hash: &Hash| audit_core::checkpoint::root_text(*hash);
        writeln!(f, "old {} {}", self.old, text(&self.old_root))?;
        writeln!(f, "new {} {}", self.new, text(&self.new_root))?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", text(hash)))
    }
}

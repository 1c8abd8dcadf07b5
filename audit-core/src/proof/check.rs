//! Checking proofs.

use core::fmt;

use crate::hash::Hash;

/// Checks the proof that a leaf stands at an index of the tree of `size` leaves that has this root.
///
/// # Errors
/// The index is not below the size, the proof has not exactly the hashes that index and size ask for, or they lead to another
/// root.
pub fn check_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), ProofError> {
    expect_root(size, root, root_from_inclusion(leaf, index, size, proof)?)
}

/// Returns the root of the tree of `size` leaves to which an inclusion proof leads (RFC 9162 §2.1.3.2).
///
/// # Errors
/// The index is not below the size, or the proof has not exactly the hashes that index and size ask for.
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let path = Path { node: index, last: size - 1 };
    expect_length(path.count(), proof.len())?;
    Ok(proof.iter().zip(path).fold(leaf, |node, (sibling, side)| match side {
        Side::Left => Hash::node(*sibling, node),
        Side::Right => Hash::node(node, *sibling),
    }))
}

/// Checks the proof that the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 9162 §2.1.4.2).
///
/// The empty tree is the beginning of every tree; that proves nothing, so an old size of 0 is refused.
///
/// # Errors
/// The old size is 0 or above the new one, the proof has not exactly the hashes that the sizes ask for, or they lead to other
/// roots.
pub fn check_consistency(old: u64, old_root: Hash, new: u64, new_root: Hash, proof: &[Hash]) -> Result<(), ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Sizes { old, new });
    }
    if old == new {
        expect_length(0, proof.len())?;
        return expect_root(new, old_root, new_root);
    }
    // The lowest node that ends where the old tree ends. If it is the old tree, its hash is known, else it comes first.
    let level = old.trailing_zeros();
    let path = Path { node: (old - 1) >> level, last: (new - 1) >> level };
    let is_whole = old.is_power_of_two();
    expect_length(path.count() + usize::from(!is_whole), proof.len())?;
    let (start, siblings) = match proof.split_first() {
        Some((first, rest)) if !is_whole => (*first, rest),
        _ => (old_root, proof),
    };
    let (mut old_node, mut new_node) = (start, start);
    for (sibling, side) in siblings.iter().zip(path) {
        match side {
            Side::Left => (old_node, new_node) = (Hash::node(*sibling, old_node), Hash::node(*sibling, new_node)),
            Side::Right => new_node = Hash::node(new_node, *sibling),
        }
    }
    expect_root(old, old_root, old_node)?;
    expect_root(new, new_root, new_node)
}

/// The way from a node to the root, as the sides on which its siblings stand.
#[derive(Clone, Copy)]
struct Path {
    /// The index of the node in its level.
    node: u64,
    /// The index of the last node in that level.
    last: u64,
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl Iterator for Path {
    type Item = Side;

    fn next(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let (side, levels) = if self.node == self.last {
            // At the right edge a node without a sibling is its own parent.
            (Side::Left, self.node.trailing_zeros())
        } else if self.node % 2 == 1 {
            (Side::Left, 0)
        } else {
            (Side::Right, 0)
        };
        // In two steps, as they may be 64 levels together.
        (self.node, self.last) = ((self.node >> levels) >> 1, (self.last >> levels) >> 1);
        Some(side)
    }
}

const fn expect_length(expected: usize, found: usize) -> Result<(), ProofError> {
    if expected == found { Ok(()) } else { Err(ProofError::Length { expected, found }) }
}

fn expect_root(size: u64, expected: Hash, found: Hash) -> Result<(), ProofError> {
    if expected == found { Ok(()) } else { Err(ProofError::Root { size, expected, found }) }
}

/// Why a proof does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The tree has no leaf of this index.
    Index {
        /// The index of the leaf.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
    /// There is no consistency proof between these sizes.
    Sizes {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
    /// The proof has too few or too many hashes.
    Length {
        /// How many hashes there are in a proof of this index or old size, and this tree size.
        expected: usize,
        /// How many hashes the proof has.
        found: usize,
    },
    /// The proof leads to another root, or two roots of one size differ.
    Root {
        /// The size of the tree.
        size: u64,
        /// The root that the tree is said to have.
        expected: Hash,
        /// The root to which the proof leads.
        found: Hash,
    },
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index { index, size } => write!(f, "expected an index below the tree size {size}, found {index}"),
            Self::Sizes { old, new } => {
                write!(f, "expected an old tree size from 1 to the new one, {new}, found {old}")
            }
            Self::Length { expected, found } => write!(f, "expected a proof of {expected} hashes, found {found}"),
            Self::Root { size, expected, found } => {
                write!(
                    f,
                    "expected a proof that leads to the root {expected} of the tree of size {size}, found {found}"
                )
            }
        }
    }
}

impl std::error::Error for ProofError {}

//! Making proofs.

use core::fmt;
use core::ops::Range;

use crate::hash::Hash;

/// Where the nodes of a tree come from: kept, read, or made from leaves.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;

    /// Returns the root over the leaves `index·2^level` up to `(index + 1)·2^level`, which are all in the tree.
    ///
    /// # Errors
    /// The node could not be read or made.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Returns the root of the tree of `size` leaves; of the empty tree it is the hash of nothing.
///
/// # Errors
/// A node could not be had.
pub fn root<N: Nodes + ?Sized>(size: u64, nodes: &mut N) -> Result<Hash, N::Error> {
    root_over(0..size, nodes)
}

/// Makes the proof that the leaf of an index is in the tree of `size` leaves: siblings, from the leaf's to the root's child.
///
/// # Errors
/// The index is not below the size, or a node could not be had.
pub fn inclusion<N: Nodes + ?Sized>(
    index: u64,
    size: u64,
    nodes: &mut N,
) -> Result<Vec<Hash>, MakeProofError<N::Error>> {
    if index >= size {
        return Err(MakeProofError::Index { index, size });
    }
    let mut siblings = Vec::new();
    let mut here = 0..size;
    while let Some(middle) = middle(&here) {
        let (inside, beside) = if index < middle {
            (here.start..middle, middle..here.end)
        } else {
            (middle..here.end, here.start..middle)
        };
        siblings.push(beside);
        here = inside;
    }
    roots(siblings, nodes)
}

/// Makes the proof that the tree of `old` leaves is the beginning of the tree of `new` leaves; empty if the two are the same.
///
/// # Errors
/// The old size is 0, of which there is no proof, or above the new one, or a node could not be had.
pub fn consistency<N: Nodes + ?Sized>(
    old: u64,
    new: u64,
    nodes: &mut N,
) -> Result<Vec<Hash>, MakeProofError<N::Error>> {
    if old == 0 || old > new {
        return Err(MakeProofError::Sizes { old, new });
    }
    let mut siblings = Vec::new();
    let mut here = 0..new;
    while let Some(middle) = middle(&here).filter(|_middle| here.end != old) {
        let (inside, beside) =
            if old <= middle { (here.start..middle, middle..here.end) } else { (middle..here.end, here.start..middle) };
        siblings.push(beside);
        here = inside;
    }
    // What begins with the first leaf is the old tree itself, the root of which the reader knows.
    if here.start > 0 {
        siblings.push(here);
    }
    roots(siblings, nodes)
}

/// Returns where the right child of the tree over a range begins; `None` for a single leaf and for nothing.
fn middle(leaves: &Range<u64>) -> Option<u64> {
    let last = (leaves.end - leaves.start).checked_sub(1)?;
    Some(leaves.start + (1 << last.checked_ilog2()?))
}

/// Returns the root over each range, from the last to the first.
fn roots<N: Nodes + ?Sized>(ranges: Vec<Range<u64>>, nodes: &mut N) -> Result<Vec<Hash>, MakeProofError<N::Error>> {
    ranges.into_iter().rev().map(|range| root_over(range, nodes).map_err(MakeProofError::Node)).collect()
}

/// Returns the root over leaves that stand under one node, or at the right edge under a part of one.
fn root_over<N: Nodes + ?Sized>(leaves: Range<u64>, nodes: &mut N) -> Result<Hash, N::Error> {
    let mut end = leaves.end;
    let mut root = None;
    // The perfect subtrees from the right, the smallest first: one for each bit of the number of leaves.
    while end > leaves.start {
        let level = (end - leaves.start).trailing_zeros();
        let left = nodes.node(level, (end >> level) - 1)?;
        root = Some(root.map_or(left, |right| Hash::node(left, right)));
        end -= 1 << level;
    }
    Ok(root.unwrap_or_else(|| Hash::of(b"")))
}

/// Why a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MakeProofError<E> {
    /// The tree has no leaf of this index.
    Index {
        /// The index that was asked for.
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
    /// A node could not be had.
    Node(E),
}

impl<E> fmt::Display for MakeProofError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index { index, size } => write!(f, "expected an index below the tree size {size}, found {index}"),
            Self::Sizes { old, new } => {
                write!(f, "expected an old tree size from 1 to the new one, {new}, found {old}")
            }
            Self::Node(_) => f.write_str("a node of the tree could not be had"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for MakeProofError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Node(source) => Some(source),
            Self::Index { .. } | Self::Sizes { .. } => None,
        }
    }
}

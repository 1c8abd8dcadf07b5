//! The Merkle tree over the entries of a log (RFC 6962 §2.1), kept as its frontier.

use crate::hash::{self, Hash};

/// The right edge of a growing Merkle tree: the roots of its maximal perfect subtrees, largest first.
///
/// Appending is O(1) amortised and the whole state is at most 64 hashes, whatever the size of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One root per set bit of `size`, from the most significant bit down.
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// Returns the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, subtrees: Vec::new() }
    }

    /// Returns how many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the frontier of the given size; `None` unless there is one subtree for every set bit of the size, the
    /// largest first.
    #[must_use]
    pub fn from_subtrees(size: u64, subtrees: Vec<Hash>) -> Option<Self> {
        let is_whole = u32::try_from(subtrees.len()).is_ok_and(|count| count == size.count_ones());
        is_whole.then_some(Self { size, subtrees })
    }

    /// Returns the roots of the maximal perfect subtrees, largest first: one for every set bit of the size.
    #[must_use]
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }

    /// Appends one leaf hash. Allocates nothing once the frontier has been as long.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Appends 2^`level` leaves of which only the root is known; without effect unless the size is a multiple of that.
    pub fn push_subtree(&mut self, level: u32, root: Hash) {
        let leaves = 1_u64.checked_shl(level).unwrap_or(0);
        if leaves == 0 || !self.size.is_multiple_of(leaves) {
            return;
        }
        let mut node = root;
        // Each one bit of the old size, from that of the new subtree up, is a subtree that the new one completes.
        for _ in 0..(self.size / leaves).trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = Hash::node(left, node);
            }
        }
        self.subtrees.push(node);
        self.size += leaves;
    }

    /// Appends many leaf hashes: faster than one after the other.
    pub fn push_all(&mut self, leaves: &[Hash]) {
        for (level, root) in cover(self.size, leaves) {
            self.push_subtree(level, root);
        }
    }

    /// Returns the root hash; the root of the empty tree is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.subtrees
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| Hash::node(left, right))
            .unwrap_or_else(|| Hash::of(b""))
    }
}

/// Covers leaves, of which the first has the index `first` in the tree, by as few perfect subtrees as can be.
///
/// Returns the level and the root of each, from left to right: a subtree of a level has 2^level leaves.
#[must_use]
pub fn cover(first: u64, leaves: &[Hash]) -> Vec<(u32, Hash)> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let (mut index, mut nodes) = (first, leaves.to_vec());
    let mut parents = Vec::new();
    for level in 0.. {
        let mut whole = nodes.as_slice();
        if index % 2 == 1
            && let Some((lone, rest)) = whole.split_first()
        {
            left.push((level, *lone));
            (whole, index) = (rest, index + 1);
        }
        if whole.len() % 2 == 1
            && let Some((lone, rest)) = whole.split_last()
        {
            right.push((level, *lone));
            whole = rest;
        }
        if whole.is_empty() {
            break;
        }
        parents.clear();
        hash::nodes(whole, &mut parents);
        core::mem::swap(&mut nodes, &mut parents);
        index /= 2;
    }
    left.extend(right.into_iter().rev());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962 §2.1, word for word.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(b""),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                Hash::node(root_by_definition(&leaves[..split]), root_by_definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_frontier_agrees_with_the_definition_at_every_size() {
        let leaves: Vec<Hash> = (0u8..70).map(|n| Hash::leaf(&[n])).collect();
        let mut frontier = Frontier::new();
        for size in 0..leaves.len() {
            assert_eq!(frontier.root(), root_by_definition(&leaves[..size]), "size {size}");
            assert_eq!(frontier.size(), size as u64);
            frontier.push(leaves[size]);
        }
    }

    #[test]
    fn leaves_may_be_appended_in_any_portions() {
        let leaves: Vec<Hash> = (0u8..150).map(|n| Hash::leaf(&[n])).collect();
        for before in 0..40 {
            for end in before..leaves.len() {
                let mut frontier = Frontier::new();
                leaves[..before].iter().for_each(|leaf| frontier.push(*leaf));
                frontier.push_all(&leaves[before..end]);
                assert_eq!(frontier.root(), root_by_definition(&leaves[..end]), "{before} and {end}");
                let again = Frontier::from_subtrees(frontier.size(), frontier.subtrees().to_vec());
                assert_eq!(again, Some(frontier));
            }
        }
        assert_eq!(Frontier::from_subtrees(3, leaves[..1].to_vec()), None);
    }

    #[test]
    fn a_subtree_that_does_not_begin_at_its_place_is_not_appended() {
        let mut frontier = Frontier::new();
        frontier.push(Hash::leaf(b"a"));
        let before = frontier.clone();
        frontier.push_subtree(1, Hash::leaf(b"b"));
        frontier.push_subtree(64, Hash::leaf(b"b"));
        assert_eq!(frontier, before);
    }
}

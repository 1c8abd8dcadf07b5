//! What checkpoints say of a log's tree: the roots that it must have at their sizes.

use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;

/// The root that the tree over the first `size` entries must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// How many entries the tree covers.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// The heads of all checkpoints, smallest first; a clone shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads(Arc<[Head]>);

impl Heads {
    /// Returns the greatest size; 0 without a head.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.0.last().map_or(0, |head| head.size)
    }

    /// Returns the heads of more than `size` entries.
    pub(super) fn beyond(&self, size: u64) -> &[Head] {
        let at = self.0.partition_point(|head| head.size <= size);
        self.0.get(at..).unwrap_or_default()
    }

    /// Returns the heads of exactly so many entries; more than one only where checkpoints contradict each other.
    pub(super) fn at(&self, size: u64) -> &[Head] {
        let from = self.0.partition_point(|head| head.size < size);
        let to = self.0.partition_point(|head| head.size <= size);
        self.0.get(from..to).unwrap_or_default()
    }
}

impl FromIterator<Head> for Heads {
    fn from_iter<T: IntoIterator<Item = Head>>(heads: T) -> Self {
        let mut heads: Vec<Head> = heads.into_iter().collect();
        heads.sort_unstable();
        heads.dedup();
        Self(heads.into())
    }
}

impl From<Option<Checkpoint>> for Heads {
    fn from(checkpoint: Option<Checkpoint>) -> Self {
        checkpoint.iter().map(Checkpoint::head).collect()
    }
}

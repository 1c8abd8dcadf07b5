//! Inclusion and consistency proofs: made from the nodes of a tree, and checked without it.
//!
//! An inclusion proof shows that a leaf is in the tree of a checkpoint, a consistency proof that the tree of one checkpoint
//! is the beginning of the tree of another. Source: RFC 6962 §2.1.1 and §2.1.2, and for checking RFC 9162 §2.1.3.2 and
//! §2.1.4.2. [`TiledNodes`] finds the nodes in the tiles of a log.

mod check;
mod make;
mod tiled;

pub use check::{ProofError, check_consistency, check_inclusion, root_from_inclusion};
pub use make::{MakeProofError, Nodes, consistency, inclusion, root};
pub use tiled::{TiledNodes, TiledNodesError};

#[cfg(test)]
mod tests;

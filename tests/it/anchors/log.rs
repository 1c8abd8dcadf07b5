//! A log in memory: leaves, a key, checkpoints of any size.

use std::convert::Infallible;

use audit_core::anchor::{Anchor, AnchorError, Kept, Request};
use audit_core::checkpoint::Checkpoint;
use audit_core::hash::Hash;
use audit_core::note::{Note, SecretKey, Signature, VerificationKey};
use audit_core::proof::{self, Nodes};
use audit_core::tree::Frontier;

pub const ORIGIN: &str = "example.com/orders";

#[derive(Clone, Debug)]
pub struct Tree {
    pub leaves: Vec<Hash>,
    seed: u8,
}

impl Tree {
    /// A log of so many entries.
    pub fn of(size: u64) -> Self {
        let leaves = (0..size).map(|number| Hash::leaf(&number.to_be_bytes())).collect();
        Self { leaves, seed: 7 }
    }

    /// The same log with another entry at an index.
    pub fn forked(mut self, index: usize) -> Self {
        self.leaves[index] = Hash::leaf(b"another");
        self
    }

    /// The same log, signed by another key.
    pub fn signed_by(mut self, seed: u8) -> Self {
        self.seed = seed;
        self
    }

    fn secret(&self) -> SecretKey {
        SecretKey::from_bytes(ORIGIN, &[self.seed; 32]).unwrap()
    }

    pub fn key(&self) -> VerificationKey {
        self.secret().verification_key().unwrap()
    }

    fn root(&self, leaves: core::ops::Range<usize>) -> Hash {
        let mut tree = Frontier::new();
        tree.push_all(&self.leaves[leaves]);
        tree.root()
    }

    /// The signed checkpoint of the whole log.
    pub fn note(&self) -> Note {
        let size = self.leaves.len();
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: size as u64, root: self.root(0..size) };
        let mut note = Note::new(checkpoint.to_string()).unwrap();
        note.push(Signature::make(note.text(), &self.key(), &self.secret()).unwrap());
        note
    }

    /// Gives the checkpoint of the whole log to an anchor.
    pub fn anchor(&self, anchor: &dyn Anchor) -> Result<Kept, AnchorError> {
        let (note, size) = (self.note(), self.leaves.len() as u64);
        let mut prove = |old| proof::consistency(old, size, &mut Whole(self)).map_err(Into::into);
        anchor.anchor(&mut Request::new(&note, &mut prove).unwrap())
    }
}

struct Whole<'a>(&'a Tree);

impl Nodes for Whole<'_> {
    type Error = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let width = 1_usize << level;
        let start = usize::try_from(index).unwrap() * width;
        Ok(self.0.root(start..start + width))
    }
}

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::hash::Hash;
use crate::tile::Tile;

/// The definitions of RFC 6962 §2.1, word for word.
mod definition {
    use super::Hash;

    fn split(size: usize) -> usize {
        size.next_power_of_two() / 2
    }

    pub(super) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                Hash::node(root(left), root(right))
            }
        }
    }

    pub(super) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut path, last) =
            if index < k { (path(index, left), root(right)) } else { (path(index - k, right), root(left)) };
        path.push(last);
        path
    }

    pub(super) fn subproof(old: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if is_whole { Vec::new() } else { vec![root(leaves)] };
        }
        let k = split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut proof, last) = if old <= k {
            (subproof(old, left, is_whole), root(right))
        } else {
            (subproof(old - k, right, false), root(left))
        };
        proof.push(last);
        proof
    }
}

/// A tree of any size: all leaves are the same but for a few.
struct Sparse {
    special: BTreeMap<u64, Hash>,
    /// The root over 2^level leaves that are all the same.
    same: Vec<Hash>,
    known: RefCell<BTreeMap<(u32, u64), Hash>>,
}

impl Sparse {
    fn new(special: impl IntoIterator<Item = u64>) -> Self {
        let next = |node: &Hash| Some(Hash::node(*node, *node));
        let same = std::iter::successors(Some(Hash::leaf(b"same")), next).take(64).collect();
        Self {
            special: special.into_iter().map(|index| (index, leaf(index))).collect(),
            same,
            known: RefCell::default(),
        }
    }

    fn get(&self, level: u32, index: u64) -> Hash {
        let leaves = index << level..=(index << level) + ((1 << level) - 1);
        if self.special.range(leaves).next().is_none() {
            return self.same[at(level.into())];
        }
        let known = self.known.borrow().get(&(level, index)).copied();
        known.unwrap_or_else(|| {
            let node = if level == 0 {
                self.special[&index]
            } else {
                Hash::node(self.get(level - 1, 2 * index), self.get(level - 1, 2 * index + 1))
            };
            self.known.borrow_mut().insert((level, index), node);
            node
        })
    }
}

impl Nodes for Sparse {
    type Error = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.get(level, index))
    }
}

fn at(place: u64) -> usize {
    usize::try_from(place).unwrap()
}

fn leaf(index: u64) -> Hash {
    Hash::leaf(&index.to_be_bytes())
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(leaf).collect()
}

/// Every way to change one hash of a proof, to leave one out or to add one.
fn altered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let other = Hash::of(b"other");
    let mut all = Vec::new();
    for place in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(place, other);
        all.push(longer);
        if place < proof.len() {
            let (mut changed, mut shorter, mut repeated) = (proof.to_vec(), proof.to_vec(), proof.to_vec());
            changed[place] = other;
            shorter.remove(place);
            repeated.insert(place, proof[place]);
            all.extend([changed, shorter, repeated]);
        }
        if place + 1 < proof.len() {
            let mut swapped = proof.to_vec();
            swapped.swap(place, place + 1);
            all.push(swapped);
        }
    }
    all
}

#[test]
fn inclusion_proofs_are_those_of_the_definition() {
    let leaves = leaves(70);
    let mut nodes = Sparse::new(0..70);
    for size in 1..=70 {
        let tree = &leaves[..size];
        let tree_root = definition::root(tree);
        assert_eq!(root(size as u64, &mut nodes), Ok(tree_root));
        for (index, leaf) in tree.iter().enumerate() {
            let (place, count) = (index as u64, size as u64);
            let proof = inclusion(place, count, &mut nodes).unwrap();
            assert_eq!(proof, definition::path(index, tree), "{index} in {size}");
            assert_eq!(check_inclusion(*leaf, place, count, &proof, tree_root), Ok(()), "{index} in {size}");
            for other in 0..size {
                let found = check_inclusion(*leaf, other as u64, count, &proof, tree_root);
                assert_eq!(found.is_ok(), other == index, "{index} as {other} in {size}");
            }
        }
    }
    assert_eq!(root(0, &mut nodes), Ok(Hash::of(b"")));
}

#[test]
fn consistency_proofs_are_those_of_the_definition() {
    let leaves = leaves(70);
    let mut nodes = Sparse::new(0..70);
    let roots: Vec<Hash> = (0..=70).map(|size| definition::root(&leaves[..size])).collect();
    for new in 1..=70 {
        for old in 1..=new {
            let proof = consistency(old as u64, new as u64, &mut nodes).unwrap();
            assert_eq!(proof, definition::subproof(old, &leaves[..new], true), "{old} to {new}");
            let check = |old: usize, old_root| check_consistency(old as u64, old_root, new as u64, roots[new], &proof);
            assert_eq!(check(old, roots[old]), Ok(()), "{old} to {new}");
            for (other, other_root) in roots.iter().enumerate().take(new + 1).skip(1) {
                assert_eq!(check(other, *other_root).is_ok(), other == old, "{old} as {other} to {new}");
            }
        }
    }
}

#[test]
fn an_altered_proof_is_refused() {
    let leaves = leaves(40);
    let mut nodes = Sparse::new(0..40);
    let roots: Vec<Hash> = (0..=40).map(|size| definition::root(&leaves[..size])).collect();
    for new in 1..=40_u64 {
        let new_root = roots[at(new)];
        for old in 1..=new {
            let (old_root, last) = (roots[at(old)], leaves[at(old - 1)]);
            let inclusion = inclusion(old - 1, new, &mut nodes).unwrap();
            for proof in altered(&inclusion) {
                assert!(check_inclusion(last, old - 1, new, &proof, new_root).is_err(), "{old} of {new}");
            }
            let consistency = consistency(old, new, &mut nodes).unwrap();
            for proof in altered(&consistency) {
                assert!(check_consistency(old, old_root, new, new_root, &proof).is_err(), "{old} to {new}");
            }
            let other = Hash::of(b"other");
            assert!(check_inclusion(other, old - 1, new, &inclusion, new_root).is_err());
            assert!(check_inclusion(last, old - 1, new, &inclusion, other).is_err());
            assert!(check_consistency(old, other, new, new_root, &consistency).is_err());
            assert!(check_consistency(old, old_root, new, other, &consistency).is_err());
        }
    }
}

#[test]
fn what_cannot_be_proved_is_refused() {
    let mut nodes = Sparse::new([]);
    let (leaf, root) = (leaf(0), Hash::of(b"root"));
    for (index, size) in [(0, 0), (5, 5), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
        assert_eq!(inclusion(index, size, &mut nodes), Err(MakeProofError::Index { index, size }));
        assert_eq!(check_inclusion(leaf, index, size, &[], root), Err(ProofError::Index { index, size }));
    }
    for (old, new) in [(0, 0), (0, 5), (6, 5), (u64::MAX, 0)] {
        assert_eq!(consistency(old, new, &mut nodes), Err(MakeProofError::Sizes { old, new }));
        assert_eq!(check_consistency(old, root, new, root, &[]), Err(ProofError::Sizes { old, new }));
    }
    let many = vec![root; 100_000];
    let length = |expected| ProofError::Length { expected, found: 100_000 };
    assert_eq!(check_inclusion(leaf, 0, u64::MAX, &many, root), Err(length(64)));
    assert_eq!(check_consistency(3, root, u64::MAX, root, &many), Err(length(65)));
    assert_eq!(check_consistency(7, root, 7, root, &many), Err(length(0)));
}

#[test]
fn errors_say_what_was_expected_and_found() {
    let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
    let errors = [
        check_inclusion(a, 7, 5, &[], b),
        check_inclusion(a, 4, 5, &[], b),
        check_inclusion(a, 0, 1, &[], b),
        check_consistency(0, a, 5, b, &[]),
        check_consistency(5, a, 5, b, &[]),
    ];
    let text: String = errors.iter().map(|error| format!("{}\n", error.unwrap_err())).collect();
    expect_test::expect![[r#"
        expected an index below the tree size 5, found 7
        expected a proof of 1 hashes, found 0
        expected a proof that leads to the root 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d of the tree of size 1, found ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb
        expected an old tree size from 1 to the new one, 5, found 0
        expected a proof that leads to the root ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb of the tree of size 5, found 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d
    "#]].assert_eq(&text);
}

/// Reads tiles out of a sparse tree and counts how often each is read.
fn tiled(
    tree: &Sparse,
    size: u64,
    reads: &mut BTreeMap<Tile, usize>,
) -> TiledNodes<impl FnMut(Tile) -> Result<Vec<Hash>, Infallible>> {
    TiledNodes::new(size, move |tile: Tile| {
        assert!(tile.end_entry() <= size, "{tile:?} is in the tree");
        let wider = tile.end_entry().checked_add(1 << (8 * u32::from(tile.level())));
        assert!(tile.is_full() || wider.is_none_or(|end| end > size), "{tile:?} is of this size");
        *reads.entry(tile).or_default() += 1;
        let first = tile.index() << 8;
        let level = 8 * u32::from(tile.level());
        Ok((first..first + u64::from(tile.width())).map(|index| tree.get(level, index)).collect())
    })
}

/// Makes and checks a proof of either kind, with nodes and with tiles.
fn check_large(index: u64, old: u64, new: u64, special: Vec<u64>) {
    let mut tree = Sparse::new(special.into_iter().chain([index, old - 1, old, new - 1]).filter(|index| *index < new));
    let (old_root, new_root) = (root(old, &mut tree).unwrap(), root(new, &mut tree).unwrap());
    let included = inclusion(index, new, &mut tree).unwrap();
    assert_eq!(check_inclusion(leaf(index), index, new, &included, new_root), Ok(()));
    assert_eq!(root_from_inclusion(leaf(index), index, new, &included), Ok(new_root));
    let continued = consistency(old, new, &mut tree).unwrap();
    assert_eq!(check_consistency(old, old_root, new, new_root, &continued), Ok(()));

    let mut reads = BTreeMap::new();
    let mut nodes = tiled(&tree, new, &mut reads);
    assert_eq!(inclusion(index, new, &mut nodes), Ok(included.clone()));
    assert_eq!(root(new, &mut nodes), Ok(new_root));
    drop(nodes);
    assert!(reads.len() <= 16 && reads.values().all(|count| *count == 1), "each tile is read once: {reads:?}");

    let mut reads = BTreeMap::new();
    assert_eq!(consistency(old, new, &mut tiled(&tree, new, &mut reads)), Ok(continued.clone()));
    assert!(reads.len() <= 16 && reads.values().all(|count| *count == 1), "each tile is read once: {reads:?}");

    for proof in altered(&included).into_iter().step_by(7) {
        assert!(check_inclusion(leaf(index), index, new, &proof, new_root).is_err() || proof == included);
    }
    for proof in altered(&continued).into_iter().step_by(7) {
        assert!(check_consistency(old, old_root, new, new_root, &proof).is_err() || proof == continued);
    }
}

#[test]
fn the_largest_trees_have_proofs() {
    let edges = [1, 257, (1 << 32) - 1, 1 << 63, (1 << 63) + 1, u64::MAX];
    for new in edges {
        for old in edges.into_iter().filter(|old| *old <= new) {
            check_large(old - 1, old, new, Vec::new());
        }
    }
}

/// A number of any length in bits.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(number, bits)| (number >> bits).max(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_of_trees_of_any_size_hold(
        new in number(),
        old in number(),
        index in number(),
        special in vec(number(), 0..8),
    ) {
        check_large(index % new, 1 + old % new, new, special);
    }
}

#[test]
fn a_tile_that_cannot_be_used_is_named() {
    let mut torn = TiledNodes::new(70_000, |_tile| Ok::<_, Infallible>(vec![Hash::of(b"")]));
    let error = inclusion(0, 70_000, &mut torn).unwrap_err();
    let tile = Tile::new(0, 0, 256).unwrap();
    assert_eq!(error, MakeProofError::Node(TiledNodesError::Width { tile, found: 1 }));
    let source = std::error::Error::source(&error).unwrap();
    expect_test::expect!["expected 256 hashes in tile/0/000, found 1"].assert_eq(&source.to_string());

    let mut absent = TiledNodes::new(70_000, |tile: Tile| Err(tile.path()));
    let error = root(70_000, &mut absent).unwrap_err();
    assert_eq!(error, TiledNodesError::Read("tile/0/273.p/112".to_owned()));
    let error = absent.node(3, 8_750).unwrap_err();
    expect_test::expect!["expected a node of the tree of size 70000, found number 8750 of level 3"]
        .assert_eq(&error.to_string());
}

//! Proofs against vectors that others made for RFC 6962 and RFC 9162.

use std::path::{Path, PathBuf};

use audit_core::hash::Hash;
use audit_core::proof::{check_consistency, check_inclusion};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use testkit::outside_data;

/// Decides every vector of a kind, and compares with what it demands.
fn check(kind: &str, expected: Decided, decide: impl Fn(&Value) -> bool) {
    let Some(vectors) = outside_data("AUDITED_VECTORS", "vectors") else { return };
    let mut found = Decided::default();
    for path in files(&vectors.join("merkle/testdata").join(kind)) {
        let vector: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let is_refused = vector["wantErr"].as_bool().unwrap();
        assert_eq!(decide(&vector), !is_refused, "{}: {}", path.display(), vector["desc"]);
        *if is_refused { &mut found.refused } else { &mut found.accepted } += 1;
    }
    assert_eq!(found, expected);
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Decided {
    accepted: usize,
    refused: usize,
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut open } else { &mut found }.push(path);
        }
    }
    found
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or_default()).unwrap()
}

/// `None` if the bytes are not 32: then they are no hash, and what holds them is refused when it is read.
fn hash(value: &Value) -> Option<Hash> {
    Some(Hash::from_bytes(bytes(value).try_into().ok()?))
}

fn proof(vector: &Value) -> Option<Vec<Hash>> {
    vector["proof"].as_array().into_iter().flatten().map(hash).collect()
}

#[test]
fn inclusion_is_decided_as_the_vectors_of_rfc_6962_demand() {
    check("inclusion", Decided { accepted: 6, refused: 92 }, |vector| {
        let (Some(leaf), Some(root), Some(proof)) = (hash(&vector["leafHash"]), hash(&vector["root"]), proof(vector))
        else {
            return false;
        };
        let number = |name: &str| vector[name].as_u64().unwrap();
        check_inclusion(leaf, number("leafIdx"), number("treeSize"), &proof, root).is_ok()
    });
}

#[test]
fn consistency_is_decided_as_the_vectors_of_rfc_6962_demand() {
    // One vector that is to be accepted has two equal roots that are not 32 bytes long. A hash of them stands for each such
    // root, so that equal ones stay equal.
    let root = |value: &Value| hash(value).unwrap_or_else(|| Hash::of(&bytes(value)));
    check("consistency", Decided { accepted: 6, refused: 92 }, |vector| {
        let number = |name: &str| vector[name].as_u64().unwrap();
        let (old, new) = (number("size1"), number("size2"));
        proof(vector).is_some_and(|proof| {
            check_consistency(old, root(&vector["root1"]), new, root(&vector["root2"]), &proof).is_ok()
        })
    });
}

//! By the crates `signed_note` and `tlog_tiles`.

use std::fs;
use std::path::Path;

use audit_store::proof::{Which, prove, prove_consistency};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, HashReader as _, Tile, TileHashReader, TileReader, check_record, check_tree, record_hash,
    stored_hash_index, tree_hash,
};

use super::Exported;

/// The exported directory as that crate reads tiles.
struct Directory<'a>(&'a Path);

impl Directory<'_> {
    /// The crate's paths have the height, and `data` for entries.
    fn read(&self, tile: &Tile) -> Option<Vec<u8>> {
        let path = tile.path();
        let path = path.strip_prefix("tile/8/")?.replace("data/", "entries/");
        fs::read(self.0.join("tile").join(path)).ok()
    }
}

impl TileReader for Directory<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        tiles.iter().map(|tile| self.read(tile).ok_or(Error::InvalidTile)).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

fn checkpoint(note: &[u8], vkey: &str) -> Result<Checkpoint, String> {
    let note = Note::from_bytes(note).map_err(|fault| fault.to_string())?;
    let verifier = StandardVerifier::new(vkey).map_err(|fault| fault.to_string())?;
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|fault| fault.to_string())?;
    Checkpoint::from_bytes(note.text()).map_err(|fault| fault.to_string())
}

/// Takes a bundle of entries apart.
fn entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

/// Reads all of the directory: every hash of every tile is shown to be in the checkpoint's tree, and every entry to be what
/// was hashed.
fn accepts(directory: &Path, vkey: &str) -> Result<(), String> {
    let note = fs::read(directory.join("checkpoint")).map_err(|fault| fault.to_string())?;
    let checkpoint = checkpoint(&note, vkey)?;
    let (size, tiles) = (checkpoint.size(), Directory(directory));
    let reader = TileHashReader::new(size, *checkpoint.hash(), &tiles);
    let found = tree_hash(size, &reader).map_err(|fault| fault.to_string())?;
    if found != *checkpoint.hash() {
        return Err("another root".to_owned());
    }
    for first in (0..size).step_by(256) {
        let width = (size - first).min(256);
        let indexes: Vec<u64> = (first..first + width).map(|number| stored_hash_index(0, number)).collect();
        let hashes = reader.read_hashes(&indexes).map_err(|fault| fault.to_string())?;
        let tile = Tile::new(8, 0, first / 256, u32::try_from(width).unwrap(), true);
        let bundle = tiles.read(&tile).ok_or("no bundle")?;
        let entries = entries(&bundle).ok_or("malformed bundle")?;
        if hashes != entries.into_iter().map(record_hash).collect::<Vec<_>>() {
            return Err(format!("other entries from {first} on"));
        }
    }
    Ok(())
}

#[test]
fn an_exported_log_is_accepted_and_an_altered_one_refused() {
    let exported = Exported::new();
    exported.check(|directory| accepts(directory, &exported.vkey));
    let other = audit_core::note::SecretKey::from_bytes(super::ORIGIN, &[8; 32]).unwrap();
    assert!(accepts(&exported.tlog, &other.verification_key().unwrap().to_string()).is_err());
}

#[test]
fn the_proofs_of_a_log_are_accepted() {
    let exported = Exported::new();
    for number in [0, 1, 255, 256, 511, 512, 600] {
        let evidence = prove(&exported.log, Which::Number(number)).unwrap();
        let checkpoint = checkpoint(evidence.checkpoint.as_bytes(), &exported.vkey).unwrap();
        let entry = evidence.parse_extra().unwrap().unwrap().entry;
        let mut proof: Vec<Hash> = evidence.proof.iter().map(|hash| Hash(*hash.as_bytes())).collect();
        let leaf = record_hash(&entry);
        let check = |proof: &Vec<Hash>| check_record(proof, checkpoint.size(), *checkpoint.hash(), number, leaf);
        assert!(check(&proof).is_ok(), "{number}");
        proof[3].0[7] ^= 1;
        assert!(check(&proof).is_err(), "{number}");
    }
    let sizes = |old, new| {
        let tree = audit_store::proof::Tree::Size;
        prove_consistency(&exported.log, &tree(old), &tree(new)).unwrap()
    };
    for (old, new) in [(1, 600), (255, 256), (256, 600), (300, 555)] {
        let found = sizes(old, new);
        let mut proof: Vec<Hash> = found.proof.iter().map(|hash| Hash(*hash.as_bytes())).collect();
        let roots = (Hash(*found.new_root.as_bytes()), Hash(*found.old_root.as_bytes()));
        assert!(check_tree(&proof, new, roots.0, old, roots.1).is_ok(), "{old} {new}");
        proof[0].0[7] ^= 1;
        assert!(check_tree(&proof, new, roots.0, old, roots.1).is_err(), "{old} {new}");
    }
}

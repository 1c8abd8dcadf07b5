use std::fs;
use std::path::{Path, PathBuf};

use audit_core::proof::{Nodes as _, root};
use audit_core::tile::{partial_tiles, tiles_of};
use tempfile::TempDir;

use super::*;
use crate::checkpoints;
use crate::log::tests::{begin, end, fresh, lines, options};
use crate::{Log, Options};

/// So many calls have, with the log's own events, more than two full tiles.
const CALLS: u64 = 300;

fn with_tiles() -> Options {
    options().tiles(true).segment_bytes_max(60_000)
}

fn calls(log: &Log, calls: core::ops::Range<u64>) {
    for call in calls {
        begin(log, call).wait().unwrap();
        end(log, call).wait().unwrap();
    }
}

/// A log of many calls in several segments, closed.
fn written(options: Options) -> (TempDir, PathBuf) {
    let (directory, path) = fresh();
    let log = options.open(&path).unwrap();
    calls(&log, 0..CALLS);
    log.close().unwrap();
    (directory, path)
}

fn leaves(path: &Path) -> Vec<Hash> {
    lines(path).iter().map(|line| Hash::leaf(line.as_bytes())).collect()
}

/// The tiles of a tree, computed from its leaves alone.
fn expected(leaves: &[Hash]) -> Vec<(Tile, Vec<Hash>)> {
    let mut tree = Growing::default();
    let mut tiles = Vec::new();
    for leaf in leaves {
        let full = &mut |tile, hashes: &[Hash]| {
            tiles.push((tile, hashes.to_vec()));
            Ok::<_, core::convert::Infallible>(())
        };
        tree.push(*leaf, full).unwrap();
    }
    tiles.extend(tree.partial().map(|(tile, hashes)| (tile, hashes.to_vec())));
    tiles.sort();
    tiles
}

fn size(path: &Path) -> u64 {
    checkpoints::newest(&Layout::new(path)).unwrap().unwrap().checkpoint.size
}

/// Checks that the files are exactly the tiles of the log.
fn are_whole(path: &Path) {
    let leaves = leaves(path);
    let size = leaves.len() as u64;
    let files = TileFiles::new(&Layout::new(path));
    for (tile, hashes) in expected(&leaves) {
        assert!(files.read(tile) == Some(hashes.clone()), "{}", tile.path());
        assert_eq!(fs::read(path.join(tile.path())).unwrap(), audit_core::tile::to_bytes(&hashes));
        if tile.is_full() {
            assert!(!path.join(format!("{}.p", tile.path())).exists(), "{}", tile.path());
        }
    }
    assert_eq!(expected(&leaves).len(), tiles_of(size).count());
}

#[test]
fn a_closed_log_has_its_tiles() {
    let (_directory, path) = written(with_tiles());
    assert!(size(&path) > 512);
    are_whole(&path);
    let (_directory, path) = written(with_tiles().compress(true));
    are_whole(&path);
    let (_directory, path) = written(with_tiles().tiles(false));
    assert!(!path.join("tile").exists());
}

#[test]
fn tiles_are_made_up_for_by_the_next_opening() {
    let (_directory, path) = written(with_tiles().tiles(false));
    with_tiles().open(&path).unwrap().close().unwrap();
    are_whole(&path);
    for call in 0..3 {
        let log = with_tiles().open(&path).unwrap();
        calls(&log, 1_000 + 60 * call..1_060 + 60 * call);
        log.close().unwrap();
        are_whole(&path);
    }
}

#[test]
fn tiles_follow_the_checkpoints_of_a_log_that_is_open() {
    let (_directory, path) = fresh();
    let log = with_tiles().commit_interval(core::time::Duration::from_millis(1)).open(&path).unwrap();
    for call in 0..CALLS {
        calls(&log, call..call + 1);
    }
    // Behind the checkpoints by whatever the thread did not get to, and never wrong.
    let mut read = Tiles::new(&Layout::new(&path));
    let covered = checkpoints::newest(&Layout::new(&path)).unwrap().unwrap().checkpoint;
    assert_eq!(root(covered.size, &mut read.nodes(covered.size)).unwrap(), covered.root);
    log.close().unwrap();
    are_whole(&path);
}

#[test]
fn whatever_is_left_of_the_files_is_completed() {
    let check = |damage: fn(&Path)| {
        let (_directory, path) = written(with_tiles());
        damage(&path.join("tile"));
        with_tiles().open(&path).unwrap().close().unwrap();
        are_whole(&path);
    };
    check(|tiles| fs::remove_dir_all(tiles).unwrap());
    check(|tiles| fs::remove_dir_all(tiles.join("1")).unwrap());
    check(|tiles| fs::remove_dir_all(tiles.join("0/002.p")).unwrap());
    check(|tiles| fs::remove_file(tiles.join("0/001")).unwrap());
    check(|tiles| fs::write(tiles.join("0/001"), b"").unwrap());
    check(|tiles| fs::write(tiles.join("0/001"), [0; 8192]).unwrap());
    check(|tiles| fs::write(tiles.join("writing.tmp"), b"torn").unwrap());
    // One whose hashes are those of another log.
    check(|tiles| fs::write(tiles.join("0/000"), [7; 8192]).unwrap());
}

#[test]
fn a_log_goes_on_where_no_tile_can_be_written() {
    let (_directory, path) = written(with_tiles().tiles(false));
    fs::write(path.join("tile"), b"not a directory").unwrap();
    let log = with_tiles().open(&path).unwrap();
    calls(&log, 1_000..1_010);
    log.close().unwrap();
    assert_eq!(fs::read(path.join("tile")).unwrap(), b"not a directory");
    let mut tiles = Tiles::new(&Layout::new(&path));
    assert_eq!(tiles.nodes(size(&path)).node(0, 3).unwrap(), leaves(&path)[3]);
}

#[test]
fn a_tile_without_a_file_is_made_from_what_is_below() {
    for options in [with_tiles(), with_tiles().compress(true)] {
        let (_directory, path) = written(options);
        let all = expected(&leaves(&path));
        let layout = Layout::new(&path);
        for mut tiles in [Tiles::new(&layout), Tiles::without_files(&layout)] {
            for (tile, hashes) in all.iter().rev().chain(&all) {
                assert_eq!(&tiles.tile(*tile).unwrap(), hashes, "{}", tile.path());
            }
        }
        // A partial tile of an earlier size is the beginning of a later one.
        for width in [1, 7, 255] {
            let earlier = Tile::new(0, 0, width).unwrap();
            assert_eq!(Tiles::new(&layout).tile(earlier).unwrap(), all[0].1[..usize::from(width)]);
        }
        let beyond = Tile::new(0, 2, 255).unwrap();
        assert!(Tiles::new(&layout).tile(beyond).unwrap_err().is_tampered());
    }
}

#[test]
fn a_tree_has_its_tiles_and_root_at_every_size() {
    let leaves: Vec<Hash> = (0..70_000_u32).map(|number| Hash::leaf(&number.to_be_bytes())).collect();
    let mut tree = Growing::default();
    let mut full = 0;
    let mut frontier = audit_core::tree::Frontier::new();
    for (size, leaf) in (1_u64..).zip(&leaves) {
        tree.push(*leaf, &mut |_tile, _hashes| {
            full += 1;
            Ok::<_, core::convert::Infallible>(())
        })
        .unwrap();
        frontier.push(*leaf);
        if size % 1_000 < 3 || size.is_multiple_of(256) {
            assert_eq!(tree.root(), frontier.root(), "{size}");
            let partial: Vec<Tile> = tree.partial().map(|(tile, _hashes)| tile).collect();
            assert_eq!(partial, partial_tiles(size).collect::<Vec<_>>(), "{size}");
            assert_eq!(full + partial.len(), tiles_of(size).count(), "{size}");
        }
    }
    assert!(Growing::resume(256, vec![vec![], vec![leaves[0]]]).is_some());
    assert!(Growing::resume(256, vec![vec![leaves[0]]]).is_none());
}

#[test]
fn entries_are_found_in_any_order() {
    for compress in [false, true] {
        let (_directory, path) = written(with_tiles().compress(compress));
        let all = lines(&path);
        let mut entries = Entries::new(&Layout::new(&path));
        let size = all.len() as u64;
        for number in (0..size).chain((0..size).rev()).chain((0..size).map(|number| number * 7 % size)) {
            let line = entries.line(number).unwrap().unwrap();
            assert_eq!(String::from_utf8(line).unwrap(), all[usize::try_from(number).unwrap()]);
        }
        assert_eq!(entries.line(size).unwrap(), None);
        let mut found = Vec::new();
        assert_eq!(entries.lines(5..u64::MAX, |number, _line| found.push(number)).unwrap(), size);
        assert_eq!(found, (5..size).collect::<Vec<_>>());
        let expected = leaves(&path);
        for end in [1, 2, 255, 256, 257, size] {
            let mut leaves = Vec::new();
            assert!(entries.leaves(0..end, &mut leaves).unwrap());
            assert_eq!(leaves, expected[..usize::try_from(end).unwrap()]);
        }
        assert!(!entries.leaves(0..size + 1, &mut Vec::new()).unwrap());
    }
}

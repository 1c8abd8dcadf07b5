use super::*;
use crate::tree::Frontier;

fn tile(level: u8, index: u64, width: u16) -> Tile {
    Tile::new(level, index, width).unwrap()
}

fn leaves(count: u16) -> Vec<Hash> {
    (0..count).map(|number| Hash::leaf(&number.to_be_bytes())).collect()
}

#[test]
fn a_path_is_written_and_read_in_one_form() {
    let check = |tile: Tile, path: &str, entries: &str| {
        assert_eq!((tile.path().as_str(), tile.entries_path().as_str()), (path, entries));
        assert_eq!(Tile::parse_path(path), Ok(tile));
        assert_eq!(Tile::parse_entries_path(entries), Ok(Tile::new(0, tile.index(), tile.width()).unwrap()));
    };
    check(tile(0, 0, 256), "tile/0/000", "tile/entries/000");
    check(tile(0, 0, 1), "tile/0/000.p/1", "tile/entries/000.p/1");
    check(tile(1, 17, 255), "tile/1/017.p/255", "tile/entries/017.p/255");
    check(tile(2, 999, 256), "tile/2/999", "tile/entries/999");
    check(tile(0, 1_000, 256), "tile/0/x001/000", "tile/entries/x001/000");
    check(tile(0, 1_234_067, 112), "tile/0/x001/x234/067.p/112", "tile/entries/x001/x234/067.p/112");
    check(tile(7, 0, 255), "tile/7/000.p/255", "tile/entries/000.p/255");
    let last = tile(0, (1 << 56) - 1, 255);
    let index = "x072/x057/x594/x037/x927/935.p/255";
    check(last, &format!("tile/0/{index}"), &format!("tile/entries/{index}"));
}

#[test]
fn another_form_of_a_path_is_refused() {
    let places = [
        "",
        "0",
        "00",
        "0000",
        "x000",
        "x000/000",
        "x000/001",
        "1000",
        "001/000",
        "x001",
        "x001/",
        "x001/x000",
        "x01/000",
        "X001/000",
        "x0010/00",
        "/000",
        "000/",
        "+00",
        "-01",
        " 000",
        "000 ",
        "000\n",
        "00a",
        "00٣",
        "000.p",
        "000.p/",
        "000.p/0",
        "000.p/256",
        "000.p/01",
        "000.p/+1",
        "000.p/1/",
        "000.p/1.p/1",
        "000.P/1",
        "x072/x057/x594/x037/x927/936",
        "x018/x446/x744/x073/x709/x551/616",
        "x018/x446/x744/x073/x709/x551/x615/000",
        "../000",
    ];
    for place in places {
        assert!(Tile::parse_path(&format!("tile/0/{place}")).is_err(), "{place:?}");
        assert!(Tile::parse_entries_path(&format!("tile/entries/{place}")).is_err(), "{place:?}");
    }
    let levels =
        ["tile/00/000", "tile/+0/000", "tile//000", "tile/-1/000", "tile/8/000.p/1", "tile/64/000", "tile/256/000"];
    let others = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "/tile/0/000",
        "Tile/0/000",
        "tile/7/000",
        "tile/7/001.p/1",
        "tile/entries/000",
    ];
    for path in levels.into_iter().chain(others) {
        assert!(Tile::parse_path(path).is_err(), "{path:?}");
    }
    assert!(Tile::parse_entries_path("tile/0/000").is_err());
    let error = Tile::parse_path("tile/0/00").unwrap_err();
    expect_test::expect!["expected the path tile/<level>/<index>[.p/<width>] of a tile in a tree of fewer than 2^64 entries, found \"tile/0/00\""]
        .assert_eq(&error.to_string());
}

#[test]
fn a_tile_is_one_of_a_tree_of_fewer_than_2_to_64_entries() {
    for level in 0..=LEVEL_MAX {
        let hashes_max = u64::MAX >> (8 * u32::from(level));
        let last = hashes_max >> 8;
        assert_eq!(tile(level, last, 255).end_entry(), hashes_max << (8 * u32::from(level)));
        for (index, width) in [(last, 256), (last + 1, 1), (u64::MAX, 1), (0, 0), (0, 257)] {
            assert_eq!(Tile::new(level, index, width), None, "level {level}, index {index}, width {width}");
        }
    }
    for level in [8, 63, 64, 255] {
        assert_eq!(Tile::new(level, 0, 1), None);
    }
    assert_eq!(tile(7, 0, 255).full(), None);
    assert_eq!(tile(1, 3, 20).full(), Some(tile(1, 3, 256)));
    assert_eq!((tile(1, 3, 20).first_entry(), tile(1, 3, 20).end_entry()), (3 << 16, (3 << 16) + (20 << 8)));
}

#[test]
fn the_tiles_of_the_example_in_the_specification() {
    let tiles: Vec<Tile> = tiles_of(70_000).collect();
    let expected = (0..273).map(|index| tile(0, index, 256));
    let expected = expected.chain([tile(0, 273, 112), tile(1, 0, 256), tile(1, 1, 17), tile(2, 0, 1)]);
    assert_eq!(tiles, expected.collect::<Vec<_>>());
    assert_eq!(partial_tiles(70_000).collect::<Vec<_>>(), [tile(0, 273, 112), tile(1, 1, 17), tile(2, 0, 1)]);
    assert_eq!(tiles_of(256).collect::<Vec<_>>(), [tile(0, 0, 256), tile(1, 0, 1)]);
    assert_eq!(tiles_of(0).count() + partial_tiles(0).count(), 0);
}

#[test]
fn what_a_tree_grows_by_is_what_it_had_not() {
    let sizes = [0, 1, 2, 255, 256, 257, 511, 512, 513, 1_000, 65_279, 65_280, 65_535, 65_536, 65_537, 70_000, 131_072];
    for old in sizes {
        let before: Vec<Tile> = tiles_of(old).collect();
        let (partial, full): (Vec<Tile>, Vec<Tile>) = before.iter().copied().partition(|tile| !tile.is_full());
        assert_eq!(partial_tiles(old).collect::<Vec<_>>(), partial, "{old}");
        for new in sizes {
            let expected = tiles_of(new).filter(|tile| !before.contains(tile));
            let expected: Vec<Tile> = if old <= new { expected.collect() } else { Vec::new() };
            assert_eq!(growth(old..new).collect::<Vec<_>>(), expected, "{old} to {new}");
            assert!(old > new || full.iter().all(|full| tiles_of(new).any(|tile| tile == *full)));
        }
    }
    let largest: Vec<Tile> = growth(u64::MAX - 1..u64::MAX).collect();
    assert_eq!(largest, [tile(0, u64::MAX >> 8, 255)]);
    assert_eq!(partial_tiles(u64::MAX).count(), 8);
}

#[test]
fn a_node_is_found_in_its_tile() {
    let leaves = leaves(256);
    let root_of = |leaves: &[Hash]| {
        let mut tree = Frontier::new();
        tree.push_all(leaves);
        tree.root()
    };
    let full = tile(0, 5, 256);
    assert_eq!(full.root(&leaves), Some(root_of(&leaves)));
    assert_eq!(full.root(&leaves), full.node(8, 5, &leaves));
    for height in 0..=8_u32 {
        for place in 0..256_usize >> height {
            let expected = root_of(&leaves[place << height..(place + 1) << height]);
            let index = (5_u64 << (8 - height)) + place as u64;
            assert_eq!(full.node(height, index, &leaves), Some(expected));
            assert_eq!(Tile::of_node(height, index, 6 << 8), Some(if height < 8 { full } else { tile(1, 0, 6) }));
            let above = tile(2, 5, 256);
            assert_eq!(above.node(16 + height, index, &leaves), Some(expected));
        }
        assert_eq!(full.node(height, (5 << (8 - height)) - 1, &leaves), None);
        assert_eq!(full.node(height, 6 << (8 - height), &leaves), None);
    }
    for (level, index) in [(9, 2), (9, 0), (64, 0), (u32::MAX, 0), (0, u64::MAX), (0, 0)] {
        assert_eq!(full.node(level, index, &leaves), None, "level {level}, index {index}");
    }
    assert_eq!(full.root(&leaves[..255]), None);
}

#[test]
fn a_partial_tile_has_the_nodes_that_are_whole() {
    let leaves = leaves(112);
    let partial = tile(0, 273, 112);
    assert_eq!(partial.root(&leaves), None);
    assert_eq!(partial.node(0, 273 * 256 + 111, &leaves), Some(leaves[111]));
    assert_eq!(partial.node(0, 273 * 256 + 112, &leaves), None);
    assert!(partial.node(4, 273 * 16 + 6, &leaves).is_some());
    assert_eq!(partial.node(4, 273 * 16 + 7, &leaves), None);
    assert_eq!(Tile::of_node(4, 273 * 16 + 6, 70_000), Some(partial));
    assert_eq!(Tile::of_node(4, 273 * 16 + 7, 70_000), None);
    assert_eq!(Tile::of_node(63, 0, u64::MAX), Some(tile(7, 0, 255)));
    assert_eq!(Tile::of_node(63, 1, u64::MAX), None);
    assert_eq!(Tile::of_node(64, 0, u64::MAX), None);
}

#[test]
fn the_bytes_of_a_tile_are_its_hashes() {
    let leaves = leaves(112);
    let bytes = to_bytes(&leaves);
    assert_eq!(bytes.len(), 112 * 32);
    assert_eq!(tile(0, 0, 112).hashes(&bytes), Some(leaves));
    assert_eq!(tile(0, 0, 111).hashes(&bytes), None);
    assert_eq!(tile(0, 0, 112).hashes(&bytes[1..]), None);
    assert_eq!(tile(0, 0, 112).hashes(&[&bytes[..], b"\n"].concat()), None);
}

use super::*;

#[test]
fn a_sealed_segment_has_the_same_lines() {
    let (_directory, layout, text, path) = sealed(2_000);
    assert_eq!(names(&layout), ["00000000000000000000.jsonl.zst"]);
    assert_eq!(lines(&layout).unwrap(), text);
    assert_eq!(chunked(&layout).unwrap(), text);
    assert!(Compressed::open(&path).unwrap().count() > 10);
    let segments = Segments::list(&layout.directory).unwrap();
    let segment = &segments.as_slice()[0];
    assert!(segment.is_compressed());
    assert_eq!(segment.name(), "segments/00000000000000000000.jsonl.zst");
}

#[test]
fn any_zstd_decoder_gives_back_the_plain_segment() {
    let (_directory, _layout, text, path) = sealed(1_000);
    assert_eq!(zstd::stream::decode_all(File::open(&path).unwrap()).unwrap(), text);
}

#[test]
fn the_longest_line_has_a_frame_of_its_own() {
    let text = [&[b'x'; LINE_BYTES_MAX][..], b"\n"].concat().repeat(3);
    let (_directory, layout) = log(&[(0, &text)]);
    let sealed = seal_in_frames(&SystemDisk, &layout, 0, SMALL_FRAME).unwrap();
    assert_eq!(sealed.plain_bytes, text.len() as u64);
    assert_eq!(Compressed::open(&layout.compressed_segment(0)).unwrap().count(), 3);
    assert_eq!(lines(&layout).unwrap(), text);
}

/// What reading finds is an error that is a finding, in both ways of reading.
fn refused(layout: &Layout, part: &str) {
    for read in [lines(layout), chunked(layout)] {
        let fault = read.unwrap_err();
        assert!(fault.contains("the log does not verify: segments/00000000000000000000.jsonl.zst: "), "{fault}");
        assert!(fault.contains(part), "{fault}");
    }
}

#[test]
fn every_truncation_is_found() {
    let (_directory, layout, _text, path) = sealed_in(5, 1_000);
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        refused(&layout, "");
    }
    fs::write(&path, [&bytes[..], b"\0"].concat()).unwrap();
    refused(&layout, "expected a zstd seek table at the end");
    fs::write(&path, [&bytes[..], &bytes[..]].concat()).unwrap();
    refused(&layout, "bytes of frames before the seek table");
}

#[test]
fn no_flipped_bit_gives_other_lines() {
    let (_directory, layout, text, path) = sealed_in(5, 1_000);
    let bytes = fs::read(&path).unwrap();
    let frames = Compressed::open(&path).unwrap().count();
    let table = bytes.len() - usize::try_from(8 + 12 * frames + 9).unwrap();
    let mut passed_over = 0;
    for place in 0..bytes.len() {
        // Every bit of the first frame's header and of the table, one of each other byte.
        let bits = if place < 16 || place >= table { 0..8 } else { place % 8..place % 8 + 1 };
        for bit in bits {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            fs::write(&path, &flipped).unwrap();
            let (read, chunks) = (lines(&layout), chunked(&layout));
            assert_eq!(read.is_ok(), chunks.is_ok());
            if let (Ok(read), Ok(chunks)) = (read, chunks) {
                assert!(read == text && chunks == text, "byte {place}, bit {bit}");
                // Bits without a meaning, which no decoder reads, are inside of blocks only.
                assert!((8..table - 4).contains(&place), "byte {place}, bit {bit}");
                passed_over += 1;
            }
        }
    }
    assert!(passed_over <= 2, "{passed_over} flipped bits were not found");
}

/// Makes a file of frames, each with the lengths that its row states, and a table as it should be.
fn file(frames: &[(&[u8], u32)]) -> Vec<u8> {
    let mut offset = 0;
    let rows = frames.iter().map(|(compressed, bytes)| {
        let row = table::Frame {
            offset,
            compressed_bytes: u32::try_from(compressed.len()).unwrap(),
            bytes: *bytes,
            checksum: compressed.last_chunk().map_or(0, |last| u32::from_le_bytes(*last)),
        };
        offset += compressed.len() as u64;
        row
    });
    let rows: Vec<_> = rows.collect();
    let mut file = frames.iter().map(|(compressed, _)| *compressed).collect::<Vec<_>>().concat();
    file.extend(table::write(&rows));
    file
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.include_checksum(true).unwrap();
    compressor.compress(bytes).unwrap()
}

#[test]
fn what_is_no_sealed_segment_is_refused() {
    let (_directory, layout) = log(&[]);
    let path = layout.compressed_segment(0);
    let check = |file: Vec<u8>, part: &str| {
        fs::write(&path, file).unwrap();
        refused(&layout, part);
    };
    let ab = frame(b"a\nb\n");
    fs::write(&path, file(&[(&ab, 4)])).unwrap();
    assert_eq!(lines(&layout).unwrap(), b"a\nb\n");

    check(vec![], "expected a zstd seek table at the end of the 0 compressed bytes");
    check(ab.clone(), "expected a zstd seek table");
    check(file(&[]), "expected a seek table of 1 to 65536 frames, found 0");
    check(file(&[(&ab, 3)]), "states 3 bytes as the seek table does");
    check(file(&[(&ab, 5)]), "states 5 bytes as the seek table does");
    check(file(&[(&ab, 0)]), "found one of 0");
    check(file(&[(&ab, 4 * 1024 * 1024 + 1)]), "expected a frame of 1 to 4194304 bytes, found one of 4194305");
    check(file(&[(&[&ab[..], &ab].concat(), 8)]), "found another length");
    check(file(&[(&[&ab[..], &ab].concat(), 4)]), "found another length");
    check(file(&[(&frame(b"a\nb"), 3)]), "expected a line feed at its end");
    check(file(&[(&zstd::bulk::compress(b"a\nb\n", 3).unwrap(), 4)]), "with a checksum and no dictionary");
    check(file(&[(&[0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0], 4)]), "expected a zstd frame of one segment");
    check(file(&[(b"a\nb\n", 4)]), "expected a zstd frame of one segment");
    check(file(&[(b"", 4)]), "expected a zstd frame of one segment");
    check([b"x", &file(&[(&ab, 4)])[..]].concat(), "bytes of frames before the seek table, found 18");
    let mut other_checksum = file(&[(&ab, 4)]);
    let row_end = other_checksum.len() - 9;
    other_checksum[row_end - 1] ^= 1;
    check(other_checksum, "expected the checksum that the seek table states");
    let streamed = zstd::stream::encode_all(&b"a\nb\n"[..], 3).unwrap();
    check(file(&[(&streamed, 4)]), "expected a zstd frame of one segment");
}

#[test]
fn a_frame_that_grows_beyond_its_bounds_is_refused() {
    let (_directory, layout) = log(&[]);
    let path = layout.compressed_segment(0);
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.include_checksum(true).unwrap();
    // A window as large as the frame keeps it in one segment.
    compressor.window_log(26).unwrap();
    let bomb = compressor.compress(&vec![b'\n'; 64 * 1024 * 1024]).unwrap();
    assert!(bomb.len() < 10_000);
    for bytes in [1, 4 * 1024 * 1024] {
        fs::write(&path, file(&[(&bomb, bytes)])).unwrap();
        refused(&layout, "as the seek table does");
    }
    // A header that lies about the size: four bytes long, after magic number and descriptor.
    let mut lying = bomb;
    lying[5..9].copy_from_slice(&100_u32.to_le_bytes());
    fs::write(&path, file(&[(&lying, 100)])).unwrap();
    refused(&layout, "damaged");
    // A table that is said to be larger than any can be, and one that is larger than the file.
    for count in [65_537_u32, u32::MAX, 60_000] {
        let foot = [&count.to_le_bytes()[..], &[0x80, 0xB1, 0xEA, 0x92, 0x8F]].concat();
        fs::write(&path, [&[0; 100][..], &foot].concat()).unwrap();
        refused(&layout, "seek table");
    }
}

#[test]
fn a_large_segment_takes_little_more_than_in_one_piece() {
    let text = entries(0..24_000);
    assert!(text.len() > 9_000_000);
    let (_directory, layout) = log(&[(0, &text)]);
    let sealed = seal(&SystemDisk, &layout, 0).unwrap();
    assert_eq!(Compressed::open(&layout.compressed_segment(0)).unwrap().count(), 1 + text.len() as u64 / FRAME);
    let whole = zstd::bulk::compress(&text, 3).unwrap().len() as u64;
    assert!(sealed.compressed_bytes * 100 <= whole * 115, "{} against {whole}", sealed.compressed_bytes);
    assert!(sealed.compressed_bytes * 5 <= sealed.plain_bytes, "{sealed:?}");
    assert_eq!(lines(&layout).unwrap(), text);
    assert_eq!(chunked(&layout).unwrap(), text);
}

const FRAME: u64 = 2 * 1024 * 1024;

use super::frame::FRAMES_READ;
use super::*;

#[test]
fn an_entry_in_the_middle_is_reached_through_few_frames() {
    let (_directory, layout, text, path) = sealed(9_000);
    let frames = Compressed::open(&path).unwrap().count();
    assert!(frames > 50, "{frames}");
    let all: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for number in [0, 1, 4_711, 8_999] {
        FRAMES_READ.set(0);
        let mut lines = Lines::open_at(&layout.directory, number).unwrap();
        let first = lines.next_line().unwrap().unwrap().number;
        assert!(first <= number && number - first < 250, "{first} for {number}");
        assert!(FRAMES_READ.get() <= 8, "{} of {frames} frames", FRAMES_READ.get());
        let rest = rest_of(lines).unwrap();
        let after = usize::try_from(first + 1).unwrap();
        assert!(rest == all[after..].concat());
    }
    let mut beyond = Lines::open_at(&layout.directory, 12_000).unwrap();
    assert!(beyond.next_line().unwrap().unwrap().number > 8_700);
}

#[test]
fn lines_are_counted_on_into_the_next_segment() {
    let (first, second) = (entries(0..1_000), entries(1_000..1_010));
    let (_directory, layout) = log(&[(0, &first), (1_000, &second)]);
    seal_in_frames(&SystemDisk, &layout, 0, SMALL_FRAME).unwrap();
    let mut lines = Lines::open_at(&layout.directory, 990).unwrap();
    let mut numbers = Vec::new();
    while let Some(line) = lines.next_line() {
        numbers.push(line.unwrap().number);
    }
    assert!(numbers[0] > 0);
    assert_eq!(numbers, (numbers[0]..1_010).collect::<Vec<_>>());
}

#[test]
fn frames_that_are_not_in_order_are_found_when_an_entry_is_sought() {
    let downwards: Vec<_> = (0..20).rev().map(|block| entries(block * 200..block * 200 + 200)).collect();
    let (_directory, layout) = log(&[(0, &downwards.concat())]);
    seal_in_frames(&SystemDisk, &layout, 0, SMALL_FRAME).unwrap();
    let fault = Lines::open_at(&layout.directory, 3_000).unwrap_err();
    assert!(fault.is_tampered() && fault.to_string().contains("expected entries in order"), "{fault}");
    let (_directory, layout) = log(&[(0, &b"no entry\n".repeat(30_000))]);
    seal_in_frames(&SystemDisk, &layout, 0, SMALL_FRAME).unwrap();
    let fault = Lines::open_at(&layout.directory, 1_400).unwrap_err();
    assert!(fault.is_tampered() && fault.to_string().contains("a frame that begins with an entry"), "{fault}");
}

#[test]
fn a_segment_may_be_sealed_while_it_is_read() {
    let (first, second) = (entries(0..600), entries(600..700));
    let text = [&first[..], &second].concat();
    let (_directory, layout) = log(&[(0, &first), (600, &second)]);
    let listed = Segments::list(&layout.directory).unwrap();
    let untouched = Lines::open(&layout.directory).unwrap();
    let mut begun = Lines::open(&layout.directory).unwrap();
    let line = begun.next_line().unwrap().unwrap().bytes.to_vec();
    let mut chunks = Chunks::open(&layout.directory, &listed.as_slice()[0]).unwrap();
    for first in [0, 600] {
        seal(&SystemDisk, &layout, first).unwrap();
    }
    assert_eq!(rest_of(untouched).unwrap(), text);
    assert_eq!([&line[..], b"\n", &rest_of(begun).unwrap()].concat(), text);
    let mut buffer = Buffer::default();
    assert_eq!(chunks.next_chunk().unwrap().unwrap().read(&mut buffer).unwrap(), first);
    let mut late = Chunks::open(&layout.directory, &listed.as_slice()[1]).unwrap();
    assert_eq!(late.next_chunk().unwrap().unwrap().read(&mut buffer).unwrap(), second);
}

#[test]
fn no_listing_misses_a_segment_that_is_being_sealed() {
    let text = b"a\n";
    let segments: Vec<(u64, &[u8])> = (0..60).map(|first| (first, &text[..])).collect();
    let (_directory, layout) = log(&segments);
    std::thread::scope(|scope| {
        let sealing = scope.spawn(|| {
            for (first, _) in &segments {
                seal(&SystemDisk, &layout, *first).unwrap();
            }
        });
        while !sealing.is_finished() {
            let listed = Segments::list(&layout.directory).unwrap();
            assert!(listed.as_slice().iter().map(|segment| segment.first).eq(0..60));
        }
    });
    assert_eq!(lines(&layout).unwrap(), text.repeat(60));
}

#[test]
fn a_segment_that_is_gone_is_an_error() {
    let (_directory, layout) = log(&[(0, b"a\n")]);
    let listed = Segments::list(&layout.directory).unwrap();
    let mut lines = Lines::open(&layout.directory).unwrap();
    fs::remove_file(layout.segment(0)).unwrap();
    assert!(lines.next_line().unwrap().unwrap_err().is_io());
    assert!(Chunks::open(&layout.directory, &listed.as_slice()[0]).unwrap_err().is_io());
}

/// Both ways of reading a plain segment find the same lines, tail and fault.
fn agree(bytes: &[u8]) {
    let (_directory, layout) = log(&[(0, bytes)]);
    let fault = |read: Result<Vec<u8>, String>| read.map_err(|fault| fault.rsplit(": ").next().unwrap().to_owned());
    assert!(fault(lines(&layout)) == fault(chunked(&layout)), "{} bytes", bytes.len());
}

#[test]
fn chunks_of_a_plain_segment_are_its_lines_and_its_tail() {
    const CHUNK: usize = 1024 * 1024;
    let longest = [&[b'x'; LINE_BYTES_MAX][..], b"\n"].concat();
    let text = entries(0..150).repeat(17);
    assert!(text.len() > CHUNK + LINE_BYTES_MAX);
    agree(&text);
    agree(&text[..CHUNK]);
    agree(&text[..text.len() - 1]);
    agree(b"");
    agree(b"\n");
    agree(b"no line feed");
    agree(&longest.repeat(40));
    for zeros in [1, LINE_BYTES_MAX, LINE_BYTES_MAX + 1, CHUNK + 70_000] {
        let zeros = vec![0; zeros];
        agree(&zeros);
        agree(&[&text[..], &zeros].concat());
        agree(&[&text[..], b"line", &zeros].concat());
        agree(&[&text[..], &longest[..LINE_BYTES_MAX], &zeros].concat());
        agree(&[&text[..], &longest[..LINE_BYTES_MAX], b"x", &zeros].concat());
        agree(&[&text[..], &zeros, b"x"].concat());
    }
    // Line feeds just before, at and after every place at which a chunk may end.
    for length in CHUNK - 2..CHUNK + 3 {
        let lines = [&[b'\n'].repeat(length), &longest[..], &longest, b"a\n"].concat();
        agree(&lines);
    }
}

#[test]
fn what_is_appended_after_the_opening_is_not_in_a_chunk() {
    let (_directory, layout) = log(&[(0, b"a\nb")]);
    let listed = Segments::list(&layout.directory).unwrap();
    let mut chunks = Chunks::open(&layout.directory, &listed.as_slice()[0]).unwrap();
    fs::write(layout.segment(0), b"a\nb\nc\n").unwrap();
    let mut buffer = Buffer::default();
    assert_eq!(chunks.next_chunk().unwrap().unwrap().read(&mut buffer).unwrap(), b"a\n");
    assert!(chunks.next_chunk().is_none() && chunks.next_chunk().is_none());
    assert_eq!((chunks.tail().start, chunks.tail().bytes), (&b"b"[..], 1));
}

#[test]
fn chunks_are_read_by_any_thread_in_any_order() {
    let (_directory, layout, text, _path) = sealed(3_000);
    let listed = Segments::list(&layout.directory).unwrap();
    let mut chunks = Chunks::open(&layout.directory, &listed.as_slice()[0]).unwrap();
    let all: Vec<Chunk> = core::iter::from_fn(|| chunks.next_chunk()).map(Result::unwrap).collect();
    let read = |chunk: Chunk| std::thread::spawn(move || chunk.read(&mut Buffer::default()).unwrap().to_vec());
    let mut threads: Vec<_> = all.into_iter().rev().map(read).collect();
    threads.reverse();
    let read: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(read.concat() == text);
}

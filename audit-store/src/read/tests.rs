use super::*;

fn log(segments: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(SEGMENTS)).unwrap();
    for (name, bytes) in segments {
        fs::write(directory.path().join(SEGMENTS).join(name), bytes).unwrap();
    }
    directory
}

fn read(path: &Path) -> Result<(Vec<String>, String), String> {
    let mut lines = Lines::open(path).map_err(|fault| fault.found().unwrap().to_string())?;
    let mut found = Vec::new();
    while let Some(line) = lines.next_line() {
        let line = line.map_err(|fault| fault.found().unwrap().to_string())?;
        let segment = line.segment.file_stem().unwrap().to_str().unwrap().trim_start_matches('0').to_owned();
        found.push(format!("{segment}/{}:{}", line.number, String::from_utf8_lossy(line.bytes)));
    }
    Ok((found, String::from_utf8_lossy(lines.tail().start).into_owned()))
}

const FIRST: &str = "00000000000000000000.jsonl";
const SECOND: &str = "00000000000000000002.jsonl";

#[test]
fn lines_run_across_segments_up_to_the_tail() {
    let log = log(&[(FIRST, b"a\nb\n"), (SECOND, b"c\nd")]);
    let lines = ["/0:a", "/1:b", "2/2:c"].map(str::to_owned);
    assert_eq!(read(log.path()), Ok((lines.to_vec(), "d".to_owned())));
    let mut from = Lines::open_at(log.path(), 3).unwrap();
    assert_eq!(from.next_line().unwrap().unwrap().number, 2);
}

#[test]
fn an_empty_last_segment_and_an_empty_line_are_read() {
    let empty_last = log(&[(FIRST, b"a\nb\n"), (SECOND, b"")]);
    assert_eq!(read(empty_last.path()).unwrap().0.len(), 2);
    assert_eq!(read(log(&[(FIRST, b"\n")]).path()).unwrap().0, ["/0:"]);
    assert_eq!(read(log(&[]).path()).unwrap().0.len(), 0);
}

#[test]
fn what_is_no_segment_is_a_fault() {
    let refused = |segments: &[(&str, &[u8])], part: &str| {
        let fault = read(log(segments).path()).unwrap_err();
        assert!(fault.contains(part), "{fault}");
    };
    refused(&[(FIRST, b"a\n"), ("notes.txt", b"")], "segments/notes.txt: expected segments named");
    refused(&[("0.jsonl", b"a\n")], "segments/0.jsonl");
    refused(&[("00000000000000000000.jsonl.zst", b"")], "compressed");
    refused(
        &[("00000000000000000000.jsonl.gz", b"")],
        "segments/00000000000000000000.jsonl.gz: expected segments named",
    );
    refused(&[(FIRST, b"a\n"), (SECOND, b"c\n")], "expected a segment that begins with entry 1");
    refused(&[(SECOND, b"c\n")], "begins with entry 0");
    refused(&[(FIRST, b"a\nb\nc"), (SECOND, b"c\n")], "expected a line feed at the end of the segment");
    refused(&[(FIRST, &[b'x'; LINE_BYTES_MAX + 1])], "expected a line feed after at most 65535 bytes");
    let directory = log(&[(FIRST, b"a\n")]);
    fs::create_dir(directory.path().join(SEGMENTS).join(SECOND)).unwrap();
    assert!(read(directory.path()).unwrap_err().contains(SECOND));
}

#[test]
fn a_line_and_nul_bytes_up_to_the_end_of_the_log_are_a_tail() {
    let tail = |bytes: &[u8]| {
        let log = log(&[(FIRST, &[b"a\n", bytes].concat())]);
        let mut lines = Lines::open(log.path()).unwrap();
        lines.next_line().unwrap().unwrap();
        lines.next_line().map_or(Ok(()), |line| line.map(drop)).map_err(|fault| fault.to_string())?;
        Ok::<_, String>((lines.tail().start.len(), lines.tail().bytes))
    };
    let longest = [b'x'; LINE_BYTES_MAX];
    for zeros in [0, 1, LINE_BYTES_MAX, LINE_BYTES_MAX + 1, 300_000] {
        assert_eq!(tail(&vec![0; zeros]), Ok((0, zeros as u64)));
        assert_eq!(tail(&[b"line", &vec![0; zeros][..]].concat()), Ok((4, zeros as u64 + 4)));
        assert_eq!(
            tail(&[&longest, &vec![0; zeros][..]].concat()),
            Ok((LINE_BYTES_MAX, (zeros + LINE_BYTES_MAX) as u64))
        );
    }
    let refused = |bytes: &[u8]| assert!(tail(bytes).unwrap_err().contains("expected a line feed after"));
    refused(&[&[0; 300_000][..], b"x"].concat());
    refused(&[&[0; 300_000][..], b"\n"].concat());
    refused(&[&longest[..], b"x", &[0; 300_000]].concat());
    let first = [&b"a\nb\n"[..], &[0; 300_000]].concat();
    let fault = read(log(&[(FIRST, &first), (SECOND, b"c\n")]).path()).unwrap_err();
    assert!(fault.contains("expected a line feed at the end of the segment, found 300000 bytes"), "{fault}");
}

#[test]
fn the_longest_line_is_read() {
    let mut bytes = vec![b'x'; LINE_BYTES_MAX];
    bytes.push(b'\n');
    assert_eq!(read(log(&[(FIRST, &bytes)]).path()).unwrap().0.len(), 1);
}

#[test]
fn what_is_no_log_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    assert!(Segments::list(directory.path().join("absent")).unwrap_err().is_not_a_log());
    fs::write(directory.path().join("file"), b"").unwrap();
    assert!(Segments::list(directory.path().join("file")).unwrap_err().is_not_a_log());
    assert!(Segments::list(directory.path()).unwrap_err().is_not_a_log());
}

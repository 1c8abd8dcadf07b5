use super::compact::compact_on;
use super::failing::{FailingDisk, Fails};
use super::*;
use crate::log::tests::{begin, end, options};
use crate::verify::verify_log;

/// A closed log of several segments.
fn closed_log() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = options().segment_bytes_max(2_500).open(&path).unwrap();
    for call in 0..12 {
        begin(&log, call).wait().unwrap();
        end(&log, call).wait().unwrap();
    }
    log.close().unwrap();
    (directory, path)
}

#[test]
fn a_compacted_log_verifies_and_goes_on() {
    let (_directory, path) = closed_log();
    let layout = Layout::new(&path);
    let (before, report_before) = (lines(&layout).unwrap(), verify_log(&path).unwrap());
    let segments = report_before.segments as u64;
    assert!(segments > 5);
    let report = compact(&path).unwrap();
    assert_eq!((report.segments, report.compressed, report.compressed_before), (segments, segments - 1, 0));
    assert_eq!(report.bytes_before, before.len() as u64);
    assert!(report.bytes_after < report.bytes_before);
    assert_eq!(names(&layout).iter().filter(|name| name.ends_with(".zst")).count() as u64, segments - 1);
    assert_eq!(lines(&layout).unwrap(), before);
    let report_after = verify_log(&path).unwrap();
    assert!(report_after.is_intact(), "{:?}", report_after.finding);
    assert_eq!((report_after.summary, report_after.root), (report_before.summary, report_before.root));

    let log = options().segment_bytes_max(2_500).open(&path).unwrap();
    assert!(compact(&path).unwrap_err().is_held());
    begin(&log, 100).wait().unwrap();
    end(&log, 100).wait().unwrap();
    log.close().unwrap();
    assert!(verify_log(&path).unwrap().is_intact());
    assert!(lines(&layout).unwrap().starts_with(&before));
}

#[test]
fn compacting_twice_changes_nothing() {
    let (_directory, path) = closed_log();
    let first = compact(&path).unwrap();
    let names_before = names(&Layout::new(&path));
    let again = compact(&path).unwrap();
    assert_eq!((again.compressed, again.compressed_before), (0, first.compressed));
    assert_eq!((again.bytes_before, again.bytes_after), (first.bytes_after, first.bytes_after));
    assert_eq!(names(&Layout::new(&path)), names_before);
}

#[test]
fn a_compaction_that_was_interrupted_goes_on() {
    let (_directory, path) = closed_log();
    let layout = Layout::new(&path);
    let before = lines(&layout).unwrap();
    let second = Segments::list(&path).unwrap().as_slice()[1].first;
    seal(&SystemDisk, &layout, 0).unwrap();
    fs::write(layout.sealing_segment(second), b"half").unwrap();
    let report = compact_on(&SystemDisk, &path).unwrap();
    assert_eq!((report.compressed_before, report.compressed), (1, report.segments - 2));
    assert!(names(&layout).iter().all(|name| !name.ends_with(".tmp")));
    assert_eq!(lines(&layout).unwrap(), before);
}

#[test]
fn an_altered_entry_is_named_in_its_compressed_segment() {
    let (_directory, path) = closed_log();
    let layout = Layout::new(&path);
    let second = Segments::list(&path).unwrap().as_slice()[1].first;
    let text = fs::read_to_string(layout.segment(second)).unwrap();
    fs::write(layout.segment(second), text.replacen("order.sync", "order.sink", 1)).unwrap();
    compact(&path).unwrap();
    let found = verify_log(&path).unwrap().finding.unwrap();
    assert_eq!(found.fault.entry, Some(second));
    assert_eq!(found.file.unwrap(), format!("segments/{second:020}.jsonl.zst"));

    let compressed = layout.compressed_segment(second);
    let mut bytes = fs::read(&compressed).unwrap();
    bytes[20] ^= 0x10;
    fs::write(&compressed, bytes).unwrap();
    let report = verify_log(&path).unwrap();
    let found = report.finding.unwrap();
    assert_eq!((report.verdict, found.fault.entry), (crate::verify::Verdict::Tampered, Some(second)));
    assert!(found.to_string().contains("the frame at byte 0: "), "{found}");
}

#[test]
fn what_is_no_log_is_not_compacted() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(compact(directory.path()).unwrap(), CompactReport::default());
    assert!(compact(directory.path().join("absent")).unwrap_err().is_not_a_log());
    fs::write(directory.path().join("notes.txt"), b"").unwrap();
    assert!(compact(directory.path()).unwrap_err().is_not_a_log());
    let (_directory, layout) = log(&[(0, b"a\n"), (1, b"b\n")]);
    fs::write(layout.segments().join("notes.txt"), b"").unwrap();
    assert!(compact(&layout.directory).unwrap_err().is_tampered());
    assert_eq!(names(&layout).len(), 3);
}

#[test]
fn an_empty_last_segment_stays_as_it_is() {
    let (_directory, layout) = log(&[(0, b"a\nb\n"), (2, b"")]);
    let report = compact(&layout.directory).unwrap();
    assert_eq!((report.segments, report.compressed), (2, 1));
    assert_eq!(names(&layout), ["00000000000000000000.jsonl.zst", "00000000000000000002.jsonl"]);
    assert_eq!(lines(&layout).unwrap(), b"a\nb\n");
}

#[test]
fn whatever_fails_a_log_has_the_same_lines_and_is_compacted_the_next_time() {
    let text = [entries(0..3), entries(3..5)].concat();
    for fails in [Fails::Before, Fails::After, Fails::Halfway] {
        for operation in 0.. {
            let (_directory, layout) = log(&[(0, &entries(0..3)), (3, &entries(3..5)), (5, b"")]);
            fs::write(layout.sealing_segment(3), b"half").unwrap();
            let disk = FailingDisk::new(operation, fails, true);
            let outcome = compact_on(&disk, &layout.directory);
            assert_eq!(lines(&layout).unwrap(), text, "operation {operation}");
            if !disk.has_failed() {
                assert_eq!(outcome.unwrap().compressed, 2);
                break;
            }
            assert!(outcome.unwrap_err().is_io());
            compact(&layout.directory).unwrap();
            assert_eq!(names(&layout).iter().filter(|name| name.ends_with(".zst")).count(), 2);
            assert_eq!((names(&layout).len(), lines(&layout).unwrap()), (3, text.clone()));
        }
    }
}

#[test]
fn a_log_verifies_at_every_moment_of_its_compaction() {
    let (_directory, path) = closed_log();
    let root = verify_log(&path).unwrap().root;
    std::thread::scope(|scope| {
        let compacting = scope.spawn(|| compact(&path).unwrap());
        loop {
            let is_last = compacting.is_finished();
            let report = verify_log(&path).unwrap();
            assert!(report.is_intact() && report.root == root, "{:?}", report.finding);
            if is_last {
                break;
            }
        }
    });
}

mod end;
mod ways;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::log::tests::{begin, end, options};

/// A closed log of six entries in two segments.
fn closed_log() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = options().segment_bytes_max(2_100).open(&path).unwrap();
    for call in 1..3 {
        begin(&log, call).wait().unwrap();
        end(&log, call).wait().unwrap();
    }
    log.close().unwrap();
    (directory, path)
}

fn files(path: &Path) -> Vec<PathBuf> {
    let segments = Segments::list(path).unwrap();
    let mut files: Vec<PathBuf> = segments.as_slice().iter().map(|segment| segment.path.clone()).collect();
    files.extend(["checkpoint", "log.json", "lock"].map(|name| path.join(name)));
    files
}

/// Verifies the altered log: it must be found out, and an entry or a file named.
fn assert_found_out(path: &Path, what: &str) -> Finding {
    let report = verify_log(path).unwrap();
    let finding = report.finding.unwrap_or_else(|| panic!("{what}: nothing found"));
    assert_eq!(report.verdict, Verdict::Tampered, "{what}: {finding}");
    assert!(finding.file.is_some() || finding.fault.entry.is_some(), "{what}: {finding}");
    finding
}

#[test]
fn a_closed_log_is_intact() {
    let (_directory, path) = closed_log();
    let report = verify_log(&path).unwrap();
    assert_eq!((report.verdict, report.finding), (Verdict::Intact, None));
    assert_eq!((report.summary.entries, report.summary.closed, report.segments), (6, true, 2));
    assert_eq!(report.root, report.checkpoint.map(|checkpoint| checkpoint.root));
}

#[test]
fn every_altered_byte_of_every_file_is_found_out() {
    let (_directory, path) = closed_log();
    let mut altered = 0;
    for file in files(&path) {
        let intact = fs::read(&file).unwrap();
        for at in 0..intact.len() {
            for bit in [0, 5] {
                let mut bytes = intact.clone();
                bytes[at] ^= 1 << bit;
                fs::write(&file, bytes).unwrap();
                assert_found_out(&path, &format!("{}, byte {at}, bit {bit}", file.display()));
                altered += 1;
            }
        }
        fs::write(&file, intact).unwrap();
    }
    assert!(altered > 7_000, "{altered}");
    assert_eq!(verify_log(&path).unwrap().verdict, Verdict::Intact);
}

#[test]
fn an_altered_record_is_named_by_its_entry_and_segment() {
    let (_directory, path) = closed_log();
    let segments = Segments::list(&path).unwrap();
    for (segment, first) in segments.as_slice().iter().zip([0, segments.as_slice()[1].first]) {
        let intact = fs::read_to_string(&segment.path).unwrap();
        for (index, line) in intact.lines().enumerate() {
            fs::write(
                &segment.path,
                intact.replace(line, &line.replace(r#""schema_version":"1""#, r#""schema_version":"2""#)),
            )
            .unwrap();
            let finding = assert_found_out(&path, line);
            assert_eq!((finding.fault.entry, finding.file), (Some(first + index as u64), Some(segment.name())));
        }
        fs::write(&segment.path, intact).unwrap();
    }
}

#[test]
fn deleted_doubled_swapped_and_inserted_lines_are_found_out() {
    let (_directory, path) = closed_log();
    for segment in Segments::list(&path).unwrap().as_slice() {
        let intact = fs::read_to_string(&segment.path).unwrap();
        let lines: Vec<&str> = intact.split_inclusive('\n').collect();
        let check = |lines: Vec<&str>, what: &str| {
            fs::write(&segment.path, lines.concat()).unwrap();
            assert_found_out(&path, what);
        };
        for at in 0..lines.len() {
            let change = |change: fn(&mut Vec<&str>, usize), what: &str| {
                let mut lines = lines.clone();
                change(&mut lines, at);
                check(lines, &format!("{what} {at}"));
            };
            change(|lines, at| _ = lines.remove(at), "deleted");
            change(|lines, at| lines.insert(at, lines[at]), "doubled");
            change(|lines, at| lines.insert(at, "{}\n"), "inserted");
            change(|lines, at| lines.insert(at, "\n"), "inserted an empty line");
            if at + 1 < lines.len() {
                change(|lines, at| lines.swap(at, at + 1), "swapped");
            }
        }
        check([&lines[..], &["{}\n"]].concat(), "appended");
        fs::write(&segment.path, &intact).unwrap();
    }
}

#[test]
fn every_truncation_of_every_file_is_found_out() {
    let (_directory, path) = closed_log();
    for file in files(&path) {
        let intact = fs::read(&file).unwrap();
        for length in 0..intact.len() {
            fs::write(&file, &intact[..length]).unwrap();
            assert_found_out(&path, &format!("{} cut to {length}", file.display()));
        }
        fs::write(&file, intact).unwrap();
    }
}

#[test]
fn bytes_after_the_end_of_every_file_are_found_out() {
    let (_directory, path) = closed_log();
    for file in files(&path) {
        let intact = fs::read(&file).unwrap();
        for more in [&b"\n"[..], b"x", b"{}\n", &[b'x'; 70_000]] {
            fs::write(&file, [&intact, more].concat()).unwrap();
            assert_found_out(&path, &format!("{} with {} more", file.display(), more.len()));
        }
        fs::write(&file, intact).unwrap();
    }
}

#[test]
fn a_log_cut_below_its_checkpoint_is_found_out_whatever_schema_its_last_line_claims() {
    let (_directory, path) = closed_log();
    let segments = Segments::list(&path).unwrap();
    fs::remove_file(&segments.as_slice()[1].path).unwrap();
    let text = fs::read_to_string(&segments.as_slice()[0].path).unwrap();
    let last = text.lines().last().unwrap();
    let claimed = last.replace(r#""schema_version":"1""#, r#""schema_version":"2""#);
    fs::write(&segments.as_slice()[0].path, text.replace(last, &claimed)).unwrap();
    let finding = assert_found_out(&path, "cut");
    assert_eq!(finding.fault.entry, Some(segments.as_slice()[1].first));
}

#[test]
fn what_the_reader_finds_does_not_hide_an_entry_altered_before() {
    let (_directory, path) = closed_log();
    let first = path.join("segments/00000000000000000000.jsonl");
    let text = fs::read_to_string(&first).unwrap();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let altered = lines.len() - 2;
    lines[altered] = lines[altered].replace("order.sync", "order.sing");
    fs::write(&first, [lines.concat(), "x".repeat(70_000)].concat()).unwrap();
    assert_eq!(assert_found_out(&path, "both").fault.entry, Some(altered as u64));
}

#[test]
fn missing_files_are_found_out_or_leave_the_verdict_open() {
    let check = |remove: &dyn Fn(&Path), verdict, part: &str| {
        let (_directory, path) = closed_log();
        remove(&path);
        let report = verify_log(&path).unwrap();
        let finding = report.finding.map(|finding| finding.to_string()).unwrap_or_default();
        assert_eq!((report.verdict, finding.contains(part)), (verdict, true), "{finding}");
    };
    let remove = |name: &'static str| move |path: &Path| fs::remove_file(path.join(name)).unwrap();
    check(&remove("lock"), Verdict::Intact, "");
    check(&remove("log.json"), Verdict::Unverifiable, "log.json: missing");
    check(&remove("checkpoint"), Verdict::Unverifiable, "checkpoint: missing");
    check(
        &remove("segments/00000000000000000000.jsonl"),
        Verdict::Tampered,
        "expected a segment that begins with entry 0",
    );
    let last = |path: &Path| fs::remove_file(&Segments::list(path).unwrap().as_slice()[1].path).unwrap();
    check(&last, Verdict::Tampered, "missing: the checkpoint covers 6 entries");
    check(&|path: &Path| fs::remove_dir_all(path.join("segments")).unwrap(), Verdict::Tampered, "entry 0: missing");
}

#[test]
fn a_checkpoint_of_another_log_is_found_out() {
    let (_directory, path) = closed_log();
    for file in ["checkpoint", "checkpoints.log"] {
        let text = fs::read_to_string(path.join(file)).unwrap();
        fs::write(path.join(file), text.replace("orders", "others")).unwrap();
    }
    let finding = assert_found_out(&path, "origin").to_string();
    assert_eq!(
        finding,
        r#"checkpoint: expected the origin "example.com/orders" of entry 0, found "example.com/others""#
    );
}

#[cfg(unix)]
#[test]
fn files_that_are_no_plain_files_are_found_out() {
    for name in ["checkpoint", "log.json", "lock", "segments/00000000000000000000.jsonl"] {
        let (_directory, path) = closed_log();
        fs::rename(path.join(name), path.with_extension("elsewhere")).unwrap();
        std::os::unix::fs::symlink(path.with_extension("elsewhere"), path.join(name)).unwrap();
        assert_found_out(&path, name);
    }
}

#[test]
fn a_log_is_intact_while_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = options().segment_bytes_max(4_000).commit_interval(core::time::Duration::ZERO).open(&path).unwrap();
    let writing = log.clone();
    let writer = std::thread::spawn(move || (0..300).for_each(|call| _ = begin(&writing, call).wait().unwrap()));
    while !writer.is_finished() {
        let report = verify_log(&path).unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
    }
    writer.join().unwrap();
    log.close().unwrap();
    assert_eq!(verify_log(&path).unwrap().summary.entries, 302);
}

//! Reading by several threads, of ranges and from a resume point, against the reading line by line.

use audit_core::verify::Verifier;

use super::*;
use crate::verify::scan::{Way, one_by_one};
use crate::verify::statements::Demands;

/// Picks numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// A log of 42 entries in many segments, that was not closed.
fn open_log(checkpoint_behind: bool) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = options().segment_bytes_max(3_000).open(&path).unwrap();
    let mut early = Vec::new();
    for call in 0..20 {
        begin(&log, call).wait().unwrap();
        if call == 9 {
            early = fs::read(path.join("checkpoint")).unwrap();
        }
        end(&log, call).wait().unwrap();
    }
    log.close().unwrap();
    if checkpoint_behind {
        fs::write(path.join("checkpoint"), early).unwrap();
    }
    (directory, path)
}

/// Alters one file of the log.
fn alter(path: &Path, dice: &mut Dice) -> (PathBuf, Vec<u8>) {
    let mut files = files(path);
    let file = files.swap_remove(dice.below(files.len()));
    let intact = fs::read(&file).unwrap();
    let mut bytes = intact.clone();
    let at = dice.below(bytes.len().max(1));
    let mut lines: Vec<&[u8]> = intact.split_inclusive(|byte| *byte == b'\n').collect();
    let line = dice.below(lines.len().max(1));
    match dice.below(7) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        1 if !bytes.is_empty() => drop(bytes.remove(at)),
        2 => bytes.insert(at, *b"\"\n{}\\ 0".get(dice.below(7)).unwrap()),
        3 => bytes.truncate(at),
        4 if !lines.is_empty() => {
            lines.remove(line);
            bytes = lines.concat();
        }
        5 if !lines.is_empty() => {
            lines.insert(line, lines[dice.below(lines.len())]);
            bytes = lines.concat();
        }
        _ if lines.len() > 1 => {
            let other = dice.below(lines.len());
            lines.swap(line, other);
            bytes = lines.concat();
        }
        _ => bytes.extend(b"\0\0"),
    }
    fs::write(&file, bytes).unwrap();
    (file, intact)
}

/// Verifies line by line.
fn slowly(path: &Path) -> Report {
    let layout = Layout::new(path);
    let report = Report { segments: segments_of(&layout).unwrap(), ..Report::default() };
    let mut way = Way { threads: None, resume: None, tell: &mut |_, _: &Verifier| {} };
    verify_files(&layout, report, &Demands::default(), |heads| one_by_one(path, heads, &mut way)).unwrap()
}

fn assert_same(found: &Report, expected: &Report) {
    assert_eq!((found.verdict, &found.finding), (expected.verdict, &expected.finding));
    assert_eq!((&found.summary, found.root), (&expected.summary, expected.root));
    assert_eq!((&found.origin, &found.checkpoint), (&expected.origin, &expected.checkpoint));
}

#[test]
fn several_threads_find_what_one_line_after_the_other_finds() {
    for checkpoint_behind in [false, true] {
        let (_directory, path) = open_log(checkpoint_behind);
        let mut dice = Dice(u64::from(checkpoint_behind));
        assert!(files(&path).len() > 8);
        assert!(slowly(&path).is_intact());
        let mut tampered = 0;
        for round in 0..600 {
            let altered = (round > 0).then(|| alter(&path, &mut dice));
            let expected = slowly(&path);
            for threads in 1..=3 {
                assert_same(&Options::new().threads(threads).verify(&path).unwrap(), &expected);
            }
            tampered += u32::from(expected.verdict == Verdict::Tampered);
            if let Some((file, intact)) = altered {
                fs::write(file, intact).unwrap();
            }
        }
        assert!(tampered > 300, "{tampered}");
    }
}

#[test]
fn an_intact_log_is_read_by_threads_alone() {
    let (_directory, path) = open_log(false);
    let checkpoint = crate::checkpoints::newest(&Layout::new(&path)).unwrap().map(|stated| stated.checkpoint);
    let scan = scan(&path, checkpoint).unwrap();
    // Only that reading keeps the state at the checkpoint.
    assert_eq!(scan.state_at_cut.map(|state| state.summary.entries), Some(42));
}

#[test]
fn a_range_is_checked_against_the_entry_before_it_alone() {
    let (_directory, path) = open_log(false);
    let segment = Segments::list(&path).unwrap().holding(30).unwrap().clone();
    let (altered, text) = (segment.first, fs::read_to_string(&segment.path).unwrap());
    fs::write(&segment.path, text.replacen("\"schema_version\":\"1\"", "\"schema_version\":\"2\"", 1)).unwrap();
    fs::remove_file(path.join("checkpoint")).unwrap();
    let verify = |from, to| Options::new().threads(2).from(from).to(to).verify(&path).unwrap();
    for (from, to) in [(0, 0), (0, altered - 1), (1, 1), (7, 23), (altered - 1, altered - 1)] {
        let report = verify(from, to);
        assert_eq!((report.verdict, report.range), (Verdict::Intact, Some(Range { from, to: Some(to) })));
        assert_eq!((report.root, report.summary.entries), (None, to + 1));
    }
    for (from, to) in [(0, 41), (altered, altered + 2), (altered + 1, 41)] {
        let report = verify(from, to);
        let finding = report.finding.unwrap();
        assert_eq!((report.verdict, finding.fault.entry), (Verdict::Tampered, Some(altered)), "{finding}");
    }
    let open_ended = Options::new().from(3).to(altered - 2).verify(&path).unwrap();
    assert_eq!(open_ended.range.unwrap().to, Some(altered - 2));
}

#[test]
fn a_range_beyond_the_log_leaves_the_verdict_open() {
    let (_directory, path) = open_log(false);
    for (from, to) in [(42, None), (43, None), (100, Some(200)), (40, Some(42))] {
        let mut options = Options::new().from(from);
        if let Some(to) = to {
            options = options.to(to);
        }
        let report = options.verify(&path).unwrap();
        assert_eq!(report.verdict, Verdict::Unverifiable, "{from} to {to:?}");
    }
    let report = Options::new().from(40).verify(&path).unwrap();
    assert_eq!((report.verdict, report.range), (Verdict::Intact, Some(Range { from: 40, to: Some(41) })));
}

#[test]
fn a_verification_goes_on_where_another_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let (path, file) = (directory.path().join("log"), directory.path().join("resume"));
    let verify = || Options::new().threads(2).resume(&file).verify(&path).unwrap();
    let mut resumed_at = None;
    for session in 0..4 {
        let log = options().segment_bytes_max(2_100).open(&path).unwrap();
        begin(&log, 10 + session).wait().unwrap();
        end(&log, session).wait().unwrap();
        log.close().unwrap();
        let report = verify();
        assert_same(&report, &slowly(&path));
        assert_eq!((report.verdict, report.resumed_at), (Verdict::Intact, resumed_at));
        assert_eq!(verify().resumed_at, Some(report.summary.entries));
        resumed_at = Some(report.summary.entries);
    }
}

#[test]
fn what_does_not_fit_the_resume_point_is_found_from_the_beginning() {
    let (directory, path) = open_log(false);
    let file = directory.path().join("resume");
    assert!(Options::new().resume(&file).verify(&path).unwrap().is_intact());
    let point = fs::read(&file).unwrap();
    let mut dice = Dice(7);
    for _ in 0..200 {
        let (altered, intact) = alter(&path, &mut dice);
        let (report, expected) = (Options::new().resume(&file).verify(&path).unwrap(), slowly(&path));
        // What lies before the point is not read again; whatever is found is what the whole reading finds.
        if report.resumed_at.is_none() || report.finding.is_some() {
            assert_same(&report, &expected);
        }
        assert_eq!(fs::read(&file).unwrap(), point, "nothing that is not intact becomes a resume point");
        fs::write(altered, intact).unwrap();
    }
    let (_other_directory, other) = closed_log();
    let report = Options::new().resume(&file).verify(&other).unwrap();
    assert_eq!((report.verdict, report.resumed_at), (Verdict::Intact, None));
}

#[test]
fn a_file_that_is_no_resume_point_is_not_written_over() {
    let (directory, path) = open_log(false);
    let file = directory.path().join("notes");
    fs::write(&file, "notes").unwrap();
    let error = Options::new().resume(&file).verify(&path).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("read the resume point"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"notes");
}

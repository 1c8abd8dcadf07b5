use super::failing::{FailingDisk, Fails};
use super::*;

/// Seals a segment whose n-th operation fails, for every n until none fails, and reads the log after each.
fn every_operation_fails(fails: Fails, killed: bool) -> usize {
    let (first, second) = (entries(0..600), entries(600..610));
    let text = [&first[..], &second].concat();
    for operation in 0.. {
        let (_directory, layout) = log(&[(0, &first), (600, &second)]);
        let disk = FailingDisk::new(operation, fails, killed);
        let outcome = seal_in_frames(&disk, &layout, 0, SMALL_FRAME);
        assert_eq!(lines(&layout).unwrap(), text, "operation {operation}");
        assert_eq!(chunked(&layout).unwrap(), text, "operation {operation}");
        if !disk.has_failed() {
            outcome.unwrap();
            return operation;
        }
        assert!(outcome.unwrap_err().is_io());
        seal(&SystemDisk, &layout, 0).unwrap();
        assert_eq!(names(&layout), ["00000000000000000000.jsonl.zst", "00000000000000000600.jsonl"]);
        assert_eq!(lines(&layout).unwrap(), text);
    }
    unreachable!("a sealing takes a limited number of operations")
}

#[test]
fn a_kill_at_any_step_of_the_sealing_leaves_the_same_lines() {
    for fails in [Fails::Before, Fails::After, Fails::Halfway] {
        assert!(every_operation_fails(fails, true) > 10);
    }
}

#[test]
fn a_step_of_the_sealing_that_fails_leaves_the_same_lines() {
    for fails in [Fails::Before, Fails::After, Fails::Halfway] {
        assert!(every_operation_fails(fails, false) > 10);
    }
}

#[test]
fn the_plain_form_counts_while_both_are_there() {
    let (_directory, layout, text, path) = sealed(50);
    fs::write(layout.segment(0), &text).unwrap();
    fs::write(&path, b"not yet whole").unwrap();
    assert_eq!(lines(&layout).unwrap(), text);
    assert_eq!(names(&layout).len(), 2);
    seal(&SystemDisk, &layout, 0).unwrap();
    assert_eq!(names(&layout), ["00000000000000000000.jsonl.zst"]);
    assert_eq!(lines(&layout).unwrap(), text);
}

#[test]
fn sealing_twice_changes_nothing() {
    let (_directory, layout, _text, path) = sealed(50);
    let before = fs::read(&path).unwrap();
    let again = seal(&SystemDisk, &layout, 0).unwrap();
    assert_eq!(again.compressed_bytes, before.len() as u64);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_an_interrupted_sealing_left_is_passed_over_and_removed() {
    let text = entries(0..20);
    let (_directory, layout) = log(&[(0, &text)]);
    fs::write(layout.sealing_segment(0), b"half").unwrap();
    assert_eq!(lines(&layout).unwrap(), text);
    remove_leftovers(&SystemDisk, &layout).unwrap();
    assert_eq!(names(&layout), ["00000000000000000000.jsonl"]);
    fs::write(layout.sealing_segment(0), b"half").unwrap();
    seal(&SystemDisk, &layout, 0).unwrap();
    assert_eq!(names(&layout), ["00000000000000000000.jsonl.zst"]);
}

#[test]
fn what_is_not_whole_lines_stays_plain() {
    let check = |bytes: &[u8]| {
        let (_directory, layout) = log(&[(0, bytes)]);
        let fault = seal_in_frames(&SystemDisk, &layout, 0, SMALL_FRAME).unwrap_err();
        assert_eq!(names(&layout), ["00000000000000000000.jsonl"], "{fault}");
        fault
    };
    assert!(check(b"a\nb").is_tampered());
    assert!(check(&[&[b'x'; SMALL_FRAME][..], b"\n"].concat()).is_tampered());
    assert!(check(b"").is_io());
    let (_directory, layout) = log(&[]);
    assert!(seal(&SystemDisk, &layout, 7).unwrap_err().is_io());
}

#[test]
#[cfg(unix)]
fn a_sealed_segment_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, _layout, _text, path) = sealed(5);
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

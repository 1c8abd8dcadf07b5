mod parts;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::entry::{Sequence, write_line};

const STREAM: &str = "01a17cbc-f240-7dca-883e-717b1f64eb14";

/// Five lines: an opened log and four events whose content is a single letter.
fn lines() -> Vec<Vec<u8>> {
    let mut previous_hash = None;
    let write = |(number, letter): (u64, char)| {
        let name = if number == 0 { "log.opened" } else { "run.created" };
        let record = format!(
            r#"{{"action":"{letter}","event_name":"{name}","schema_version":"1","stage":"event","time":"2026-10-27T09:42:0{number}Z"}}"#
        );
        let mut line = Vec::new();
        let stream_id = STREAM.parse().unwrap();
        write_line(&mut line, record.as_bytes(), &Sequence { number, previous_hash, stream_id });
        previous_hash = Some(Hash::leaf(&line));
        line
    };
    (0..).zip("abcde".chars()).map(write).collect()
}

fn checkpoint(lines: &[Vec<u8>]) -> Checkpoint {
    let mut tree = Frontier::new();
    lines.iter().for_each(|line| tree.push(Hash::leaf(line)));
    Checkpoint { origin: "o".into(), size: tree.size(), root: tree.root() }
}

fn verify(lines: &[Vec<u8>], checkpoint: Checkpoint) -> Result<Summary, Fault> {
    let mut verifier = Verifier::new(Some(checkpoint));
    for line in lines {
        verifier.line(line)?;
    }
    verifier.finish(Tail::default())
}

fn altered_at(entry: usize) -> Option<u64> {
    let mut altered = lines();
    let checkpoint = checkpoint(&altered);
    altered[entry] =
        String::from_utf8(altered[entry].clone()).unwrap().replace("\"action\":\"", "\"action\":\"x").into();
    verify(&altered, checkpoint).unwrap_err().entry
}

#[test]
fn an_altered_entry_is_named_wherever_it_stands() {
    assert_eq!((0..5).map(altered_at).collect::<Vec<_>>(), [0, 1, 2, 3, 4].map(Some));
}

#[test]
fn an_altered_previous_hash_is_blamed_on_its_own_entry() {
    for entry in 1..5 {
        let mut altered = lines();
        let checkpoint = checkpoint(&altered);
        let text = String::from_utf8(altered[entry].clone()).unwrap();
        let at = text.find("previous_hash\":\"").unwrap() + 16;
        altered[entry][at] = if altered[entry][at] == b'0' { b'1' } else { b'0' };
        assert_eq!(verify(&altered, checkpoint).unwrap_err().entry, Some(entry as u64));
    }
}

#[test]
fn deleting_swapping_and_doubling_are_found_by_number() {
    let intact = lines();
    let check = |change: fn(&mut Vec<Vec<u8>>), entry| {
        let mut altered = intact.clone();
        change(&mut altered);
        assert_eq!(verify(&altered, checkpoint(&intact)).unwrap_err().entry, Some(entry));
    };
    check(|lines| drop(lines.remove(2)), 2);
    check(|lines| drop(lines.pop()), 4);
    check(|lines| lines.swap(1, 2), 1);
    check(|lines| lines.insert(3, lines[2].clone()), 3);
}

#[test]
fn entries_beyond_the_checkpoint_are_counted() {
    let lines = lines();
    let summary = verify(&lines, checkpoint(&lines[..3])).unwrap();
    assert_eq!((summary.entries, summary.beyond_checkpoint), (5, 2));
}

fn with_tail(lines: &[Vec<u8>], tail: &[u8]) -> Result<u64, Fault> {
    let mut verifier = Verifier::new(Some(checkpoint(lines)));
    for line in lines {
        verifier.line(line)?;
    }
    verifier.finish(Tail::new(tail)).map(|summary| summary.unfinished_bytes)
}

#[test]
fn an_unfinished_tail_is_counted() {
    for tail in [&b"{\"rec"[..], b"x", b"\0\0\0", b"{\0"] {
        assert_eq!(with_tail(&lines(), tail), Ok(tail.len() as u64));
    }
}

#[test]
fn only_the_beginning_of_an_opening_may_follow_the_end_of_a_closed_log() {
    let mut closed = lines();
    let record = r#"{"event_name":"log.closed","schema_version":"1","stage":"event","time":"t"}"#;
    let previous_hash = closed.last().map(|line| Hash::leaf(line));
    let mut line = Vec::new();
    let sequence = Sequence { number: 5, previous_hash, stream_id: STREAM.parse().unwrap() };
    write_line(&mut line, record.as_bytes(), &sequence);
    closed.push(line);
    for tail in [&b""[..], b"{", OPENED_START, b"\0", b"{\"record\":\0\0"] {
        assert_eq!(with_tail(&closed, tail), Ok(tail.len() as u64));
    }
    assert!(with_tail(&closed, &[OPENED_START, b"\"actor\":{\0\0"].concat()).is_ok());
    for tail in [&b"x"[..], b"\0x", b"{\"record\":{\"action\":\"log.closed\",", b"{}", b"{\0{"] {
        let fault = with_tail(&closed, tail).unwrap_err();
        assert_eq!((fault.entry, fault.unverifiable), (Some(6), false), "{fault}");
    }
}

/// Sets the schema of one entry to 2.
fn of_another_schema(lines: &mut [Vec<u8>], entry: usize) {
    let text = String::from_utf8(lines[entry].clone()).unwrap();
    lines[entry] = text.replace(r#""schema_version":"1""#, r#""schema_version":"2""#).into();
}

#[test]
fn another_schema_hides_no_change() {
    let intact = lines();
    let check = |checkpoint: &Checkpoint, lines: &[Vec<u8>], expected: (Option<u64>, bool)| {
        let fault = verify(lines, checkpoint.clone()).unwrap_err();
        assert_eq!((fault.entry, fault.unverifiable), expected, "{fault}");
    };
    for entry in 0..5 {
        let mut altered = lines();
        of_another_schema(&mut altered, entry);
        check(&checkpoint(&intact), &altered, (Some(entry as u64), false));
        // The last line that is left is altered so that nothing vouches for it.
        check(&checkpoint(&intact), &altered[..=entry], (Some(if entry == 4 { 4 } else { entry as u64 + 1 }), false));
    }
    let mut last = lines();
    of_another_schema(&mut last, 4);
    check(&checkpoint(&last), &last, (None, true));
    check(&checkpoint(&intact[..4]), &last, (None, true));
    let junk = [&last[..], &[b"{}".to_vec()]].concat();
    check(&checkpoint(&last), &junk, (Some(5), false));
}

/// Who writes entries 1 to 3 anew, and no others, is found where a checkpoint first disagrees, not where the new ones end.
#[test]
fn a_root_that_is_wrong_comes_before_a_break_of_the_chain_after_it() {
    let intact = lines();
    let mut altered = intact.clone();
    let mut previous_hash = Hash::leaf(&altered[0]);
    for (number, line) in (0..).zip(&mut altered).skip(1).take(3) {
        let sequence = Sequence { number, previous_hash: Some(previous_hash), stream_id: STREAM.parse().unwrap() };
        let record = r#"{"action":"x","event_name":"run.created","schema_version":"1","stage":"event","time":"t"}"#;
        line.clear();
        write_line(line, record.as_bytes(), &sequence);
        previous_hash = Hash::leaf(line);
    }
    let heads: Heads = [2, 5].map(|size| checkpoint(&intact[..size]).head()).into_iter().collect();
    let first = |lines: &[Vec<u8>]| {
        let mut verifier = Verifier::new(heads.clone());
        let found = lines.iter().try_for_each(|line| verifier.line(line).map(|_head| ()));
        found.and_then(|()| verifier.finish(Tail::default())).unwrap_err().entry
    };
    assert_eq!(first(&altered), Some(1));
    altered.push(b"no entry".to_vec());
    assert_eq!(first(&altered), Some(1));
    altered[4] = b"no entry".to_vec();
    assert_eq!(first(&altered), Some(1));
}

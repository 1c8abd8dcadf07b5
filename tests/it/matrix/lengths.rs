//! A log cut off at every byte, and changed at random.

use super::story::{Files, joined, segment, write};
use super::verifiers::{Python, ours};
use super::{Cell, LEVELS, Scene, check};

/// The files with the lines cut to so many bytes; segments after the cut are gone.
fn cut(files: &Files, bytes: usize) -> Files {
    let mut files = files.clone();
    let mut left = bytes;
    for first in [0, 5, 10] {
        let whole = files.get_mut(&segment(first)).unwrap();
        whole.truncate(left);
        left -= whole.len();
        if whole.is_empty() && first > 0 {
            files.remove(&segment(first));
        }
    }
    files
}

/// What is expected of a log of fourteen entries, of which checkpoints cover twelve, with so many whole lines left.
fn expected(whole: usize) -> Cell {
    if whole < 12 { Cell::Tampered(Some(whole as u64)) } else { Cell::Undetected }
}

#[test]
fn a_log_cut_at_any_byte_below_a_checkpoint_is_tampered_at_the_first_missing_entry() {
    let directory = tempfile::tempdir().unwrap();
    let mut python = Python::start();
    for (index, level) in LEVELS.iter().enumerate() {
        let scene = Scene::new(level, false, directory.path());
        let (files, lines) = (scene.honest.files(), scene.honest.lines());
        let (bytes, last) = (joined(&lines), joined(&lines[..10]).len());
        for length in 0..=bytes.len() {
            let is_border = |at: usize| at.checked_sub(1).is_some_and(|at| bytes[at] == b'\n');
            // Every byte of the last segment, on both sides of the last checkpoint, at one level; every border between lines
            // and the bytes beside it at all of them.
            let is_every = index == 0 && length >= last;
            if !is_every && !(length.saturating_sub(1)..=length + 1).any(|at| at <= bytes.len() && is_border(at)) {
                continue;
            }
            let whole = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
            let found = check(&mut python, &cut(&files, length), &scene.demands, expected(whole));
            found.unwrap_or_else(|fault| panic!("{} cut to {length} bytes: {fault}", level.name));
        }
    }
}

/// Small generator of numbers that are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// Changes one file at one place: a byte, a hole, a piece less, or a piece of it twice.
fn change(files: &mut Files, numbers: &mut Numbers) -> String {
    let names: Vec<String> =
        files.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(name, _)| name.clone()).collect();
    let name = &names[numbers.below(names.len())];
    let bytes = files.get_mut(name).unwrap();
    let (at, kind) = (numbers.below(bytes.len()), numbers.below(5));
    let end = (at + 1 + numbers.below(80)).min(bytes.len());
    match kind {
        0 => bytes[at] ^= 1 << numbers.below(8),
        1 => bytes[at..end].fill(0),
        2 => drop(bytes.drain(at..end)),
        3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
        _ => bytes.truncate(at),
    }
    format!("{name}, bytes {at} to {end}, kind {kind}")
}

#[test]
fn both_verifiers_say_the_same_of_whatever_was_changed_at_random() {
    let directory = tempfile::tempdir().unwrap();
    let mut python = Python::start();
    let mut numbers = Numbers(5);
    for level in &LEVELS[2..] {
        let scene = Scene::new(level, false, directory.path());
        for _ in 0..150 {
            let mut files = scene.honest.files();
            let what = change(&mut files, &mut numbers);
            let log = tempfile::tempdir().unwrap();
            write(&files, log.path());
            let both = [ours(log.path(), &scene.demands), python.verify(log.path(), &scene.demands)];
            let [a, b] = &both;
            assert_eq!((&a.verdict, a.entry), (&b.verdict, b.entry), "{what}: {both:#?}");
        }
    }
}

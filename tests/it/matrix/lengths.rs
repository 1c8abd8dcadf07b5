//! A log cut off at every byte.

use super::story::{Files, joined, segment};
use super::{Cell, LEVELS, Scene, check};
use crate::matrix::verifiers::Python;

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

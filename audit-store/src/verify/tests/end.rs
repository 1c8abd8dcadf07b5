use super::*;
use crate::layout::Layout;
use crate::segment::state;

/// A log of several segments that was closed, so that their states are kept.
fn long_log() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let log = options().segment_bytes_max(3_000).open(&path).unwrap();
    for call in 1..9 {
        begin(&log, call).wait().unwrap();
        if call != 4 {
            end(&log, call).wait().unwrap();
        }
    }
    log.close().unwrap();
    (directory, path)
}

fn last_first(path: &Path) -> u64 {
    Segments::list(path).unwrap().as_slice().last().unwrap().first
}

/// What the end of the log alone tells must be what the whole log tells.
fn assert_same(path: &Path, read_from: Option<u64>) {
    let checkpoint = crate::checkpoints::newest(&Layout::new(path)).unwrap().map(|stated| stated.checkpoint);
    let end = scan_end(&Layout::new(path), checkpoint.clone()).unwrap();
    let whole = scan(path, checkpoint).unwrap();
    assert_eq!(end.resumed_at, read_from);
    assert_eq!(end.tree.frontier, whole.tree.frontier);
    assert_eq!(end.tree.last, whole.tree.last);
    assert_eq!(end.entry_0, whole.entry_0);
    let known =
        |summary: Summary| (summary.entries, summary.calls, summary.abandoned, summary.open_calls, summary.closed);
    assert_eq!(known(end.summary), known(whole.summary));
}

#[test]
fn the_end_of_a_log_tells_what_the_whole_of_it_does() {
    let (_directory, path) = long_log();
    let first = last_first(&path);
    assert!(first > 6, "{first}");
    assert_same(&path, Some(first));
    // The call that was left open began segments ago.
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(verify_log(&path).unwrap().summary.abandoned, 1);
}

#[test]
fn a_state_that_is_missing_or_makes_no_sense_is_not_used() {
    let (_directory, path) = long_log();
    let first = last_first(&path);
    let file = path.join(format!("index/{first:020}.json"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("subtrees", "subtreez")).unwrap();
    assert_same(&path, None);
    fs::remove_file(&file).unwrap();
    assert_same(&path, None);
}

#[test]
fn a_state_with_another_tree_is_found_out_by_the_checkpoint() {
    let (_directory, path) = long_log();
    let layout = Layout::new(&path);
    let first = last_first(&path);
    let mut state = state::load(&layout, first).unwrap();
    let mut subtrees = state.tree.frontier.subtrees().to_vec();
    subtrees[0] = Hash::of(b"another");
    state.tree.frontier = audit_core::tree::Frontier::from_subtrees(first, subtrees).unwrap();
    assert!(state::write(&crate::disk::SystemDisk, &layout, &state).unwrap());
    assert_same(&path, None);
}

#[test]
fn opening_looks_at_the_end_and_verification_at_all() {
    let (_directory, path) = long_log();
    let segment = path.join("segments/00000000000000000000.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("order.sync", "order.bank", 1)).unwrap();
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(assert_found_out(&path, "an altered segment").fault.entry, Some(1));
    fs::remove_dir_all(path.join("index")).unwrap();
    assert!(options().open(&path).unwrap_err().is_tampered());
}

#[test]
fn a_checkpoint_from_before_the_last_segment_takes_an_earlier_state() {
    let (_directory, path) = long_log();
    let segments = Segments::list(&path).unwrap();
    let [.., earlier, _last] = segments.as_slice() else { panic!("expected several segments") };
    let layout = Layout::new(&path);
    let root = state::load(&layout, earlier.first).unwrap().tree.frontier.root();
    let origin = crate::checkpoints::newest(&layout).unwrap().unwrap().checkpoint.origin;
    let checkpoint = Checkpoint { origin, size: earlier.first, root };
    fs::write(path.join("checkpoint"), checkpoint.to_string()).unwrap();
    assert_same(&path, Some(earlier.first));
}

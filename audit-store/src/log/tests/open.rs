use super::*;
use crate::disk::{Disk as _, Mode};

/// The message of the error that opening ends with, with the log's path written as `<log>`.
fn refused(options: Options, path: &Path, predicate: fn(&Error) -> bool) -> String {
    let fault = options.open(path).unwrap_err();
    assert!(predicate(&fault), "{fault:?}");
    fault.to_string().replace(path.to_str().unwrap(), "<log>")
}

fn closed_log() -> (TempDir, PathBuf) {
    let (directory, path) = fresh();
    let log = options().open(&path).unwrap();
    begin(&log, 1).wait().unwrap();
    end(&log, 1).wait().unwrap();
    log.close().unwrap();
    (directory, path)
}

fn segment(path: &Path) -> PathBuf {
    path.join("segments/00000000000000000000.jsonl")
}

#[test]
fn a_closed_log_is_continued() {
    let (_directory, path) = closed_log();
    let again = options().open(&path).unwrap();
    begin(&again, 2).wait().unwrap();
    end(&again, 2).wait().unwrap();
    again.close().unwrap();
    let run = ["log.opened", "tool.called", "tool.completed", "log.closed"];
    assert_eq!(names(&path), [run, run].concat());
    assert_eq!(checked(&path).summary.calls, 2);
}

#[test]
fn the_origin_is_kept_and_another_one_refused() {
    let (_directory, path) = closed_log();
    let unnamed = Options { origin: None, ..options() }.open(&path).unwrap();
    assert_eq!(unnamed.origin(), "example.com/orders");
    drop(unnamed);
    let message = refused(options().origin("example.com/others"), &path, Error::is_origin_different);
    expect_test::expect![[
        r#"<log>: expected the origin "example.com/others", found a log of the origin "example.com/orders""#
    ]]
    .assert_eq(&message);
    for origin in ["", "two words", "a+b", "line\nfeed"] {
        refused(options().origin(origin), &path, Error::is_invalid_origin);
    }
    let (_directory, path) = fresh();
    let log = Options { origin: None, ..options() }.open(&path).unwrap();
    assert_eq!(log.origin(), format!("audited.local/{}", log.stream_id()));
}

#[test]
fn a_held_log_is_refused() {
    let (_directory, path) = closed_log();
    let log = options().open(&path).unwrap();
    let message = refused(options(), &path, Error::is_held);
    expect_test::expect!["<log>: expected a free log, found it held by another process or handle"].assert_eq(&message);
    log.close().unwrap();
    options().open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_log_whose_lock_was_removed_is_still_held() {
    let (_directory, path) = closed_log();
    let log = options().open(&path).unwrap();
    fs::remove_file(path.join("lock")).unwrap();
    refused(options(), &path, Error::is_held);
    drop(log);
    options().open(&path).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_that_is_a_link_or_a_fifo_is_refused_and_nothing_written_through_it() {
    let (directory, path) = closed_log();
    let elsewhere = directory.path().join("elsewhere");
    fs::remove_file(path.join("lock")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, path.join("lock")).unwrap();
    refused(options(), &path, Error::is_tampered);
    assert!(SystemDisk.open(&path.join("lock"), Mode::Any).is_err());
    assert!(!elsewhere.exists());
    fs::remove_file(path.join("lock")).unwrap();
    make_fifo(&path.join("lock"));
    refused(options(), &path, Error::is_tampered);
    assert!(SystemDisk.open(&path.join("lock"), Mode::Any).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn what_lies_in_the_place_of_a_checkpoint_to_be_is_not_written_through() {
    let (directory, path) = closed_log();
    let victim = directory.path().join("victim");
    fs::write(&victim, b"mine").unwrap();
    std::os::unix::fs::symlink(&victim, path.join("checkpoint.tmp")).unwrap();
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    make_fifo(&path.join("checkpoint.tmp"));
    options().open(&path).unwrap().close().unwrap();
    fs::hard_link(&victim, path.join("checkpoint.tmp")).unwrap();
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    checked(&path);
}

/// Without another process: until that runs its program it holds copies of all locks that other tests take.
#[cfg(target_os = "linux")]
fn make_fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn what_is_no_log_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.txt"), b"mine").unwrap();
    let message = refused(options(), directory.path(), Error::is_not_a_log);
    expect_test::expect![
        "<log>: expected a log or an empty directory, found a directory without `segments` that holds `notes.txt`"
    ]
    .assert_eq(&message);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    let message = refused(options(), &directory.path().join("notes.txt"), Error::is_not_a_log);
    expect_test::expect!["<log>: expected a log or an empty directory, found a file"].assert_eq(&message);
}

#[test]
fn an_empty_directory_becomes_a_log() {
    let directory = tempfile::tempdir().unwrap();
    options().open(directory.path()).unwrap().close().unwrap();
    checked(directory.path());
}

#[test]
fn another_schema_is_refused() {
    let (_directory, path) = closed_log();
    // A log of another version, consistent in itself: the chain and the checkpoint hold.
    let mut tree = audit_core::tree::Frontier::new();
    let mut previous_hash = None;
    let mut text = Vec::new();
    for (number, line) in lines(&path).iter().enumerate() {
        let record = line[10..line.rfind(",\"sequence\"").unwrap()]
            .replace(r#""schema_version":"1""#, r#""schema_version":"2""#);
        let stream_id = "01a17cbc-f240-7000-8000-000000000000".parse().unwrap();
        let mut line = Vec::new();
        let sequence = audit_core::entry::Sequence { number: number as u64, previous_hash, stream_id };
        audit_core::entry::write_line(&mut line, record.as_bytes(), &sequence);
        let leaf = Hash::leaf(&line);
        previous_hash = Some(leaf);
        tree.push(leaf);
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    fs::write(segment(&path), &text).unwrap();
    let root = tree.root();
    let checkpoint = audit_core::checkpoint::Checkpoint { origin: "example.com/orders".to_owned(), size: 4, root };
    fs::write(path.join("checkpoint"), checkpoint.to_string()).unwrap();
    fs::write(path.join("checkpoints.log"), checkpoint.to_string()).unwrap();
    let message = refused(options(), &path, Error::is_newer_schema);
    expect_test::expect!["<log>: written by another version: entry 0 is of schema 2, this version reads schema 1"]
        .assert_eq(&message);
    assert_eq!(verify_log(&path).unwrap().verdict, Verdict::Unverifiable);
}

#[test]
fn an_altered_log_is_refused_with_the_entry() {
    let (_directory, path) = closed_log();
    let text = fs::read_to_string(segment(&path)).unwrap();
    fs::write(segment(&path), text.replacen("A-1", "A-2", 1)).unwrap();
    let message = refused(options(), &path, Error::is_tampered);
    expect_test::expect!["<log>: the log does not verify: segments/00000000000000000000.jsonl: entry 1: altered: its bytes do not have the hash that the entry after it, or the checkpoint, states; keep the directory as evidence and start a new log elsewhere"].assert_eq(&message);
    assert_eq!(options().open(&path).unwrap_err().found().unwrap().fault.entry, Some(1));
}

#[test]
fn altered_files_beside_the_segments_are_refused() {
    let check = |name: &str, bytes: &[u8]| {
        let (_directory, path) = closed_log();
        fs::write(path.join(name), bytes).unwrap();
        refused(options(), &path, Error::is_tampered)
    };
    let evidence = "; keep the directory as evidence and start a new log elsewhere";
    let message = |name: &str, bytes: &[u8]| {
        check(name, bytes).replace("<log>: the log does not verify: ", "").replace(evidence, "")
    };
    assert_eq!(message("lock", b"x"), "lock: expected an empty file, found 1 bytes");
    assert_eq!(message("log.json", b"{}\n"), "log.json: altered: expected entry 0 and a line feed");
    assert!(message("checkpoint", b"example.com/orders\n0\n").starts_with("checkpoint: not a checkpoint"));
}

#[test]
fn a_missing_checkpoint_is_refused_and_a_missing_copy_written_anew() {
    let (_directory, path) = closed_log();
    let copy = fs::read(path.join("log.json")).unwrap();
    fs::remove_file(path.join("log.json")).unwrap();
    options().open(&path).unwrap().close().unwrap();
    assert_eq!(fs::read(path.join("log.json")).unwrap(), copy);
    fs::remove_file(path.join("checkpoint")).unwrap();
    let message = refused(options(), &path, Error::is_checkpoint_missing);
    expect_test::expect!["<log>: expected a checkpoint of a log with 6 entries, found none; keep the directory as evidence and start a new log elsewhere"].assert_eq(&message);
}

#[test]
fn a_log_without_its_segments_is_refused() {
    let (_directory, path) = closed_log();
    fs::remove_dir_all(path.join("segments")).unwrap();
    refused(options(), &path, Error::is_tampered);
    assert_eq!(verify_log(&path).unwrap().verdict, Verdict::Tampered);
}

#[test]
fn a_missing_directory_that_cannot_be_created_is_an_io_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), b"").unwrap();
    refused(options(), &directory.path().join("file/log"), Error::is_io);
}

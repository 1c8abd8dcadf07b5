//! Keys, seals and copies on the command line.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use audit_cli::run;
use audit_store::Log;

/// Runs a command in which `DIR` stands for a directory; returns its output, or message, and its exit code.
fn audited(directory: &Path, arguments: &str) -> (String, u8) {
    let path = directory.to_str().unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let arguments = arguments.split(' ').map(|argument| argument.replace("DIR", path));
    let exit = run(std::iter::once("audited".to_owned()).chain(arguments), &mut stdout, &mut stderr);
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(path, "DIR");
    (text(stdout) + &text(stderr), exit.code())
}

fn write(directory: &Path) {
    let log = Log::options().key_file(directory.join("key")).open(directory.join("log")).unwrap();
    log.close().unwrap();
}

#[test]
fn a_log_is_signed_sealed_rotated_and_verified_with_its_first_key() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let ok = |arguments: &str| {
        let (text, code) = audited(directory, arguments);
        assert_eq!(code, 0, "{arguments}: {text}");
        text
    };
    let key = ok("key new DIR/key --name example.com/orders");
    let key = key.trim_end();
    assert!(key.starts_with("example.com/orders+"), "{key}");
    let seal_key = ok("key seal DIR/log");
    fs::write(directory.join("seal-key"), &seal_key).unwrap();
    write(directory);
    fs::copy(directory.join("log/checkpoint"), directory.join("copy")).unwrap();
    ok("key rotate DIR/log --key-file DIR/key");

    let shown = ok("key show DIR/log");
    assert!(shown.contains(&format!("first key        {key}\n")), "{shown}");
    assert_eq!(shown.matches("from entry ").count(), 3, "{shown}");
    let verified = ok(&format!("verify DIR/log --key {key} --seal-key DIR/seal-key --copy DIR/copy"));
    for part in [
        "verdict          intact\n",
        "assurance        pinned key + seal + copy kept elsewhere; nothing before the copy was changed",
        "checkpoint       signed, ",
        &format!("key              {key}, pinned\n"),
        "checkpoints by the keys of 4 epochs\n",
        "; 0 beyond it\ncopies           1 that agree\n",
    ] {
        assert!(verified.contains(part), "{part:?} in {verified}");
    }
    let json = ok(&format!("verify DIR/log --key {key} --json"));
    assert!(json.contains(r#""assurance":"pinned key","#) && json.contains(r#""signatures":"pinned","#), "{json}");
    let unpinned = ok("verify DIR/log");
    assert!(unpinned.contains("assurance        chain only; no key was pinned"), "{unpinned}");
    assert!(unpinned.contains(", unpinned\n"), "{unpinned}");
}

#[test]
fn another_key_seal_or_copy_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    audited(directory, "key new DIR/key --name example.com/orders");
    let (other, _) = audited(directory, "key new DIR/other --name example.com/orders");
    let (foreign, _) = audited(directory, "key new DIR/foreign --name example.com/others");
    write(directory);
    let verdict = |arguments: &str, code: u8, part: &str| {
        let (text, found) = audited(directory, arguments);
        assert!(found == code && text.contains(part), "{arguments}: {found}: {text}");
    };
    verdict(&format!("verify DIR/log --key {}", other.trim_end()), 1, "expected the pinned key");
    verdict(&format!("verify DIR/log --key {}", foreign.trim_end()), 2, "was pinned");
    verdict("verify DIR/log --key nonsense", 2, "not a verification key");
    fs::write(directory.join("seal-key"), "SEAL+KEY+AAAA\n").unwrap();
    verdict("verify DIR/log --seal-key DIR/seal-key", 2, "not a key of a seal");
    let checkpoint = fs::read_to_string(directory.join("log/checkpoint")).unwrap();
    let size = checkpoint.lines().nth(1).unwrap();
    fs::write(directory.join("copy"), checkpoint.replacen(size, "99", 1)).unwrap();
    verdict("verify DIR/log --copy DIR/copy", 1, "missing: the checkpoint covers 99 entries");
    verdict("verify DIR/log --copy DIR/absent", 2, "could not read DIR/absent");
    verdict("key new DIR/key --name example.com/orders", 2, "a secret is never written over");
    verdict("key rotate DIR/log", 2, "expected --key-file");
    verdict("key rotate DIR/log --key-file DIR/other", 2, "found that of");
    verdict("key seal DIR/log", 0, "SEAL+KEY+");
    verdict("key seal DIR/log", 2, "expected no seal, found one");
    verdict("key show DIR/log", 0, "first key");
}

#[test]
fn a_signed_log_is_recovered_with_its_keys_alone() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (key, _) = audited(directory, "key new DIR/key --name example.com/orders");
    let log = Log::options().key_file(directory.join("key")).open(directory.join("log")).unwrap();
    // What a killed process leaves, without its last entry.
    let live = directory.join("live");
    fs::create_dir_all(live.join("segments")).unwrap();
    for name in ["checkpoint", "checkpoints.log", "log.json", "segments/00000000000000000000.jsonl"] {
        fs::copy(directory.join("log").join(name), live.join(name)).unwrap();
    }
    fs::copy(directory.join("key"), directory.join("live-key")).unwrap();
    log.close().unwrap();
    let (text, code) = audited(directory, "recover DIR/live");
    assert!(code == 2 && text.contains("expected the key that signs the checkpoints"), "{text}");
    let (text, code) = audited(directory, "recover DIR/live --key-file DIR/live-key");
    assert_eq!(code, 0, "{text}");
    let (text, code) = audited(directory, &format!("verify DIR/live --key {}", key.trim_end()));
    assert_eq!(code, 0, "{text}");
}

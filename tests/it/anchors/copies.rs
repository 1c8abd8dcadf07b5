//! Copies of checkpoints in another sink.

use std::time::Duration;

use audit_anchor::Copies;
use audit_core::anchor::{Anchor as _, AnchorErrorKind, Form, Takes};
use audit_core::hash::Hash;
use audit_core::sink::AppendErrorKind;
use audit_core::vocabulary::Durability;
use audit_store::Log;
use serde_json::Value;
use testkit::Memory;

use super::log::{ORIGIN, Tree};

fn copies(memory: &Memory) -> Copies<Memory> {
    Copies::new("elsewhere".parse().unwrap(), memory.clone())
}

#[test]
fn each_checkpoint_is_an_entry_of_the_other_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("elsewhere");
    let log = Log::open(&path).unwrap();
    let copies = Copies::new("elsewhere".parse().unwrap(), log.clone());
    assert_eq!((copies.name().as_str(), copies.takes()), ("elsewhere", Takes::Each));
    let kept: Vec<_> = [5, 13].map(|size| Tree::of(size).anchor(&copies).unwrap()).into();
    log.close().unwrap();

    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let path = path.to_str().unwrap();
    assert_eq!(audit_cli::run(["audited", "verify", path], &mut stdout, &mut stderr), audit_cli::Exit::Success);
    stdout.clear();
    assert_eq!(audit_cli::run(["audited", "show", path, "--json"], &mut stdout, &mut stderr), audit_cli::Exit::Success);
    let lines: Vec<&str> = core::str::from_utf8(&stdout).unwrap().lines().collect();
    for (kept, size) in kept.iter().zip([5, 13]) {
        assert_eq!((kept.form(), kept.form().extension(), kept.time()), (Form::Place, "json", None));
        let place: Value = serde_json::from_slice(kept.bytes()).unwrap();
        let line = lines[usize::try_from(place["number"].as_u64().unwrap()).unwrap()];
        assert_eq!(Hash::leaf(line.as_bytes()).to_string(), place["leaf_hash"]);
        let record = &serde_json::from_str::<Value>(line).unwrap()["record"];
        assert_eq!(record["event_name"], "anchor.added");
        assert_eq!(record["annotations"]["anchor"], "elsewhere");
        assert_eq!(record["annotations"]["checkpoint"], Tree::of(size).note().to_string());
        assert_eq!(record["target"], serde_json::json!([{ "type": "log", "id": ORIGIN }]));
    }
}

#[test]
fn a_copy_is_a_valid_record_and_has_to_be_on_the_disk() {
    let memory = Memory::new();
    Tree::of(5).anchor(&copies(&memory)).unwrap();
    let schema = std::fs::read_to_string(testkit::workspace().join("docs/spec/record.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(schema.is_valid(&memory.records()[0]), "{}", memory.records()[0]);
    let canonical = audit_core::canonical::to_vec(&memory.records()[0]).unwrap();
    assert_eq!(memory.text().trim_end().as_bytes(), canonical);
    assert_eq!(memory.durabilities(), [Some(Durability::Disk)]);
}

#[test]
fn a_sink_that_refuses_or_says_nothing_is_told_apart() {
    let memory = Memory::new();
    let copies = copies(&memory).timeout(Duration::from_millis(20));
    for (refusal, kind, is_passing) in [
        (AppendErrorKind::DiskFull, AnchorErrorKind::Unavailable, true),
        (AppendErrorKind::Busy, AnchorErrorKind::Unavailable, true),
        (AppendErrorKind::Closed, AnchorErrorKind::Ended, false),
        (AppendErrorKind::Poisoned, AnchorErrorKind::Ended, false),
        (AppendErrorKind::TooLarge, AnchorErrorKind::Malformed, false),
        (AppendErrorKind::Invalid, AnchorErrorKind::Malformed, false),
    ] {
        memory.refuse(refusal);
        let fault = Tree::of(5).anchor(&copies).unwrap_err();
        assert_eq!((fault.kind(), fault.is_passing()), (kind, is_passing), "{fault}");
        assert!(
            fault.to_string().contains("expected the sink of elsewhere to take the checkpoint, found: "),
            "{fault}"
        );
    }
    memory.hold();
    let fault = Tree::of(5).anchor(&copies).unwrap_err();
    assert_eq!(fault.kind(), AnchorErrorKind::Timeout);
    assert_eq!(
        fault.to_string(),
        "the anchor did not answer in time: expected the sink of elsewhere to answer within 20ms, found nothing"
    );
}

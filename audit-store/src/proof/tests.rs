use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use audit_core::evidence::{Checked, check};
use audit_core::note::{SecretKey, VerificationKey};
use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::Stage;
use tempfile::TempDir;

use super::*;
use crate::keys::{Rotation, create_key_file};
use crate::log::tests::{begin, end, fresh, lines, options};
use crate::{Log, Options as LogOptions};

const NAME: &str = "example.com/orders";
const CALLS: u64 = 300;

struct Signed {
    _directory: TempDir,
    path: PathBuf,
    key_file: PathBuf,
    first: VerificationKey,
}

impl Signed {
    fn new() -> Self {
        let (directory, path) = fresh();
        let key_file = directory.path().join("key");
        let first = create_key_file(&key_file, NAME).unwrap().verification_key().unwrap();
        Self { _directory: directory, path, key_file, first }
    }

    fn options(&self) -> LogOptions {
        options().key_file(&self.key_file).tiles(true).segment_bytes_max(60_000)
    }

    fn life(&self, options: LogOptions, calls: core::ops::Range<u64>) {
        let log = options.open(&self.path).unwrap();
        write(&log, calls);
        log.close().unwrap();
    }

    fn check(&self, number: u64) -> Checked {
        let evidence = prove(&self.path, Which::Number(number)).unwrap().to_string();
        let checked = check(evidence.as_bytes(), core::slice::from_ref(&self.first)).unwrap();
        assert_eq!((checked.number, &checked.key), (number, &self.first));
        checked
    }
}

fn write(log: &Log, calls: core::ops::Range<u64>) {
    for call in calls {
        begin(log, call).wait().unwrap();
        end(log, call).wait().unwrap();
    }
}

fn record_of(line: &str) -> RecordId {
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    entry["record"]["record_id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn every_entry_of_a_log_is_proved() {
    for compress in [false, true] {
        let log = Signed::new();
        log.life(log.options().compress(compress).rotation(Rotation::NEVER), 0..CALLS);
        let all = lines(&log.path);
        for (number, line) in (0..).zip(&all) {
            let checked = log.check(number);
            assert_eq!((checked.entry.as_slice(), checked.rotations), (line.as_bytes(), 0));
            assert_eq!(checked.checkpoint.size, all.len() as u64);
        }
        for line in all.iter().step_by(7) {
            let evidence = prove(&log.path, Which::Record(record_of(line))).unwrap();
            assert_eq!(evidence.parse_extra().unwrap().unwrap().entry, line.as_bytes());
        }
    }
}

#[test]
fn a_log_without_tiles_or_with_wrong_ones_is_proved_from_its_segments() {
    let check = |damage: fn(&Path)| {
        let log = Signed::new();
        log.life(log.options().compress(true), 0..CALLS);
        damage(&log.path.join("tile"));
        for number in [0, 1, 255, 256, 300, 602] {
            log.check(number);
        }
    };
    check(|tiles| fs::remove_dir_all(tiles).unwrap());
    check(|tiles| fs::remove_file(tiles.join("0/000")).unwrap());
    check(|tiles| fs::write(tiles.join("0/001"), [7; 8192]).unwrap());
    check(|tiles| fs::write(tiles.join("0/001"), b"torn").unwrap());
    check(|tiles| {
        let above = fs::read_dir(tiles.join("1/000.p")).unwrap().next().unwrap().unwrap().path();
        fs::write(above, [7; 64]).unwrap();
    });
}

#[test]
fn rotations_lead_from_the_first_key_to_the_signer() {
    let log = Signed::new();
    log.life(log.options(), 0..10);
    let few = log.check(3).rotations;
    log.life(log.options(), 10..20);
    log.life(log.options().rotation(Rotation::NEVER), 20..30);
    let many = log.check(3);
    assert!(few >= 1 && many.rotations > few, "{few}, {}", many.rotations);
    assert_ne!(many.signer, log.first);
    // The key that signs now needs none.
    let evidence = prove(&log.path, Which::Number(3)).unwrap().to_string();
    assert_eq!(check(evidence.as_bytes(), &[many.signer]).unwrap().rotations, 0);
}

#[test]
fn an_identity_key_needs_no_rotations() {
    let log = Signed::new();
    let identity = Arc::new(SecretKey::from_bytes(NAME, &[7; 32]).unwrap());
    let key = identity.verification_key().unwrap();
    log.life(log.options().signer(identity.clone()), 0..10);
    log.life(log.options().signer(identity), 10..20);
    let evidence = prove(&log.path, Which::Number(3)).unwrap();
    assert_eq!(evidence.parse_extra().unwrap().unwrap().rotations, []);
    let checked = check(evidence.to_string().as_bytes(), core::slice::from_ref(&key)).unwrap();
    assert_eq!((checked.key, checked.rotations), (key.clone(), 0));
    assert!(check(evidence.to_string().as_bytes(), core::slice::from_ref(&log.first)).is_err());
    let evidence = Options::new().rotations(true).prove(&log.path, Which::Number(3)).unwrap().to_string();
    assert!(check(evidence.as_bytes(), core::slice::from_ref(&log.first)).unwrap().rotations > 1);
    assert_eq!(check(evidence.as_bytes(), &[key]).unwrap().rotations, 0);
}

#[test]
fn what_is_not_there_or_not_covered_is_told() {
    let log = Signed::new();
    let open = log.options().open(&log.path).unwrap();
    write(&open, 0..5);
    open.flush().unwrap();
    let covered = newest(&Layout::new(&log.path)).unwrap().checkpoint.size;
    assert!(prove(&log.path, Which::Number(covered - 1)).is_ok());
    let text = |error: Error| error.to_string().replace(&log.path.display().to_string(), "LOG");
    let error = prove(&log.path, Which::Number(covered)).unwrap_err();
    assert!(error.is_uncovered());
    expect_test::expect!["LOG: expected a checkpoint that covers entry 2, found the newest over 2 entries; there is one within a second, or once the log is closed"].assert_eq(&text(error));
    let error = prove(&log.path, Which::Number(1_000)).unwrap_err();
    assert!(error.is_not_found());
    expect_test::expect!["LOG: expected entry 1000, found none"].assert_eq(&text(error));
    let absent = Which::Record("01a17cbd-e826-77ed-86a8-000000000000".parse().unwrap());
    let error = prove(&log.path, absent).unwrap_err();
    assert!(error.is_not_found());
    expect_test::expect!["LOG: expected an entry with the record 01a17cbd-e826-77ed-86a8-000000000000, found none"]
        .assert_eq(&text(error));
    open.close().unwrap();
    let error = prove(log.path.join("segments"), Which::Number(0)).unwrap_err();
    assert!(error.is_not_a_log());
}

#[test]
fn an_altered_log_is_not_proved() {
    let log = Signed::new();
    log.life(log.options(), 0..CALLS);
    let segment = log.path.join("segments/00000000000000000000.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replacen("order.sync", "order.skip", 1)).unwrap();
    let altered = (0..).zip(text.lines()).find(|(_number, line)| line.contains("order.sync")).unwrap().0;
    assert!(prove(&log.path, Which::Number(altered)).unwrap_err().is_tampered());
    // The tree stands on the leaves that the lines after state, so that its neighbours are proved.
    log.check(altered + 1);
}

#[test]
fn a_record_is_found_whatever_the_clock_did() {
    let record = |milliseconds: u64, number: u64| {
        let record_id = RecordId::from_bytes(
            (u128::from(milliseconds) << 80 | 7 << 76 | 2 << 62 | u128::from(number)).to_be_bytes(),
        );
        let record = format!(
            r#"{{"action":"a","event_name":"decision.proposed","observed_time":"2026-10-27T09:43:02Z","outcome":{{"status":"success"}},"record_id":"{record_id}","request":{{"arguments":{{"record_id":"{record_id}"}}}},"schema_version":"1","stage":"event","time":"2026-10-27T09:43:02Z"}}"#
        );
        (record_id, record)
    };
    for compress in [false, true] {
        let (_directory, path) = fresh();
        let log = options().compress(compress).segment_bytes_max(100_000).open(&path).unwrap();
        let mut ids = Vec::new();
        for number in 0..3_000_u64 {
            // Threads that overtake each other, and a clock that goes back by a day in the middle.
            let time = 1_793_094_120_000 + number - number % 7 * 3 - if number > 1_500 { 86_400_000 } else { 0 };
            let (record_id, record) = record(time, number);
            log.append(&Prepared::new(record.as_bytes(), Stage::Event)).wait().unwrap();
            ids.push(record_id);
        }
        log.close().unwrap();
        for record_id in ids.iter().step_by(13) {
            let layout = Layout::new(&path);
            let (number, line) = find::entry(&layout, &mut Entries::new(&layout), Which::Record(*record_id)).unwrap();
            let line = String::from_utf8(line).unwrap();
            assert_eq!((record_of(&line), number), (*record_id, parse_line(line.as_bytes()).unwrap().sequence.number));
        }
    }
}

mod consistency {
    use audit_core::proof::check_consistency;

    use super::*;

    fn note(log: &Signed) -> String {
        fs::read_to_string(log.path.join("checkpoint")).unwrap()
    }

    #[test]
    fn a_log_that_only_grew_is_shown_to() {
        let log = Signed::new();
        log.life(log.options(), 0..150);
        let old = note(&log);
        log.life(log.options(), 150..CALLS);
        let new = note(&log);
        let proof = prove_consistency(&log.path, &Tree::of_note(&old).unwrap(), &Tree::of_note(&new).unwrap()).unwrap();
        check_consistency(proof.old, proof.old_root, proof.new, proof.new_root, &proof.proof).unwrap();
        assert!(old.contains(&audit_core::checkpoint::root_text(proof.old_root)));
        assert!(new.contains(&audit_core::checkpoint::root_text(proof.new_root)));
        for (old, new) in [(1, 2), (1, proof.new), (255, 256), (256, 257), (300, 300), (512, proof.new)] {
            let proof = prove_consistency(&log.path, &Tree::Size(old), &Tree::Size(new)).unwrap();
            check_consistency(old, proof.old_root, new, proof.new_root, &proof.proof).unwrap();
            fs::rename(log.path.join("tile"), log.path.join("aside")).unwrap();
            assert_eq!(prove_consistency(&log.path, &Tree::Size(old), &Tree::Size(new)).unwrap(), proof);
            fs::rename(log.path.join("aside"), log.path.join("tile")).unwrap();
        }
    }

    #[test]
    fn what_is_no_beginning_of_the_log_is_refused() {
        let log = Signed::new();
        log.life(log.options(), 0..20);
        let newest = Tree::of_note(&note(&log)).unwrap();
        let size = newest.size();
        let refused = |old: &Tree, new: &Tree, predicate: fn(&Error) -> bool| {
            let error = prove_consistency(&log.path, old, new).unwrap_err();
            assert!(predicate(&error), "{error}");
        };
        let other = |size: u64, origin: &str| {
            Tree::Checkpoint(Checkpoint { origin: origin.to_owned(), size, root: Hash::of(b"other") })
        };
        refused(&other(7, NAME), &newest, Error::is_tampered);
        refused(&other(7, "example.com/others"), &newest, Error::is_origin_different);
        refused(&Tree::Size(7), &other(size, NAME), Error::is_tampered);
        refused(&Tree::Size(7), &Tree::Size(size + 1), Error::is_uncovered);
        let sizes = |error: &Error| error.to_string().contains("expected an old size");
        refused(&Tree::Size(0), &newest, sizes);
        refused(&Tree::Size(8), &Tree::Size(7), sizes);
    }
}

use audit_core::audit_policy::{About, Extent, Written};
use audit_core::vocabulary::Effect;
use serde_json::{Value, json};

use super::*;
use crate::blobs;

const QUIET: &str = "[[rule]]\nname = \"reads\"\neffect = \"read\"\nlevel = \"none\"\n";
const LOUD: &str = "[default]\nlevel = \"request_response\"\n";

/// A log with the file of a policy beside it.
struct Policed {
    log: Log,
    path: PathBuf,
    file: PathBuf,
    _directory: TempDir,
}

impl Policed {
    fn open(text: &str) -> Self {
        let (directory, path) = fresh();
        let file = directory.path().join("policy.toml");
        fs::write(&file, text).unwrap();
        let log = options().policy_file(&file).open(&path).unwrap();
        Self { log, path, file, _directory: directory }
    }

    fn write(&self, text: &str) {
        // Another file takes its place: no two have the same identity.
        let new = self.file.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    fn level(&self) -> &'static str {
        let about = About { action: "order.find", effect: Some(Effect::Read), ..About::default() };
        self.log.policy().unwrap().ruling(&about, Written::default()).extent.as_str()
    }

    /// Leaves so many reads unrecorded.
    fn read_unrecorded(&self, calls: u64) {
        let policy = self.log.policy().unwrap();
        let about = About { action: "order.find", effect: Some(Effect::Read), ..About::default() };
        let ruling = policy.ruling(&about, Written::default());
        assert_eq!(ruling.extent, Extent::Nothing);
        (0..calls).for_each(|_| policy.note_unrecorded(ruling.index));
    }

    fn records_of(&self, name: &str) -> Vec<Value> {
        self.log.flush().unwrap();
        records(&self.path).into_iter().filter(|record| record["event_name"] == name).collect()
    }
}

#[test]
fn a_policy_is_recorded_before_it_is_in_force_and_its_text_is_kept() {
    let policed = Policed::open(QUIET);
    assert_eq!(policed.level(), "none");
    let hash = Hash::of(QUIET.as_bytes());
    policed.log.flush().unwrap();
    assert_eq!(names(&policed.path), ["log.opened", "policy.loaded"]);
    let loaded = policed.records_of("policy.loaded");
    assert_eq!(
        loaded[0]["annotations"],
        json!({
            "policy_hash": format!("sha-256:{hash}"),
            "policy_text": { "hash": format!("sha-256:{hash}"), "ref": format!("blobs/{hash}"), "size": QUIET.len() },
            "rules": 1,
        })
    );
    assert_eq!(blobs::read(&policed.path, hash).unwrap().unwrap(), QUIET.as_bytes());
    policed.log.close().unwrap();
    assert_eq!(checked(&policed.path).verdict, Verdict::Intact);
}

#[test]
fn a_policy_that_cannot_be_read_opens_no_log() {
    let (directory, path) = fresh();
    let file = directory.path().join("policy.toml");
    let fault = options().policy_file(&file).open(&path).unwrap_err();
    assert!(fault.is_io(), "{fault}");
    fs::write(&file, "[[rule]]\nlevle = \"none\"").unwrap();
    let fault = options().policy_file(&file).open(&path).unwrap_err();
    assert_eq!(fault.policy().map(|fault| (fault.line(), fault.column())), Some((2, 1)));
    assert!(!path.exists());
}

#[test]
fn a_changed_file_is_in_force_once_it_is_recorded() {
    let policed = Policed::open(QUIET);
    policed.log.reload_policy().unwrap();
    assert_eq!(policed.records_of("policy.loaded").len(), 1, "nothing changed");
    policed.write(LOUD);
    policed.log.reload_policy().unwrap();
    assert_eq!(policed.level(), "request_response");
    let hash = format!("sha-256:{}", Hash::of(LOUD.as_bytes()));
    assert_eq!(policed.records_of("policy.loaded")[1]["annotations"]["policy_hash"], hash.as_str());
    assert_eq!(policed.log.health().policy().hash, Some(Hash::of(LOUD.as_bytes())));
}

#[test]
fn a_file_is_read_once_it_stays_the_same() {
    let policed = Policed::open(QUIET);
    let look = || policed.log.shared().look_at_policy();
    look();
    policed.write(LOUD);
    // The log's own thread may have looked in between.
    look();
    look();
    assert_eq!(policed.level(), "request_response");
    look();
    assert_eq!(policed.records_of("policy.loaded").len(), 2);
}

#[test]
fn of_a_file_that_is_no_policy_an_alert_tells_once_and_the_old_one_stays() {
    let policed = Policed::open(QUIET);
    policed.write("[[rule]]\nlevle = \"none\"");
    for _ in 0..2 {
        let fault = policed.log.reload_policy().unwrap_err();
        assert_eq!(fault.policy().map(|fault| fault.line()), Some(2));
    }
    assert_eq!(policed.level(), "none");
    let alerts = policed.records_of("alert.raised");
    assert_eq!(alerts.len(), 1);
    let reason = alerts[0]["outcome"]["reason"].as_str().unwrap();
    assert!(
        reason.ends_with("line 2, column 1: expected a key of a rule, found `levle`: is `level` meant?"),
        "{reason}"
    );
    assert_eq!(alerts[0]["annotations"]["policy_hash"], format!("sha-256:{}", Hash::of(QUIET.as_bytes())).as_str());
    assert_eq!(policed.log.health().policy().fault.as_deref(), Some(reason));
    fs::remove_file(&policed.file).unwrap();
    assert!(policed.log.reload_policy().unwrap_err().is_io());
    assert_eq!(policed.records_of("alert.raised").len(), 2);
    policed.write(QUIET);
    policed.log.reload_policy().unwrap();
    assert_eq!(policed.log.health().policy().fault, None);
    assert_eq!(policed.records_of("policy.loaded").len(), 1, "it never was out of force");
}

#[test]
fn calls_that_are_left_unrecorded_are_stated() {
    let policed = Policed::open(QUIET);
    policed.read_unrecorded(3);
    assert_eq!(policed.log.health().policy().unrecorded, [("reads".to_owned(), 3)]);
    let old = policed.log.policy().unwrap();
    policed.write(&format!("# again\n{QUIET}"));
    policed.log.reload_policy().unwrap();
    assert_eq!(policed.records_of("policy.loaded")[1]["annotations"]["unrecorded"], json!({ "reads": 3 }));
    policed.read_unrecorded(2);
    // A call that began under the policy before.
    old.note_unrecorded(0);
    assert_eq!(policed.log.health().policy().unrecorded, [("reads".to_owned(), 6)]);
    policed.log.close().unwrap();
    let records = records(&policed.path);
    assert_eq!(records.last().unwrap()["annotations"]["unrecorded"], json!({ "reads": 3 }));
}

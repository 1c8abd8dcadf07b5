//! The queue of checkpoints that a log keeps for its anchors.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_anchor::{Connection, Copies, Witness};
use audit_core::anchor::Anchor;
use audit_core::note::{Note, SecretKey, VerificationKey};
use audit_core::sink::{Prepared, Sink as _};
use audit_core::vocabulary::Stage;
use audit_store::anchors::Pace;
use audit_store::read::Lines;
use audit_store::verify::verify_log;
use audit_store::{Log, Options};
use serde_json::Value;
use tempfile::TempDir;
use testkit::http::Reply;
use testkit::witness::{self, Fault};

use super::{impatient, patient};

pub(super) const ORIGIN: &str = "example.com/orders";
const NAME: &str = "witness.example/w1";

pub(super) fn secret() -> SecretKey {
    SecretKey::from_bytes(ORIGIN, &[7; 32]).unwrap()
}

pub(super) fn key() -> VerificationKey {
    secret().verification_key().unwrap()
}

/// A log and the witness that knows it.
struct Setting {
    directory: TempDir,
    other: witness::Witness,
}

impl Setting {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let other = witness::Witness::start(NAME, 9, &[key()], None).unwrap();
        Self { directory, other }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("orders")
    }

    fn witness(&self, connection: &Connection) -> Arc<dyn Anchor> {
        Arc::new(Witness::new("w1".parse().unwrap(), self.other.key().clone(), &self.other.url(), connection).unwrap())
    }

    fn open(&self) -> Log {
        options(self.witness(&patient())).open(self.log()).unwrap()
    }

    fn receipts(&self) -> Vec<u64> {
        receipts(&self.log().join("anchors/w1"), "note")
    }
}

/// A log that commits at once, and whose anchors are not left alone.
fn options(anchor: Arc<dyn Anchor>) -> Options {
    let pace = Pace::DEFAULT.interval(Duration::ZERO).retry(Duration::from_millis(1), Duration::from_millis(8));
    let options = Log::options().origin(ORIGIN).signer(Arc::new(secret())).anchor(anchor).anchor_pace(pace);
    options.commit_interval(Duration::from_millis(1)).close_timeout(Duration::from_secs(60))
}

fn receipts(directory: &Path, form: &str) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut sizes: Vec<u64> =
        names.filter_map(|name| Some(name.strip_suffix(form)?.strip_suffix('.')?.parse().unwrap())).collect();
    sizes.sort_unstable();
    sizes
}

fn append(log: &Log, number: u64) {
    let record = format!(
        concat!(
            r#"{{"action":"order.noted","actor":{{"agent":{{"id":"a"}}}},"event_name":"log.read","#,
            r#""observed_time":"2026-10-27T09:43:02.950456000Z","outcome":{{"effect":"none","status":"success"}},"#,
            r#""record_id":"01a17cbc-f240-7dd1-8900-{:012}","schema_version":"1","stage":"event","#,
            r#""time":"2026-10-27T09:43:02.950456000Z"}}"#
        ),
        number
    );
    log.append(&Prepared::new(record.as_bytes(), Stage::Event)).wait().unwrap();
}

/// Waits until something holds, for a minute at most.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

fn records(log: &Path) -> Vec<Value> {
    let mut lines = Lines::open(log).unwrap();
    let mut found = Vec::new();
    while let Some(line) = lines.next_line() {
        found.push(serde_json::from_slice::<Value>(line.unwrap().bytes).unwrap()["record"].take());
    }
    found
}

/// The records of anchors: what happened, and in which way.
fn told(log: &Path) -> Vec<(String, String)> {
    let of_anchors = records(log).into_iter().filter(|record| record["target"][0]["type"] == "anchor");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    of_anchors
        .map(|record| {
            assert_eq!(record["target"][0]["id"], "w1");
            let annotations = &record["annotations"];
            (word(&record["event_name"]), word(annotations.get("kind").unwrap_or(&annotations["form"])))
        })
        .collect()
}

fn events(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, how)| (format!("anchor.{name}"), (*how).to_owned())).collect()
}

#[test]
fn a_log_gives_its_checkpoints_to_its_witness_and_comes_to_rest() {
    let setting = Setting::new();
    let log = setting.open();
    until("the first checkpoint is anchored", || told(&setting.log()).len() == 1);
    append(&log, 1);
    until("the second one is", || told(&setting.log()).len() == 2);
    // What only tells of anchors is not anchored: nothing more is asked when it is covered.
    let covered = || verify_log(setting.log()).unwrap().summary.beyond_checkpoint == 0;
    until("the record of it is covered", || {
        log.flush().unwrap();
        covered()
    });
    log.close().unwrap();
    assert_eq!(setting.other.requests(), 3);
    // The last checkpoint is anchored, too, and nothing can be recorded any more.
    assert_eq!(told(&setting.log()), events(&[("added", "note"), ("added", "note")]));
    let report = verify_log(setting.log()).unwrap();
    assert!(report.is_intact(), "{:?}", report.finding);
    let newest = *setting.receipts().last().unwrap();
    assert_eq!((newest, setting.other.newest(ORIGIN).unwrap().size), (report.summary.entries, report.summary.entries));
    let kept = fs::read_to_string(setting.log().join(format!("anchors/w1/{newest:020}.note"))).unwrap();
    assert!(Note::parse(&kept).unwrap().cosigned_at(setting.other.key()).unwrap().is_some());
}

#[test]
fn what_is_not_anchored_waits_for_the_next_opening() {
    let setting = Setting::new();
    setting.other.fail(Fault::Says(Reply::answer(503, "text/plain", "later")));
    let log = setting.open();
    until("it fails", || told(&setting.log()).len() == 1);
    log.close().unwrap();
    assert_eq!(told(&setting.log()), events(&[("failed", "unavailable")]));
    assert_eq!(setting.receipts(), [0; 0]);

    setting.other.fail(None);
    let log = setting.open();
    until("it works", || told(&setting.log()).len() == 2);
    log.close().unwrap();
    assert_eq!(told(&setting.log()), events(&[("failed", "unavailable"), ("added", "note")]));

    // Another client, that knows nothing of what the witness has, goes on by its answer 409.
    let log = setting.open();
    until("it goes on", || told(&setting.log()).len() == 3);
    log.close().unwrap();
    assert!(verify_log(setting.log()).unwrap().is_intact());
}

#[test]
fn a_failure_is_recorded_when_it_begins_and_when_it_changes() {
    let setting = Setting::new();
    setting.other.fail(Fault::Says(Reply::answer(503, "text/plain", "later")));
    let log = setting.open();
    until("it was tried again and again", || setting.other.requests() > 5);
    setting.other.fail(Fault::BadSignature);
    until("the reason changed", || told(&setting.log()).len() == 2);
    let health = log.health();
    let [failing] = health.failing_anchors() else { panic!("{health:?}") };
    assert_eq!((&*failing.name, failing.is_alarm), ("w1", false));
    setting.other.fail(None);
    until("it works", || told(&setting.log()).len() == 3);
    assert_eq!(log.health().failing_anchors(), []);
    log.close().unwrap();
    let expect = [("failed", "unavailable"), ("failed", "not_by_anchor"), ("added", "note")];
    assert_eq!(told(&setting.log()), events(&expect));
    let failed = records(&setting.log()).into_iter().find(|record| record["event_name"] == "anchor.failed").unwrap();
    assert_eq!(failed["outcome"]["status"], "failure");
    let schema = fs::read_to_string(testkit::workspace().join("docs/spec/record.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    records(&setting.log()).iter().for_each(|record| assert!(schema.is_valid(record), "{record}"));
    assert_eq!((&failed["annotations"]["passes"], &failed["annotations"]["alarm"]), (&true.into(), &false.into()));
}

#[test]
fn a_log_that_was_rolled_back_raises_an_alarm() {
    let setting = Setting::new();
    setting.open().close().unwrap();
    // As a snapshot has it, without and with what was kept since.
    for keeps_receipts in [false, true] {
        let old = setting.directory.path().join(format!("old{keeps_receipts}"));
        let bare = Log::options().origin(ORIGIN).signer(Arc::new(secret()));
        bare.open(&old).unwrap().close().unwrap();
        let newest = setting.other.newest(ORIGIN).unwrap().size;
        if keeps_receipts {
            fs::create_dir_all(old.join("anchors/w1")).unwrap();
            fs::write(old.join("anchors/w1/00000000000000000099.note"), "whatever").unwrap();
        }
        let log = options(setting.witness(&patient())).open(&old).unwrap();
        until("the alarm is recorded", || !told(&old).is_empty());
        log.close().unwrap();
        let alarm = records(&old).into_iter().find(|record| record["event_name"] == "anchor.failed").unwrap();
        assert_eq!(alarm["annotations"]["alarm"], true);
        assert_eq!(alarm["annotations"]["kind"], if keeps_receipts { "longer" } else { "inconsistent" }, "{alarm}");
        assert_eq!(setting.other.newest(ORIGIN).unwrap().size, newest);
    }
}

#[test]
fn closing_does_not_wait_for_a_witness_that_hangs() {
    let setting = Setting::new();
    setting.other.fail(Fault::Says(Reply::Silence));
    let log = options(setting.witness(&patient())).close_timeout(Duration::from_millis(20));
    let log = log.open(setting.log()).unwrap();
    until("it is asked", || setting.other.requests() == 1);
    // The client waits for a minute: closing that waited for it would not be done before.
    log.close().unwrap();
    assert_eq!(setting.other.requests(), 1);
    assert_eq!(setting.receipts(), [0; 0]);

    let log = options(setting.witness(&impatient())).open(setting.log()).unwrap();
    until("it is not there", || told(&setting.log()).len() == 1);
    setting.other.fail(None);
    until("it is", || told(&setting.log()).len() == 2);
    log.close().unwrap();
    assert_eq!(told(&setting.log()), events(&[("failed", "timeout"), ("added", "note")]));
}

#[test]
fn each_checkpoint_is_copied_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (directory.path().join("orders"), directory.path().join("copies"));
    let copies = || Arc::new(Copies::new("w1".parse().unwrap(), Log::open(&elsewhere).unwrap()));
    let sizes = || -> Vec<u64> {
        let notes = records(&elsewhere).into_iter().filter_map(|record| {
            let note = record["annotations"]["checkpoint"].as_str()?.to_owned();
            note.lines().nth(1)?.parse().ok()
        });
        notes.collect()
    };
    for round in 0..2 {
        let log = options(copies()).open(&path).unwrap();
        for number in 0..3 {
            append(&log, round * 3 + number);
            until("it is committed", || verify_log(&path).unwrap().summary.beyond_checkpoint == 0);
        }
        log.close().unwrap();
    }
    // A new log lists the checkpoint of its first entry twice; each size is given once.
    let mut listed: Vec<u64> = fs::read_to_string(path.join("checkpoints.log"))
        .unwrap()
        .split(&format!("{ORIGIN}\n"))
        .filter_map(|rest| rest.lines().next()?.parse().ok())
        .collect();
    listed.dedup();
    assert_eq!(sizes(), listed);
    // Only where the newest one is.
    assert_eq!(receipts(&path.join("anchors/w1"), "json"), [*listed.last().unwrap()]);
}

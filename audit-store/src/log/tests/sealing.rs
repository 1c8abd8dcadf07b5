//! Sealed values: they are there before their record, whatever fails, and nobody but who has the key reads them.

use std::io;

use audit_core::privacy::{ProtectError, Sealed, Sealing};

use super::disks::{Fate, PlannedDisk, passing};
use super::*;
use crate::keyring::{FileKeyRing, KeyRing as _, TenantKey};
use crate::privacy::{self, Opened};

/// A place for a log, and a key ring beside it.
struct Place {
    directory: TempDir,
    path: PathBuf,
    ring: Arc<FileKeyRing>,
}

impl Place {
    fn new() -> Self {
        let (directory, path) = fresh();
        let ring = directory.path().join("ring");
        FileKeyRing::create(&ring).unwrap();
        let ring = Arc::new(FileKeyRing::open(&ring, TenantKey::generate().unwrap()).unwrap());
        Self { directory, path, ring }
    }

    fn options(&self) -> Options {
        options().key_ring(Arc::clone(&self.ring) as _)
    }

    fn open(&self) -> Log {
        self.options().open(&self.path).unwrap()
    }

    fn open_on(&self, disk: &Arc<PlannedDisk>) -> Log {
        open(self.options(), &self.path, Arc::clone(disk) as _).unwrap()
    }

    fn read(&self, digest: &str) -> Opened {
        privacy::open(&self.path, digest, &*self.ring, Some("acme")).unwrap()
    }

    fn value(&self, digest: &str) -> Option<String> {
        match self.read(digest) {
            Opened::Value { disclosure, .. } => Some(disclosure.value().to_owned()),
            _ => None,
        }
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path.join("payloads")).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn try_seal(log: &Log, subject: &str, value: &str) -> Result<Sealed, ProtectError> {
    let sealing = Sealing { tenant: Some("acme"), subject, name: "street", value: value.as_bytes() };
    log.protect().unwrap().seal(&sealing)
}

fn seal(log: &Log, subject: &str, value: &str) -> Sealed {
    try_seal(log, subject, value).unwrap()
}

#[test]
fn a_sealed_value_is_read_by_its_digest_and_by_nothing_else() {
    let place = Place::new();
    let log = place.open();
    let sealed = seal(&log, "customer-17", r#""Blumenweg 13""#);
    let same = seal(&log, "customer-17", r#""Blumenweg 13""#);
    assert_eq!(sealed.key_id, same.key_id);
    assert_ne!(sealed.digest, same.digest, "the salt is another one");
    assert_eq!(place.value(&sealed.digest).as_deref(), Some(r#""Blumenweg 13""#));
    assert_eq!(place.read("no such digest"), Opened::Missing);
    assert_eq!(place.files(), ["00000000000000000001.jsonl"]);
    let bytes = fs::read_to_string(place.path.join("payloads/00000000000000000001.jsonl")).unwrap();
    assert!(!bytes.contains("Blumenweg") && !bytes.contains("customer-17"), "{bytes}");

    let other = FileKeyRing::open(place.ring.directory(), TenantKey::generate().unwrap()).unwrap();
    assert!(privacy::open(&place.path, &sealed.digest, &other, Some("acme")).unwrap_err().is_key());
    let of_other = privacy::open(&place.path, &sealed.digest, &*place.ring, Some("globex")).unwrap();
    assert_eq!(of_other, Opened::Erased { key_id: sealed.key_id });
    log.close().unwrap();
    checked(&place.path);
}

#[test]
fn a_token_is_found_again_in_every_epoch() {
    let place = Place::new();
    let log = place.open();
    let protect = log.protect().unwrap();
    let token = |tenant, scalar: &str| protect.token(tenant, scalar.as_bytes()).unwrap();
    let first = token(Some("acme"), r#""card-42""#);
    assert!(first.text.starts_with("token:k1:") && first.text.len() == 41, "{first:?}");
    assert_eq!(token(Some("acme"), r#""card-42""#), first);
    assert_ne!(token(Some("acme"), "42").text, token(Some("acme"), r#""42""#).text);
    assert_ne!(token(None, r#""card-42""#).text, first.text);
    place.ring.rotate(Some("acme")).unwrap();
    let second = token(Some("acme"), r#""card-42""#);
    assert_eq!(second.key_id, "k2");
    let found = privacy::tokens(&*place.ring, Some("acme"), br#""card-42""#).unwrap();
    assert_eq!(found, [first, second]);
}

#[test]
fn after_an_erasure_nothing_opens_it_and_the_log_verifies() {
    let place = Place::new();
    let log = place.open();
    let sealed = seal(&log, "customer-17", r#""Blumenweg 13""#);
    let bystander = seal(&log, "customer-18", r#""Gartenstr. 2""#);
    log.append(&Prepared::new(&record(1, "tool.called", Stage::Started), Stage::Started)).wait().unwrap();

    let destroyed = place.ring.erase(Some("acme"), "customer-17").unwrap().destroyed;
    assert_eq!(destroyed, [sealed.key_id.as_str()]);
    assert_eq!(place.read(&sealed.digest), Opened::Erased { key_id: sealed.key_id.clone() });
    assert_eq!(place.value(&bystander.digest).as_deref(), Some(r#""Gartenstr. 2""#));
    let later = seal(&log, "customer-17", r#""Am Markt 1""#);
    assert_eq!(later.key_id, format!("{}.2", sealed.key_id));
    assert_eq!(place.value(&later.digest).as_deref(), Some(r#""Am Markt 1""#));
    log.close().unwrap();
    checked(&place.path);
}

#[test]
fn a_value_that_cannot_be_kept_is_refused_and_the_next_one_is_whole() {
    for (operation, fate) in [
        ("write", Fate::FailsBefore(io::ErrorKind::StorageFull)),
        ("write", Fate::FailsHalfway(io::ErrorKind::StorageFull)),
        ("write", Fate::FailsAfter(io::ErrorKind::StorageFull)),
        ("open", Fate::FailsBefore(io::ErrorKind::StorageFull)),
        ("open", Fate::FailsAfter(io::ErrorKind::PermissionDenied)),
        ("create_directory", Fate::FailsBefore(io::ErrorKind::StorageFull)),
    ] {
        for is_cut in [true, false] {
            let place = Place::new();
            let disk = PlannedDisk::new(passing);
            let log = place.open_on(&disk);
            if operation == "write" {
                seal(&log, "customer-17", "1");
            }
            let is_payload = |path: &Path| path.to_str().unwrap().contains("/payloads");
            disk.set(move |found, path| match found {
                _ if !is_payload(path) => Fate::Passes,
                "truncate" if !is_cut => Fate::FailsBefore(io::ErrorKind::Other),
                _ if found == operation => fate,
                _ => Fate::Passes,
            });
            let refused = try_seal(&log, "customer-17", r#""lost""#).unwrap_err().to_string();
            assert!(refused.contains("could not keep a sealed value: "), "{refused}");
            assert!(!refused.contains("lost") && !refused.contains("customer"), "{refused}");
            disk.set(passing);
            let sealed = seal(&log, "customer-17", r#""kept""#);
            assert_eq!(place.value(&sealed.digest).as_deref(), Some(r#""kept""#), "{operation} {fate:?} {is_cut}");
            log.close().unwrap();
            checked(&place.path);
        }
    }
}

#[test]
fn sealed_values_reach_the_disk_before_their_records() {
    let place = Place::new();
    let synced = Arc::new(Mutex::new(Vec::new()));
    let disk = PlannedDisk::new(passing);
    let log = place.open_on(&disk);
    let noted = Arc::clone(&synced);
    disk.set(move |operation, path| {
        let parent = path.parent().unwrap_or(path).file_name().unwrap_or_default().to_owned();
        if operation == "sync" || (operation == "sync_directory" && path.ends_with("payloads")) {
            noted.lock().unwrap().push(format!("{operation} {}", parent.display()));
        }
        Fate::Passes
    });
    seal(&log, "customer-17", "1");
    begin_durably(&log, 1).wait().unwrap();
    let order = synced.lock().unwrap().clone();
    assert_eq!(order[..3], ["sync payloads", "sync_directory orders", "sync segments"]);

    // What is not on the disk for sure has no record that is.
    disk.set(|operation, path| match operation {
        "sync" if path.to_str().unwrap().contains("/payloads") => Fate::FailsBefore(io::ErrorKind::Other),
        _ => Fate::Passes,
    });
    seal(&log, "customer-17", "2");
    assert_eq!(kind(begin_durably(&log, 2)), AppendErrorKind::Poisoned);
    assert!(try_seal(&log, "customer-17", "3").is_err());
}

#[test]
fn a_killed_process_leaves_its_sealed_values_and_the_next_one_disturbs_none() {
    let place = Place::new();
    let first = seal(&place.open(), "customer-17", r#""first""#);
    let path = place.path.join("payloads").join(&place.files()[0]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], &whole[..whole.len() / 2]].concat()).unwrap();
    let log = place.open();
    let second = seal(&log, "customer-17", r#""second""#);
    assert_eq!(place.files().len(), 2);
    for (sealed, value) in [(first, r#""first""#), (second, r#""second""#)] {
        assert_eq!(place.value(&sealed.digest).as_deref(), Some(value));
    }
    log.close().unwrap();
    checked(&place.path);
}

#[test]
fn an_altered_value_is_told_and_a_removed_one_is_missing() {
    let place = Place::new();
    let log = place.open();
    let sealed = seal(&log, "customer-17", r#""Blumenweg 13""#);
    let other = seal(&log, "customer-17", r#""Am Markt 1""#);
    log.close().unwrap();
    let path = place.path.join("payloads").join(&place.files()[0]);
    let text = fs::read_to_string(&path).unwrap();
    // The ciphertext of another digest does not pass for this one's, though the key is the same.
    fs::write(&path, text.replace(&other.digest, "moved").replace(&sealed.digest, &other.digest)).unwrap();
    let refused = privacy::open(&place.path, &other.digest, &*place.ring, Some("acme")).unwrap_err().to_string();
    assert!(refused.ends_with("expected a sealed value that its key opens, found one that was altered"), "{refused}");
    fs::remove_dir_all(place.path.join("payloads")).unwrap();
    assert_eq!(place.read(&sealed.digest), Opened::Missing);
    checked(&place.path);
}

#[test]
fn a_removed_file_refuses_a_value_and_the_next_begins_another() {
    let place = Place::new();
    let log = place.open();
    seal(&log, "customer-17", "1");
    fs::remove_dir_all(place.path.join("payloads")).unwrap();
    let refused = try_seal(&log, "customer-17", "2").unwrap_err().to_string();
    assert!(refused.ends_with("00000000000000000001.jsonl, found it removed or replaced"), "{refused}");
    let sealed = seal(&log, "customer-17", "3");
    assert_eq!(place.value(&sealed.digest).as_deref(), Some("3"));
    log.close().unwrap();
}

#[test]
fn nothing_is_sealed_for_a_log_that_is_closed_or_forked_or_has_no_ring() {
    let place = Place::new();
    let log = place.open();
    let protect = log.protect().unwrap();
    let sealing = Sealing { tenant: None, subject: "customer-17", name: "street", value: b"1" };
    IS_CHILD.set(true);
    for forked in [protect.seal(&sealing).unwrap_err(), protect.token(None, b"1").unwrap_err()] {
        assert!(forked.to_string().contains("a forked process"), "{forked}");
    }
    IS_CHILD.set(false);
    assert!(place.files().is_empty());
    log.close().unwrap();
    assert!(protect.seal(&sealing).unwrap_err().to_string().contains("log.closed"));
    drop(log);
    assert_eq!(protect.seal(&sealing).unwrap_err().to_string(), "expected an open log, found its end");
    assert_eq!(protect.token(None, b"1").unwrap_err().to_string(), "expected an open log, found its end");

    let path = place.directory.path().join("without");
    let log = options().open(path).unwrap();
    assert!(log.protect().is_none() && log.privacy().is_none());
}

#[test]
fn a_log_does_not_hold_its_own_key_ring() {
    let place = Place::new();
    let within = place.path.join("ring");
    place.open().close().unwrap();
    FileKeyRing::create(&within).unwrap();
    let ring = Arc::new(FileKeyRing::open(&within, TenantKey::generate().unwrap()).unwrap());
    let refused = options().key_ring(ring).open(&place.path).unwrap_err();
    assert!(refused.is_key() && refused.to_string().contains("apart from the log"), "{refused}");
}

#[test]
fn what_is_too_long_or_no_text_is_refused() {
    let place = Place::new();
    let log = place.open();
    let long = "9".repeat(privacy::SEALED_BYTES_MAX + 1);
    let expect = "expected a value of at most 16777216 bytes, found 16777217";
    assert_eq!(try_seal(&log, "customer-17", &long).unwrap_err().to_string(), expect);
    let sealing = Sealing { tenant: None, subject: "customer-17", name: "street", value: b"\"\xff\"" };
    let refused = log.protect().unwrap().seal(&sealing).unwrap_err().to_string();
    assert_eq!(refused, "expected JSON, found bytes that are no text");
}

#[test]
fn readings_and_erasures_are_recorded_without_a_value() {
    let place = Place::new();
    let log = place.open();
    let sealed = seal(&log, "customer-17", r#""Blumenweg 13""#);
    let mut reading = Reading::new("orders", "01a17cbd-e826-77ed-86a8-000000000007".parse().unwrap());
    reading.paths = vec!["/request/arguments/street".to_owned()];
    reading.key_ids = vec![sealed.key_id.clone()];
    reading.by = "operator-3".to_owned();
    log.record_read(&reading).unwrap();
    let mut erased = SubjectErased::new(vec![sealed.key_id.clone()], "asked for by letter of 2026-11-02");
    erased.by = "operator-3".to_owned();
    log.record_erasure(&erased).unwrap();
    let records = records(&place.path);
    assert_eq!(records[1]["event_name"], "log.read");
    assert_eq!(records[1]["target"][0]["id"], "01a17cbd-e826-77ed-86a8-000000000007");
    assert_eq!(records[1]["annotations"]["paths"][0], "/request/arguments/street");
    assert_eq!(records[1]["actor"]["on_behalf_of"]["id"], "operator-3");
    assert_eq!(records[2]["event_name"], "subject.erased");
    assert_eq!(records[2]["annotations"]["key_ids"][0], sealed.key_id.as_str());
    log.close().unwrap();
    checked(&place.path);
}

#[test]
fn what_a_killed_process_sealed_reaches_the_disk_before_its_records_are_appended() {
    let place = Place::new();
    let log = place.open();
    let sealed = seal(&log, "customer-17", "1");
    begin(&log, 1).wait().unwrap();
    let (_killed, killed) = copy(&place.path);
    let disk = PlannedDisk::new(passing);
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    disk.set(move |operation, path| {
        let text = path.to_str().unwrap().to_owned();
        if operation == "sync" && (text.contains("/payloads/") || text.contains("/segments/")) {
            noted.lock().unwrap().push(text.contains("/payloads/"));
        }
        Fate::Passes
    });
    let reopened = open(place.options().origin("example.com/orders"), &killed, Arc::clone(&disk) as _).unwrap();
    assert_eq!(order.lock().unwrap().first(), Some(&true));
    let opened = privacy::open(&killed, &sealed.digest, &*place.ring, Some("acme")).unwrap();
    assert!(matches!(opened, Opened::Value { .. }), "{opened:?}");
    reopened.close().unwrap();
    checked(&killed);
}

#[test]
fn threads_that_seal_at_the_same_time_leave_whole_lines() {
    let place = Place::new();
    let log = place.open();
    let sealed: Vec<(String, String)> = std::thread::scope(|scope| {
        let seal = |thread: u32| {
            let log = &log;
            move || {
                let value = |n: u32| format!("\"{thread} {}\"", "x".repeat(usize::try_from(n).unwrap()));
                let one = |n| (seal(log, &format!("customer-{}", n % 3), &value(n)).digest, value(n));
                (0..100).map(one).collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(seal(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(sealed.len(), 400);
    for (digest, value) in sealed {
        assert_eq!(place.value(&digest), Some(value));
    }
    log.close().unwrap();
    checked(&place.path);
}

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use tempfile::TempDir;

use super::*;

/// A ring in a directory of its own, and the key that opens it.
struct Ring {
    directory: TempDir,
    key: TenantKey,
}

impl Ring {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        FileKeyRing::create(directory.path().join("ring")).unwrap();
        Self { directory, key: TenantKey::generate().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ring")
    }

    /// Opens it anew, as another process would.
    fn open(&self) -> FileKeyRing {
        FileKeyRing::open(self.path(), self.key.clone()).unwrap()
    }

    /// Returns the only path below the ring that ends so.
    fn only(&self, end: &str) -> PathBuf {
        let mut found = Vec::new();
        walk(&self.path(), &mut found);
        found.retain(|path| path.to_str().unwrap().ends_with(end));
        assert_eq!(found.len(), 1, "{end}: {found:?}");
        found.remove(0)
    }

    fn told(&self, error: &Error) -> String {
        let text = error.to_string().replace(self.directory.path().to_str().unwrap(), "DIR");
        let is_hex = |part: &&str| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let names: Vec<String> = text.split(['/', '.', ':']).filter(is_hex).map(str::to_owned).collect();
        names.iter().fold(text, |text, name| text.replace(name, "HEX"))
    }
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn tokens_have_epochs_that_all_processes_see() {
    let ring = Ring::new();
    let (one, other) = (ring.open(), ring.open());
    assert!(one.token_keys(None).unwrap().is_empty());
    let first = one.token_key(None).unwrap();
    assert_eq!((first.id(), other.token_key(None).unwrap().secret()), ("k1", first.secret()));
    assert_eq!(other.rotate(None).unwrap(), "k2");
    let second = one.token_key(None).unwrap();
    assert_eq!(second.id(), "k2");
    assert_ne!(second.secret(), first.secret());
    assert_eq!(one.token_keys(None).unwrap().iter().map(Key::id).collect::<Vec<_>>(), ["k1", "k2"]);
    assert_eq!(ring.open().token_keys(None).unwrap()[0].secret(), first.secret());
}

#[test]
fn tenants_have_keys_of_their_own() {
    let ring = Ring::new();
    let open = ring.open();
    let keys = [None, Some(""), Some("acme"), Some("globex")].map(|tenant| open.token_key(tenant).unwrap());
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(key.id(), "k1");
        assert!(keys[..index].iter().all(|other| other.secret() != key.secret()));
    }
    let subject = |tenant| open.subject_key(tenant, "customer-17").unwrap();
    assert_ne!(subject(Some("acme")).id(), subject(Some("globex")).id());

    // Who is given the key of one tenant opens no other.
    let own = TenantKey::generate().unwrap();
    let with_own = ring.open().tenant("initech", own.clone());
    with_own.token_key(Some("initech")).unwrap();
    with_own.token_key(Some("acme")).unwrap();
    let only = FileKeyRing::open_without_key(ring.path()).unwrap().tenant("initech", own);
    assert_eq!(only.token_key(Some("initech")).unwrap().id(), "k1");
    let refused = only.token_key(Some("acme")).unwrap_err();
    assert_eq!(ring.told(&refused), "DIR/ring: expected a key of the tenant, found none");
    assert!(refused.is_key());
}

#[test]
fn another_tenant_key_is_told_and_makes_nothing() {
    let ring = Ring::new();
    ring.open().token_key(None).unwrap();
    let count = || {
        let mut found = Vec::new();
        walk(&ring.path(), &mut found);
        found.len()
    };
    let before = count();
    let other = FileKeyRing::open(ring.path(), TenantKey::generate().unwrap()).unwrap();
    for error in [
        other.token_key(None).unwrap_err(),
        other.token_keys(None).unwrap_err(),
        other.subject_key(None, "customer-17").unwrap_err(),
        other.erase(None, "customer-17").unwrap_err(),
        other.rotate(None).unwrap_err(),
    ] {
        let expect = "DIR/ring/tenants/HEX/tenant.key: expected a key that the tenant key given opens, found one wrapped by \
                      another tenant key, or altered";
        assert_eq!(ring.told(&error), expect);
    }
    assert_eq!(count(), before);
}

#[test]
fn an_erased_subject_gets_another_key_and_no_process_uses_the_old_one() {
    let ring = Ring::new();
    let (running, other) = (ring.open(), ring.open());
    let first = running.subject_key(None, "customer-17").unwrap();
    assert_eq!(running.subject_key(None, "customer-17").unwrap().secret(), first.secret());
    assert!(first.id().starts_with("subject:") && first.id().len() == 40 && !first.id().contains("customer"));
    assert_eq!(other.sealing_key(None, first.id()).unwrap().unwrap().secret(), first.secret());
    let bystander = running.subject_key(None, "customer-18").unwrap();

    let file = ring.only(&format!("{}.1.key", &first.id()["subject:".len()..]));
    let copy = ring.directory.path().join("kept");
    fs::hard_link(&file, &copy).unwrap();
    let erasure = other.erase(None, "customer-17").unwrap();
    assert_eq!((erasure.destroyed, erasure.destroyed_before), (vec![first.id().to_owned()], vec![]));
    assert!(fs::read(copy).unwrap().iter().all(|byte| *byte == 0), "the bytes are written over");
    assert!(!file.exists());

    assert!(running.sealing_key(None, first.id()).unwrap().is_none());
    let second = running.subject_key(None, "customer-17").unwrap();
    assert_eq!(second.id(), format!("{}.2", first.id()));
    assert_ne!(second.secret(), first.secret());
    assert_eq!(running.subject_key(None, "customer-18").unwrap().secret(), bystander.secret());

    let again = other.erase(None, "customer-17").unwrap();
    assert_eq!((again.destroyed, again.destroyed_before), (vec![second.id().to_owned()], vec![first.id().to_owned()]));
    assert_eq!(other.erase(None, "nobody").unwrap(), Erasure::default());
    assert_eq!(other.count(None).unwrap(), Some(Count { token_keys: 0, subject_keys: 1, erased: 2 }));
    assert_eq!(other.count(Some("no tenant")).unwrap(), None);
    assert_eq!(other.erase(Some("no tenant"), "customer-17").unwrap(), Erasure::default());
}

#[test]
fn an_erasure_that_was_interrupted_is_gone_on_with() {
    let ring = Ring::new();
    let running = ring.open();
    let first = running.subject_key(None, "customer-17").unwrap();
    let file = ring.only(".1.key");
    // It got as far as the tombstone.
    fs::write(file.with_extension("erased"), "").unwrap();
    assert!(running.sealing_key(None, first.id()).unwrap().is_none());
    assert!(running.subject_key(None, "customer-17").unwrap().id().ends_with(".2"));
    // It got as far as writing over the bytes.
    fs::write(&file, [0; 64]).unwrap();
    assert!(ring.open().sealing_key(None, first.id()).unwrap().is_none());
    assert_eq!(ring.open().erase(None, "customer-17").unwrap().destroyed.len(), 2);
    assert!(!file.exists());
}

#[test]
fn processes_that_ask_at_the_same_time_get_one_key() {
    let ring = Ring::new();
    let start = Barrier::new(8);
    let keys = std::thread::scope(|scope| {
        let ask = || {
            let open = ring.open();
            start.wait();
            (open.subject_key(Some("acme"), "customer-17").unwrap(), open.token_key(Some("acme")).unwrap())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (subject, token) in &keys {
        assert_eq!((subject.id(), subject.secret()), (keys[0].0.id(), keys[0].0.secret()));
        assert_eq!((token.id(), token.secret()), ("k1", keys[0].1.secret()));
    }
    let mut found = Vec::new();
    walk(&ring.path(), &mut found);
    assert!(found.iter().all(|path| path.extension().is_some_and(|end| end != "tmp")), "{found:?}");
}

#[test]
fn what_is_no_ring_is_told() {
    let ring = Ring::new();
    let open = |path: &str| FileKeyRing::open(ring.directory.path().join(path), ring.key.clone()).unwrap_err();
    let expect = "DIR/none: expected a key ring, found nothing; `audited key-ring new` makes one";
    assert_eq!(ring.told(&open("none")), expect);
    fs::write(ring.directory.path().join("file"), "").unwrap();
    assert_eq!(ring.told(&open("file")), "DIR/file: expected a key ring, found a file");
    fs::create_dir(ring.directory.path().join("wide")).unwrap();
    set_mode(&ring.directory.path().join("wide"), 0o755);
    let expect = "DIR/wide: expected a directory that only its owner can enter (mode 0700), found 0755";
    assert_eq!(ring.told(&open("wide")), expect);
    set_mode(&ring.directory.path().join("wide"), 0o700);
    let expect = "DIR/wide/ring.json: expected a key ring, found no such file; `audited key-ring new` makes one";
    assert_eq!(ring.told(&open("wide")), expect);

    let again = FileKeyRing::create(ring.path()).unwrap_err();
    assert_eq!(ring.told(&again), "DIR/ring: expected no key ring, found one; a ring is never written over");
    fs::write(ring.directory.path().join("wide/note"), "").unwrap();
    let used = FileKeyRing::create(ring.directory.path().join("wide")).unwrap_err();
    assert_eq!(ring.told(&used), "DIR/wide: expected an empty directory, found `note` in it");

    fs::write(ring.path().join("ring.json"), "{\"format\":").unwrap();
    let expect = "DIR/ring/ring.json: expected a key ring of the form audited-key-ring-v1, found a file that is torn or \
                  holds something else";
    assert_eq!(ring.told(&open("ring")), expect);
}

#[test]
fn a_key_that_cannot_be_trusted_is_refused() {
    let ring = Ring::new();
    let key = ring.open().subject_key(None, "customer-17").unwrap();
    let file = ring.only(".1.key");
    let ask = || ring.told(&ring.open().subject_key(None, "customer-17").unwrap_err());
    let whole = fs::read(&file).unwrap();

    set_mode(&file, 0o640);
    let place = "DIR/ring/tenants/HEX/subjects/HEX.1.key: expected";
    assert_eq!(ask(), format!("{place} a file that only its owner can read (mode 0600), found 0640"));
    set_mode(&file, 0o600);

    let torn = "found a file that is torn or holds something else";
    for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], b"", &[0; 64]] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(ask(), format!("{place} a wrapped key, {torn}"));
    }
    let text = String::from_utf8(whole.clone()).unwrap();
    fs::write(&file, text.replace(key.id(), "subject:other")).unwrap();
    assert_eq!(ask(), format!("{place} the key subject:HEX, found the key subject:other"));
    let other = ring.open().subject_key(None, "customer-18").unwrap();
    let of_other = fs::read_to_string(file.with_file_name(format!("{}.1.key", &other.id()[8..]))).unwrap();
    fs::write(&file, of_other.replace(other.id(), key.id())).unwrap();
    let altered = "a key that the tenant key given opens, found one wrapped by another tenant key, or altered";
    assert_eq!(ask(), format!("{place} {altered}"));
    fs::write(&file, whole).unwrap();
    assert_eq!(ring.open().subject_key(None, "customer-17").unwrap().secret(), key.secret());
}

#[test]
fn a_ring_that_went_away_is_an_error_and_not_a_new_ring() {
    let ring = Ring::new();
    let running = ring.open();
    running.subject_key(None, "customer-17").unwrap();
    fs::remove_dir_all(ring.path()).unwrap();
    assert!(running.subject_key(None, "customer-17").is_err());
    assert!(running.subject_key(Some("acme"), "customer-17").is_err());
    assert!(!ring.path().exists());
}

#[test]
fn a_ring_lies_apart_from_the_log() {
    let ring = Ring::new();
    let open = ring.open();
    fs::create_dir_all(ring.path().join("log")).unwrap();
    fs::create_dir_all(ring.directory.path().join("ring.log")).unwrap();
    assert!(open.check_log(&ring.directory.path().join("ring.log")).is_ok());
    for log in ["", "ring", "ring/log", "ring.log/../ring"] {
        let refused = open.check_log(&ring.directory.path().join(log)).unwrap_err();
        assert!(ring.told(&refused).starts_with("DIR/ring: expected a key ring apart from the log, found the log DIR"));
    }
}

#[test]
fn a_tenant_key_is_read_as_it_was_made_and_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = TenantKey::create(&path).unwrap();
    assert_eq!(TenantKey::read(&path).unwrap().to_text(), key.to_text());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(TenantKey::create(&path).unwrap_err().is_io());
    set_mode(&path, 0o604);
    assert!(TenantKey::read(&path).unwrap_err().to_string().ends_with("(mode 0600), found 0604"));
    let missing = TenantKey::read(directory.path().join("none")).unwrap_err().to_string();
    assert!(missing.ends_with("expected a tenant key, found no file"), "{missing}");
    for text in ["", "TENANT+KEY+", "TENANT+KEY+AAAA", &key.to_text()[1..]] {
        let refused = text.parse::<TenantKey>().unwrap_err().to_string();
        assert_eq!(refused, "not a tenant key: expected TENANT+KEY+base64url of 32 bytes");
    }
    let unset = TenantKey::from_environment("AUDITED_TEST_NO_SUCH_VARIABLE").unwrap_err().to_string();
    assert!(unset.ends_with("expected a tenant key in the environment, found the variable unset"), "{unset}");

    let ring = Ring::new();
    let open = ring.open().tenant("acme", key.clone());
    let subject = open.subject_key(Some("acme"), "customer-17").unwrap();
    let shown = format!("{key:?} {open:?} {subject:?}");
    assert!(shown.contains("TenantKey(…)") && shown.contains("FileKeyRing { directory:"), "{shown}");
    assert!(!shown.contains("salt") && !shown.contains("secret"), "{shown}");
}

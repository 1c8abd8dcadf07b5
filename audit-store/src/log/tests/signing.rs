//! Logs with keys: signed, rotated and sealed, whatever fails.

use std::io;

use audit_core::note::{SecretKey, VerificationKey};
use audit_core::seal::{Seal, SealKey};

use super::disks::{Fate, PlannedDisk, passing};
use super::*;
use crate::disk::Disk;
use crate::keys::{Rotation, create_key_file, read_key_file};
use crate::verify::{self, Signed};

const NAME: &str = "example.com/orders";

/// A log's place, the file of its key beside it, and the first key.
struct Signing {
    _directory: TempDir,
    path: PathBuf,
    key_file: PathBuf,
    first: VerificationKey,
}

impl Signing {
    fn new() -> Self {
        let (directory, path) = fresh();
        let key_file = directory.path().join("key");
        let first = create_key_file(&key_file, NAME).unwrap().verification_key().unwrap();
        Self { _directory: directory, path, key_file, first }
    }

    fn options(&self) -> Options {
        options().key_file(&self.key_file)
    }

    /// Opens the log, makes one call that is brought to the disk, and closes it.
    fn life(&self, options: Options, call: u64) {
        let log = options.open(&self.path).unwrap();
        begin_durably(&log, call).wait().unwrap();
        end(&log, call).wait().unwrap();
        log.close().unwrap();
    }

    fn verify(&self) -> Report {
        verify::Options::new().key(self.first.clone()).verify(&self.path).unwrap()
    }

    fn epochs(&self) -> u64 {
        let report = self.verify();
        assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
        match report.assurance.signed {
            Signed::Pinned { key, epochs, .. } if key == self.first => epochs,
            signed => panic!("{signed:?}"),
        }
    }
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_bytes(NAME, &[seed; 32]).unwrap()
}

#[test]
fn the_first_key_vouches_for_all_that_follow() {
    let signing = Signing::new();
    let before = read_key_file(&signing.key_file).unwrap().verification_key().unwrap();
    signing.life(signing.options(), 1);
    // One rotation when it was created, one when it was closed; the next key has signed nothing yet.
    assert_eq!(signing.epochs(), 3);
    assert_eq!(names(&signing.path).iter().filter(|name| *name == "key.rotated").count(), 2);
    assert_ne!(read_key_file(&signing.key_file).unwrap().verification_key().unwrap(), before);
    signing.life(signing.options(), 2);
    assert_eq!(signing.epochs(), 5);
    signing.life(signing.options().rotation(Rotation::NEVER), 3);
    assert_eq!(signing.epochs(), 5);
    signing.life(signing.options().rotation(Rotation::NEVER.at_open(true)), 4);
    assert_eq!(signing.epochs(), 6);
}

#[test]
fn a_key_is_replaced_after_so_many_checkpoints() {
    let signing = Signing::new();
    let options = signing.options().rotation(Rotation::NEVER.after_checkpoints(Some(2)));
    let log = options.open(&signing.path).unwrap();
    for call in 0..20 {
        // A commit for itself each, and a checkpoint in each: nobody else waits.
        begin_durably(&log, call).wait().unwrap();
        log.flush().unwrap();
    }
    log.close().unwrap();
    let epochs = signing.epochs();
    let rotations = names(&signing.path).iter().filter(|name| *name == "key.rotated").count();
    assert!(epochs >= 2 && epochs == rotations as u64 + 1, "{epochs} epochs, {rotations} rotations");
}

#[test]
fn a_constant_key_stands_alone_or_as_an_identity() {
    let signing = Signing::new();
    let identity = Arc::new(secret(7));
    let key = identity.verification_key().unwrap();
    signing.life(signing.options().signer(identity.clone()), 1);
    assert_eq!(signing.epochs(), 3);
    let report = verify::Options::new().key(key.clone()).verify(&signing.path).unwrap();
    assert!(
        matches!(report.assurance.signed, Signed::Pinned { key: pinned, .. } if pinned == key),
        "{:?}",
        report.finding
    );
    // The log is opened with both ever after.
    let refused = |options: Options| options.open(&signing.path).unwrap_err();
    assert!(refused(signing.options()).is_key());
    assert!(refused(options().signer(identity.clone())).is_key());
    assert!(refused(signing.options().signer(Arc::new(secret(8)))).is_key());
    signing.life(signing.options().signer(identity), 2);
    assert_eq!(signing.epochs(), 5);

    let (_directory, path) = fresh();
    let alone = options().signer(Arc::new(secret(9))).open(&path).unwrap();
    begin_durably(&alone, 1).wait().unwrap();
    alone.close().unwrap();
    let report = verify::Options::new().key(secret(9).verification_key().unwrap()).verify(&path).unwrap();
    assert!(matches!(report.assurance.signed, Signed::Pinned { epochs: 1, .. }), "{:?}", report.finding);
}

#[test]
fn a_log_is_opened_with_its_own_keys_alone() {
    let signing = Signing::new();
    signing.life(signing.options(), 1);
    let refused = |options: Options, part: &str| {
        let error = options.open(&signing.path).unwrap_err();
        assert!(error.is_key() && error.to_string().contains(part), "{error}");
    };
    refused(options(), "expected the key that signs the checkpoints of this log, found none");
    refused(options().key_file(signing.path.with_extension("absent")), "found none");
    refused(options().signer(Arc::new(secret(1))), "expected the secret of the key");
    let other = signing.path.with_extension("other");
    create_key_file(&other, NAME).unwrap();
    refused(options().key_file(other), "found that of");
    assert_eq!(signing.epochs(), 3);

    let (_directory, unsigned) = fresh();
    options().open(&unsigned).unwrap().close().unwrap();
    let error = options().signer(Arc::new(secret(1))).open(&unsigned).unwrap_err();
    assert!(error.is_key() && error.to_string().contains("was created without one"), "{error}");
    // A key of another name would sign for another log.
    let foreign = signing.path.with_extension("foreign");
    create_key_file(&foreign, "example.com/others").unwrap();
    let error = options().key_file(foreign).open(signing.path.with_extension("new")).unwrap_err();
    assert!(error.to_string().contains(r#"expected a secret key of the log's origin "example.com/orders""#), "{error}");
}

#[test]
fn a_checkpoint_without_its_signature_is_not_written_on() {
    let signing = Signing::new();
    signing.life(signing.options(), 1);
    for file in ["checkpoint", "checkpoints.log"] {
        let text = fs::read_to_string(signing.path.join(file)).unwrap();
        // The first character of the last signature, after its key's id.
        let at = text.rfind("orders ").unwrap() + "orders ".len() + 6;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        fs::write(signing.path.join(file), format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    }
    let error = signing.options().open(&signing.path).unwrap_err();
    assert!(error.is_tampered() && error.to_string().contains("checkpoint: expected the signature"), "{error}");
    assert_eq!(verify_log(&signing.path).unwrap().verdict, Verdict::Tampered);
}

#[test]
fn a_new_log_takes_its_name_from_its_key() {
    let (directory, path) = fresh();
    let key_file = directory.path().join("key");
    create_key_file(&key_file, "example.com/named").unwrap();
    let log = Options { process: PROCESS, ..Log::options() }.key_file(&key_file).open(&path).unwrap();
    assert_eq!(log.origin(), "example.com/named");
    log.close().unwrap();
    // Without a file one is made.
    let (directory, path) = fresh();
    let key_file = directory.path().join("key");
    options().key_file(&key_file).open(&path).unwrap().close().unwrap();
    assert_eq!(read_key_file(&key_file).unwrap().name(), NAME);
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let signing = Signing::new();
    fs::set_permissions(&signing.key_file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = signing.options().open(&signing.path).unwrap_err();
    assert!(error.is_key() && error.to_string().contains("mode 0600), found 0640"), "{error}");
    assert!(create_key_file(&signing.key_file, NAME).unwrap_err().is_key());
}

/// Whatever operation of a rotation fails, before or after it takes effect, the log goes on under its first key.
#[test]
fn whatever_fails_during_a_rotation_the_chain_of_keys_holds() {
    // Whatever the operation is, what follows finds a log.
    let signing = Signing::new();
    signing.life(signing.options(), 1);
    for fate in [Fate::FailsBefore, Fate::FailsAfter] {
        let fate = fate(io::ErrorKind::Other);
        for failing_operation in 0.. {
            let what = format!("{fate:?}, operation {failing_operation}");
            if !fails_in_a_rotation(&signing, fate, failing_operation, &what) {
                break;
            }
        }
    }
}

/// Returns false if there are fewer operations.
fn fails_in_a_rotation(original: &Signing, fate: Fate, failing_operation: u64, what: &str) -> bool {
    let (directory, path) = copy(&original.path);
    let key_file = directory.path().join("key");
    fs::copy(&original.key_file, &key_file).unwrap();
    let signing = Signing { _directory: directory, path, key_file, first: original.first.clone() };
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let disk = PlannedDisk::new(move |_operation, _path| {
        if counted.fetch_add(1, Ordering::Relaxed) == failing_operation { fate } else { Fate::Passes }
    });
    if let Ok(log) = open(signing.options(), &signing.path, disk.clone() as Arc<dyn Disk>) {
        let _may_fail = begin_durably(&log, 2).wait();
        let _may_fail = log.close();
    }
    disk.set(passing);
    let log = signing.options().open(&signing.path).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    log.close().unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let report = signing.verify();
    assert_eq!(report.verdict, Verdict::Intact, "{what}: {:?}", report.finding);
    assert!(signing.epochs() >= 5, "{what}");
    assert!(!signing.key_file.with_extension("next").exists(), "{what}");
    count.load(Ordering::Relaxed) > failing_operation
}

#[test]
fn a_seal_covers_all_checkpoints_and_goes_on() {
    let signing = Signing::new();
    let key = SealKey::from_bytes([5; 32]);
    // It may be made before the log or after it was closed.
    signing.life(signing.options(), 1);
    fs::write(signing.path.join("seal"), Seal::new(&key).to_text().as_bytes()).unwrap();
    signing.life(signing.options(), 2);
    let sealed = |key: &SealKey| verify::Options::new().seal_key(key.clone()).verify(&signing.path).unwrap();
    let report = sealed(&key);
    assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
    let seal = report.assurance.seal.unwrap();
    assert_eq!(seal.beyond, 0);
    let old = fs::read(signing.path.join("seal")).unwrap();
    signing.life(signing.options(), 3);
    assert!(sealed(&key).assurance.seal.unwrap().checkpoints > seal.checkpoints);
    assert_eq!(sealed(&SealKey::from_bytes([6; 32])).verdict, Verdict::Tampered);
    // An older seal leaves a tail unsealed, and says so.
    fs::write(signing.path.join("seal"), &old).unwrap();
    let report = sealed(&key);
    assert_eq!((report.verdict, report.assurance.seal.unwrap().checkpoints), (Verdict::Intact, seal.checkpoints));
    assert!(report.assurance.seal.unwrap().beyond > 0);
    fs::remove_file(signing.path.join("seal")).unwrap();
    assert_eq!(sealed(&key).verdict, Verdict::Unverifiable);
}

#[test]
fn a_list_that_is_shorter_than_its_seal_is_neither_opened_nor_intact() {
    let signing = Signing::new();
    let key = SealKey::from_bytes([5; 32]);
    signing.life(signing.options(), 1);
    fs::write(signing.path.join("seal"), Seal::new(&key).to_text().as_bytes()).unwrap();
    let before = copy(&signing.path);
    signing.life(signing.options(), 2);
    // The whole log of before under the seal of now.
    let seal = fs::read(signing.path.join("seal")).unwrap();
    fs::write(before.1.join("seal"), seal).unwrap();
    let report = verify_log(&before.1).unwrap();
    assert_eq!(report.verdict, Verdict::Tampered);
    assert!(report.finding.unwrap().to_string().starts_with("seal: truncated: the seal covers"));
    // The secret of now cannot sign for the log of before, but the seal is looked at as well.
    assert!(signing.options().open(&before.1).is_err());
}

#[test]
fn a_log_of_many_segments_knows_its_keys() {
    let signing = Signing::new();
    let options = || signing.options().segment_bytes_max(2_000);
    for call in 1..6 {
        // The state that the next opening goes on from was kept by this one, behind what names its keys.
        let log = options().rotation(Rotation::NEVER.at_open(true)).open(&signing.path).unwrap();
        for call in 10 * call..10 * call + 8 {
            begin_durably(&log, call).wait().unwrap();
            end(&log, call).wait().unwrap();
        }
        log.close().unwrap();
        assert!(fs::read_dir(signing.path.join("index")).unwrap().count() > 1);
    }
    assert_eq!(signing.epochs(), 6);
}

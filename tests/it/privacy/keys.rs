//! Keys that processes share, and values that survive them.

use std::path::Path;
use std::process::Command;

use audit_store::verify::Verdict;
use audited::verify_log;
use testkit::{in_a_process_of_its_own, place_of, workspace};

use super::place::{Customer, Place, key_id, recorded, ship};

const STREET: &str = "/request/arguments/customer/street";

/// Takes the directory away when the test has ended well.
struct Removed<'a>(&'a Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _left_behind = std::fs::remove_dir_all(self.0);
        }
    }
}

#[test]
fn processes_that_write_at_once_seal_for_a_subject_under_one_key() {
    const TEST: &str = "privacy::keys::processes_that_write_at_once_seal_for_a_subject_under_one_key";
    let directory = place_of(TEST);
    let child = || {
        let place = Place::at(&directory);
        let log = place.open();
        let street = format!("Blumenweg {}", std::process::id());
        recorded(&log, || drop(ship(4242, &Customer::new("customer-17", &street)).unwrap()));
        log.close().unwrap();
    };
    if std::env::var_os("AUDITED_TEST_PROCESS").is_some() {
        in_a_process_of_its_own(TEST, child);
        return;
    }
    let _removed = Removed(&directory);
    let place = Place::new(&directory);
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..4).map(|_| scope.spawn(|| in_a_process_of_its_own(TEST, child).unwrap())).collect();
        for process in started {
            let output = process.join().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    });
    let calls = place.calls("started");
    assert_eq!(calls.len(), 4);
    for call in &calls {
        assert_eq!(key_id(call, STREET), key_id(&calls[0], STREET));
        assert_eq!(call["request"]["arguments"]["card"], calls[0]["request"]["arguments"]["card"]);
        assert!(place.read(call, STREET).unwrap().starts_with("\"Blumenweg "));
    }
}

#[test]
fn a_killed_process_leaves_its_record_and_what_was_sealed_for_it() {
    const TEST: &str = "privacy::keys::a_killed_process_leaves_its_record_and_what_was_sealed_for_it";
    let directory = place_of(TEST);
    let output = in_a_process_of_its_own(TEST, || {
        let log = Place::at(&directory).open_new();
        recorded(&log, || {
            drop(ship(4242, &Customer::new("customer-17", "Blumenweg 13")).unwrap());
            let id = std::process::id().to_string();
            Command::new("kill").args(["-KILL", &id]).status().unwrap();
            std::thread::park();
        });
    });
    let Some(output) = output else { return };
    let _removed = Removed(&directory);
    assert!(!output.status.success());
    let place = Place::at(&directory);
    place.open().close().unwrap();
    assert_eq!(verify_log(place.log()).unwrap().verdict, Verdict::Intact);
    let calls = place.calls("started");
    assert_eq!(calls.len(), 1, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.read(&calls[0], STREET).as_deref(), Some("\"Blumenweg 13\""));
    assert_eq!(
        place.read(&place.calls("completed")[0], "/response/result/street").as_deref(),
        Some("\"Blumenweg 13\"")
    );
}

impl Place {
    /// Makes the key ring and opens the log.
    fn open_new(self) -> audited::Log {
        Self::new(self.log().parent().unwrap()).open()
    }
}

#[test]
fn the_example_of_the_specification_is_checked_by_python_that_shares_no_code() {
    let binary = std::env::current_exe().unwrap();
    let specification = workspace().join("docs/spec");
    let output = Command::new(workspace().join("tests/fixtures/verify/run"))
        .env("CARGO_TARGET_DIR", binary.ancestors().nth(3).unwrap())
        .args([specification.join("privacy-example.py"), specification.join("privacy-example.json")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "['ZHZtpFki2hpB2PQ3y76R-g', 'street', 'Blumenweg 13']\n");
}

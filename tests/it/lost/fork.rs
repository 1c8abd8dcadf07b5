//! A forked process: its calls never enter the stream of the process that it was forked from.

use std::cell::Cell;
use std::io::{Read as _, Write as _};

use audited::{Unavailable, audited};
use testkit::place_of;

use super::{CALLS, assert_log, calls, each_alone, log_records, names};

#[derive(Debug)]
struct Refused(Unavailable);

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        Self(unavailable)
    }
}

#[audited(action = "fork.wipe", effect = "destructive")]
fn wipe() -> Result<(), Refused> {
    Ok(())
}

#[allow(unsafe_code, reason = "the standard library does not fork; the function takes nothing and returns a number")]
// SAFETY: the signature is that of POSIX, whose `pid_t` is an `i32` on every system that Rust's library knows.
unsafe extern "C" {
    safe fn fork() -> i32;
}

/// Runs the body in a forked process and returns what it writes.
fn in_a_fork(body: impl FnOnce() -> String) -> String {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    if fork() == 0 {
        let written = writer.write_all(body().as_bytes());
        // Neither destructors nor the test harness of the parent run in the child.
        std::process::exit(i32::from(written.is_err()));
    }
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

each_alone! {
    #[cfg(unix)]
    fn calls_of_a_forked_process_stay_out_of_the_log() {
        let place = place_of("lost::fork::calls_of_a_forked_process_stay_out_of_the_log");
        let path = place.join("log");
        let guard = audited::init(&path).unwrap();
        calls();
        let told = in_a_fork(|| {
            calls();
            let refused = wipe().unwrap_err().0.to_string();
            let diagnosis = audited::doctor();
            let unrecorded = audit_core::unrecorded::count();
            format!("{:?} {} {unrecorded} {refused}", names(&diagnosis), diagnosis.is_recording())
        });
        assert_eq!(
            told,
            format!(
                "[\"forked\"] false {CALLS} `fork.wipe` was refused: it must be recorded and no audit log is open"
            )
        );
        // A forked process may open a log of its own.
        let own = place.join("own");
        let told = in_a_fork(|| {
            let log = audited::Log::open(&own).unwrap();
            let _layer = audited::layer(&log);
            calls();
            let recording = audited::doctor().is_recording();
            log.close().unwrap();
            recording.to_string()
        });
        assert_eq!(told, "true");
        assert_log(&own, CALLS);
        calls();
        guard.close().unwrap();
        assert_log(&path, 2 * CALLS);
        // Two records for each of these calls, and what the log says of itself: none is the forked process's.
        assert_eq!(log_records(&path).len(), 2 * 2 * CALLS + 2);
        std::fs::remove_dir_all(place).unwrap();
    }

    #[cfg(unix)]
    fn a_forked_process_that_starts_again_has_a_log_beside_its_parents() {
        let place = place_of("lost::fork::a_forked_process_that_starts_again_has_a_log_beside_its_parents");
        let path = place.join("log");
        let guard = Cell::new(Some(audited::init(&path).unwrap()));
        calls();
        let told = in_a_fork(|| {
            let own = audited::init(&path).unwrap();
            let second = audited::init(&path).unwrap_err().is_twice();
            // The copy of the guard closes nothing and ends nobody's turn.
            drop(guard.take());
            let third = audited::init(&path).unwrap_err().is_twice();
            calls();
            let diagnosis = audited::doctor();
            let told = format!("{} {second} {third} {diagnosis}", own.path().display());
            own.close().unwrap();
            let again = audited::init(&path).unwrap();
            assert_eq!(again.path(), path.with_extension("1"));
            again.close().unwrap();
            told
        });
        let own = path.with_extension("1");
        assert_eq!(
            told,
            format!(
                "{0} true true calls are recorded, through the process-wide recorder; their spans are enabled\n  \
                 degrades [not_installed]: the subscriber with the audit layer is not installed: another one was first, \
                 or it is gone, or the layer was put into none\n  note [sibling]: another process held the log: records \
                 of this one go to {0}",
                own.display()
            )
        );
        calls();
        assert!(audited::doctor().is_clear());
        guard.take().unwrap().close().unwrap();
        assert_log(&path, 2 * CALLS);
        assert_log(&own, CALLS);
        std::fs::remove_dir_all(place).unwrap();
    }
}

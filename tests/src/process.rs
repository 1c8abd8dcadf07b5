//! Tests whose subject is the whole process run in one of their own.

use std::process::{Command, Output};

const INSIDE: &str = "AUDITED_TEST_PROCESS";

/// Runs the body in a new process: this test binary again, for the test of the given name alone. Returns the process's
/// output, or nothing in the new process itself, where the body has run.
///
/// # Panics
/// Where the new process cannot be started.
pub fn in_a_process_of_its_own(test: &str, body: impl FnOnce()) -> Option<Output> {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        body();
        return None;
    }
    let started = std::env::current_exe().and_then(|binary| {
        Command::new(binary).args(["--exact", test, "--nocapture", "--test-threads=1"]).env(INSIDE, test).output()
    });
    #[expect(clippy::expect_used, reason = "a test that cannot run fails")]
    let output = started.expect("the test binary can be started again");
    Some(output)
}

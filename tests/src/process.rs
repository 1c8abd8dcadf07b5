//! Tests whose subject is the whole process run in one of their own.

use std::path::PathBuf;
use std::process::{Command, Output};

const INSIDE: &str = "AUDITED_TEST_PROCESS";
const PLACE: &str = "AUDITED_TEST_PLACE";

/// Returns a directory for a test that goes on in a process of its own: the same in both, new for each run of the tests.
#[must_use]
pub fn place_of(test: &str) -> PathBuf {
    let run = std::env::var(PLACE).unwrap_or_else(|_| std::process::id().to_string());
    std::env::temp_dir().join(format!("audited-{run}-{}", test.replace("::", "-")))
}

/// Runs the body in a new process: this test binary again, for the test of the given name alone. Returns the process's
/// output, or nothing in the new process itself, where the body has run.
///
/// # Panics
/// Where the new process cannot be started.
pub fn in_a_process_of_its_own(test: &str, body: impl FnOnce()) -> Option<Output> {
    in_a_process_with(test, &[], body)
}

/// Runs the body like [`in_a_process_of_its_own`], with these variables in the environment of the new process.
///
/// # Panics
/// Where the new process cannot be started.
pub fn in_a_process_with(test: &str, environment: &[(&str, &str)], body: impl FnOnce()) -> Option<Output> {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        body();
        return None;
    }
    let started = std::env::current_exe().and_then(|binary| {
        Command::new(binary)
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(INSIDE, test)
            .env(PLACE, std::process::id().to_string())
            .envs(environment.iter().copied())
            .output()
    });
    #[expect(clippy::expect_used, reason = "a test that cannot run fails")]
    let output = started.expect("the test binary can be started again");
    Some(output)
}

//! By the packages `note` and `tlog` of `golang.org/x/mod`, the code of the Go checksum database.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Exported;

/// Builds the program that reads an export; none where Debian's packages are not to be had.
fn program() -> Option<PathBuf> {
    if Command::new("apt-get").arg("--version").output().is_err() {
        println!("skipped: this system has no `apt-get` to take golang-golang-x-mod-dev from");
        return None;
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/export");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golang");
    let build =
        Command::new("sh").arg(sources.join("go.sh")).arg(&place).arg(sources.join("check.go")).output().unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Some(place.join("check"))
}

fn accepts(program: &Path, directory: &Path, vkey: &str) -> Result<(), String> {
    let mut reading = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Taken, so that its end is the end of the program's input.
    writeln!(reading.stdin.take().unwrap(), "{} {vkey}", directory.display()).unwrap();
    let output = reading.wait_with_output().unwrap();
    assert!(output.status.success());
    match String::from_utf8(output.stdout).unwrap().trim_end() {
        "accepted" => Ok(()),
        refused => Err(refused.to_owned()),
    }
}

#[test]
fn an_exported_log_is_accepted_and_an_altered_one_refused() {
    let Some(program) = program() else { return };
    let exported = Exported::new();
    exported.check(|directory| accepts(&program, directory, &exported.vkey));
    let other = audit_core::note::SecretKey::from_bytes(super::ORIGIN, &[8; 32]).unwrap();
    assert!(accepts(&program, &exported.tlog, &other.verification_key().unwrap().to_string()).is_err());
}

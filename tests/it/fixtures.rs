//! Packages that tests compile: copied below the directory that cargo builds in, each a workspace of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use testkit::workspace;

/// A fixture that cargo can be run on.
pub struct Fixture {
    place: PathBuf,
}

impl Fixture {
    /// Copies a fixture; each once in a process, so that nothing changes while cargo reads it.
    pub fn copy(fixture: &str) -> Self {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
        let place = target.join("tests").join(fixture);
        copy(&workspace().join("tests/fixtures").join(fixture), &place);
        Self { place }
    }

    /// Compiles it with the versions that this workspace has: without a network.
    pub fn with_versions_of_the_workspace(self) -> Self {
        fs::copy(workspace().join("Cargo.lock"), self.place.join("Cargo.lock")).unwrap();
        self
    }

    /// Reads one of its files.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.place.join(file)).unwrap()
    }

    /// Replaces one of its files.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.place.join(file), text).unwrap();
    }

    /// Runs a command of cargo on it.
    pub fn cargo<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--target-dir", "../fixtures"])
            .current_dir(&self.place)
            .env_remove("RUSTFLAGS")
            .env_remove("RUST_LOG")
            .output()
            .unwrap()
    }
}

/// Copies what has changed, so that cargo compiles nothing twice.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            let new = fs::read(&source).unwrap();
            let new = if entry.file_name() == "Cargo.toml" { at_home(&new) } else { new };
            if fs::read(&target).ok().as_ref() != Some(&new) {
                fs::write(&target, new).unwrap();
            }
        }
    }
}

/// Says in a manifest where this workspace is.
fn at_home(manifest: &[u8]) -> Vec<u8> {
    let manifest = String::from_utf8(manifest.to_vec()).unwrap();
    let root = workspace();
    manifest.replace("../../..", root.to_str().unwrap()).into_bytes()
}

/// What a command said, for the message of a test that fails.
pub fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

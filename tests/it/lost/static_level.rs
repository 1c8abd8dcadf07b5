//! A dependency that compiles spans out, in a program of its own: the feature would be at work in every test otherwise.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use testkit::workspace;

use super::text;

/// Copies the fixture below the directory that cargo builds in, with the versions of this workspace, and runs it there.
fn run(fixture: &str) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fixture);
    let source = workspace().join("tests/fixtures").join(fixture);
    fs::create_dir_all(target.join("src")).unwrap();
    let manifest = fs::read_to_string(source.join("Cargo.toml")).unwrap();
    fs::write(target.join("Cargo.toml"), manifest.replace("../../..", workspace().to_str().unwrap())).unwrap();
    fs::copy(source.join("src/main.rs"), target.join("src/main.rs")).unwrap();
    fs::copy(workspace().join("Cargo.lock"), target.join("Cargo.lock")).unwrap();
    Command::new(env!("CARGO"))
        .args(["run", "--offline", "--quiet", "--target-dir", "target"])
        .current_dir(target)
        .env_remove("RUSTFLAGS")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

#[test]
fn a_dependency_that_compiles_spans_out() {
    let output = run("static_level_off");
    assert!(output.status.success(), "{}", text(&output));
    let expected = "12 records\n\
        calls are recorded, through the audit layer; their spans are not\n  \
        degrades [static_level]: tracing is compiled to the level off at most: a crate switched on a feature such as \
        `release_max_level_off`\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

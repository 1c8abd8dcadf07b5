//! The house rules that a machine can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use testkit::workspace;

const FILE_LINES_MAX: usize = 600;
const README_LINES_MAX: usize = 150;
/// So that an auditor reads it in one sitting.
const VERIFIER_LINES_MAX: usize = 150;

/// What each crate may depend on of ours, outside its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("audit-core", &[]),
    ("audit-macros", &[]),
    ("audited-layer", &["audit-core"]),
    ("audit-rmcp", &["audit-core"]),
    ("audit-store", &["audit-core"]),
    ("audit-anchor", &["audit-core"]),
    ("audit-export", &["audit-core"]),
    ("audit-otel", &["audit-core", "audit-export", "audit-store"]),
    ("audit-cli", &["audit-anchor", "audit-core", "audit-export", "audit-otel", "audit-store"]),
    ("audited", &["audit-core", "audit-macros", "audit-otel", "audited-layer", "audit-store"]),
    ("examples", &["audited", "audit-cli", "audit-rmcp"]),
    ("tests", &["audited", "audit-core", "audited-layer", "audit-store", "audit-cli", "audit-rmcp", "audit-anchor"]),
];

fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![workspace()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no .{extension} file was found");
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(workspace()).unwrap().display().to_string()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut ours = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let normal =
            package["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["kind"].is_null());
        ours.insert(
            text(&package["name"]),
            normal.map(|dependency| text(&dependency["name"])).collect::<BTreeSet<_>>(),
        );
    }
    let names: BTreeSet<String> = ours.keys().cloned().collect();
    assert_eq!(names, ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect(), "every crate has its row");
    for (name, allowed) in ALLOWED {
        let extra: Vec<&String> =
            ours[*name].intersection(&names).filter(|found| !allowed.contains(&found.as_str())).collect();
        assert!(extra.is_empty(), "{name} may not depend on {extra:?}");
    }
}

#[test]
fn a_library_that_only_annotates_pulls_neither_files_nor_a_subscriber() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--package", "audited", "--no-default-features", "--features", "macros", "--edges", "normal"])
        .args(["--prefix", "none", "--offline"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("audit-core"), "{tree}");
    for absent in ["audit-store", "audited-layer", "tracing-subscriber", "tempfile"] {
        assert!(!tree.contains(absent), "{absent} is in {tree}");
    }
}

#[test]
fn files_hold_one_idea_and_no_unfinished_work() {
    // Put together here, so that this file does not hold them itself.
    let marks = [("TO", "DO"), ("FIX", "ME"), ("todo", "!"), ("unimplemented", "!")].map(|(a, b)| format!("{a}{b}"));
    let ignored = format!("#[{}", "ignore");
    for path in files("rs") {
        let text = fs::read_to_string(&path).unwrap();
        let place = relative(&path);
        assert!(text.lines().count() <= FILE_LINES_MAX, "{place} has more than {FILE_LINES_MAX} lines");
        for mark in marks.iter().chain([&ignored]) {
            assert!(!text.contains(mark.as_str()), "{place} holds {mark}");
        }
    }
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    assert!(readme.lines().count() <= README_LINES_MAX, "README.md has more than {README_LINES_MAX} lines");
    let verifier = fs::read_to_string(workspace().join("docs/verify.py")).unwrap();
    assert!(verifier.lines().count() <= VERIFIER_LINES_MAX, "docs/verify.py has more than {VERIFIER_LINES_MAX} lines");
    for path in files("md") {
        let text = fs::read_to_string(&path).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = link.split('#').next().unwrap();
            assert!(path.parent().unwrap().join(file).exists(), "{} links to {link}", relative(&path));
        }
    }
}

#[test]
fn every_refused_case_states_its_reason() {
    for entry in fs::read_dir(workspace().join("tests/ui")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("// Refused: "), "{} does not say why it is refused", relative(&path));
            assert!(path.with_extension("stderr").exists(), "{} has no reviewed message", relative(&path));
        }
    }
}

#[test]
fn unsafe_code_stands_where_it_is_argued_for() {
    const PLACES: [&str; 4] = [
        "audit-core/src/call/registry.rs",
        "audit-core/src/hash/lanes.rs",
        "audit-layer/src/layer.rs",
        "audit-store/src/journal/map.rs",
    ];
    let word = format!("{} ", "unsafe");
    for path in files("rs") {
        let place = relative(&path);
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().any(|line| line.contains(&format!("{word}fn")) || line.contains(&format!("{word}{{")));
        let stated =
            PLACES.contains(&place.as_str()) || place.starts_with("tests/") || place.starts_with("audit-macros/");
        assert!(!code || stated, "{place} holds unsafe code");
    }
}

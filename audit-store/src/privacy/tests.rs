//! The example of `docs/spec/privacy.md`.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::keyring::{FileKeyRing, KeyRing as _};

fn page(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec").join(file)).unwrap()
}

#[test]
fn the_example_of_the_specification_is_what_this_code_reads_and_makes() {
    let example: Value = serde_json::from_str(&page("privacy-example.json")).unwrap();
    let text = |name: &str| example[name].as_str().unwrap();
    let place = tempfile::tempdir().unwrap();
    for (name, content) in example["files"].as_object().unwrap() {
        let path = place.path().join("ring").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content.as_str().unwrap()).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(place.path().join("ring"), Permissions::from_mode(0o700)).unwrap();
    let ring = FileKeyRing::open(place.path().join("ring"), text("tenant_key").parse().unwrap()).unwrap();
    let tenant = Some(text("tenant"));

    let made = tokens(&ring, tenant, text("scalar").as_bytes()).unwrap();
    assert_eq!(made.iter().map(|token| token.text.as_str()).collect::<Vec<_>>(), [text("token")]);
    assert_eq!(ring.subject_key(tenant, text("subject")).unwrap().id(), text("key_id"));
    let log = place.path().join("log");
    fs::create_dir_all(log.join("payloads")).unwrap();
    fs::write(log.join("payloads/00000000000000000001.jsonl"), text("payload")).unwrap();
    let Opened::Value { disclosure, key_id } = open(&log, text("digest"), &ring, tenant).unwrap() else {
        panic!("expected a value")
    };
    assert_eq!((disclosure.as_str(), key_id.as_str()), (text("disclosure"), text("key_id")));
    assert_eq!((disclosure.name(), disclosure.value()), (text("name"), text("value")));

    let page = page("privacy.md");
    for name in ["token", "key_id", "disclosure", "digest"] {
        assert!(page.contains(text(name)), "{name} of the example is not on the page");
    }
}

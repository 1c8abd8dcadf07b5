//! The project's own specification under `docs/spec` against the code, and the records of real calls against it.

use audit_core::entry::parse_line;
use audit_core::hash::Hash;
use audit_core::tree::Frontier;
use audit_core::vocabulary::EventName;
use audited::audited;
use serde_json::Value;
use testkit::{outside_data, recorded, workspace};

fn specification(file: &str) -> String {
    std::fs::read_to_string(workspace().join("docs/spec").join(file)).unwrap()
}

fn schema() -> jsonschema::Validator {
    let record: Value = serde_json::from_str(&specification("record.schema.json")).unwrap();
    jsonschema::validator_for(&record).unwrap()
}

fn assert_valid(schema: &jsonschema::Validator, record: &Value) {
    let faults: Vec<String> =
        schema.iter_errors(record).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert_eq!(faults, Vec::<String>::new(), "{record}");
}

#[test]
fn the_table_of_event_names_is_the_codes() {
    let table: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&specification("events.json")).unwrap();
    let code = EventName::ALL.iter().map(|name| (name.as_str().to_owned(), name.stage().as_str().to_owned())).collect();
    assert_eq!(table, code);
}

#[test]
fn the_sample_entries_have_the_stated_hashes_and_root() {
    let hashes: Vec<String> = serde_json::from_str(&specification("entries.hashes.json")).unwrap();
    let lines = specification("entries.jsonl");
    let mut tree = Frontier::new();
    for (number, line) in lines.lines().enumerate() {
        let leaf = Hash::leaf(line.as_bytes());
        assert_eq!(leaf.to_string(), hashes[number], "entry {number}");
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(audit_core::canonical::to_vec(&value).unwrap(), line.as_bytes(), "entry {number} is canonical");
        assert_eq!(parse_line(line.as_bytes()).unwrap().sequence.number, number as u64);
        assert_valid(&schema(), &value["record"]);
        tree.push(leaf);
    }
    let checkpoint = audit_core::checkpoint::Checkpoint { origin: "o".into(), size: tree.size(), root: tree.root() };
    let root = checkpoint.to_string().lines().nth(2).unwrap().to_owned();
    assert_eq!(specification("entries.root.txt").trim(), format!("size {}\nroot {root}", tree.size()));
}

#[test]
fn the_sample_checkpoint_is_that_of_the_sample_entries_and_signed() {
    let page = specification("entry.md");
    let note = page.split("```\n").find(|block| block.contains("\n\n\u{2014} ")).unwrap();
    let key = page.lines().find(|line| line.starts_with("example.com/orders+")).unwrap();
    let key: audit_core::note::VerificationKey = key.parse().unwrap();
    assert_eq!(audit_core::note::Note::parse(note).unwrap().is_signed_by(&key), Ok(true));
    let mut tree = Frontier::new();
    specification("entries.jsonl").lines().for_each(|line| tree.push(Hash::leaf(line.as_bytes())));
    let checkpoint = audit_core::checkpoint::Checkpoint::of_note(note).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (tree.size(), tree.root()));
}

#[test]
fn the_records_of_calls_and_events_are_valid() {
    #[audited(action = "order.refund", effect = "destructive", level = "request_response", redact = [card], target(type = "order", id = order))]
    fn refund(order: u8, card: &str) -> Result<Vec<&str>, Refused> {
        audited::event("tool.progress").annotation("card", &card.len()).record().unwrap();
        if order == 0 { Err(Refused) } else { Ok(vec![card]) }
    }
    #[derive(Debug)]
    struct Refused;
    impl From<audited::Unavailable> for Refused {
        fn from(_: audited::Unavailable) -> Self {
            Self
        }
    }
    #[audited(action = "order.list", effect = "read", stages = "completed")]
    fn list() {
        panic!("no list");
    }
    let records = recorded(|| {
        let context =
            audited::context().agent("a").on_behalf_of("u").roles(["r"]).model("p", "m").conversation("c").turn(1);
        context.run("r").tenant("t").environment("e").trigger(audited::Trigger::Proactive).tool_call_id("x").in_scope(
            || {
                assert!(refund(1, "4").is_ok() && refund(0, "4").is_err());
                assert!(std::panic::catch_unwind(list).is_err());
            },
        );
    });
    assert_eq!(records.len(), 7);
    let schema = schema();
    records.iter().for_each(|record| assert_valid(&schema, record));
}

#[test]
fn the_copy_of_the_specification_is_whole() {
    let Some(original) = outside_data("AUDITED_SPEC", "spec") else { return };
    for file in [
        "entries.hashes.json",
        "entries.jsonl",
        "entries.root.txt",
        "entry.schema.json",
        "events.json",
        "record.schema.json",
    ] {
        assert_eq!(specification(file), std::fs::read_to_string(original.join(file)).unwrap(), "{file}");
    }
}

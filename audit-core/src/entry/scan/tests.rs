use proptest::prelude::*;

use super::*;
use crate::entry::RecordHead;

const RECORD: &str = r#"{"action":"order.sync","actor":{"agent":{"id":"a"}},"call":{"attempt":1,"id":"01a17cbc-f240-7dca-883e-717b1f64eb14","times":[1,-2.5e+3,true,null,{},[]]},"event_name":"tool.called","quote":"say \"é\" \\","schema_version":"1","stage":"started","time":"2026-10-27T09:42:00.000456000Z"}"#;

/// Scans the record and compares with the parser: the scanner may leave it to the parser, but not differ from it.
fn check(record: &[u8]) -> bool {
    let parsed: Result<RecordHead<'_>, _> = serde_json::from_slice(record);
    let Some(members) = Scanner::default().scan(record) else { return false };
    let head = parsed.unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(record)));
    assert_eq!(members.schema_version, head.schema_version.as_bytes());
    assert_eq!(members.event_name, head.event_name.as_bytes());
    assert_eq!(members.stage, head.stage.as_bytes());
    assert_eq!(members.time, head.time.as_bytes());
    assert_eq!(members.call_id, head.call.as_ref().map(|call| call.id.as_bytes()));
    true
}

#[test]
fn records_as_they_are_written_are_scanned() {
    assert!(check(RECORD.as_bytes()));
    assert!(check(RECORD.replace("order.sync", &"x".repeat(500)).as_bytes()));
    assert!(check(RECORD.replace("order.sync", &"\\\"".repeat(97)).as_bytes()));
    assert!(check(br#"{"event_name":"e","schema_version":"1","stage":"s","time":"t"}"#));
}

#[test]
fn the_unusual_is_left_to_the_parser() {
    let left = |from: &str, to: &str| {
        let record = RECORD.replacen(from, to, 1);
        assert_ne!(record, RECORD);
        assert!(!check(record.as_bytes()), "{record}");
    };
    left(r#""stage":"#, r#""stage": "#);
    left(r#""stage":"started""#, r#""stage":"st\u0061rted""#);
    left(r#""stage":"started""#, r#""stage":"started","st\u0061ge":"started""#);
    left(r#""stage":"started""#, r#""stage":"started","stage":"started""#);
    left(r#""stage":"started""#, r#""stage":7"#);
    left(r#""stage":"started","#, "");
    left(r#""id":"01a"#, r#""ip":"01a"#);
    left(r#"[1,-2.5e+3"#, r#"[01,-2.5e+3"#);
    left(r#"{},[]"#, r#"{},[],"#);
    left("{}", &format!("{}{}", "[".repeat(70), "]".repeat(70)));
    left("é", "\u{1}");
    left("\\\\", "\\x");
    left("\\\\", "\\u12g4");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_scanned_is_read_as_the_parser_reads_it(
        changes in proptest::collection::vec((0..RECORD.len(), 0..4u8, any::<u8>(), 0..40usize), 1..3)
    ) {
        const TOKENS: &[u8] = b"\"\\{}[]:,0123456789-+.eEtfn u/\x00\x1f\x7f\x80\xc3\xa9";
        let mut record = RECORD.as_bytes().to_vec();
        for (at, kind, byte, token) in changes {
            let at = at.min(record.len() - 1);
            let token = TOKENS[token % TOKENS.len()];
            match kind {
                0 => record[at] ^= byte,
                1 => record[at] = token,
                2 => record.insert(at, token),
                _ => drop(record.remove(at)),
            }
        }
        check(&record);
    }
}

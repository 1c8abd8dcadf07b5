use super::*;

const STREAM: &str = "01a17cbc-f240-7dca-883e-717b1f64eb14";

fn lines() -> Vec<Vec<u8>> {
    let record = |event: &str, extra: &str| {
        format!(
            r#"{{"action":"order.refund","actor":{{"agent":{{"id":"agent:7","name":"support"}},"on_behalf_of":{{"id":"usr_1"}}}},"call":{{"id":"01a17cbc-f6f0-7d0f-8631-ca1ddba8db3b"}},"correlation":{{"run_id":"run_1","span_id":"00f067aa0ba902b7","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}},"event_name":"{event}","observed_time":"2026-10-27T09:42:00.000000000Z","outcome":{{"effect":"applied","status":"partial"}},"record_id":"01a17cbc-f240-7dd1-8916-96e15e2ee293","schema_version":"1","stage":"completed"{extra},"time":"2026-10-27T09:42:01.000000001Z"}}"#
        )
    };
    let (mut lines, mut previous_hash) = (Vec::new(), None);
    for (number, (event, extra)) in
        [("side_effect.applied", r#","target":[{"id":"ORD-1","type":"order"}]"#), ("log.closed", "")].iter().enumerate()
    {
        let mut line = Vec::new();
        let sequence =
            audit_core::entry::Sequence { number: number as u64, previous_hash, stream_id: STREAM.parse().unwrap() };
        audit_core::entry::write_line(&mut line, record(event, extra).as_bytes(), &sequence);
        previous_hash = Some(Hash::leaf(&line));
        lines.push(line);
    }
    lines
}

fn attribute<'r>(record: &'r LogRecord, name: &str) -> Option<&'r Value> {
    record.attributes.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn text(record: &LogRecord, name: &str) -> Option<String> {
    match attribute(record, name)? {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[test]
fn an_entry_keeps_its_words_and_with_the_draft_those_of_the_draft() {
    let lines = lines();
    let own = Mapping::new().entry(&lines[0]).unwrap();
    assert_eq!(text(&own, names::ACTION).as_deref(), Some("order.refund"));
    assert_eq!(text(&own, names::OUTCOME).as_deref(), Some("partial"));
    assert_eq!(text(&own, names::RUN_ID).as_deref(), Some("run_1"));
    assert_eq!(text(&own, names::TARGET_ID).as_deref(), Some("ORD-1"));
    assert_eq!(attribute(&own, names::SEQUENCE_NUMBER), Some(&Value::Integer(0)));
    assert_eq!(attribute(&own, names::SEQUENCE_PREVIOUS_HASH), None);
    // Observed is not before it happened, whatever the record says.
    assert_eq!(own.observed, own.time);
    assert_eq!(own.span.unwrap().1, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);

    let draft = Mapping::new().audit_draft(true).entry(&lines[0]).unwrap();
    assert_eq!(text(&draft, names::ACTION).as_deref(), Some("REFUND"));
    assert_eq!(text(&draft, names::OUTCOME).as_deref(), Some("failure"));
    assert_eq!(text(&draft, names::RUN_ID), None);
    let actor = |record: &LogRecord| (text(record, names::ACTOR_TYPE).unwrap(), text(record, names::ACTOR_ID).unwrap());
    assert_eq!(actor(&draft), ("service".to_owned(), "agent:7".to_owned()));
    let user = Mapping::new().user_as_actor(true).entry(&lines[0]).unwrap();
    assert_eq!(actor(&user), ("user".to_owned(), "usr_1".to_owned()));
    let closed = Mapping::new().entry(&lines[1]).unwrap();
    assert_eq!(attribute(&closed, names::SEQUENCE_END), Some(&Value::Truth(true)));
}

#[test]
fn the_line_can_be_made_of_what_is_exported() {
    for line in lines() {
        let record = Mapping::new().entry(&line).unwrap();
        let sequence = parse_line(&line).unwrap().sequence;
        let mut again = Vec::new();
        audit_core::entry::write_line(&mut again, record.body.as_bytes(), &sequence);
        assert_eq!(again, line);
    }
}

#[test]
fn a_checkpoint_has_one_identifier_whenever_it_is_sent() {
    let checkpoint = |note| {
        let time = Time::parse("2026-10-27T09:42:00Z").unwrap();
        Mapping::new().checkpoint(Checkpoint { note, stream_id: STREAM.parse().unwrap(), time })
    };
    let id = |note| text(&checkpoint(note), names::RECORD_ID).unwrap();
    assert_eq!(id("a\n1\nAA==\n"), id("a\n1\nAA==\n"));
    assert_ne!(id("a\n1\nAA==\n"), id("a\n2\nAA==\n"));
    assert_eq!(&id("a")[14..15], "8");
}

/// Exports the lines, lets a change be made to the text, and compares.
fn compare(sent: &[Vec<u8>], change: impl Fn(String) -> String, log: &[Vec<u8>]) -> Findings {
    let records: Vec<LogRecord> = sent.iter().map(|line| Mapping::new().entry(line).unwrap()).collect();
    let requests: Vec<String> =
        records.iter().map(|record| write_request(core::slice::from_ref(record), &[])).collect();
    let mut comparison = Comparison::new(read_exports(&change(requests.join("\n"))).unwrap(), STREAM);
    log.iter().enumerate().for_each(|(number, line)| comparison.line(number as u64, line));
    comparison.finish()
}

#[test]
fn what_is_missing_truncated_or_altered_is_found() {
    let lines = lines();
    let (both, same) = ([lines[0].clone(), lines[1].clone()], |text: String| text);
    let equal = compare(&both, same, &both);
    assert_eq!((equal.equal, equal.entries, equal.differs()), (2, 2, false));
    let twice = compare(&both, |text| format!("{text}\n{text}\n"), &both);
    assert_eq!((twice.equal, twice.duplicates), (2, 2));
    let unsent = compare(&both[..1], same, &both);
    assert_eq!((unsent.equal, unsent.unsent, unsent.missing.len()), (1, 1, 0));
    assert_eq!(compare(&both[1..], same, &both).missing, [0]);
    let truncated = compare(&both, same, &both[..1]);
    assert_eq!((truncated.beyond.as_slice(), truncated.differs()), ([1].as_slice(), true));
    let check = |from: &'static str, to: &'static str, what: &str| {
        let altered = compare(&both, |text| text.replacen(from, to, 1), &both);
        assert_eq!(altered.altered, [Difference { number: 0, what: what.to_owned() }], "{from}");
    };
    check("\\\"partial\\\"", "\\\"success\\\"", "body");
    check(r#""stringValue":"partial""#, r#""stringValue":"success""#, "audit.outcome");
    check("4bf92f3577b34da6a3ce929d0e0e4736\"}", "00000000000000000000000000000001\"}", "trace");
    check("\"eventName\":\"side_effect.applied\"", "\"eventName\":\"tool.failed\"", "event name");
    check("\"timeUnixNano\":\"1", "\"timeUnixNano\":\"2", "time");
    // What a collector adds is none of ours.
    let added = compare(
        &both,
        |text| text.replacen("[{\"key\"", "[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}},{\"key\"", 1),
        &both,
    );
    assert!(!added.differs());
}

#[test]
fn what_is_no_export_is_told() {
    assert_eq!(read_exports("{\"resourceSpans\":[]}\n\n").unwrap(), []);
    assert_eq!(read_exports("\n{").unwrap_err().to_string().split(',').next(), Some("line 2: expected OTLP JSON"));
}

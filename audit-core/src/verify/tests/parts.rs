//! Parts against lines: together they accept the same logs and say the same of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What one line of a log says.
#[derive(Clone, Debug)]
struct Said {
    call: usize,
    stage: usize,
    time: usize,
    filler: usize,
}

const STAGES: [&str; 6] = ["started", "completed", "cancelled", "abandoned", "progress", "unheard_of"];
const TIMES: [&str; 6] = [
    "2026-10-27T09:42:00.000456000Z",
    "2026-10-27T09:41:59.999999999Z",
    "2026-10-27 09:42:00.000456001Z",
    "2026-10-27T11:43:00+02:00",
    "2026-02-30T09:42:00.000456000Z",
    "yesterday",
];
const CALLS: [&str; 5] = [
    r#""call":{"id":"01a17cbc-f240-7dca-883e-717b1f64eb14"},"#,
    r#""call":{"id":"01a17cbc-f240-7dca-883e-717b1f64eb15"},"#,
    r#""call":{"id":"01A17CBC-f240-7dca-883e-717b1f64eb14"},"#,
    r#""call":{"id":"\u0030a17cbc-f240-7dca-883e-717b1f64eb16"},"#,
    "",
];

fn said() -> impl Strategy<Value = Vec<Said>> {
    let line = (0..13_usize, 0..STAGES.len(), 0..20_usize, 0..200_usize);
    vec(line.prop_map(|(call, stage, time, filler)| Said { call, stage, time, filler }), 0..40)
}

/// Writes the log: entry 0, then a line for each, the last of which may close it.
fn log(said: &[Said], is_closed: bool) -> Vec<Vec<u8>> {
    let mut previous_hash = None;
    let opened = r#"{"event_name":"log.opened","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00Z"}"#;
    let record = |said: &Said| {
        // Most are ordinary, so that logs are read at once.
        let call = CALLS[if said.call < 10 { said.call % 2 } else { said.call - 8 }];
        let time = TIMES[if said.time < 14 { said.time % 2 } else { said.time - 14 }];
        let (filler, stage) = ("x".repeat(said.filler), STAGES[said.stage]);
        format!(
            r#"{{"action":"{filler}",{call}"event_name":"e","schema_version":"1","stage":"{stage}","time":"{time}"}}"#
        )
    };
    let mut records: Vec<String> = core::iter::once(opened.to_owned()).chain(said.iter().map(record)).collect();
    if is_closed {
        records.push(opened.replace("opened", "closed"));
    }
    let write = |(number, record): (u64, String)| {
        let mut line = Vec::new();
        let stream_id = STREAM.parse().unwrap();
        write_line(&mut line, record.as_bytes(), &Sequence { number, previous_hash, stream_id });
        previous_hash = Some(Hash::leaf(&line));
        line
    };
    (0..).zip(records).map(write).collect()
}

/// Reads chunks of so many lines at once; none if any of them does not fit.
fn at_once(lines: &[Vec<u8>], checkpoint: Option<&Checkpoint>, chunk: usize) -> Option<Verifier> {
    let (mut verifier, mut reader) = (Verifier::new(checkpoint.cloned()), PartReader::default());
    let bounds = Bounds { heads: checkpoint.cloned().into(), ..Bounds::default() };
    for chunk in lines.chunks(chunk) {
        let bytes = chunk.iter().flat_map(|line| line.iter().chain(b"\n")).copied().collect::<Vec<u8>>();
        for part in reader.read(&bytes, &bounds)? {
            if !verifier.part(&part) {
                return None;
            }
        }
    }
    Some(verifier)
}

fn one_by_one(lines: &[Vec<u8>], checkpoint: Option<&Checkpoint>) -> Result<Verifier, Fault> {
    let mut verifier = Verifier::new(checkpoint.cloned());
    lines.iter().try_for_each(|line| verifier.line(line).map(|_head| ()))?;
    Ok(verifier)
}

/// Reads both ways and compares; tells whether the lines were read at once.
fn check(lines: &[Vec<u8>], checkpoint: Option<&Checkpoint>, chunk: usize) -> bool {
    let Some(at_once) = at_once(lines, checkpoint, chunk) else { return false };
    let one_by_one = one_by_one(lines, checkpoint).expect("what is accepted at once is accepted line by line");
    let state = |verifier: &Verifier| verifier.state().map(|state| state.encode());
    assert_eq!(state(&at_once), state(&one_by_one));
    let finish = |verifier: Verifier| {
        verifier.finish_with_tree(Tail::default()).map(|(summary, tree)| (summary, tree.frontier.root(), tree.last))
    };
    assert_eq!(finish(at_once), finish(one_by_one));
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logs_as_they_are_written_are_read_at_once(said in said(), is_closed in any::<bool>(), chunk in 1..9_usize, covered in 0..60_usize) {
        let lines = log(&said, is_closed);
        let checkpoint = (covered > 0).then(|| checkpoint(&lines[..covered.min(lines.len())]));
        let has_escaped_id = said.iter().any(|said| said.call == 11);
        prop_assert!(check(&lines, checkpoint.as_ref(), chunk) || has_escaped_id);
    }

    #[test]
    fn altered_logs_are_not_read_at_once_unless_they_are_line_by_line(
        said in said(),
        changes in vec((0..6_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..3),
        (chunk, covered) in (1..9_usize, 1..60_usize),
    ) {
        let mut lines = log(&said, false);
        let checkpoint = checkpoint(&lines[..covered.min(lines.len())]);
        for (kind, line, at, byte) in changes {
            let index = line.index(lines.len());
            let other = at.index(lines.len());
            let at = at.index(lines[index].len());
            match kind {
                0 => lines[index][at] = byte,
                1 => drop(lines[index].remove(at)),
                2 => lines[index].insert(at, byte),
                3 => lines.swap(index, other),
                4 => lines.insert(index, lines[other].clone()),
                _ if lines.len() > 1 => drop(lines.remove(index)),
                _ => {}
            }
        }
        if lines.iter().all(|line| !line.contains(&b'\n') && !line.is_empty()) {
            check(&lines, Some(&checkpoint), chunk);
        }
    }

    #[test]
    fn a_verification_is_resumed_at_any_entry(said in said(), at in any::<prop::sample::Index>(), covered in 0..60_usize) {
        let lines = log(&said, true);
        let checkpoint = checkpoint(&lines[..covered.clamp(1, lines.len())]);
        let at = at.index(lines.len());
        let state = one_by_one(&lines[..at], Some(&checkpoint)).unwrap().state().unwrap();
        let state = State::decode(&state.encode()).unwrap();
        let Some(mut resumed) = Verifier::resume(state, Some(checkpoint.clone())) else {
            prop_assert!(checkpoint.size < at as u64);
            return Ok(());
        };
        lines[at..].iter().for_each(|line| drop(resumed.line(line).unwrap()));
        let whole = one_by_one(&lines, Some(&checkpoint)).unwrap();
        prop_assert_eq!(resumed.finish(Tail::default()), whole.finish(Tail::default()));
    }
}

#[test]
fn a_state_that_contradicts_itself_is_not_read() {
    let state = one_by_one(&log(&[], true), None).unwrap().state().unwrap().encode();
    assert!(State::decode(&state).is_some());
    for (from, to) in [
        ("\"entries\":2", "\"entries\":3"),
        ("\"last\":\"", "\"last\":null,\"l\":\""),
        ("}", ""),
        ("{", "{\"more\":1,"),
    ] {
        assert!(State::decode(&state.replacen(from, to, 1)).is_none(), "{from}");
    }
}

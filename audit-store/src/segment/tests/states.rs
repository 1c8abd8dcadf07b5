use audit_core::id::CallId;
use audit_core::time::Time;
use audit_core::tree::Frontier;
use audit_core::verify::{Rotation, Summary, Tree};

use super::failing::{FailingDisk, Fails};
use super::state::{State, load, write};
use super::*;

const ENTRIES: u64 = 88;

fn call(number: u64) -> CallId {
    format!("01a17cbd-e826-77ed-86a8-{number:012}").parse().unwrap()
}

fn state() -> State {
    let mut frontier = Frontier::new();
    (0..ENTRIES).for_each(|number| frontier.push(Hash::of(&number.to_le_bytes())));
    let summary = Summary {
        stream_id: Some("01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap()),
        entries: ENTRIES,
        calls: 40,
        abandoned: 2,
        open_calls: [(call(9), 3), (call(1), 80)].into(),
        span: Time::parse("2026-10-27T09:42:00.000456Z").zip(Time::parse("2026-10-27T09:43:35Z")),
        rotations: vec![Rotation { entry: 7, verification_key: "example.com/orders+01234567+AA==".into() }],
        ..Summary::default()
    };
    State { summary, tree: Tree { frontier, last: Some(Hash::of(b"last")) } }
}

fn comes_back(layout: &Layout, state: &State) {
    assert!(write(&SystemDisk, layout, state).unwrap());
    let loaded = load(layout, state.summary.entries).unwrap();
    assert_eq!(loaded.summary, state.summary);
    assert_eq!((loaded.tree.frontier, loaded.tree.last), (state.tree.frontier.clone(), state.tree.last));
}

#[test]
fn a_state_comes_back_as_it_was_written() {
    let (_directory, layout) = log(&[]);
    comes_back(&layout, &State::default());
    let mut state = state();
    comes_back(&layout, &state);
    (state.summary.closed, state.summary.span) = (true, None);
    comes_back(&layout, &state);
    assert!(load(&layout, 7).is_none());
}

#[test]
fn a_state_that_is_not_whole_is_none() {
    let (_directory, layout) = log(&[]);
    write(&SystemDisk, &layout, &state()).unwrap();
    let path = layout.index().join("00000000000000000088.json");
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(load(&layout, ENTRIES).is_none(), "{length} bytes");
    }
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        fs::write(&path, &flipped).unwrap();
        assert!(load(&layout, ENTRIES).is_none(), "byte {place}");
    }
    fs::write(&path, vec![b' '; 9 * 1024 * 1024]).unwrap();
    assert!(load(&layout, ENTRIES).is_none());
    fs::rename(&path, layout.index().join("00000000000000000001.json")).unwrap();
    fs::write(&path, &bytes).unwrap();
    fs::copy(&path, layout.index().join("00000000000000000001.json")).unwrap();
    assert!(load(&layout, 1).is_none());
    assert!(load(&layout, ENTRIES).is_some());
}

#[test]
fn a_state_that_cannot_be_is_none() {
    let (_directory, layout) = log(&[]);
    let check = |change: fn(&mut State)| {
        let mut state = state();
        change(&mut state);
        write(&SystemDisk, &layout, &state).unwrap();
        assert!(load(&layout, ENTRIES).is_none());
    };
    check(|state| state.tree.last = None);
    check(|state| state.summary.open_calls.extend([(call(5), ENTRIES)]));
    write(&SystemDisk, &layout, &state()).unwrap();
    let path = layout.index().join("00000000000000000088.json");
    let text = fs::read_to_string(&path).unwrap();
    // A whole file with one subtree too few.
    let subtree = format!(",\"{}\"]", state().tree.frontier.subtrees()[2]);
    let stored = text[text.find("{\"abandoned").unwrap()..text.len() - 1].replace(&subtree, "]");
    assert!(!text.contains(&stored));
    let file = |state: &str| format!(r#"{{"sha256":"{}","state":{state}}}"#, Hash::of(state.as_bytes()));
    fs::write(&path, file(&stored)).unwrap();
    assert!(load(&layout, ENTRIES).is_none());
    fs::write(&path, text).unwrap();
    assert!(load(&layout, ENTRIES).is_some());
}

#[test]
fn a_state_of_too_many_open_calls_is_not_written() {
    let (_directory, layout) = log(&[]);
    let mut state = state();
    state.summary.open_calls = (0..200_000).map(|number| (call(number), 1)).collect();
    assert!(!write(&SystemDisk, &layout, &state).unwrap());
    assert!(load(&layout, ENTRIES).is_none());
}

#[test]
fn whatever_fails_a_state_is_whole_or_none() {
    for fails in [Fails::Before, Fails::After, Fails::Halfway] {
        for operation in 0.. {
            let (_directory, layout) = log(&[]);
            let disk = FailingDisk::new(operation, fails, true);
            let outcome = write(&disk, &layout, &state());
            let loaded = load(&layout, ENTRIES);
            assert!(loaded.is_none_or(|loaded| loaded.summary == state().summary), "operation {operation}");
            if !disk.has_failed() {
                assert!(outcome.unwrap() && operation > 5);
                break;
            }
            assert!(outcome.unwrap_err().is_io());
            comes_back(&layout, &state());
        }
    }
}

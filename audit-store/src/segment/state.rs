//! What a log amounts to before a segment, kept beside it so that opening a long log reads only its end.
//!
//! `index/<20 digits>.json` is the state before the entry of that number:
//! ```text
//! {"sha256":"<of the bytes of the state>","state":{"entries":4096,"last":"<64 hex>","subtrees":["<64 hex>"],…}}
//! ```
//! It is derived and can be removed at will. The digest tells a whole file from a torn one and nothing else: whoever
//! uses a state compares its tree with a checkpoint's root, or with the `previous_hash` of the entry that follows.

use std::fs::OpenOptions;
use std::io::Read as _;

use audit_core::hash::Hash;
use audit_core::time::Time;
use audit_core::tree::Frontier;
pub(crate) use audit_core::verify::State;
use audit_core::verify::{Rotation, Summary, Tree};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;
use crate::disk::{self, Disk};
use crate::layout::{Layout, create_below};

/// How long a state can be; a log with so many open calls that its state is longer is read from an earlier one.
const STATE_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Deserialize, Serialize)]
struct File<'a> {
    sha256: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

/// A state as its file has it.
#[derive(Deserialize, Serialize)]
struct Stored {
    abandoned: u64,
    calls: u64,
    closed: bool,
    entries: u64,
    last: Option<String>,
    open_calls: Vec<(String, u64)>,
    /// None in the states of logs that were written before there were keys.
    #[serde(default)]
    rotations: Vec<Rotation>,
    span: Option<(String, String)>,
    stream_id: Option<String>,
    subtrees: Vec<String>,
}

/// Writes the state of a log before the segment that begins with the entry after the state's; tells whether it did,
/// which is not the case if the state would be too long.
pub(crate) fn write(disk: &dyn Disk, layout: &Layout, state: &State) -> Result<bool, Error> {
    let directory = layout.index();
    let failed = |source| Error::io(&directory, "write the state of the log", source);
    let bytes = encode(state).map_err(|fault| failed(fault.into()))?;
    if bytes.len() > STATE_BYTES_MAX {
        return Ok(false);
    }
    create_below(disk, &directory).map_err(failed)?;
    let replaced = disk::replace(disk, &directory, &name(state.tree.frontier.size()), &bytes);
    replaced.map(|()| true).map_err(|fault| failed(fault.source))
}

/// Reads the state before the segment that begins with the given entry; none if there is none that makes sense.
pub(crate) fn load(layout: &Layout, first: u64) -> Option<State> {
    let file = disk::open_plain(OpenOptions::new().read(true), &layout.index().join(name(first))).ok()?;
    let mut bytes = Vec::new();
    file.take(STATE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() > STATE_BYTES_MAX {
        return None;
    }
    decode(&bytes).filter(|state| state.summary.entries == first)
}

fn name(first: u64) -> String {
    format!("{first:020}.json")
}

fn encode(state: &State) -> serde_json::Result<Vec<u8>> {
    let State { summary, tree } = state;
    let mut open_calls: Vec<_> = summary.open_calls.iter().map(|(call, number)| (call.to_string(), *number)).collect();
    open_calls.sort_by_key(|(_call, number)| *number);
    let stored = Stored {
        abandoned: summary.abandoned,
        calls: summary.calls,
        closed: summary.closed,
        entries: tree.frontier.size(),
        last: tree.last.map(|hash| hash.to_string()),
        open_calls,
        rotations: summary.rotations.clone(),
        span: summary.span.map(|(first, last)| (first.to_string(), last.to_string())),
        stream_id: summary.stream_id.map(|id| id.to_string()),
        subtrees: tree.frontier.subtrees().iter().map(Hash::to_string).collect(),
    };
    let stored = serde_json::value::to_raw_value(&stored)?;
    serde_json::to_vec(&File { sha256: Hash::of(stored.get().as_bytes()).to_string(), state: &stored })
}

fn decode(bytes: &[u8]) -> Option<State> {
    let file: File<'_> = serde_json::from_slice(bytes).ok()?;
    if Hash::of(file.state.get().as_bytes()).to_string() != file.sha256 {
        return None;
    }
    let stored: Stored = serde_json::from_str(file.state.get()).ok()?;
    let span = match stored.span {
        Some((first, last)) => Some((Time::parse(&first)?, Time::parse(&last)?)),
        None => None,
    };
    let before = |number: &u64| *number < stored.entries;
    let open_calls = stored.open_calls.iter().map(|(call, number)| call.parse().ok().zip(Some(*number).filter(before)));
    let subtrees = stored.subtrees.iter().map(|hash| hash.parse().ok()).collect::<Option<_>>()?;
    let last = stored.last.map(|hash| hash.parse()).transpose().ok()?;
    if last.is_some() != (stored.entries > 0) {
        return None;
    }
    let summary = Summary {
        stream_id: stored.stream_id.map(|id| id.parse()).transpose().ok()?,
        entries: stored.entries,
        calls: stored.calls,
        abandoned: stored.abandoned,
        open_calls: open_calls.collect::<Option<_>>()?,
        span,
        closed: stored.closed,
        rotations: stored.rotations,
        ..Summary::default()
    };
    Some(State { summary, tree: Tree { frontier: Frontier::from_subtrees(stored.entries, subtrees)?, last } })
}

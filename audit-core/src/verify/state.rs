//! The state of a log after some of its entries, and the text in which it is kept.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::time::Time;
use crate::tree::Frontier;
use crate::verify::{Rotation, Summary, Tree};

/// The state of a log after some of its entries: what the verification of the others needs to know of these.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What the entries hold; the fields that only an end of the log decides are as if it ended here.
    pub summary: Summary,
    /// The tree over them and the hash of the last one.
    pub tree: Tree,
}

/// A state as its text has it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    abandoned: u64,
    calls: u64,
    closed: bool,
    entries: u64,
    last: Option<String>,
    open_calls: Vec<(String, u64)>,
    rotations: Vec<Rotation>,
    span: Option<(String, String)>,
    stream_id: Option<String>,
    subtrees: Vec<String>,
}

impl State {
    /// Returns one JSON object in one line.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { summary, tree } = self;
        let open_calls = summary.open_calls.iter().map(|(call, number)| (call.to_string(), *number));
        let mut open_calls: Vec<_> = open_calls.collect();
        open_calls.sort_by_key(|(_call, number)| *number);
        let stored = Stored {
            abandoned: summary.abandoned,
            calls: summary.calls,
            closed: summary.closed,
            entries: summary.entries,
            last: tree.last.map(|hash| hash.to_string()),
            open_calls,
            rotations: summary.rotations.clone(),
            span: summary.span.map(|(first, last)| (first.to_string(), last.to_string())),
            stream_id: summary.stream_id.map(|id| id.to_string()),
            subtrees: tree.frontier.subtrees().iter().map(Hash::to_string).collect(),
        };
        // Numbers and texts are all there is, and JSON has a form for each.
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Reads what [`encode`](Self::encode) returns; `None` for anything else and for what contradicts itself.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        let span = match &stored.span {
            Some((first, last)) => Some((Time::parse(first)?, Time::parse(last)?)),
            None => None,
        };
        let mut open_calls = std::collections::HashMap::new();
        for (call, number) in &stored.open_calls {
            if *number >= stored.entries {
                return None;
            }
            open_calls.insert(call.parse().ok()?, *number);
        }
        let subtrees = stored.subtrees.iter().map(|hash| hash.parse().ok()).collect::<Option<_>>()?;
        let frontier = Frontier::from_subtrees(stored.entries, subtrees)?;
        let last = stored.last.map(|hash| hash.parse()).transpose().ok()?;
        let summary = Summary {
            stream_id: stored.stream_id.map(|id| id.parse()).transpose().ok()?,
            entries: stored.entries,
            calls: stored.calls,
            abandoned: stored.abandoned,
            open_calls,
            span,
            closed: stored.closed,
            rotations: stored.rotations,
            ..Summary::default()
        };
        (last.is_some() == (summary.entries > 0)).then_some(Self { summary, tree: Tree { frontier, last } })
    }
}

//! What the entries of a log amount to: which calls are open, how many there were, and which keys were named.

use std::collections::HashMap;

use audit_core::id::{CallId, StreamId};
use audit_core::verify::{Rotation, Summary};
use audit_core::vocabulary::Stage;

/// What the entries written so far say of calls and keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// The calls that have begun and not ended, with the number of the entry that began them.
    pub(super) open: HashMap<CallId, u64>,
    /// How many calls there were.
    pub(super) count: u64,
    /// How many of them were given up because their process ended.
    pub(super) abandoned: u64,
    /// The entries that name another key for the checkpoints after them.
    rotations: Vec<Rotation>,
}

impl Calls {
    /// Takes over what was found in a log.
    pub(super) fn found(summary: &Summary) -> Self {
        Self {
            open: summary.open_calls.clone(),
            count: summary.calls,
            abandoned: summary.abandoned,
            rotations: summary.rotations.clone(),
        }
    }

    /// Returns what a log of this many entries is known to hold.
    pub(super) fn summary(&self, stream_id: StreamId, entries: u64) -> Summary {
        Summary {
            stream_id: Some(stream_id),
            entries,
            calls: self.count,
            abandoned: self.abandoned,
            open_calls: self.open.clone(),
            rotations: self.rotations.clone(),
            ..Summary::default()
        }
    }

    /// Notes a stage of a call, in the entry of this number.
    pub(super) fn note(&mut self, call: CallId, stage: Stage, number: u64) {
        if stage == Stage::Started {
            self.count += 1;
            self.open.insert(call, number);
        } else if stage.ends_call() {
            let was_open = self.open.remove(&call).is_some();
            self.count += u64::from(!was_open);
            self.abandoned += u64::from(stage == Stage::Abandoned);
        }
    }

    /// Notes the entry that names another key.
    pub(super) fn note_rotation(&mut self, entry: u64, verification_key: String) {
        self.rotations.push(Rotation { entry, verification_key });
    }

    /// Returns the open calls in the order of their start.
    pub(super) fn in_order(&self) -> Vec<CallId> {
        let mut calls: Vec<(u64, CallId)> = self.open.iter().map(|(call_id, number)| (*number, *call_id)).collect();
        calls.sort_unstable();
        calls.into_iter().map(|(_number, call_id)| call_id).collect()
    }
}

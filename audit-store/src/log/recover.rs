//! What a log says, when it is opened again, about how it was left.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use audit_core::hash::Hash;
use audit_core::id::CallId;
use audit_core::vocabulary::Stage;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Error;
use crate::journal::Recovered;
use crate::log::append::call_of;
use crate::log::events::{Beginning, REPEATED};
use crate::log::writer::{self, Writer};
use crate::read::Lines;

/// How many entries are read on to the next beginning, rather than looking for it anew.
const READ_ON_MAX: u64 = 10_000;

/// What a process that died left behind.
pub(super) struct Left {
    /// How many bytes of an unfinished line were cut.
    pub(super) cut_bytes: u64,
    /// How many records of the journal were in no segment.
    pub(super) drained: u64,
    /// True if the log was closed before it was opened again.
    pub(super) was_closed: bool,
}

/// Appends the records of the journal that are in no segment yet, in their order, and returns how many there are.
///
/// The process died after they were accepted. Those that it wrote before it died are told by their bytes, among the
/// entries that came after the journal began: no two records are equal, as each has an identifier of its own.
pub(super) fn drain_journal(writer: &mut Writer, recovered: &Recovered) -> Result<u64, Error> {
    let Some(base_entry) = recovered.base_entry() else { return Ok(0) };
    let path = writer.layout.directory.clone();
    let mut written = HashSet::new();
    let mut lines = Lines::open_at(&path, base_entry.min(writer.tree.frontier.size()))?;
    while let Some(line) = lines.next_line() {
        written.insert(Hash::of(writer::record_of(line?.bytes)));
    }
    let mut drained = 0;
    for slot in recovered.records() {
        // What is no record cannot have been accepted; it would spoil the whole log.
        if written.contains(&Hash::of(slot.bytes)) || writer::check(slot.bytes).is_err() {
            continue;
        }
        let number = writer.append(slot.bytes).map_err(|fault| Error::append(&path, fault))?;
        if let Some((call, stage)) = call_of(slot.meta) {
            writer.calls.note(call, stage, number);
        }
        drained += 1;
    }
    Ok(drained)
}

/// Appends `log.opened`, what was recovered, and the end of each call that was left open.
pub(super) fn recover(writer: &mut Writer, left: &Left) -> Result<(), Error> {
    let path = writer.layout.directory.clone();
    let open_calls = writer.calls.in_order();
    let mut beginnings = read_beginnings(&path, &writer.calls.open)?;
    let append =
        |writer: &mut Writer, record: &[u8]| writer.append(record).map_err(|fault| Error::append(&path, fault));
    let opened = writer.events.opened();
    append(writer, &opened)?;
    if !left.was_closed || left.cut_bytes > 0 || left.drained > 0 {
        let recovered = writer.events.recovered(left.cut_bytes, left.drained, &open_calls);
        append(writer, &recovered)?;
    }
    for call_id in open_calls {
        // Whatever its beginning holds, no call that is listed goes without its end.
        let beginning = beginnings.remove(&call_id).unwrap_or_default();
        let abandoned = writer.events.abandoned(call_id, beginning);
        let number = append(writer, &abandoned)?;
        writer.calls.note(call_id, Stage::Abandoned, number);
    }
    Ok(())
}

/// Reads what is repeated of the records that began the given calls.
fn read_beginnings(path: &Path, open_calls: &HashMap<CallId, u64>) -> Result<HashMap<CallId, Beginning>, Error> {
    let mut calls: Vec<(u64, CallId)> = open_calls.iter().map(|(call_id, number)| (*number, *call_id)).collect();
    calls.sort_unstable();
    let mut beginnings = HashMap::with_capacity(calls.len());
    let mut reading: Option<(Lines, u64)> = None;
    for (number, call_id) in calls {
        // A call that began long before the others is not reached by reading all that lies between.
        let near = reading.take_if(|(_lines, next)| (*next..next.saturating_add(READ_ON_MAX)).contains(&number));
        let (mut lines, _next) = match near {
            Some(reading) => reading,
            None => (Lines::open_at(path, number)?, 0),
        };
        while let Some(line) = lines.next_line() {
            let line = line?;
            if line.number == number {
                beginnings.insert(call_id, parse_beginning(line.bytes));
                break;
            }
        }
        reading = Some((lines, number + 1));
    }
    Ok(beginnings)
}

/// Parses the members that are repeated. The others are passed over, however deep they nest; one that nests too deep
/// itself is left out.
fn parse_beginning(line: &[u8]) -> Beginning {
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        record: BTreeMap<String, &'a RawValue>,
    }
    let Ok(entry) = serde_json::from_slice::<Entry<'_>>(line) else { return Beginning::default() };
    let mut beginning = Beginning { is_whole: true, ..Beginning::default() };
    for name in REPEATED {
        let Some(text) = entry.record.get(name) else { continue };
        let value = serde_json::from_str(text.get());
        beginning.is_whole &= value.is_ok();
        beginning.members.extend(value.ok().map(|value| (name.to_owned(), value)));
    }
    beginning
}

//! What a log says, when it is opened again, about how it was left.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use audit_core::id::CallId;
use audit_core::verify::Summary;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Error;
use crate::log::Shared;
use crate::log::events::{Beginning, REPEATED};
use crate::log::open::append;
use crate::log::state::in_order;
use crate::read::Lines;

/// Appends `log.opened`, what was recovered, and the end of each call that was left open.
pub(super) fn recover(shared: &Shared, summary: &Summary) -> Result<(), Error> {
    let open_calls = in_order(&summary.open_calls);
    let mut beginnings = read_beginnings(&shared.layout.directory, &summary.open_calls)?;
    let opened = shared.state().writer.events.opened();
    append(shared, &opened)?;
    if !summary.closed || summary.unfinished_bytes > 0 {
        let recovered = shared.state().writer.events.recovered(summary.unfinished_bytes, &open_calls);
        append(shared, &recovered)?;
    }
    for call_id in open_calls {
        // Whatever its beginning holds, no call that is listed goes without its end.
        let beginning = beginnings.remove(&call_id).unwrap_or_default();
        let abandoned = shared.state().writer.events.abandoned(call_id, beginning);
        append(shared, &abandoned)?;
    }
    Ok(())
}

/// Reads what is repeated of the records that began the given calls.
fn read_beginnings(path: &Path, open_calls: &HashMap<CallId, u64>) -> Result<HashMap<CallId, Beginning>, Error> {
    let Some(first) = open_calls.values().min() else { return Ok(HashMap::new()) };
    let calls: HashMap<u64, CallId> = open_calls.iter().map(|(call_id, number)| (*number, *call_id)).collect();
    let mut lines = Lines::open_at(path, *first)?;
    let mut beginnings = HashMap::with_capacity(calls.len());
    while beginnings.len() < calls.len() {
        let Some(line) = lines.next_line() else { break };
        let line = line?;
        if let Some(call_id) = calls.get(&line.number) {
            beginnings.insert(*call_id, parse_beginning(line.bytes));
        }
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

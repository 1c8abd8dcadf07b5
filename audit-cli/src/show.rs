//! `audited show`: the records that match, one per line.

use core::ops::ControlFlow;

use anyhow::Context as _;
use audit_core::vocabulary::Stage;
use audit_store::query::{Entry, Filter, scan_streams};
use audit_store::streams::{Stream, Streams};

use crate::Exit;
use crate::arguments::Show;
use crate::conclude::{Read, conclude};
use crate::output::Output;
use crate::table::{Column, Table, columns_left, join};
use crate::text::{cut, escape, identifier, identifier_or_dash, instant};

/// Log, where there are several, and number, time, event name, action, tool, outcome, agent, user, conversation and turn; the detail follows.
const COLUMNS: [Column; 10] = [
    Column::Left(24),
    Column::Right,
    Column::Left(30),
    Column::Left(20),
    Column::Left(28),
    Column::Left(24),
    Column::Left(10),
    Column::Left(24),
    Column::Left(20),
    Column::Left(28),
];

/// How many rows are read before the first is written, so that their columns stand under each other.
const ROWS_HELD: usize = 256;

pub(crate) fn execute(arguments: &Show, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let streams = Streams::find(&arguments.log)?;
    let is_single = streams.single().is_some();
    let filter = filter(arguments);
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let mut rows = Rows::new(is_single);
    let mut found = 0;
    let mut written = Ok(());
    let scanned = scan_streams(streams.as_slice(), |index, entry| {
        if !filter.matches(&entry.record) {
            return ControlFlow::Continue(());
        }
        found += 1;
        let stream = streams.as_slice().get(index).filter(|_| !is_single);
        written = if arguments.json { write_json(stream, entry, output) } else { rows.push(stream, entry, output) };
        if written.is_err() || found >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    written?;
    rows.flush(output)?;
    let nothing_found = (found == 0).then_some("no entry matches");
    conclude(Read { path: &arguments.log, streams: &streams, scanned }, nothing_found, output)
}

/// Writes the line as it is stored; of several logs it gets the member `log`, with the name of the log's directory. That is
/// the last member, which readers of JSON prefer to an earlier one of the same name.
fn write_json(stream: Option<&Stream>, entry: &Entry<'_>, output: &mut Output<'_>) -> anyhow::Result<()> {
    let stored = entry.line.trim_end();
    match stream.zip(stored.strip_suffix('}')) {
        None => output.json(entry.line),
        Some((stream, members)) => {
            let name = serde_json::to_string(stream.name()).context("could not write a name as JSON")?;
            output.json(&format!("{members},\"log\":{name}}}"))
        }
    }
}

fn filter(arguments: &Show) -> Filter {
    Filter {
        action: arguments.action.clone(),
        tool: arguments.tool.clone(),
        outcome: arguments.outcome,
        run: arguments.run.clone(),
        conversation: arguments.conversation.clone(),
    }
}

/// Rows that wait for their columns' widths.
struct Rows {
    table: Table<'static>,
    held: Vec<(Vec<String>, String)>,
}

impl Rows {
    fn new(is_single: bool) -> Self {
        Self { table: Table::new(COLUMNS.get(usize::from(is_single)..).unwrap_or(&COLUMNS)), held: Vec::new() }
    }

    fn push(&mut self, stream: Option<&Stream>, entry: &Entry<'_>, output: &mut Output<'_>) -> anyhow::Result<()> {
        let cells: Vec<String> =
            stream.map(|stream| identifier(stream.name())).into_iter().chain(cells(entry)).collect();
        self.table.fit(&cells);
        self.held.push((cells, escape(&entry.detail().unwrap_or_default())));
        if self.held.len() >= ROWS_HELD { self.flush(output) } else { Ok(()) }
    }

    fn flush(&mut self, output: &mut Output<'_>) -> anyhow::Result<()> {
        for (cells, detail) in self.held.drain(..) {
            let beginning = self.table.set(&cells);
            output.line(&join(&beginning, &cut(&detail, columns_left(&beginning))))?;
        }
        Ok(())
    }
}

fn cells(entry: &Entry<'_>) -> [String; 9] {
    let record = &entry.record;
    let outcome = if record.stage() == Some(Stage::Started) { None } else { Some(&*record.outcome.status) };
    let conversation = identifier_or_dash(record.correlation.conversation_id.as_deref());
    let place = match record.correlation.turn {
        Some(turn) => format!("{conversation}/{turn}"),
        None => conversation,
    };
    [
        entry.number.to_string(),
        instant(&record.time),
        identifier(&record.event_name),
        identifier(&record.action),
        identifier_or_dash(record.tool()),
        identifier_or_dash(outcome),
        identifier_or_dash(record.agent()),
        identifier_or_dash(record.user()),
        place,
    ]
}

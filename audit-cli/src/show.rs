//! `audited show`: the records that match, one per line.

use core::ops::ControlFlow;

use audit_core::vocabulary::Stage;
use audit_store::query::{Entry, Filter, scan};

use crate::Exit;
use crate::arguments::Show;
use crate::conclude::conclude;
use crate::output::Output;
use crate::table::{Column, Table, columns_left, join};
use crate::text::{cut, escape, identifier, identifier_or_dash, instant};

/// Number, time, event name, action, tool, outcome, agent, user, conversation and turn; the detail follows.
const COLUMNS: [Column; 9] = [
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
    let filter = filter(arguments);
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let mut rows = Rows::new();
    let mut found = 0;
    let mut written = Ok(());
    let scanned = scan(&arguments.log, |entry| {
        if !filter.matches(&entry.record) {
            return ControlFlow::Continue(());
        }
        found += 1;
        written = if arguments.json { output.json(entry.line) } else { rows.push(entry, output) };
        if written.is_err() || found >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    written?;
    rows.flush(output)?;
    conclude(&arguments.log, &scanned?, (found == 0).then_some("no entry matches"), output)
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
    fn new() -> Self {
        Self { table: Table::new(&COLUMNS), held: Vec::new() }
    }

    fn push(&mut self, entry: &Entry<'_>, output: &mut Output<'_>) -> anyhow::Result<()> {
        let cells = cells(entry);
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

fn cells(entry: &Entry<'_>) -> Vec<String> {
    let record = &entry.record;
    let outcome = if record.stage() == Some(Stage::Started) { None } else { Some(&*record.outcome.status) };
    let conversation = identifier_or_dash(record.correlation.conversation_id.as_deref());
    let place = match record.correlation.turn {
        Some(turn) => format!("{conversation}/{turn}"),
        None => conversation,
    };
    vec![
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

//! `audited timeline`: what a run or conversation did, one line per call.

use core::ops::ControlFlow;
use std::collections::BTreeSet;

use audit_core::vocabulary::Status;
use audit_store::query::{self, Filter, Mark, Row, TimelineReport, scan_streams};
use audit_store::streams::{Stream, Streams};

use crate::Exit;
use crate::arguments::Timeline;
use crate::conclude::{Read, conclude};
use crate::output::Output;
use crate::table::{Column, Table, columns_left, join};
use crate::text::{columns, cut, date_and_clock, duration, escape, identifier};

/// Log, where there are several, and time of day, turn, mark, duration, name; arguments and result follow.
const COLUMNS: [Column; 6] =
    [Column::Left(24), Column::Left(30), Column::Right, Column::Left(9), Column::Right, Column::Left(40)];

pub(crate) fn execute(arguments: &Timeline, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let filter =
        Filter { run: arguments.run.clone(), conversation: arguments.conversation.clone(), ..Filter::default() };
    let mut timeline = query::Timeline::new(filter);
    let streams = Streams::find(&arguments.log)?;
    let scanned = scan_streams(streams.as_slice(), |stream, entry| {
        timeline.add_from(stream, entry);
        ControlFlow::Continue(())
    });
    let report = timeline.finish();
    if !report.rows.is_empty() {
        write(&report, &streams, output)?;
    }
    let message =
        if arguments.run.is_some() { "no entry belongs to this run" } else { "no entry belongs to this conversation" };
    let nothing_found = report.rows.is_empty().then_some(message);
    conclude(Read { path: &arguments.log, streams: &streams, scanned }, nothing_found, output)
}

fn write(report: &TimelineReport, streams: &Streams, output: &mut Output<'_>) -> anyhow::Result<()> {
    write_heading(report, output)?;
    let is_single = streams.single().is_some();
    let name = |row: &Row| streams.as_slice().get(row.stream).filter(|_| !is_single).map(Stream::name);
    let rows: Vec<(String, Vec<String>, &Row)> = report.rows.iter().map(|row| cells(name(row), row)).collect();
    let mut table = Table::new(COLUMNS.get(usize::from(is_single)..).unwrap_or(&COLUMNS));
    rows.iter().for_each(|(_, cells, _)| table.fit(cells));
    let mut date_before = "";
    for (date, cells, row) in &rows {
        if date != date_before {
            output.line("")?;
            output.line(date)?;
            date_before = date;
        }
        let beginning = table.set(cells);
        output.line(&join(&beginning, &payload(row, columns_left(&beginning))))?;
    }
    output.line("")?;
    output.line(&footer(report))
}

fn write_heading(report: &TimelineReport, output: &mut Output<'_>) -> anyhow::Result<()> {
    let lines: [(&str, &BTreeSet<String>); 5] = [
        ("run", &report.runs),
        ("conversation", &report.conversations),
        ("agent", &report.agents),
        ("user", &report.users),
        ("model", &report.models),
    ];
    for (name, values) in lines.into_iter().filter(|(_, values)| !values.is_empty()) {
        let values: Vec<String> = values.iter().map(|value| identifier(value)).collect();
        let beginning = format!("{name:<12}");
        output.line(&join(&beginning, &cut(&values.join(", "), columns_left(&beginning))))?;
    }
    Ok(())
}

/// Returns the date of a row and the cells of its line.
fn cells<'a>(log: Option<&str>, row: &'a Row) -> (String, Vec<String>, &'a Row) {
    let (date, clock) = date_and_clock(&row.time);
    let cells = [
        clock,
        row.turn.map(|turn| turn.to_string()).unwrap_or_default(),
        mark(row.mark).to_owned(),
        row.duration_ns.map(duration).unwrap_or_default(),
        format!("{}{}", "  ".repeat(row.depth), identifier(&row.name)),
    ];
    (date, log.map(identifier).into_iter().chain(cells).collect(), row)
}

const fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Succeeded => "✓ ok",
        Mark::Failed => "✗ FAIL",
        Mark::Partial => "± part",
        Mark::Panicked => "‼ panic",
        Mark::Cancelled => "− gone",
        Mark::Abandoned => "? lost",
        Mark::Unknown => "? unknown",
        Mark::Open => "… open",
        Mark::Denied => "⊘ deny",
        Mark::Event => "·",
    }
}

/// Sets the arguments and the result beside each other: the result gets at least half of the room, if it needs it.
fn payload(row: &Row, room: usize) -> String {
    const ARROW: &str = " → ";
    let result = row.result.as_deref().map(escape);
    match (row.arguments.as_deref().map(escape), result) {
        (None, None) => String::new(),
        (Some(arguments), None) => cut(&arguments, room),
        (None, Some(result)) if row.mark == Mark::Event => cut(&result, room),
        (None, Some(result)) => format!("→ {}", cut(&result, room.saturating_sub(columns("→ ")))),
        (Some(arguments), Some(result)) => {
            let room = room.saturating_sub(columns(ARROW));
            let result = cut(&result, (room / 2).max(room.saturating_sub(columns(&arguments))));
            format!("{}{ARROW}{result}", cut(&arguments, room.saturating_sub(columns(&result))))
        }
    }
}

/// Counts the calls: `7 calls: 2 ok, 2 failed, 1 partial, 2 unresolved (1 open, 1 lost); 1 denied`.
fn footer(report: &TimelineReport) -> String {
    let with_status = |status| report.calls().filter(|row| row.status == status).count();
    let with_mark = |mark| report.rows.iter().filter(|row| row.mark == mark).count();
    let some = |(count, name): (usize, &str)| (count > 0).then(|| format!("{count} {name}"));
    let parts = |parts: Vec<(usize, &str)>| parts.into_iter().filter_map(some).collect::<Vec<_>>().join(", ");

    let calls = report.calls().count();
    let mut text = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    let counts = parts(vec![
        (with_status(Status::Success), "ok"),
        (with_status(Status::Failure), "failed"),
        (with_status(Status::Partial), "partial"),
        (with_status(Status::Unknown), "unresolved"),
    ]);
    let open = parts(vec![(with_mark(Mark::Open), "open"), (with_mark(Mark::Abandoned), "lost")]);
    let denied = parts(vec![(with_mark(Mark::Denied), "denied")]);
    for (before, part, after) in [(": ", counts, ""), (" (", open, ")"), ("; ", denied, "")] {
        if !part.is_empty() {
            text = format!("{text}{before}{part}{after}");
        }
    }
    text
}

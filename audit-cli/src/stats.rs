//! `audited stats`: how the calls went.

use core::ops::ControlFlow;

use anyhow::Context as _;
use audit_store::query::{self, Durations, Figures, Filter, StatsReport, scan_streams};
use audit_store::streams::{Stream, Streams};
use serde::Serialize;

use crate::Exit;
use crate::arguments::Stats;
use crate::conclude::{Read, conclude};
use crate::output::Output;
use crate::table::{Column, Table};
use crate::text::{duration, identifier_or_dash};

/// What the calls have in common, then the figures.
const COLUMNS: [Column; 13] = {
    let mut columns = [Column::Right; 13];
    columns[0] = Column::Left(40);
    columns
};

const HEADINGS: [&str; 12] =
    ["calls", "ok", "failed", "partial", "unresolved", "denied", "success", "average", "p50", "p95", "max", "users"];

pub(crate) fn execute(arguments: &Stats, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let mut stats = query::Stats::new(arguments.by.map(Into::into), Filter::default());
    let streams = Streams::find(&arguments.log)?;
    let scanned = scan_streams(streams.as_slice(), |stream, entry| {
        stats.add_from(stream, entry);
        ControlFlow::Continue(())
    });
    let report = stats.finish();
    let is_empty = report.total.calls == 0 && report.total.denied == 0;
    if arguments.json {
        let account = Account { logs: names(&streams), report: &report };
        output.json(&serde_json::to_string(&account).context("could not write the figures as JSON")?)?;
    } else if !is_empty {
        write(&report, output)?;
    }
    let message = if streams.single().is_some() { "the log has no calls" } else { "the logs have no calls" };
    let nothing_found = is_empty.then_some(message);
    conclude(Read { path: &arguments.log, streams: &streams, scanned }, nothing_found, output)
}

/// The figures as they are printed; where there are several logs, those that they are of are named.
#[derive(Serialize)]
struct Account<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<Vec<&'a str>>,
    #[serde(flatten)]
    report: &'a StatsReport,
}

fn names(streams: &Streams) -> Option<Vec<&str>> {
    if streams.single().is_some() { None } else { Some(streams.as_slice().iter().map(Stream::name).collect()) }
}

fn write(report: &StatsReport, output: &mut Output<'_>) -> anyhow::Result<()> {
    let by = report.by.map_or("", query::By::as_str);
    let mut rows = vec![core::iter::once(by).chain(HEADINGS).map(str::to_owned).collect()];
    for group in &report.groups {
        rows.push(cells(identifier_or_dash(group.key.as_deref()), &group.figures));
    }
    rows.push(cells("all".to_owned(), &report.total));

    let mut table = Table::new(&COLUMNS);
    rows.iter().for_each(|cells| table.fit(cells));
    rows.iter().try_for_each(|cells| output.line(&table.set(cells)))
}

fn cells(name: String, figures: &Figures) -> Vec<String> {
    let durations = figures.duration.map_or([None; 4], |durations: Durations| {
        [durations.average_ns, durations.p50_ns, durations.p95_ns, durations.max_ns].map(Some)
    });
    let counts =
        [figures.calls, figures.successes, figures.failures, figures.partial, figures.unresolved, figures.denied];
    let dash = || "-".to_owned();
    let mut cells = vec![name];
    cells.extend(counts.map(|count| count.to_string()));
    cells.push(share(figures).unwrap_or_else(dash));
    cells.extend(durations.map(|ns| ns.map_or_else(dash, duration)));
    cells.push(figures.users.to_string());
    cells
}

/// Writes the share of successes among the calls whose end is known, rounded down: only all of them are 100.0 %.
fn share(figures: &Figures) -> Option<String> {
    let resolved = figures.calls.checked_sub(figures.unresolved)?;
    let thousandths = (u128::from(figures.successes) * 1000).checked_div(u128::from(resolved))?;
    Some(format!("{}.{} %", thousandths / 10, thousandths % 10))
}

//! What a run or conversation did: one row per call, with the agent's events between the calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use audit_core::vocabulary::{Stage, Status};

use super::entry::Entry;
use super::filter::Filter;
use super::record::{Call, Record, Step};

/// How deep calls are shown within each other; whatever is nested deeper is shown at this depth.
const DEPTH_MAX: usize = 32;

/// How a call went, or that a row is no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// It did what it should.
    Succeeded,
    /// It did not.
    Failed,
    /// It did some of it.
    Partial,
    /// Its body panicked.
    Panicked,
    /// It was dropped before its end.
    Cancelled,
    /// Its process ended before it did.
    Abandoned,
    /// It ended, and nobody can tell how.
    Unknown,
    /// It has a beginning and no end.
    Open,
    /// It was refused before it began.
    Denied,
    /// Not a call but an event of the agent.
    Event,
}

impl Mark {
    fn of_end(record: &Record<'_>) -> Self {
        match (record.stage(), record.outcome.status()) {
            (Some(Stage::Panicked), _) => Self::Panicked,
            (Some(Stage::Cancelled), _) => Self::Cancelled,
            (Some(Stage::Abandoned), _) => Self::Abandoned,
            (_, Some(Status::Success)) => Self::Succeeded,
            (_, Some(Status::Failure)) => Self::Failed,
            (_, Some(Status::Partial)) => Self::Partial,
            _ => Self::Unknown,
        }
    }

    /// Tells whether a call took place.
    #[must_use]
    pub const fn is_call(self) -> bool {
        !matches!(self, Self::Denied | Self::Event)
    }
}

/// A call or an event between calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The index of the log that it stands in.
    pub stream: usize,
    /// The number of the first entry that belongs to it.
    pub number: u64,
    /// When it began, RFC 3339 as written.
    pub time: String,
    /// The turn of the conversation.
    pub turn: Option<u64>,
    /// Within how many calls of this timeline it happened.
    pub depth: usize,
    /// How it went.
    pub mark: Mark,
    /// The outcome as the record of the end states it; unknown of an open call.
    pub status: Status,
    /// The tool, or the action where no tool is named; of an event its name.
    pub name: String,
    /// The arguments as JSON text, or where they are kept.
    pub arguments: Option<String>,
    /// Why it failed, else a summary of the result; of an event what it carries.
    pub result: Option<String>,
    /// How long it took.
    pub duration_ns: Option<u64>,
    within: Option<String>,
}

/// What a run or conversation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineReport {
    /// The calls and events, in the order in which they were added. A call that left only its end stands at its end.
    pub rows: Vec<Row>,
    /// The runs that the rows belong to.
    pub runs: BTreeSet<String>,
    /// The conversations that the rows belong to.
    pub conversations: BTreeSet<String>,
    /// The agents that acted.
    pub agents: BTreeSet<String>,
    /// The users for whom they acted.
    pub users: BTreeSet<String>,
    /// The models that decided, as `provider/name`.
    pub models: BTreeSet<String>,
}

impl TimelineReport {
    /// Returns the rows that are calls.
    pub fn calls(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.mark.is_call())
    }
}

/// Joins the records of each call, in one pass.
///
/// A call stands whole in the log of its process, so that its records are joined within one log. A run spans logs, and so
/// does a call that was made within one of another process.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    filter: Filter,
    report: TimelineReport,
    /// The row of each call of each log, whether it is over or not.
    calls: BTreeMap<usize, HashMap<String, usize>>,
}

impl Timeline {
    /// Begins a timeline of what matches the filter.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Adds the next entry of the only log, if it belongs to the timeline.
    ///
    /// The end of a call belongs to it if the beginning does, whatever the filter says of the end.
    pub fn add(&mut self, entry: &Entry<'_>) {
        self.add_from(0, entry);
    }

    /// Adds the next entry of one of several logs, if it belongs to the timeline; `stream` is the index of the log, as in
    /// [`scan_streams`](super::scan_streams).
    pub fn add_from(&mut self, stream: usize, entry: &Entry<'_>) {
        let step = entry.record.step();
        if let Some((id, Step::Ends)) = step
            && let Some(index) = self.calls.get(&stream).and_then(|calls| calls.get(id))
            && let Some(row) = self.report.rows.get_mut(*index)
            && row.mark == Mark::Open
        {
            return row.end(entry);
        }
        if !self.filter.matches(&entry.record) {
            return;
        }
        self.note_context(&entry.record);
        let row = Row::new(entry, stream, |id| self.row_of(stream, id).is_some());
        let calls = self.calls.entry(stream).or_default();
        match step {
            Some((id, Step::Begins)) => _ = calls.insert(id.to_owned(), self.report.rows.len()),
            Some((id, Step::Ends)) => _ = calls.entry(id.to_owned()).or_insert(self.report.rows.len()),
            _ => {}
        }
        self.report.rows.push(row);
    }

    /// Ends the timeline: what has not ended by now is open.
    #[must_use]
    pub fn finish(mut self) -> TimelineReport {
        for index in 0..self.report.rows.len() {
            let depth = self.depth(index);
            if let Some(row) = self.report.rows.get_mut(index) {
                row.depth = depth;
            }
        }
        self.report
    }

    fn note_context(&mut self, record: &Record<'_>) {
        let note = |set: &mut BTreeSet<String>, found: Option<&str>| {
            if let Some(found) = found
                && !set.contains(found)
            {
                set.insert(found.to_owned());
            }
        };
        note(&mut self.report.runs, record.correlation.run_id.as_deref());
        note(&mut self.report.conversations, record.correlation.conversation_id.as_deref());
        note(&mut self.report.agents, record.agent());
        note(&mut self.report.users, record.user());
        if let Some(model) = &record.actor.model {
            let parts: Vec<&str> = model.provider.iter().chain(&model.name).map(|text| &**text).collect();
            note(&mut self.report.models, Some(&parts.join("/")));
        }
    }

    /// Finds a call by its id, first in the given log.
    fn row_of(&self, stream: usize, id: &str) -> Option<usize> {
        let own = self.calls.get(&stream).and_then(|calls| calls.get(id));
        own.or_else(|| self.calls.values().find_map(|calls| calls.get(id))).copied()
    }

    /// Follows the calls outwards; records that name each other as parents end at the limit.
    fn depth(&self, index: usize) -> usize {
        let outer = |index: &usize| {
            let row = self.report.rows.get(*index)?;
            self.row_of(row.stream, row.within.as_ref()?)
        };
        core::iter::successors(Some(index), outer).skip(1).take(DEPTH_MAX).count()
    }
}

impl Row {
    fn new(entry: &Entry<'_>, stream: usize, is_known: impl Fn(&str) -> bool) -> Self {
        let record = &entry.record;
        let call = record.call.as_ref();
        let mark = match record.step() {
            None => Mark::Event,
            Some((_, Step::Refused)) => Mark::Denied,
            Some((_, Step::Begins)) => Mark::Open,
            Some((_, Step::Ends)) => Mark::of_end(record),
        };
        let parent = call.and_then(|call| call.parent_id.as_deref());
        // An event during a call happens within that call; one before it, beside it.
        let within = call.filter(|call| mark == Mark::Event && is_known(&call.id)).map(|call| &*call.id).or(parent);
        let begun = call.filter(|_| mark.is_call()).and_then(|call| call.start_time.as_deref());
        let tool = record.tool().filter(|_| mark != Mark::Event);
        let event = (mark == Mark::Event).then_some(&*record.event_name);
        let result = match mark {
            Mark::Open => None,
            Mark::Event => entry.detail(),
            _ => explanation_or_result(entry).map(Into::into),
        };
        Self {
            stream,
            number: entry.number,
            time: begun.unwrap_or(&record.time).to_owned(),
            turn: record.correlation.turn,
            depth: 0,
            mark,
            status: if mark == Mark::Open { Status::Unknown } else { status(record) },
            name: tool.or(event).unwrap_or(&record.action).to_owned(),
            arguments: entry.arguments().filter(|_| mark != Mark::Event).map(Into::into),
            result: result.map(Into::into),
            duration_ns: call.and_then(|call| call.duration_ns).filter(|_| mark != Mark::Event),
            within: within.map(str::to_owned),
        }
    }

    fn end(&mut self, entry: &Entry<'_>) {
        self.mark = Mark::of_end(&entry.record);
        self.status = status(&entry.record);
        self.result = explanation_or_result(entry);
        self.duration_ns = entry.record.call.as_ref().and_then(|call: &Call<'_>| call.duration_ns);
        if self.arguments.is_none() {
            self.arguments = entry.arguments().map(Into::into);
        }
    }
}

fn status(record: &Record<'_>) -> Status {
    record.outcome.status().unwrap_or(Status::Unknown)
}

fn explanation_or_result(entry: &Entry<'_>) -> Option<String> {
    entry.record.outcome.explanation().or_else(|| entry.result().map(Into::into))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::query::testing::{SAMPLES, entries, line};

    fn check(lines: &str, filter: Filter, expect: Expect) {
        let mut timeline = Timeline::new(filter);
        entries(lines).for_each(|entry| timeline.add(&entry));
        let show = |row: Row| {
            let indent = "  ".repeat(row.depth);
            let Row { number, mark, name, arguments, result, duration_ns, .. } = row;
            format!("{indent}{number} {mark:?} {name} {duration_ns:?} {arguments:?} -> {result:?}\n")
        };
        expect.assert_eq(&timeline.finish().rows.into_iter().map(show).collect::<String>());
    }

    fn call(id: &str, more: &str) -> String {
        format!(r#""call":{{"id":"{id}"{more}}},"operation":{{"tool":{{"name":"tool_{id}"}}}}"#)
    }

    #[test]
    fn the_samples_make_a_row_per_call_and_event() {
        let run = Filter { run: Some("run_01HZX".to_owned()), ..Filter::default() };
        check(
            SAMPLES,
            run,
            expect![[r#"
                2 Event run.created None None -> None
                3 Event input.resolved None None -> Some("type \"ticket\", id \"T-77\", version \"3\"; type \"prompt\", id \"triage\", version \"12\"")
                4 Event decision.proposed None None -> Some("reason_code \"damaged\", confidence \"0.82\"")
                5 Event validation.passed None None -> Some("name \"refund-limit\", decision \"require_approval\"")
                6 Event approval.requested None None -> Some("id \"ap-1\"")
                7 Event approval.granted None None -> Some("decision \"granted\", approver \"usr_boss\", rationale \"photo attached\", id \"ap-1\"")
                8 Succeeded refund Some(145000000) Some("{\"amount\":1200,\"card\":\"****4242\",\"customer\":{\"name\":{\"_sd\":[\"gYcTX66tMYiSVTttfuSDIcTQCsAo6I0XoC8F3pFihj8\"]},\"ssn\":\"token:k1:50d858e0985ecc7f60418aaf0cc5ab58\"},\"order_id\":\"ORD-54321\"}") -> Some("{\"refund_id\":\"RF-9\",\"status\":\"refunded\"}")
                10 Failed update_order_status Some(38000000) None -> Some("OrderError::Shipped: cannot cancel shipped order")
                12 Partial notify Some(400000000) None -> None
                13 Denied delete_order None None -> Some("policy_denied: forbidden for this role")
                14 Succeeded read_patient Some(50000000) None -> None
                15 Cancelled sync Some(90000000) None -> Some("cancelled")
                16 Panicked sync Some(90000000) None -> Some("panic: index out of bounds")
                18 Abandoned sync None None -> Some("process_died")
                19 Event run.failed None None -> Some("process died")
            "#]],
        );
    }

    #[test]
    fn the_end_is_joined_by_the_call_though_it_names_no_run() {
        let lines = [
            line("started", "unknown", &format!(r#"{},"correlation":{{"run_id":"r"}}"#, call("a", ""))),
            line("abandoned", "unknown", &call("a", "")),
            line("abandoned", "unknown", &call("b", "")),
        ];
        check(
            &lines.join("\n"),
            Filter { run: Some("r".to_owned()), ..Filter::default() },
            expect![[r#"
            0 Abandoned tool_a None None -> None
        "#]],
        );
    }

    #[test]
    fn calls_are_nested_by_their_parent_wherever_it_stands() {
        let lines = [
            line("started", "unknown", &call("a", "")),
            line("started", "unknown", &call("b", r#","parent_id":"a""#)),
            line("progress", "unknown", &call("b", r#","parent_id":"a""#)),
            line("completed", "success", &call("c", r#","parent_id":"d","duration_ns":5"#)),
            line("completed", "success", &call("d", r#","parent_id":"b""#)),
            line("panicked", "failure", &call("b", "")),
            line("denied", "failure", &call("e", r#","parent_id":"a""#)),
        ];
        check(
            &lines.join("\n"),
            Filter::default(),
            expect![[r#"
            0 Open tool_a None None -> None
              1 Panicked tool_b None None -> None
                2 Event e.progress None None -> None
                  3 Succeeded tool_c Some(5) None -> None
                4 Succeeded tool_d None None -> None
              6 Denied tool_e None None -> None
        "#]],
        );
    }

    #[test]
    fn calls_of_another_log_are_joined_apart_and_nested_together() {
        let lines = [
            (0, line("started", "unknown", &call("a", ""))),
            (1, line("started", "unknown", &call("b", r#","parent_id":"a""#))),
            // A copy of the first log that stands beside it.
            (2, line("started", "unknown", &call("a", ""))),
            (1, line("completed", "success", &call("b", ""))),
            (2, line("completed", "failure", &call("a", ""))),
        ];
        let mut timeline = Timeline::new(Filter::default());
        for (stream, line) in &lines {
            timeline.add_from(*stream, &Entry::parse(7, line.as_bytes()).unwrap());
        }
        let seen: Vec<_> = timeline.finish().rows.iter().map(|row| (row.stream, row.mark, row.depth)).collect();
        assert_eq!(seen, [(0, Mark::Open, 0), (1, Mark::Succeeded, 1), (2, Mark::Failed, 0)]);
    }

    #[test]
    fn a_second_end_and_parents_in_a_circle_are_shown_as_they_are() {
        let lines = [
            line("started", "unknown", &call("a", r#","parent_id":"b""#)),
            line("completed", "success", &call("a", "")),
            line("completed", "failure", &call("a", "")),
            line("completed", "unknown", &call("b", r#","parent_id":"a""#)),
        ];
        let mut timeline = Timeline::new(Filter::default());
        let lines = lines.join("\n");
        entries(&lines).for_each(|entry| timeline.add(&entry));
        let rows = timeline.finish().rows;
        let seen: Vec<(Mark, usize)> = rows.iter().map(|row| (row.mark, row.depth)).collect();
        assert_eq!(seen, [(Mark::Succeeded, DEPTH_MAX), (Mark::Failed, 0), (Mark::Unknown, DEPTH_MAX)]);
    }
}

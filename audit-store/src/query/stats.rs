//! How the calls went: counts, rates and durations, overall or by tool, action, user or agent.

use std::collections::{BTreeMap, HashMap, HashSet};

use audit_core::vocabulary::Status;
use serde::Serialize;

use super::entry::Entry;
use super::filter::Filter;
use super::record::{Record, Step};

/// What calls are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The tool.
    Tool,
    /// The action.
    Action,
    /// The user for whom the agent acted.
    User,
    /// The agent.
    Agent,
}

impl By {
    /// Returns the word that stands for the grouping on the command line and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Action => "action",
            Self::User => "user",
            Self::Agent => "agent",
        }
    }

    fn key<'a>(self, record: &'a Record<'_>) -> Option<&'a str> {
        match self {
            Self::Tool => record.tool(),
            Self::Action => Some(&record.action),
            Self::User => record.user(),
            Self::Agent => record.agent(),
        }
    }
}

/// How the calls went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatsReport {
    /// What the groups are, if there are any.
    pub by: Option<By>,
    /// The groups, the one with the most calls first.
    pub groups: Vec<Group>,
    /// All calls together.
    pub total: Figures,
}

/// The calls that have one tool, action, user or agent in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The tool, action, user or agent; the calls that name none form a group too.
    pub key: Option<String>,
    /// How they went.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How some calls went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How many there are: `successes + failures + partial + unresolved`.
    pub calls: u64,
    /// How many did what they should.
    pub successes: u64,
    /// How many did not.
    pub failures: u64,
    /// How many did some of it.
    pub partial: u64,
    /// Of how many nobody knows: open, abandoned, cancelled, or without a known outcome.
    pub unresolved: u64,
    /// How many of the unresolved have a beginning and no end.
    pub open: u64,
    /// How many more were refused before they began; they are no calls.
    pub denied: u64,
    /// The share of successes among the calls that are not unresolved, rounded down to four digits.
    pub success_rate: Option<f64>,
    /// The durations of the calls that have one, failed ones included.
    pub duration: Option<Durations>,
    /// How many different users the calls and refusals name.
    pub users: u64,
}

/// Durations in nanoseconds; a percentile is the nearest rank, so one of the durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Durations {
    /// The mean, rounded down.
    pub average_ns: u64,
    /// The least duration that half of the calls do not exceed.
    pub p50_ns: u64,
    /// The least duration that 95 of 100 calls do not exceed.
    pub p95_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// Counts calls, in one pass. Keeps the duration of each call and the id of each open one.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    by: Option<By>,
    filter: Filter,
    groups: BTreeMap<Option<String>, Tally>,
    /// The calls of each log that have begun, with the group that they belong to.
    open: BTreeMap<usize, HashMap<String, Option<String>>>,
}

impl Stats {
    /// Begins to count the calls that match the filter.
    #[must_use]
    pub fn new(by: Option<By>, filter: Filter) -> Self {
        Self { by, filter, ..Self::default() }
    }

    /// Adds the next entry of the only log, if it belongs to a call that is to be counted.
    ///
    /// The end of a call is counted where its beginning was, whatever the end says of tool or user.
    pub fn add(&mut self, entry: &Entry<'_>) {
        self.add_from(0, entry);
    }

    /// Adds the next entry of one of several logs, each of which holds whole calls; `stream` is the index of the log, as in
    /// [`scan_streams`](super::scan_streams).
    pub fn add_from(&mut self, stream: usize, entry: &Entry<'_>) {
        let record = &entry.record;
        let Some((id, step)) = record.step() else { return };
        let open = self.open.entry(stream).or_default();
        if step == Step::Ends
            && let Some(key) = open.remove(id)
        {
            return self.groups.entry(key).or_default().end(record);
        }
        if !self.filter.matches(record) {
            return;
        }
        let key = self.by.and_then(|by| by.key(record)).map(str::to_owned);
        let tally = self.groups.entry(key.clone()).or_default();
        tally.note_user(record);
        match step {
            Step::Refused => tally.figures.denied += 1,
            Step::Ends => {
                tally.figures.calls += 1;
                tally.end(record);
            }
            // The same beginning a second time begins nothing.
            Step::Begins if open.contains_key(id) => {}
            Step::Begins => {
                tally.figures.calls += 1;
                open.insert(id.to_owned(), key);
            }
        }
    }

    /// Ends the count: what has not ended by now is open.
    #[must_use]
    pub fn finish(mut self) -> StatsReport {
        for key in self.open.into_values().flatten().map(|(_, key)| key) {
            let figures = &mut self.groups.entry(key).or_default().figures;
            figures.open += 1;
            figures.unresolved += 1;
        }
        let mut total = Tally::default();
        let mut groups = Vec::new();
        for (key, tally) in self.groups {
            total.include(&tally);
            groups.push(Group { key, figures: tally.finish() });
        }
        groups.sort_by_key(|group| core::cmp::Reverse(group.figures.calls));
        if self.by.is_none() {
            groups.clear();
        }
        StatsReport { by: self.by, groups, total: total.finish() }
    }
}

/// The figures of one group while they are counted.
#[derive(Clone, Debug, Default)]
struct Tally {
    figures: Figures,
    durations_ns: Vec<u64>,
    users: HashSet<String>,
}

impl Tally {
    fn end(&mut self, record: &Record<'_>) {
        self.durations_ns.extend(record.call.as_ref().and_then(|call| call.duration_ns));
        let figures = &mut self.figures;
        match record.outcome.status() {
            Some(Status::Success) => figures.successes += 1,
            Some(Status::Failure) => figures.failures += 1,
            Some(Status::Partial) => figures.partial += 1,
            _ => figures.unresolved += 1,
        }
    }

    fn note_user(&mut self, record: &Record<'_>) {
        if let Some(user) = record.user()
            && !self.users.contains(user)
        {
            self.users.insert(user.to_owned());
        }
    }

    fn include(&mut self, other: &Self) {
        let (sum, more) = (&mut self.figures, &other.figures);
        sum.calls += more.calls;
        sum.successes += more.successes;
        sum.failures += more.failures;
        sum.partial += more.partial;
        sum.unresolved += more.unresolved;
        sum.open += more.open;
        sum.denied += more.denied;
        self.durations_ns.extend(&other.durations_ns);
        self.users.extend(other.users.iter().cloned());
    }

    fn finish(mut self) -> Figures {
        let resolved = self.figures.calls - self.figures.unresolved;
        self.durations_ns.sort_unstable();
        Figures {
            success_rate: ten_thousandths(self.figures.successes, resolved).map(|share| f64::from(share) / 10_000.0),
            duration: durations(&self.durations_ns),
            users: self.users.len() as u64,
            ..self.figures
        }
    }
}

/// Rounds down, so that only the whole is shown as the whole.
fn ten_thousandths(part: u64, whole: u64) -> Option<u16> {
    let share = u128::from(part) * 10_000;
    share.checked_div(u128::from(whole)).and_then(|share| u16::try_from(share).ok())
}

fn durations(sorted_ns: &[u64]) -> Option<Durations> {
    let count = u64::try_from(sorted_ns.len()).ok()?;
    let sum: u128 = sorted_ns.iter().copied().map(u128::from).sum();
    // The nearest rank is the least whole number not below `percent` of the count; ranks begin at 1.
    let rank = |percent: usize| {
        let rank = sorted_ns.len().checked_mul(percent)?.div_ceil(100);
        sorted_ns.get(rank.checked_sub(1)?).copied()
    };
    Some(Durations {
        average_ns: u64::try_from(sum.checked_div(u128::from(count))?).ok()?,
        p50_ns: rank(50)?,
        p95_ns: rank(95)?,
        max_ns: rank(100)?,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::query::testing::{SAMPLES, entries, line};

    fn stats(lines: &str, by: Option<By>) -> StatsReport {
        let mut stats = Stats::new(by, Filter::default());
        entries(lines).for_each(|entry| stats.add(&entry));
        stats.finish()
    }

    #[test]
    fn the_samples_are_counted_overall_and_by_tool() {
        let total = stats(SAMPLES, None).total;
        expect![[r#"
            Figures {
                calls: 7,
                successes: 2,
                failures: 2,
                partial: 1,
                unresolved: 2,
                open: 0,
                denied: 1,
                success_rate: Some(
                    0.4,
                ),
                duration: Some(
                    Durations {
                        average_ns: 135500000,
                        p50_ns: 90000000,
                        p95_ns: 400000000,
                        max_ns: 400000000,
                    },
                ),
                users: 1,
            }
        "#]]
        .assert_debug_eq(&total);
        let by_tool = stats(SAMPLES, Some(By::Tool));
        assert_eq!(by_tool.total, total);
        let of = |group: &Group| (group.key.clone().unwrap(), group.figures.calls, group.figures.denied);
        let groups: Vec<_> = by_tool.groups.iter().map(of).collect();
        let expected = [
            ("sync", 3, 0),
            ("notify", 1, 0),
            ("read_patient", 1, 0),
            ("refund", 1, 0),
            ("update_order_status", 1, 0),
            ("delete_order", 0, 1),
        ];
        assert_eq!(groups, expected.map(|(key, calls, denied)| (key.to_owned(), calls, denied)));
        assert_eq!(stats(SAMPLES, Some(By::User)).groups.len(), 1);
    }

    #[test]
    fn an_end_counts_where_its_call_began_and_an_open_call_is_unresolved() {
        let lines = [
            line("started", "unknown", r#""call":{"id":"a"},"operation":{"tool":{"name":"t"}}"#),
            line("started", "unknown", r#""call":{"id":"b"},"operation":{"tool":{"name":"t"}}"#),
            line("abandoned", "unknown", r#""call":{"id":"a"}"#),
        ];
        let report = stats(&lines.join("\n"), Some(By::Tool));
        assert_eq!(report.groups.len(), 1);
        let Figures { calls, unresolved, open, success_rate, .. } = report.groups[0].figures;
        assert_eq!((calls, unresolved, open, success_rate), (2, 2, 1, None));
    }

    #[test]
    fn calls_of_several_logs_are_counted_together_and_joined_apart() {
        let started = line("started", "unknown", r#""call":{"id":"a"}"#);
        let completed = line("completed", "success", r#""call":{"id":"a"}"#);
        let mut stats = Stats::new(None, Filter::default());
        for (stream, line) in [(0, &started), (1, &started), (1, &completed)] {
            stats.add_from(stream, &Entry::parse(0, line.as_bytes()).unwrap());
        }
        let Figures { calls, successes, open, .. } = stats.finish().total;
        assert_eq!((calls, successes, open), (2, 1, 1));
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let check = |sorted: &[u64], expect: (u64, u64, u64)| {
            let found = durations(sorted).unwrap();
            assert_eq!((found.p50_ns, found.p95_ns, found.max_ns), expect, "{sorted:?}");
        };
        check(&[7], (7, 7, 7));
        check(&[1, 2], (1, 2, 2));
        check(&[15, 20, 35, 40, 50], (35, 50, 50));
        check(&(1..=100).collect::<Vec<_>>(), (50, 95, 100));
        check(&(1..=21).collect::<Vec<_>>(), (11, 20, 21));
        assert_eq!(durations(&[]), None);
        assert_eq!(durations(&[u64::MAX, u64::MAX]).unwrap().average_ns, u64::MAX);
    }

    #[test]
    fn a_share_is_the_whole_only_if_it_is() {
        assert_eq!(ten_thousandths(99_999, 100_000), Some(9_999));
        assert_eq!(ten_thousandths(2, 3), Some(6_666));
        assert_eq!(ten_thousandths(3, 3), Some(10_000));
        assert_eq!(ten_thousandths(0, 0), None);
    }
}

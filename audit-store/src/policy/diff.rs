//! What a log would have held under a policy: the dry run.
//!
//! Records are looked at as they stand. What a policy would have recorded beyond them is not in the log, and what the
//! attributes say is not either: where a rule leaves the level to the attribute, that of the record is taken for it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use core::ops::ControlFlow;

use audit_core::audit_policy::{About, AuditPolicy, Course, Extent, Oversize, Recorded, Ruling, Written, would_remove};
use audit_core::vocabulary::{Effect, Level, Stage, Stages, Status};
use serde::Serialize;
use serde_json::Value;

use crate::Error;
use crate::query::{Entry, Scanned, Step, scan};

/// How many entries are named as examples of a difference.
const EXAMPLES_MAX: usize = 3;

/// How many calls may be open at once whose beginnings are remembered.
const OPEN_MAX: usize = 1 << 20;

/// What differs, rule by rule.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Diff {
    /// How many records of calls and events were looked at; the log's own are under no policy.
    pub records: u64,
    /// How many of them would have been the same.
    pub unchanged: u64,
    /// How many of them would not have existed.
    pub gone: u64,
    /// The rules that decided about any, in their order.
    pub rules: Vec<RuleDiff>,
    /// What nobody can tell from the log, if it matters for any record.
    pub unknown: Vec<Difference>,
}

/// What differs under one rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleDiff {
    /// The rule's name.
    pub rule: String,
    /// How many records it decided about.
    pub records: u64,
    /// What would have been otherwise in some of them.
    pub differences: Vec<Difference>,
}

/// One thing that would have been otherwise, or that cannot be known.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// What it is.
    pub what: String,
    /// Why.
    pub why: String,
    /// In how many records.
    pub count: u64,
    /// The numbers of the first entries with it.
    pub examples: Vec<u64>,
}

/// Compares the log at `path`, as it stands, with what it would have held under the policy.
///
/// # Errors
/// The path is no log, or a file of it cannot be read.
pub fn diff(policy: &AuditPolicy, path: &Path) -> Result<(Diff, Scanned), Error> {
    let mut differ = Differ::new(policy);
    let scanned = scan(path, |entry| {
        differ.add(entry);
        ControlFlow::Continue(())
    })?;
    Ok((differ.finish(), scanned))
}

/// Compares entry by entry.
struct Differ<'p> {
    policy: &'p AuditPolicy,
    diff: Diff,
    rules: BTreeMap<usize, (u64, Differences)>,
    unknown: Differences,
    open: HashMap<String, Begun>,
}

/// The differences by what they are and why, with the entries that have them.
#[derive(Default)]
struct Differences(BTreeMap<(String, String), (u64, Vec<u64>)>);

impl Differences {
    fn add(&mut self, (what, why): (String, String), number: u64) {
        let (count, examples) = self.0.entry((what, why)).or_default();
        *count += 1;
        if examples.len() < EXAMPLES_MAX {
            examples.push(number);
        }
    }

    fn list(self) -> Vec<Difference> {
        let difference = |((what, why), (count, examples))| Difference { what, why, count, examples };
        let mut list: Vec<Difference> = self.0.into_iter().map(difference).collect();
        list.sort_by_key(|difference| core::cmp::Reverse(difference.count));
        list
    }
}

/// What the record of a beginning says.
struct Begun {
    action: String,
    tool: String,
    effect: Option<Effect>,
    tenant: Option<String>,
    level: Level,
}

impl Begun {
    fn about(&self) -> About<'_> {
        About {
            action: &self.action,
            tool: Some(&self.tool),
            effect: self.effect,
            tenant: self.tenant.as_deref(),
            outcome: None,
        }
    }

    fn of(entry: &Entry<'_>) -> Self {
        let record = &entry.record;
        Self {
            action: record.action.to_string(),
            tool: record.tool().unwrap_or_default().to_owned(),
            effect: effect(entry),
            tenant: text(entry, &["correlation", "tenant_id"]),
            level: level(entry).unwrap_or(Level::Request),
        }
    }
}

/// What would have been otherwise in one record.
struct Found {
    differences: Vec<(String, String)>,
    is_gone: bool,
}

impl<'p> Differ<'p> {
    fn new(policy: &'p AuditPolicy) -> Self {
        Self {
            policy,
            diff: Diff::default(),
            rules: BTreeMap::new(),
            unknown: Differences::default(),
            open: HashMap::new(),
        }
    }

    fn finish(mut self) -> Diff {
        for (place, (records, differences)) in self.rules {
            let rule = self.policy.rules().get(place).map_or_else(String::new, |rule| rule.name.clone());
            self.diff.rules.push(RuleDiff { rule, records, differences: differences.list() });
        }
        self.diff.unknown = self.unknown.list();
        self.diff
    }

    fn add(&mut self, entry: &Entry<'_>) {
        let stage = entry.record.stage();
        match entry.record.step() {
            Some((id, Step::Begins)) => self.begins(entry, id.to_owned()),
            Some((id, Step::Ends)) => self.ends(entry, id),
            _ if stage.is_some() && text(entry, &["actor", "system", "id"]).is_none() => self.event(entry),
            _ => {}
        }
    }

    fn begins(&mut self, entry: &Entry<'_>, id: String) {
        let begun = Begun::of(entry);
        let written = Written { level: begun.level, ..Written::default() };
        let policy = self.policy;
        let course = policy.course(&begun.about(), written);
        let found = match course.stages() {
            Stages::Completed if course.is_unrecorded() => {
                gone(course.begin(), "a call left unrecorded: it is counted")
            }
            Stages::Completed => {
                gone(course.begin(), "the record of the beginning: the one at the end has the arguments")
            }
            _ => self.compare(entry, course.begin(), &course, begun.level),
        };
        self.note(entry.number, course.begin(), found);
        if self.open.len() < OPEN_MAX {
            self.open.insert(id, begun);
        }
    }

    fn ends(&mut self, entry: &Entry<'_>, id: &str) {
        let begun = self.open.remove(id);
        let has_begun = begun.is_some();
        let begun = begun.unwrap_or_else(|| Begun::of(entry));
        let number = entry.number;
        if begun.effect.is_none() && self.asks_for_effect() {
            let why = "no record of the call states what its tool does; rules with `effect` are taken not to match";
            self.unknown.add(("the effect".to_owned(), why.to_owned()), number);
        }
        let stages = if has_begun { Stages::StartedCompleted } else { Stages::Completed };
        let written = Written { level: begun.level, stages, durability: None };
        let policy = self.policy;
        let course = policy.course(&begun.about(), written);
        let status = entry.record.outcome.status().unwrap_or(Status::Unknown);
        let ruling = course.end(status);
        if ruling.extent == Extent::Nothing {
            return self.note(number, ruling, gone(ruling, "a call left unrecorded: it is counted"));
        }
        let mut found = self.compare(entry, ruling, &course, level(entry).unwrap_or(begun.level));
        if !has_begun && course.stages() == Stages::StartedCompleted {
            let why = why(ruling, "stages = \"started_completed\"");
            found.differences.push(("+ a record of the beginning besides".to_owned(), why));
        }
        self.note(number, ruling, found);
    }

    fn event(&mut self, entry: &Entry<'_>) {
        let tenant = text(entry, &["correlation", "tenant_id"]);
        let action = entry.record.action.to_string();
        let about = About { action: &action, tenant: tenant.as_deref(), ..About::default() };
        let policy = self.policy;
        let ruling = policy.ruling(&about, Written::default());
        let mut differences = Vec::new();
        add_retention(entry, &ruling, &mut differences);
        self.note(entry.number, &ruling, Found { differences, is_gone: false });
    }

    fn asks_for_effect(&self) -> bool {
        self.policy.rules().iter().any(|rule| !rule.matches.effects.is_empty())
    }

    /// Compares a record that would have existed.
    fn compare(&mut self, entry: &Entry<'_>, ruling: &Ruling<'_>, course: &Course<'_>, recorded: Level) -> Found {
        let mut differences = Vec::new();
        let Extent::At(level) = ruling.extent else { return Found { differences, is_gone: true } };
        add_level(entry, ruling, (recorded, level), &mut differences);
        if level > recorded && says_more(entry) {
            let why = format!("the log has level `{recorded}`; values that were not recorded cannot be brought back");
            self.unknown.add((format!("what `{level}` would have recorded"), why), entry.number);
        }
        if level != Level::Metadata {
            self.add_removals(entry, course, level, &mut differences);
            add_limits(entry, ruling, &mut differences);
        }
        add_retention(entry, ruling, &mut differences);
        Found { differences, is_gone: false }
    }

    /// Adds what would have been removed from the values that the log has.
    fn add_removals(
        &mut self,
        entry: &Entry<'_>,
        course: &Course<'_>,
        level: Level,
        differences: &mut Vec<(String, String)>,
    ) {
        let arguments = json(entry, &["request", "arguments"]);
        let result = json(entry, &["response", "result"]).filter(|_| level == Level::RequestResponse);
        let summary = json(entry, &["response", "summary"]);
        let recorded = Recorded { arguments: arguments.as_ref(), result: result.as_ref(), summary: summary.as_ref() };
        let known = json(entry, &["redactions"]).unwrap_or_default();
        let is_known = |path: &str| {
            let mut removed = known.as_array().into_iter().flatten();
            removed.any(|removed| removed.get("path").and_then(Value::as_str) == Some(path))
        };
        if entry.member(&["request", "ref"]).is_some() || entry.member(&["response", "ref"]).is_some() {
            let why = "the values are beside the log, in `blobs`, where this does not look";
            self.unknown
                .add(("what would have been removed from large values".to_owned(), why.to_owned()), entry.number);
        }
        let mut removed: Vec<(String, String)> = Vec::new();
        let found = would_remove(self.policy, &course.rules(), recorded);
        for would in found.into_iter().filter(|would| !is_known(&would.path)) {
            let what = format!("- {} ({})", general(&would.path), would.method);
            removed.push((what, would.rule));
        }
        removed.sort();
        removed.dedup();
        differences.extend(removed);
    }

    fn note(&mut self, number: u64, ruling: &Ruling<'_>, found: Found) {
        self.diff.records += 1;
        self.diff.gone += u64::from(found.is_gone);
        self.diff.unchanged += u64::from(found.differences.is_empty());
        let (records, differences) = self.rules.entry(ruling.index).or_default();
        *records += 1;
        found.differences.into_iter().for_each(|difference| differences.add(difference, number));
    }
}

fn gone(ruling: &Ruling<'_>, what: &str) -> Found {
    let by = match ruling.rule.decision.level {
        Some(Extent::Nothing) => "level = \"none\"",
        _ => "stages = \"completed\"",
    };
    Found { differences: vec![(format!("- {what}"), why(ruling, by))], is_gone: true }
}

fn why(ruling: &Ruling<'_>, decision: &str) -> String {
    format!("rule `{}`: {decision}", ruling.rule.name)
}

fn add_level(
    entry: &Entry<'_>,
    ruling: &Ruling<'_>,
    (recorded, level): (Level, Level),
    differences: &mut Vec<(String, String)>,
) {
    if recorded == level {
        return;
    }
    let by = || why(ruling, &format!("level = \"{level}\""));
    differences.push((format!("level {recorded} -> {level}"), by()));
    let has = |path: &[&str]| entry.member(path).is_some();
    if level == Level::Metadata {
        for part in ["request", "response"].into_iter().filter(|part| has(&[part])) {
            differences.push((format!("- {part}"), by()));
        }
    }
    if level == Level::Request && has(&["response", "result"]) {
        differences.push(("- response.result: a summary stays".to_owned(), by()));
    }
    let begins = entry.record.stage() == Some(Stage::Started);
    if recorded == Level::Metadata && begins && !has(&["request"]) {
        differences.push(("+ request, which is not in the log".to_owned(), by()));
    }
    if recorded == Level::Metadata && !begins && says_more(entry) && !has(&["response"]) {
        differences.push(("+ response, which is not in the log".to_owned(), by()));
    }
    if level == Level::RequestResponse && !begins && recorded == Level::Request && says_more(entry) {
        differences.push(("+ response.result, of which the log has a summary".to_owned(), by()));
    }
}

fn add_limits(entry: &Entry<'_>, ruling: &Ruling<'_>, differences: &mut Vec<(String, String)>) {
    let limits = ruling.rule.decision.limits;
    let place = match limits.oversize.unwrap_or_default() {
        Oversize::Blob => "kept beside the record",
        Oversize::Summary => "summed up",
    };
    for (name, path, limit) in [
        ("arguments_bytes_max", ["request", "arguments"], limits.arguments_bytes_max),
        ("result_bytes_max", ["response", "result"], limits.result_bytes_max),
    ] {
        let Some(limit) = limit else { continue };
        if entry.member(&path).is_some_and(|value| value.len() > limit) {
            differences.push((format!("{} {place}", path.join(".")), why(ruling, &format!("{name} = {limit}"))));
        }
    }
}

fn add_retention(entry: &Entry<'_>, ruling: &Ruling<'_>, differences: &mut Vec<(String, String)>) {
    let recorded = text(entry, &["retention", "class"]);
    let class = &ruling.rule.decision.retention;
    if recorded != *class {
        let word = |class: &Option<String>| class.clone().unwrap_or_else(|| "none".to_owned());
        let what = format!("retention.class {} -> {}", word(&recorded), word(class));
        differences.push((what, format!("rule `{}`", ruling.rule.name)));
    }
}

/// Tells whether the record has, or at a higher level would have, arguments or a result: the end of a call that failed has
/// neither.
fn says_more(entry: &Entry<'_>) -> bool {
    let begins = entry.record.stage() == Some(Stage::Started);
    begins || matches!(entry.record.outcome.status(), Some(Status::Success | Status::Partial))
}

fn level(entry: &Entry<'_>) -> Option<Level> {
    Level::parse(&text(entry, &["level"])?)
}

fn effect(entry: &Entry<'_>) -> Option<Effect> {
    let says = |member: &str| Some(entry.member(&["operation", "tool", member])? == "true");
    Some(match (says("destructive"), says("read_only")) {
        (Some(true), _) => Effect::Destructive,
        (_, Some(true)) => Effect::Read,
        (None, None) => return None,
        _ => Effect::Write,
    })
}

fn text(entry: &Entry<'_>, path: &[&str]) -> Option<String> {
    serde_json::from_str(entry.member(path)?).ok()
}

fn json(entry: &Entry<'_>, path: &[&str]) -> Option<Value> {
    serde_json::from_str(entry.member(path)?).ok()
}

/// Writes a pointer without the places in lists, so that one thing removed from many elements is one difference.
fn general(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    let step =
        |step: &str| if step.bytes().all(|byte| byte.is_ascii_digit()) { "[]".to_owned() } else { step.to_owned() };
    steps.map(step).collect::<Vec<_>>().join(".").replace(".[]", "[]")
}

//! The text of a policy taken apart.

use audit_core::audit_policy::{
    Decision, Extent, Glob, Limits, Match, Named, Oversize, Parts, PolicyFault, REDACTION, Removal, Removed, Rule, Way,
};
use audit_core::vocabulary::{Durability, Effect, Level, Stages, Status};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PolicyError;
use super::table::{Table, Value};

const DOCUMENT_KEYS: &[&str] = &["default", "redaction", "rule"];
const MATCH_KEYS: [&str; 6] = ["name", "action", "tool", "effect", "tenant", "outcome"];
const DECISION_KEYS: [&str; 7] =
    ["level", "stages", "durability", "retention", "arguments_bytes_max", "result_bytes_max", "oversize"];
const METHOD_KEYS: [&str; 5] = ["redact", "mask", "mask_last_four", "token", "seal"];
const REMOVAL_KEYS: [&str; 8] = ["redact", "mask", "mask_last_four", "token", "seal", "subject", "names", "patterns"];

/// A policy as it was written, with the places of its tables.
pub(super) struct Document<'t> {
    pub(super) parts: Parts,
    spans: Spans,
    root: Spanned<DeTable<'t>>,
}

/// Where the rules stand.
#[derive(Default)]
struct Spans {
    rules: Vec<usize>,
}

impl<'t> Document<'t> {
    /// Reads the text; what it says is not checked yet.
    pub(super) fn read(text: &'t str) -> Result<Self, PolicyError> {
        let root = DeTable::parse(text).map_err(|fault| {
            let place = fault.span().map_or(0, |span| span.start);
            PolicyError::at(text, place, format!("expected TOML, found an error in it: {}", fault.message()))
        })?;
        let (parts, spans) = read(text, &root)?;
        Ok(Self { parts, spans, root })
    }

    /// Returns where it stands what is wrong.
    pub(super) fn place_of(&self, fault: &PolicyFault) -> usize {
        let table = match fault.rule {
            Some(index) => self.rule(index),
            None if fault.key == "rule" => return self.spans.rules.first().copied().unwrap_or(0),
            None => ["default", REDACTION].into_iter().find_map(|name| {
                let table = self.root.get_ref().get(name)?;
                let value = table.get_ref().as_table()?.get(fault.key)?;
                let holds = fault.value.as_deref().is_none_or(|text| find(value, text).is_some());
                holds.then_some(table)
            }),
        };
        let start = fault.rule.and_then(|index| self.spans.rules.get(index).copied());
        let Some(table) = table.and_then(|table| table.get_ref().as_table()) else { return start.unwrap_or(0) };
        let value = table.get(fault.key);
        let wrong = value.and_then(|value| fault.value.as_deref().and_then(|text| find(value, text)));
        wrong.or_else(|| value.map(|value| value.span().start)).or(start).unwrap_or(0)
    }

    fn rule(&self, index: usize) -> Option<&Spanned<DeValue<'t>>> {
        self.root.get_ref().get("rule")?.get_ref().as_array()?.get(index)
    }
}

/// Finds a text in a value, and returns where it stands.
fn find(value: &Spanned<DeValue<'_>>, text: &str) -> Option<usize> {
    match value.get_ref() {
        DeValue::String(found) if *found == text => Some(value.span().start),
        DeValue::Array(elements) => elements.iter().find_map(|element| find(element, text)),
        DeValue::Table(members) => members.values().find_map(|member| find(member, text)),
        _ => None,
    }
}

fn read<'d>(text: &'d str, root: &'d Spanned<DeTable<'d>>) -> Result<(Parts, Spans), PolicyError> {
    let root = Table { text, table: root.get_ref(), place: 0, what: "a policy" }.check_keys(DOCUMENT_KEYS)?;
    let mut parts = Parts::default();
    let mut spans = Spans::default();
    if let Some(default) = root.table("default", "the table `default`")? {
        let keys = [&DECISION_KEYS[..], &REMOVAL_KEYS].concat();
        parts.default = decision(default.check_keys(&keys)?)?;
    }
    if let Some(redaction) = root.table(REDACTION, "the table `redaction`")? {
        parts.redaction = removal(redaction.check_keys(&REMOVAL_KEYS)?)?;
    }
    let rules = root.value("rule").map_or_else(Vec::new, Value::elements);
    for (index, value) in rules.into_iter().enumerate() {
        let table = value.table("a rule")?;
        spans.rules.push(table.place);
        parts.rules.push(rule(table, index)?);
    }
    Ok((parts, spans))
}

fn rule(table: Table<'_>, index: usize) -> Result<Rule, PolicyError> {
    let keys = [&MATCH_KEYS[..], &DECISION_KEYS, &REMOVAL_KEYS].concat();
    let table = table.check_keys(&keys)?;
    let globs = |key| Ok::<_, PolicyError>(table.strings(key)?.into_iter().map(Glob::new).collect());
    let name = table.string("name")?;
    Ok(Rule {
        name: name.map_or_else(|| format!("rule-{}", index + 1), str::to_owned),
        matches: Match {
            actions: globs("action")?,
            tools: globs("tool")?,
            effects: table.words("effect", &words(Effect::ALL, |effect| effect.as_str()), Effect::parse)?,
            tenants: globs("tenant")?,
            outcomes: table.words("outcome", &words(Status::ALL, |status| status.as_str()), Status::parse)?,
        },
        decision: decision(table)?,
    })
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| word(*value)).collect()
}

fn decision(table: Table<'_>) -> Result<Decision, PolicyError> {
    let levels = [&["none"], &words(Level::ALL, |level| level.as_str())[..]].concat();
    let oversize = |word: &str| Oversize::ALL.into_iter().find(|oversize| oversize.as_str() == word);
    Ok(Decision {
        level: table.word("level", &levels, Extent::parse)?,
        stages: table.word("stages", &words(Stages::ALL, |stages| stages.as_str()), Stages::parse)?,
        durability: table.word("durability", &words(Durability::ALL, |value| value.as_str()), Durability::parse)?,
        removal: removal(table)?,
        retention: table.string("retention")?.map(str::to_owned),
        limits: Limits {
            arguments_bytes_max: table.number("arguments_bytes_max")?,
            result_bytes_max: table.number("result_bytes_max")?,
            oversize: table.word("oversize", &words(&Oversize::ALL, Oversize::as_str), oversize)?,
        },
    })
}

fn removal(table: Table<'_>) -> Result<Removal, PolicyError> {
    let mut removal = Removal::default();
    for (path, way) in methods(table)? {
        removal.paths.push(Removed { path, way });
    }
    for (list, key, what) in [
        (&mut removal.names, "names", "the names of a policy"),
        (&mut removal.patterns, "patterns", "the patterns of a policy"),
    ] {
        if let Some(table) = table.table(key, what)? {
            let named = methods(table.check_keys(&METHOD_KEYS)?)?;
            list.extend(named.into_iter().map(|(name, way)| Named { name, way }));
        }
    }
    removal.subjects = table.strings("subject")?.into_iter().map(str::to_owned).collect();
    Ok(removal)
}

/// Reads what is removed in each way.
fn methods(table: Table<'_>) -> Result<Vec<(String, Way)>, PolicyError> {
    let mut removed = Vec::new();
    let mut add = |texts: Vec<&str>, way: &Way| {
        removed.extend(texts.into_iter().map(|text| (text.to_owned(), way.clone())));
    };
    add(table.strings("redact")?, &Way::Drop);
    add(table.strings("mask")?, &Way::Mask { last_four: false });
    add(table.strings("mask_last_four")?, &Way::Mask { last_four: true });
    add(table.strings("token")?, &Way::Token);
    for value in table.value("seal").map_or_else(Vec::new, Value::elements) {
        if !value.is_table() {
            add(vec![value.string()?], &Way::Seal(None));
            continue;
        }
        let seal = value.table("the table `seal`")?.check_keys(&["paths", "subject"])?;
        add(seal.strings("paths")?, &Way::Seal(seal.string("subject")?.map(str::to_owned)));
    }
    Ok(removed)
}

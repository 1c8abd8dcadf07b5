//! What a policy is checked for before it can be in force.

use core::fmt;
use std::collections::HashSet;

use super::{DEFAULT, Extent, Parts, REDACTION, Removal, Rule, Way};
use crate::privacy::Pattern;
use crate::redact::{is_name, is_path};
use crate::vocabulary::Effect;

/// How many rules a policy may have, and how many values a list of one.
const RULES_MAX: usize = 1_024;
const VALUES_MAX: usize = 1_024;

/// How long a name, a class or a path may be.
const TEXT_BYTES_MAX: usize = 256;

/// The least limit of arguments and results: what a summary of them takes.
const LIMIT_BYTES_MIN: usize = 256;

/// The path of the user on whose behalf the agent acts.
const CONTEXT_USER: &str = "context.user";

/// Why parts make no policy, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// The place of the rule; none for the default, and for what is said for all rules.
    pub rule: Option<usize>,
    /// The key that is wrong.
    pub key: &'static str,
    /// The value of that key, if one of several is wrong.
    pub value: Option<String>,
    reason: String,
}

impl PolicyFault {
    fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { rule: None, key, value: None, reason: reason.into() }
    }

    fn with_value(mut self, value: &str) -> Self {
        self.value = Some(value.to_owned());
        self
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl core::error::Error for PolicyFault {}

pub(super) fn check(parts: &Parts) -> Result<(), PolicyFault> {
    if parts.rules.len() > RULES_MAX {
        return Err(PolicyFault::new(
            "rule",
            format!("expected at most {RULES_MAX} rules, found {}", parts.rules.len()),
        ));
    }
    let mut names = HashSet::new();
    let mut all: Option<&Rule> = None;
    for (index, rule) in parts.rules.iter().enumerate() {
        let here = |fault: PolicyFault| PolicyFault { rule: Some(index), ..fault };
        if let Some(all) = all {
            let reason = format!("is never reached: the rule `{}` before it matches everything", all.name);
            return Err(here(PolicyFault::new("name", reason)));
        }
        check_name(&rule.name).map_err(here)?;
        if !names.insert(&rule.name) {
            let found = format!("expected a name that no other rule has, found `{}` again", rule.name);
            return Err(here(PolicyFault::new("name", found)));
        }
        check_rule(rule).map_err(here)?;
        all = rule.matches.is_anything().then_some(rule);
    }
    check_decision(&parts.default)?;
    check_removal(&parts.redaction, REDACTION)
}

fn check_name(name: &str) -> Result<(), PolicyFault> {
    let is_plain = |character: char| !character.is_control() && character != '/';
    if name.is_empty() || name.len() > TEXT_BYTES_MAX || !name.chars().all(is_plain) {
        let expected = format!("expected a name of 1 to {TEXT_BYTES_MAX} bytes without `/`");
        return Err(PolicyFault::new("name", format!("{expected}, found `{}`", name.escape_debug())));
    }
    if [DEFAULT, REDACTION].contains(&name) {
        return Err(PolicyFault::new(
            "name",
            format!("expected another name, found `{name}`, which is that of a table"),
        ));
    }
    Ok(())
}

fn check_rule(rule: &Rule) -> Result<(), PolicyFault> {
    let (matches, decision) = (&rule.matches, &rule.decision);
    for (key, count) in [
        ("action", matches.actions.len()),
        ("tool", matches.tools.len()),
        ("effect", matches.effects.len()),
        ("tenant", matches.tenants.len()),
        ("outcome", matches.outcomes.len()),
    ] {
        check_count(key, count)?;
    }
    let is_destructive =
        !matches.effects.is_empty() && matches.effects.iter().all(|effect| *effect == Effect::Destructive);
    if decision.level == Some(Extent::Nothing) && is_destructive {
        let expected =
            "expected `metadata` or more for a rule about destructive calls alone, which are always recorded";
        return Err(PolicyFault::new("level", format!("{expected}, found `none`")));
    }
    if !matches.outcomes.is_empty() && decision.stages.is_some() {
        let expected = "expected no `stages` in a rule with `outcome`, which is about the record of the end alone";
        return Err(PolicyFault::new("stages", format!("{expected}, found it")));
    }
    check_decision(decision)
}

fn check_count(key: &'static str, count: usize) -> Result<(), PolicyFault> {
    if count <= VALUES_MAX {
        return Ok(());
    }
    Err(PolicyFault::new(key, format!("expected at most {VALUES_MAX} values, found {count}")))
}

fn check_decision(decision: &super::Decision) -> Result<(), PolicyFault> {
    let is_class = |class: &str| (1..=TEXT_BYTES_MAX).contains(&class.len()) && !class.contains(char::is_control);
    if let Some(class) = decision.retention.as_deref().filter(|class| !is_class(class)) {
        let expected = format!("expected the name of a class, 1 to {TEXT_BYTES_MAX} bytes");
        return Err(PolicyFault::new("retention", format!("{expected}, found `{}`", class.escape_debug())));
    }
    let limits = &decision.limits;
    for (key, limit) in
        [("arguments_bytes_max", limits.arguments_bytes_max), ("result_bytes_max", limits.result_bytes_max)]
    {
        if let Some(found) = limit.filter(|limit| *limit < LIMIT_BYTES_MIN) {
            return Err(PolicyFault::new(key, format!("expected at least {LIMIT_BYTES_MIN} bytes, found {found}")));
        }
    }
    check_removal(&decision.removal, "redact")
}

fn check_removal(removal: &Removal, key: &'static str) -> Result<(), PolicyFault> {
    for (key, count) in [
        (key, removal.paths.len()),
        ("names", removal.names.len()),
        ("patterns", removal.patterns.len()),
        ("subject", removal.subjects.len()),
    ] {
        check_count(key, count)?;
    }
    for removed in &removal.paths {
        let key = key_of(&removed.way);
        check_path(key, &removed.path)?;
        if removed.path == CONTEXT_USER {
            let found = "expected a path into the arguments or the result, found `context.user`, which is a subject";
            return Err(PolicyFault::new(key, found).with_value(&removed.path));
        }
        if let Way::Seal(Some(subject)) = &removed.way {
            check_path("subject", subject)?;
        }
    }
    if let Some(at) = removal.subjects.iter().position(|subject| subject == CONTEXT_USER)
        && at + 1 < removal.subjects.len()
    {
        let found =
            "expected `context.user` as the last subject, found another one behind it, which is never looked for";
        return Err(PolicyFault::new("subject", found).with_value(CONTEXT_USER));
    }
    removal.subjects.iter().try_for_each(|subject| check_path("subject", subject))?;
    for named in &removal.patterns {
        if Pattern::parse(&named.name).is_none() {
            let known: Vec<&str> = Pattern::ALL.iter().map(|pattern| pattern.as_str()).collect();
            let found = format!("expected one of {}, found `{}`", known.join(", "), named.name.escape_debug());
            return Err(PolicyFault::new("patterns", found).with_value(&named.name));
        }
    }
    for named in &removal.names {
        if named.name.is_empty() || named.name.len() > TEXT_BYTES_MAX {
            let found =
                format!("expected a name of 1 to {TEXT_BYTES_MAX} bytes, found `{}`", named.name.escape_debug());
            return Err(PolicyFault::new("names", found).with_value(&named.name));
        }
    }
    for named in removal.names.iter().chain(&removal.patterns).filter(|named| matches!(named.way, Way::Seal(_))) {
        let Way::Seal(own) = &named.way else { continue };
        let mut subjects = own.iter().chain(removal.subjects.iter().filter(|_| own.is_none()));
        if !subjects.any(|subject| subject == CONTEXT_USER || is_name(subject)) {
            let expected = "expected the name of a member beside what has a name, or `context.user`, as its `subject`";
            return Err(PolicyFault::new("seal", format!("{expected}, found neither")).with_value(&named.name));
        }
    }
    let is_own = |way: &Way| matches!(way, Way::Seal(None));
    let ways = removal.paths.iter().map(|removed| &removed.way);
    let mut ways = ways.chain(removal.names.iter().chain(&removal.patterns).map(|named| &named.way));
    if removal.subjects.is_empty() && ways.any(is_own) {
        let expected = "expected `subject`, the path to whose value it is that is sealed";
        return Err(PolicyFault::new("seal", format!("{expected}, found none")));
    }
    Ok(())
}

const fn key_of(way: &Way) -> &'static str {
    match way {
        Way::Drop => "redact",
        way => way.as_str(),
    }
}

fn check_path(key: &'static str, path: &str) -> Result<(), PolicyFault> {
    if path.len() <= TEXT_BYTES_MAX && is_path(path) {
        return Ok(());
    }
    let expected =
        "expected a path such as `card`, `customer.ssn?`, `items[].token`, `*.email`, `return.iban` or `error`";
    Err(PolicyFault::new(key, format!("{expected}, found `{}`", path.escape_debug())).with_value(path))
}

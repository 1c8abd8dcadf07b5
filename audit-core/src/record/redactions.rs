//! The redactions of a record: one by one, or in groups where there are many or room is scarce.

use std::collections::HashSet;

use super::{Fit, Object, name};
use crate::privacy::Method;
use crate::redact::{Redaction, Removal};

/// How many redactions one record lists one by one; beyond that they are listed once per area and removal.
const SINGLE_MAX: usize = 64;

/// How many groups are listed, and how many in a record that is short of room.
const GROUPS_MAX: usize = 256;
const BARE_GROUPS_MAX: usize = 16;

/// The last group, of the whole record, where there were more.
const MORE: &str = "more";

/// Writes the list; none if nothing was removed.
pub(super) fn write<'r>(record: &mut Object<'_>, redactions: impl Iterator<Item = &'r Redaction> + Clone, fit: Fit) {
    let count = redactions.clone().take(SINGLE_MAX + 1).count();
    if count == 0 {
        return;
    }
    let pairs = redactions.map(|redaction| (redaction.path.as_str(), Some(&redaction.removal)));
    let one = |out: &mut Vec<u8>, group: Group<'_>| write_one(out, group, fit);
    let listed = match fit {
        Fit::Whole if count <= SINGLE_MAX => return record.list(name!("redactions"), pairs, one),
        Fit::Whole | Fit::WithoutPayloads => groups(pairs.map(|(path, removal)| (area(path), removal)), GROUPS_MAX),
        Fit::Bare | Fit::Least => groups(pairs.map(|(path, removal)| (ancestor(path, 1), removal)), BARE_GROUPS_MAX),
    };
    record.list(name!("redactions"), listed, one);
}

fn write_one(out: &mut Vec<u8>, (path, removal): Group<'_>, fit: Fit) {
    let mut object = Object::open(out);
    if let Some(key_id) = removal.and_then(|removal| removal.key_id.as_deref()) {
        object.text(name!("key_id"), &fit.text(key_id));
    }
    object.word(name!("method"), removal.map_or(Method::Drop.as_str(), |removal| removal.method).as_bytes());
    object.text(name!("path"), &fit.text(path));
    let (kind, rule) = removal.map_or(("", MORE), |removal| removal.rule.parts());
    match fit {
        Fit::Least => object.text(name!("rule"), &fit.text(&format!("{kind}{rule}"))),
        _ => object.joined(name!("rule"), &[kind, rule]),
    }
    object.close();
}

/// A place, and what was done there; nothing stands for whatever else was done.
type Group<'r> = (&'r str, Option<&'r Removal>);

/// Lists each pair once, in their order.
fn groups<'r>(pairs: impl Iterator<Item = Group<'r>>, groups_max: usize) -> Vec<Group<'r>> {
    let mut known = HashSet::new();
    let mut groups: Vec<_> = pairs.filter(|&pair| known.insert(pair)).take(groups_max + 1).collect();
    if groups.len() > groups_max {
        groups.truncate(groups_max);
        groups.push(("", None));
    }
    groups
}

/// Returns the pointer to the value that stands for a part of it: an argument, the result, an annotation.
fn area(pointer: &str) -> &str {
    let steps = match pointer.split('/').nth(1) {
        Some("request") => 3,
        Some("response" | "annotations") => 2,
        _ => return pointer,
    };
    ancestor(pointer, steps)
}

/// Returns the first steps of a JSON Pointer.
fn ancestor(pointer: &str, steps: usize) -> &str {
    let end = pointer.match_indices('/').nth(steps).map_or(pointer.len(), |(at, _)| at);
    pointer.get(..end).unwrap_or(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rule::Rule;

    fn check(fit: Fit, paths: impl Iterator<Item = String>, expected: &[&str]) {
        let redactions: Vec<_> = paths.map(|path| Redaction::new(path, Removal::drop(Rule::name("pin")))).collect();
        let mut out = Vec::new();
        let mut record = Object::open(&mut out);
        write(&mut record, redactions.iter(), fit);
        record.close();
        let record: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(record.get("redactions").is_none(), expected.is_empty());
        let listed = record.get("redactions").and_then(|list| list.as_array()).cloned().unwrap_or_default();
        let paths: Vec<&str> = listed.iter().map(|redaction| redaction["path"].as_str().unwrap()).collect();
        assert_eq!(paths, expected);
    }

    #[test]
    fn many_redactions_are_listed_by_area_and_rule() {
        let many = |prefix: &'static str| (0..100_000).map(move |index| format!("{prefix}/{index}/pin"));
        check(Fit::Whole, many("/response/summary"), &["/response/summary"]);
        check(Fit::Whole, many("/response/result"), &["/response/result"]);
        check(Fit::Whole, many("/request/arguments/list"), &["/request/arguments/list"]);
        check(Fit::Whole, many("/annotations/x"), &["/annotations/x"]);
        let two = ["/target/1/id", "/outcome/reason"];
        check(Fit::WithoutPayloads, two.map(str::to_owned).into_iter(), &two);
        check(Fit::Bare, two.map(str::to_owned).into_iter(), &["/target", "/outcome"]);
    }

    #[test]
    fn more_groups_than_are_listed_are_said_to_be_more() {
        let annotations = |count: usize| (0..count).map(|n| format!("/annotations/{n}"));
        let all: Vec<String> = annotations(GROUPS_MAX).collect();
        let mut listed: Vec<&str> = all.iter().map(String::as_str).collect();
        check(Fit::Whole, annotations(GROUPS_MAX), &listed);
        listed.push("");
        check(Fit::Whole, annotations(GROUPS_MAX + 1), &listed);
    }

    #[test]
    fn nothing_is_listed_where_nothing_was_removed() {
        for fit in [Fit::Whole, Fit::WithoutPayloads, Fit::Bare, Fit::Least] {
            check(fit, core::iter::empty(), &[]);
        }
    }

    #[test]
    fn a_rule_is_escaped_as_any_text() {
        for fit in [Fit::Whole, Fit::Bare, Fit::Least] {
            let removal = Removal::drop(Rule::path("\"card number\"[].\u{1}"));
            let redactions = [Redaction::new("/outcome/reason".to_owned(), removal)];
            let mut out = Vec::new();
            let mut record = Object::open(&mut out);
            write(&mut record, redactions.iter(), fit);
            record.close();
            let record: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(record["redactions"][0]["rule"], "path:\"card number\"[].\u{1}");
        }
    }
}

//! Redaction paths: from what an attribute names, the parameters of a function, to what a client sends, members of JSON.

use std::collections::BTreeMap;

use rmcp::model::{JsonObject, Tool};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

/// The path that removes all arguments.
pub(crate) const EVERYTHING: &str = "";

/// The member under which everything stands that a client sent and the tool does not take.
const UNEXPECTED: &str = "(unexpected)";
const UNEXPECTED_PATH: &str = "\"(unexpected)\"?";

/// What is to be removed from the arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct Removal<'t> {
    /// The paths. They are the same for every call of a tool.
    pub(crate) paths: Vec<String>,
    /// The schema's properties, where a member that is none of them, or of another type, is removed, too: a card number
    /// under a misspelt name is still one.
    properties: Option<&'t JsonObject>,
}

/// Says what stands for what the audited functions of a tool redact, by their parameters, and what is to be removed
/// besides, by members of the JSON. If a path of a function has no certain place in the JSON, everything is removed.
pub(crate) fn of_tool<'p, 't>(
    functions: impl Iterator<Item = &'p str>,
    besides: impl Iterator<Item = &'p str>,
    tool: Option<&'t Tool>,
) -> Removal<'t> {
    let properties = tool.and_then(|tool| tool.input_schema.get("properties")?.as_object());
    let is_known = |path: &&str| properties.is_some_and(|known| known.contains_key(first_key(path)));
    let mut removal = Removal::default();
    for path in functions {
        let members: Vec<String> = meanings(path).filter(is_known).map(where_there).collect();
        match (is_outside_arguments(path), members.is_empty()) {
            (true, true) => removal.paths.push(path.to_owned()),
            // A member called `error` or `return` has no path of its own, and an unknown member has none at all.
            (true, false) => removal.paths.extend([path.to_owned(), EVERYTHING.to_owned()]),
            (false, true) => removal.paths.push(EVERYTHING.to_owned()),
            (false, false) => removal.paths.extend(members),
        }
    }
    removal.paths.extend(besides.map(where_there));
    if removal.paths.iter().any(|path| !is_outside_arguments(path)) {
        removal.properties = properties;
        removal.paths.push(UNEXPECTED_PATH.to_owned());
    }
    removal
}

/// Says what could be meant by the paths of all tools, for a tool that does not exist: no schema tells.
pub(crate) fn of_any<'p>(redact: impl Iterator<Item = &'p str>) -> Removal<'static> {
    let mut paths: Vec<String> = redact.flat_map(meanings).map(where_there).collect();
    paths.sort();
    paths.dedup();
    Removal { paths, properties: None }
}

/// The arguments as they are recorded: what the tool does not take stands apart, so that one path removes it.
#[derive(Debug)]
pub(crate) struct Sent<'a> {
    arguments: &'a JsonObject,
    properties: Option<&'a JsonObject>,
}

impl<'t> Removal<'t> {
    /// Returns the arguments as they are to be recorded.
    pub(crate) const fn apply<'a>(&self, arguments: &'a JsonObject) -> Sent<'a>
    where
        't: 'a,
    {
        Sent { arguments, properties: self.properties }
    }
}

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_expected = |(name, value): &(&String, &Value)| {
            self.properties.is_none_or(|known| known.get(*name).is_some_and(|schema| is_of_type(schema, value)))
        };
        let (expected, unexpected): (Vec<_>, Vec<_>) = self.arguments.iter().partition(is_expected);
        let mut members = serializer.serialize_map(None)?;
        for (name, value) in expected {
            members.serialize_entry(name, value)?;
        }
        if !unexpected.is_empty() {
            members.serialize_entry(UNEXPECTED, &unexpected.into_iter().collect::<BTreeMap<_, _>>())?;
        }
        members.end()
    }
}

/// Tells whether a value has a type that a schema names; one that names none takes everything.
fn is_of_type(schema: &Value, value: &Value) -> bool {
    let named = |named: &Value| match (named.as_str(), value) {
        (Some("null"), Value::Null)
        | (Some("boolean"), Value::Bool(_))
        | (Some("number"), Value::Number(_))
        | (Some("string"), Value::String(_))
        | (Some("array"), Value::Array(_))
        | (Some("object"), Value::Object(_)) => true,
        (Some("integer"), Value::Number(number)) => number.is_i64() || number.is_u64(),
        _ => false,
    };
    match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(named),
        Some(one) => named(one),
    }
}

fn is_outside_arguments(path: &str) -> bool {
    path == "error" || path == "return" || path.starts_with("return.") || path.starts_with("return[")
}

/// Returns what a path of a function can mean in the JSON: its parameter is a member, as in `Parameters(Refund { card })`,
/// or stands for all of the arguments, as in `Parameters(request)`.
fn meanings(path: &str) -> impl Iterator<Item = &str> {
    let inside = path.split_once('.').filter(|(parameter, _)| !parameter.ends_with(']')).map(|(_, inside)| inside);
    [Some(path), inside.filter(|_| !is_outside_arguments(path))].into_iter().flatten()
}

/// Returns the member that a path begins with; of `*`, which is none in particular, that is no member's name.
fn first_key(path: &str) -> &str {
    match path.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => path.split(['.', '[', '?']).next().unwrap_or_default(),
    }
}

/// Returns the path as one whose first member may be absent: in what a client did not send there is nothing to hide.
fn where_there(path: &str) -> String {
    if is_outside_arguments(path) {
        return path.to_owned();
    }
    let quotes = if path.starts_with('"') { 2 } else { 0 };
    let (key, rest) = path.split_at_checked(first_key(path).len() + quotes).unwrap_or((path, ""));
    if rest.starts_with('?') || key == "*" { path.to_owned() } else { format!("{key}?{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::model::object;
    use serde_json::json;

    fn tool() -> Tool {
        let properties = json!({"order": {}, "card": {}, "odd key": {}, "items": {}, "error": {}});
        Tool::new("refund", "", object(json!({"properties": properties})))
    }

    #[test]
    fn a_path_is_found_in_what_the_tool_takes_or_everything_is_removed() {
        let check = |path: &str, expected: &str| {
            let found = of_tool([path].into_iter(), [].into_iter(), Some(&tool())).paths;
            assert_eq!(found.first().map(String::as_str), Some(expected), "{path}");
        };
        check("card", "card?");
        check("card?", "card?");
        check("request.card", "card?");
        check("request.card.number", "card?.number");
        check("request.items[].token", "items?[].token");
        check("items[].token", "items?[].token");
        check("request.\"odd key\".a", "\"odd key\"?.a");
        check("return.card", "return.card");
        assert_eq!(of_tool(["error"].into_iter(), [].into_iter(), None).paths, ["error"]);
        assert_eq!(of_tool(["error"].into_iter(), [].into_iter(), Some(&tool())).paths[..2], ["error", EVERYTHING]);
        for uncertain in ["request", "request.*", "why", "rows[].card"] {
            check(uncertain, "");
        }
        assert_eq!(of_tool(["card"].into_iter(), [].into_iter(), None).paths, ["", UNEXPECTED_PATH]);
        let tool = tool();
        let both = of_tool(["order.card"].into_iter(), ["cards[].number", "return.card"].into_iter(), Some(&tool));
        assert_eq!(both.paths, ["order?.card", "card?", "cards?[].number", "return.card", UNEXPECTED_PATH]);
    }

    #[test]
    fn what_the_tool_does_not_take_stands_apart_where_something_is_redacted() {
        let properties = json!({"order": {}, "card": {"type": ["string", "null"]}, "cents": {"type": "integer"}});
        let tool = Tool::new("refund", "", object(json!({"properties": properties})));
        let check = |redact: &[&str], sent: Value, expected: Value| {
            let removal = of_tool([].into_iter(), redact.iter().copied(), Some(&tool));
            assert_eq!(serde_json::to_value(removal.apply(&object(sent))).unwrap(), expected, "{redact:?}");
            assert!(expected.get(UNEXPECTED).is_none() || removal.paths.contains(&UNEXPECTED_PATH.to_owned()));
        };
        check(&["card"], json!({"order": 1, "crad": 2}), json!({"order": 1, "(unexpected)": {"crad": 2}}));
        check(&["card"], json!({"card": null, "cents": 7}), json!({"card": null, "cents": 7}));
        check(&["card"], json!({"card": 1, "cents": 7.5}), json!({"(unexpected)": {"card": 1, "cents": 7.5}}));
        check(&["return.card"], json!({"order": 1, "crad": 2}), json!({"order": 1, "crad": 2}));
        check(&[], json!({"cents": "1"}), json!({"cents": "1"}));
    }

    #[test]
    fn for_no_tool_in_particular_each_path_is_taken_both_ways() {
        assert_eq!(of_any(["request.card", "card", "error"].into_iter()).paths, ["card?", "error", "request?.card"]);
    }
}

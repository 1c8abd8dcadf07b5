//! What a value says of itself in one member at the top of its JSON: `isError`, `code`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// The names under which a result says that it is an error: MCP's `CallToolResult`, and its field in Rust.
const IS_ERROR: [&str; 2] = ["isError", "is_error"];

/// Tells whether a result in canonical JSON says of itself that it is an error.
pub(crate) fn is_error(json: &[u8]) -> bool {
    let text = core::str::from_utf8(json).unwrap_or_default();
    // Most results do not mention it at all; only those that do are read.
    IS_ERROR.iter().any(|name| text.contains(name) && member(text, name) == Some(Value::Bool(true)))
}

/// Returns the first text in the `content` of a result in canonical JSON, where MCP has what a failed tool says.
pub(crate) fn first_text(json: &[u8]) -> Option<String> {
    let content = member(core::str::from_utf8(json).ok()?, "content")?;
    content.as_array()?.iter().find_map(|item| item.get("text")?.as_str().map(str::to_owned))
}

/// Returns the code that an error in canonical JSON has, if that is a text or a number.
pub(crate) fn code(json: &[u8]) -> Option<String> {
    match member(core::str::from_utf8(json).ok()?, "code")? {
        Value::String(code) => Some(code),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    }
}

fn member(json: &str, name: &str) -> Option<Value> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json).ok()?;
    serde_json::from_str(members.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_says_that_it_is_an_error_at_its_top() {
        let check = |json: &str, expected: bool| assert_eq!(is_error(json.as_bytes()), expected, "{json}");
        check(r#"{"content":[],"isError":true}"#, true);
        check(r#"{"is_error":true}"#, true);
        check(r#"{"isError":false}"#, false);
        check(r#"{"isError":"true"}"#, false);
        check(r#"{"a":{"isError":true}}"#, false);
        check(r#"[{"isError":true}]"#, false);
        check(r#""isError""#, false);
    }

    #[test]
    fn a_failed_tool_says_why_in_its_content() {
        let json = br#"{"content":[{"type":"image"},{"text":"no such order","type":"text"}],"isError":true}"#;
        assert_eq!(first_text(json).as_deref(), Some("no such order"));
        assert_eq!(first_text(br#"{"content":"x","isError":true}"#), None);
    }

    #[test]
    fn a_code_is_a_text_or_a_number() {
        let check =
            |json: &str, expected: Option<&str>| assert_eq!(code(json.as_bytes()).as_deref(), expected, "{json}");
        check(r#"{"code":-32602,"message":"no"}"#, Some("-32602"));
        check(r#"{"code":"E42"}"#, Some("E42"));
        check(r#"{"code":null}"#, None);
        check(r#"{"error":{"code":1}}"#, None);
    }
}

//! Parts of a JSON text, found without building a value, so that they are shown as they are stored.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::record::Text;

/// Finds a member of a JSON object by name and returns its value's text; of equal names the last one counts.
pub(super) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut rest = object.trim_start().strip_prefix('{')?;
    while let Some((key, _, after)) = split_value::<Text<'_>>(rest) {
        let (_, value, after) = split_value::<IgnoredAny>(after.trim_start().strip_prefix(':')?)?;
        if *key == *name {
            found = Some(value);
        }
        let Some(more) = after.trim_start().strip_prefix(',') else { break };
        rest = more;
    }
    found
}

/// Tells the named members of an object, or of each object in an array: `type "ticket", id "T-77"; type "prompt", …`.
pub(super) fn outline(value: &str, names: &[&str]) -> Option<String> {
    let one = |object: &str| {
        let parts = names.iter().filter_map(|name| Some(format!("{name} {}", member(object, name)?)));
        parts.collect::<Vec<_>>().join(", ")
    };
    let text = match value.strip_prefix('[') {
        None => one(value),
        Some(rest) => elements(rest).into_iter().map(one).collect::<Vec<_>>().join("; "),
    };
    (!text.is_empty()).then_some(text)
}

fn elements(mut rest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    while let Some((_, value, after)) = split_value::<IgnoredAny>(rest) {
        found.push(value);
        let Some(more) = after.trim_start().strip_prefix(',') else { break };
        rest = more;
    }
    found
}

/// Splits off the JSON value that the text begins with: the value, its text, the rest.
fn split_value<'a, T: Deserialize<'a>>(text: &'a str) -> Option<(T, &'a str, &'a str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next()?.ok()?;
    let (raw, rest) = text.split_at_checked(values.byte_offset())?;
    Some((value, raw.trim(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_name_at_its_own_level() {
        let spaced = r#"{"record" : {"a":[1e+21, {"b}":"\"}"}] , "b":null, "a2":7, "\u0061":8, "c":-1}}"#;
        let record = member(spaced, "record").unwrap();
        let check = |name, expect| assert_eq!(member(record, name), expect, "{name}");
        check("b", Some("null"));
        check("a2", Some("7"));
        check("a", Some("8"));
        check("c", Some("-1"));
        check("b}", None);
        assert_eq!(member(r#"{"a":[1e+21,{"b}":"\"}"}]}"#, "a"), Some(r#"[1e+21,{"b}":"\"}"}]"#));
        assert_eq!((member("[]", "a"), member("{}", "a"), member("", "a")), (None, None, None));
    }

    #[test]
    fn an_outline_tells_the_named_members() {
        assert_eq!(outline(r#"{"b":2,"a":"x"}"#, &["a", "b", "c"]), Some(r#"a "x", b 2"#.to_owned()));
        assert_eq!(outline(r#"[{"a":1},{"a":true}]"#, &["a"]), Some("a 1; a true".to_owned()));
        assert_eq!((outline("[]", &["a"]), outline("7", &["a"]), outline("{}", &["a"])), (None, None, None));
    }
}

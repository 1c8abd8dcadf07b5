//! What the span of a call shows of its arguments and result: never more than the record holds of them.

use std::borrow::Cow;

use crate::vocabulary::Telemetry;

/// How long what is shown may be; what is longer stands in the record alone.
const SHOWN_BYTES_MAX: usize = 16 << 10;

/// In the place of a text.
const MASKED: &str = r#""****""#;

/// Returns what telemetry shows of canonical JSON that a record holds, redacted.
pub(super) fn shown(telemetry: Telemetry, json: &[u8]) -> Option<Cow<'_, str>> {
    let json = core::str::from_utf8(json).ok().filter(|json| json.len() <= SHOWN_BYTES_MAX)?;
    match telemetry {
        Telemetry::Names => None,
        Telemetry::Arguments => Some(Cow::Borrowed(json)),
        Telemetry::RedactedArguments => Some(Cow::Owned(without_texts(json))),
    }
}

/// Masks each text but the names of members.
fn without_texts(json: &str) -> String {
    let (mut masked, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(begin) = rest.find('"') {
        let (before, from) = rest.split_at(begin);
        let (text, after) = from.split_at(text_length(from));
        masked.push_str(before);
        masked.push_str(if after.starts_with(':') { text } else { MASKED });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// Returns the length of the text that begins here, its quotes included.
fn text_length(from: &str) -> usize {
    let mut escaped = false;
    let end = from.bytes().enumerate().skip(1).find(|(_, byte)| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(from.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_the_record_holds_or_less() {
        let json = r#"{"a":"x\"y","b\\":[1,"",true,null,"\\"],"c":{"d":"e:f"}}"#;
        let check = |telemetry, expect: Option<&str>| assert_eq!(shown(telemetry, json.as_bytes()).as_deref(), expect);
        check(Telemetry::Names, None);
        check(Telemetry::Arguments, Some(json));
        let masked = r#"{"a":"****","b\\":[1,"****",true,null,"****"],"c":{"d":"****"}}"#;
        check(Telemetry::RedactedArguments, Some(masked));
        assert_eq!(shown(Telemetry::RedactedArguments, br#""secret""#).as_deref(), Some(MASKED));
        assert_eq!(shown(Telemetry::Arguments, &vec![b'1'; SHOWN_BYTES_MAX + 1]), None);
    }
}

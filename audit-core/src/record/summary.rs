//! Summaries of arguments and results: what they are and how large, and where it is short what stands first and last.

use super::{Object, name};

/// How long a value may be to be its own summary.
const SUMMARY_BYTES_MAX: usize = 256;

/// How long the first and the last element of a list may each be to stand in its summary, and an argument in that of all.
const PART_BYTES_MAX: usize = 64;

/// How long the summary of all arguments may be.
const ARGUMENTS_BYTES_MAX: usize = 8_192;

/// Sums up canonical JSON; nothing if it is short enough to be its own summary.
pub(super) fn of(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() > SUMMARY_BYTES_MAX).then(|| sum_up(bytes))
}

/// Sums up an object of arguments: short ones stay, of the others it is told what they are.
pub(super) fn of_arguments(bytes: &[u8]) -> Vec<u8> {
    if bytes.first() != Some(&b'{') {
        return sum_up(bytes);
    }
    let mut out = vec![b'{'];
    for (index, member) in items(bytes).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let (key, value) = member.split_at(key_length(member));
        out.extend_from_slice(key);
        if value.len() <= PART_BYTES_MAX {
            out.extend_from_slice(value)
        } else {
            out.extend(sum_up(value))
        }
        if out.len() > ARGUMENTS_BYTES_MAX {
            return sum_up(bytes);
        }
    }
    out.push(b'}');
    out
}

fn sum_up(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    match bytes.first() {
        Some(b'[') => {
            let (mut count, mut ends) = (0, None);
            for item in items(bytes) {
                count += 1;
                ends = Some((ends.map_or(item, |(first, _)| first), item));
            }
            object.number(name!("count"), count);
            let short = |item: &&[u8]| item.len() <= PART_BYTES_MAX;
            if let Some(first) = ends.map(|(first, _)| first).filter(short) {
                object.raw(name!("first"), first);
            }
            if let Some(last) = ends.map(|(_, last)| last).filter(short) {
                object.raw(name!("last"), last);
            }
            object.word(name!("type"), b"list");
        }
        Some(b'{') => {
            object.number(name!("fields"), items(bytes).count() as u64);
            object.word(name!("type"), b"object");
        }
        _ => {
            object.number(name!("size"), bytes.len().saturating_sub(2) as u64);
            object.word(name!("type"), b"text");
        }
    }
    object.close();
    out
}

/// Goes through the elements of a list or the members of an object, as they are written.
fn items(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inside = bytes.get(1..bytes.len().saturating_sub(1)).unwrap_or_default();
    let (mut depth, mut in_text, mut escaped) = (0u32, false, false);
    let is_comma = move |byte: &u8| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *byte == b',' && depth == 0 && !in_text
    };
    inside.split(is_comma).filter(|item| !item.is_empty())
}

/// Returns how long the key of a member is, its colon included.
fn key_length(member: &[u8]) -> usize {
    let mut escaped = false;
    let end = member.iter().skip(1).position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    });
    // The quotes on both sides and the colon.
    end.map_or(0, |length| length + 3).min(member.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(summary: Vec<u8>) -> String {
        String::from_utf8(summary).unwrap()
    }

    fn check(result: &str, expected: &str) {
        let summary = of(result.as_bytes()).map_or_else(|| result.to_owned(), text);
        assert_eq!(summary, expected);
    }

    #[test]
    fn a_short_result_is_its_own_summary_and_a_long_one_is_counted() {
        let long = "x".repeat(300);
        check(r#"{"a":1}"#, r#"{"a":1}"#);
        check(&format!(r#"["{long},\",",[1,2],{{"a":1,"b":2}}]"#), r#"{"count":3,"last":{"a":1,"b":2},"type":"list"}"#);
        check(&format!(r#"{{"a":"{long}","b":[1,2,3]}}"#), r#"{"fields":2,"type":"object"}"#);
        check(&format!(r#""{long}""#), r#"{"size":300,"type":"text"}"#);
    }

    #[test]
    fn of_a_long_list_the_first_and_the_last_are_told() {
        let numbers: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        check(&format!("[{}]", numbers.join(",")), r#"{"count":1000,"first":0,"last":999,"type":"list"}"#);
        let texts = vec![r#""a,]\"b""#; 100].join(",");
        check(&format!("[{texts}]"), r#"{"count":100,"first":"a,]\"b","last":"a,]\"b","type":"list"}"#);
    }

    #[test]
    fn of_arguments_the_short_ones_stay() {
        let numbers: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let arguments = format!(r#"{{"a\":b":1,"items":[{}],"note":"{}"}}"#, numbers.join(","), "x".repeat(99));
        let expected =
            r#"{"a\":b":1,"items":{"count":1000,"first":0,"last":999,"type":"list"},"note":{"size":99,"type":"text"}}"#;
        assert_eq!(text(of_arguments(arguments.as_bytes())), expected);
        let many: Vec<String> = (0..9_999).map(|number| format!(r#""{number}":1"#)).collect();
        assert_eq!(
            text(of_arguments(format!("{{{}}}", many.join(",")).as_bytes())),
            r#"{"fields":9999,"type":"object"}"#
        );
        assert_eq!(text(of_arguments(b"{}")), "{}");
    }
}

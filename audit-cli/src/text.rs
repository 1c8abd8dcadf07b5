//! Text for a terminal: nothing in it acts on the terminal, and what is cut says so.

use core::fmt::Write as _;

use audit_core::time::Time;

/// Writes characters that act on a terminal, or hide what stands beside them, visibly: ESC becomes `\u{1b}`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut previous = None;
    for character in text.chars() {
        if is_unsafe(character) && !joins(previous, character) {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.push(character);
        }
        previous = Some(character);
    }
    escaped
}

/// Tells whether a character shapes the emoji before it, where alone the two that do so stay as they are.
fn joins(previous: Option<char>, character: char) -> bool {
    let follows_symbol = previous.is_some_and(|previous| {
        !previous.is_ascii() && !previous.is_alphanumeric() && (previous == '\u{fe0f}' || !is_unsafe(previous))
    });
    follows_symbol && (character == '\u{200d}' || (character == '\u{fe0f}' && previous != Some('\u{fe0f}')))
}

/// Writes those characters as the escapes of JSON; the text must be valid JSON and its value stays the same.
pub(crate) fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii_control() && character != '\u{7f}' {
            // Valid JSON has these between values only, where they mean no more than a space.
            escaped.push(' ');
        } else if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _infallible = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Tells whether a character is a control (C0, DEL, C1), ends a line, reorders or hides text, or cannot be seen.
fn is_unsafe(character: char) -> bool {
    // The code points of the property Default_Ignorable_Code_Point, the other marks of direction, and the empty Braille
    // pattern.
    let invisible = matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' // spaces without width, joiners, marks of direction
        | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}' // isolates and other invisible formats
        | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' // variation selectors
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'); // tags, which are invisible ASCII, and more variation selectors
    character.is_control() || invisible
}

/// Counts entries in words.
pub(crate) fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// Escapes an identifier and quotes it if it could be taken for something else: empty, or with spaces or quotes in it.
pub(crate) fn identifier(text: &str) -> String {
    let escaped = escape(text).replace('\u{200d}', r"\u{200d}").replace('\u{fe0f}', r"\u{fe0f}");
    let is_plain = !escaped.is_empty() && escaped != "-" && !escaped.contains(|c: char| c.is_whitespace() || c == '"');
    if is_plain { escaped } else { format!("\"{}\"", escaped.replace('"', "\\\"")) }
}

/// Returns the identifier, or `-` for none.
pub(crate) fn identifier_or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), identifier)
}

/// Returns how many columns a text takes, one for each character.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Cuts a text to the given number of columns, the note of how many more characters there are included: `… +83`.
pub(crate) fn cut(text: &str, columns_max: usize) -> String {
    let total = columns(text);
    if total <= columns_max {
        return text.to_owned();
    }
    // The note is as long as it would be if nothing were kept, so that it fits whatever is kept.
    let kept = columns_max.saturating_sub(columns(&format!("… +{total}")));
    let start: String = text.chars().take(kept).collect();
    format!("{start}… +{}", total - kept)
}

/// Writes a duration with the precision that a person reads: `850 ns`, `38 µs`, `145 ms`, `1.20 s`, `2 min 05 s`.
pub(crate) fn duration(ns: u64) -> String {
    const MICROSECOND: u64 = 1_000;
    const MILLISECOND: u64 = 1_000 * MICROSECOND;
    const SECOND: u64 = 1_000 * MILLISECOND;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    let hundredths = |unit: u64| format!("{}.{:02}", ns / unit, ns % unit / (unit / 100));
    match ns {
        0..MICROSECOND => format!("{ns} ns"),
        MICROSECOND..10_000 => format!("{} µs", hundredths(MICROSECOND)),
        10_000..MILLISECOND => format!("{} µs", ns / MICROSECOND),
        MILLISECOND..10_000_000 => format!("{} ms", hundredths(MILLISECOND)),
        10_000_000..SECOND => format!("{} ms", ns / MILLISECOND),
        SECOND..MINUTE => format!("{} s", hundredths(SECOND)),
        MINUTE..HOUR => format!("{} min {:02} s", ns / MINUTE, ns % MINUTE / SECOND),
        HOUR.. => format!("{} h {:02} min", ns / HOUR, ns % HOUR / MINUTE),
    }
}

/// Splits an RFC 3339 time into its date and its time of day in UTC with milliseconds; one that is none stands alone.
pub(crate) fn date_and_clock(time: &str) -> (String, String) {
    let written = Time::parse(time).map(|time| time.to_string());
    match written.as_ref().and_then(|text| Some((text.get(..10)?, text.get(11..23)?))) {
        Some((date, clock)) => (date.to_owned(), clock.to_owned()),
        None => (String::new(), identifier(time)),
    }
}

/// Writes an RFC 3339 time in UTC with milliseconds; one that is none is written as it stands.
pub(crate) fn instant(time: &str) -> String {
    match date_and_clock(time) {
        (date, text) if date.is_empty() => text,
        (date, clock) => format!("{date}T{clock}Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_written_visibly() {
        let check = |text, expect| assert_eq!(escape(text), expect);
        check("a\u{1b}[2Jb\r\n\t\0", r"a\u{1b}[2Jb\u{d}\u{a}\u{9}\u{0}");
        check("\u{7f}\u{9b}31m", r"\u{7f}\u{9b}31m");
        check("\u{202e}cod.exe\u{2066}\u{200f}\u{feff}", r"\u{202e}cod.exe\u{2066}\u{200f}\u{feff}");
        check("\u{2028}\u{2029}\u{e0041}", r"\u{2028}\u{2029}\u{e0041}");
        check("re\u{ad}fund\u{200c}\u{3164}\u{2800}\u{e01ef}", r"re\u{ad}fund\u{200c}\u{3164}\u{2800}\u{e01ef}");
        check("a\u{200d}b1\u{fe0f}é\u{200d}", r"a\u{200d}b1\u{fe0f}é\u{200d}");
        check("❤\u{fe0f}\u{200d}🔥\u{200d}\u{200d}", "❤\u{fe0f}\u{200d}🔥\u{200d}\\u{200d}");
        check("naïve 日本語 👩\u{200d}🚀", "naïve 日本語 👩\u{200d}🚀");
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let json = "{\"a\u{7f}\":\t\"\u{9b}x\u{202e}\u{e0041}\\u001b\u{2028}é\"}\r";
        let escaped = escape_json(json);
        assert_eq!(escaped, r#"{"a\u007f": "\u009bx\u202e\udb40\udc41\u001b\u2028é"} "#);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&escaped), value(json));
    }

    #[test]
    fn an_identifier_cannot_pose_as_two_columns() {
        let check = |text, expect| assert_eq!(identifier(text), expect);
        check("order.refund", "order.refund");
        check("refund  success", "\"refund  success\"");
        check("❤\u{fe0f}", r"❤\u{fe0f}");
        check("", "\"\"");
        check("-", "\"-\"");
        check("a\"b", "\"a\\\"b\"");
    }

    #[test]
    fn a_cut_text_tells_how_much_is_missing() {
        assert_eq!(cut("0123456789", 10), "0123456789");
        assert_eq!(cut("0123456789ab", 10), "01234… +7");
        assert_eq!(cut("éééééééééééé", 10), "ééééé… +7");
        assert_eq!(cut("0123456789", 2), "… +10");
    }

    #[test]
    fn durations_are_rounded_down() {
        let check = |ns, expect| assert_eq!(duration(ns), expect);
        check(0, "0 ns");
        check(999, "999 ns");
        check(3_809, "3.80 µs");
        check(38_999, "38 µs");
        check(1_450_000, "1.45 ms");
        check(145_000_000, "145 ms");
        check(999_999_999, "999 ms");
        check(1_209_999_999, "1.20 s");
        check(59_999_999_999, "59.99 s");
        check(125_000_000_000, "2 min 05 s");
        check(3_720_000_000_000, "1 h 02 min");
        check(u64::MAX, "5124095 h 34 min");
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(instant("2026-10-27T09:42:00.000456000Z"), "2026-10-27T09:42:00.000Z");
        assert_eq!(instant("2026-10-27T11:42:00+02:00"), "2026-10-27T09:42:00.000Z");
        assert_eq!(instant("\u{1b}now"), r"\u{1b}now");
    }
}

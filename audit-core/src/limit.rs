//! Limits on texts: what is cut says so.

/// Cuts a text that is longer than `bytes_max`, at a character, and adds how much is missing: `…(+12 bytes)`.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    if text.len() <= bytes_max {
        return;
    }
    let length = text.len();
    while text.len() > bytes_max {
        text.pop();
    }
    let missing = length - text.len();
    text.push_str(&format!("…(+{missing} bytes)"));
}

/// Returns the text, cut as by [`cut`] where its JSON would be longer than `bytes_max` without the quotes.
pub(crate) fn cut_escaped(text: &str, bytes_max: usize) -> String {
    let mut escaped = 0;
    let past = text.char_indices().find(|&(_, character)| {
        escaped += match character {
            '"' | '\\' => 2,
            // The longest escape, `\u001f`; a line feed has a shorter one.
            '\0'..='\x1f' => 6,
            _ => character.len_utf8(),
        };
        escaped > bytes_max
    });
    let mut text = text.to_owned();
    if let Some((at, _)) = past {
        cut(&mut text, at);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_says_how_much_is_missing() {
        let check = |text: &str, bytes_max, expected: &str| {
            let mut text = text.to_owned();
            cut(&mut text, bytes_max);
            assert_eq!(text, expected);
        };
        check("abcdef", 6, "abcdef");
        check("abcdef", 4, "abcd…(+2 bytes)");
        check("ééé", 3, "é…(+4 bytes)");
    }

    #[test]
    fn a_text_is_cut_by_the_length_of_its_json() {
        let check = |text: &str, bytes_max, expected: &str| assert_eq!(cut_escaped(text, bytes_max), expected);
        check("abcdef", 6, "abcdef");
        check("abcdef", 4, "abcd…(+2 bytes)");
        check("\"\"", 4, "\"\"");
        check("\"\"", 3, "\"…(+1 bytes)");
        check("\u{1}\u{1}", 11, "\u{1}…(+1 bytes)");
        check("éé", 3, "é…(+2 bytes)");
    }
}

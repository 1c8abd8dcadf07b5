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
}

//! The line of text that each site leaves in the binary.

/// How long an action and the name of a tool may be, as in the attribute.
const NAME_BYTES_MAX: usize = 128;

pub use crate::{__census as census, __census_exempt as census_exempt, __census_of as census_of};

/// The line of a site whose action and tool are literals.
#[doc(hidden)]
#[macro_export]
macro_rules! __census {
    ($action:expr, $tool:expr, $effect:expr, $level:expr, $redact:expr, $skip:expr) => {
        $crate::__census!($action, $tool, $effect, $level, $redact, $skip, ::core::line!())
    };
    ($action:expr, $tool:expr, $effect:expr, $level:expr, $redact:expr, $skip:expr, $line:expr) => {
        ::core::concat!(
            "\u{1d}audited site/1\u{1f}",
            $action,
            "\u{1f}",
            $tool,
            "\u{1f}",
            $effect,
            "\u{1f}",
            $level,
            "\u{1f}",
            ::core::module_path!(),
            "\u{1f}",
            ::core::file!(),
            "\u{1f}",
            $line,
            "\u{1f}",
            $redact,
            "\u{1f}",
            $skip,
            "\u{1d}",
        )
    };
}

/// The line of a site whose action or tool is a constant.
#[doc(hidden)]
#[macro_export]
macro_rules! __census_of {
    ($action:expr, $tool:expr, $effect:expr, $level:expr, $redact:expr, $skip:expr) => {
        $crate::__census_of!($action, $tool, $effect, $level, $redact, $skip, ::core::line!())
    };
    ($action:expr, $tool:expr, $effect:expr, $level:expr, $redact:expr, $skip:expr, $line:expr) => {{
        const PARTS: &[&::core::primitive::str] = &[
            "\u{1d}audited site/1\u{1f}",
            $action,
            "\u{1f}",
            $tool,
            ::core::concat!(
                "\u{1f}",
                $effect,
                "\u{1f}",
                $level,
                "\u{1f}",
                ::core::module_path!(),
                "\u{1f}",
                ::core::file!(),
                "\u{1f}",
                $line,
                "\u{1f}",
                $redact,
                "\u{1f}",
                $skip,
                "\u{1d}",
            ),
        ];
        const BYTES: [::core::primitive::u8; $crate::__private::joined_length(PARTS)] =
            $crate::__private::joined(PARTS);
        $crate::__private::joined_text(&BYTES)
    }};
}

/// The line of an exemption.
#[doc(hidden)]
#[macro_export]
macro_rules! __census_exempt {
    ($tool:expr, $reason:expr) => {
        $crate::__census_exempt!($tool, $reason, ::core::line!())
    };
    ($tool:expr, $reason:expr, $line:expr) => {
        ::core::concat!(
            "\u{1d}audited exempt/1\u{1f}",
            $tool,
            "\u{1f}",
            $reason,
            "\u{1f}",
            ::core::module_path!(),
            "\u{1f}",
            ::core::file!(),
            "\u{1f}",
            $line,
            "\u{1d}",
        )
    };
}

/// Returns how long the joined texts are.
#[must_use]
pub const fn joined_length(parts: &[&str]) -> usize {
    let mut rest = parts;
    let mut length = 0;
    while let [first, others @ ..] = rest {
        length += first.len();
        rest = others;
    }
    length
}

/// Joins texts when the program is compiled.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled, and as long as the texts are")]
pub const fn joined<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut index = 0;
        while index < text.len() {
            bytes[at] = text[index];
            at += 1;
            index += 1;
        }
        part += 1;
    }
    bytes
}

/// Returns joined texts as a text.
#[must_use]
pub const fn joined_text(bytes: &'static [u8]) -> &'static str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Refuses, when the program is compiled, a constant that cannot be an action.
pub const fn check_action(action: &str) {
    assert!(!action.is_empty(), "an action is not empty");
    assert!(action.len() <= NAME_BYTES_MAX, "an action has at most 128 bytes");
    let mut rest = action.as_bytes();
    while let [first, others @ ..] = rest {
        assert!(
            !first.is_ascii_whitespace() && !first.is_ascii_control(),
            "an action has no white space, as in `order.refund`"
        );
        rest = others;
    }
}

/// Refuses, when the program is compiled, a constant that cannot be the name of a tool.
pub const fn check_tool(tool: &str) {
    assert!(!tool.is_empty(), "a tool name is not empty");
    assert!(tool.len() <= NAME_BYTES_MAX, "a tool name has at most 128 bytes");
    let mut rest = tool.as_bytes();
    while let [first, others @ ..] = rest {
        assert!(!first.is_ascii_control(), "a tool name has no control characters");
        rest = others;
    }
}

//! Names of anchors.

use core::fmt;
use core::str::FromStr;

/// The name of an anchor, safe as the name of a directory everywhere: 1 to 64 of `a`–`z`, `0`–`9`, `-` and `_`, and not
/// beginning with `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnchorName(String);

const BYTES_MAX: usize = 64;

impl AnchorName {
    /// Returns the text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AnchorName {
    type Err = ParseAnchorNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let is_name = !text.is_empty() && text.len() <= BYTES_MAX && text.bytes().all(is_allowed);
        if is_name && !text.starts_with('-') { Ok(Self(text.to_owned())) } else { Err(ParseAnchorNameError(())) }
    }
}

impl fmt::Display for AnchorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AnchorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The text is not the name of an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAnchorNameError(());

impl fmt::Display for ParseAnchorNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of an anchor: expected 1 to 64 of a-z, 0-9, - and _, not beginning with -")
    }
}

impl std::error::Error for ParseAnchorNameError {}

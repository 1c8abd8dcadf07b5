//! Checkpoints: the C2SP note text of a tree head, `origin⏎size⏎base64(root)⏎`.
//!
//! Until a log has keys its `checkpoint` file holds this bare text; then a signed note of it. Source: C2SP `tlog-checkpoint`.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::verify::Head;

/// The statement that the log named `origin` has `size` entries whose Merkle tree has the root `root`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log, unique and without line feeds.
    pub origin: String,
    /// How many entries the tree covers; at least 1.
    pub size: u64,
    /// The root hash of the tree over the first `size` entries.
    pub root: Hash,
}

impl Checkpoint {
    /// Parses the one canonical form: three lines, each ended by a single line feed, and nothing after them.
    ///
    /// # Errors
    /// Tells which line is not as expected.
    pub fn parse(text: &str) -> Result<Self, ParseCheckpointError> {
        let fault = |line, expected| ParseCheckpointError { line, expected };
        let body = text.strip_suffix('\n').ok_or(fault(3, "a line feed at the end"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty() && !line.contains(|letter: char| letter < ' '));
        let origin = origin.ok_or(fault(1, "the origin of the log"))?;
        let size =
            lines.next().and_then(parse_size).ok_or(fault(2, "a tree size of at least 1 in plain decimal digits"))?;
        let root = lines.next().and_then(parse_root).ok_or(fault(3, "a root hash of 32 bytes in base64"))?;
        match lines.next() {
            None => Ok(Self { origin: origin.to_owned(), size, root }),
            Some(_) => Err(fault(4, "the end of the note text")),
        }
    }
}

impl Checkpoint {
    /// Parses the checkpoint of a note: its text alone, as long as a log has no keys, or the text, a blank line and
    /// signatures, which are not looked at here.
    ///
    /// # Errors
    /// Tells which line is not as expected.
    pub fn of_note(note: &str) -> Result<Self, ParseCheckpointError> {
        let end = note.find("\n\n").map_or(note.len(), |end| end + 1);
        Self::parse(note.get(..end).unwrap_or_default())
    }

    /// Returns what the checkpoint says of the tree.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { size: self.size, root: self.root }
    }
}

/// Splits the first note off a text that holds several in a row; none if the text does not begin with a whole one.
///
/// The text of each is that of a checkpoint, so a line that begins with an em dash is a signature.
#[must_use]
pub fn split_note(notes: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for _ in 0..3 {
        at += notes.get(at..)?.find('\n')? + 1;
    }
    if notes.get(at..)?.starts_with('\n') {
        at += 1;
        let unsigned = at;
        while notes.get(at..)?.starts_with('\u{2014}') {
            at += notes.get(at..)?.find('\n')? + 1;
        }
        if at == unsigned {
            return None;
        }
    }
    notes.split_at_checked(at)
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

/// Returns the text of a root: base64 with padding.
#[must_use]
pub fn root_text(root: Hash) -> String {
    STANDARD.encode(root.as_bytes())
}

fn parse_size(line: &str) -> Option<u64> {
    let canonical = line.bytes().all(|byte| byte.is_ascii_digit()) && !line.starts_with('0');
    if canonical { line.parse().ok() } else { None }
}

fn parse_root(line: &str) -> Option<Hash> {
    let bytes = STANDARD.decode(line).ok()?;
    Some(Hash::from_bytes(bytes.try_into().ok()?))
}

/// The text is not a checkpoint in its one canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCheckpointError {
    line: usize,
    expected: &'static str,
}

impl fmt::Display for ParseCheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a checkpoint: expected {} on line {}", self.expected, self.line)
    }
}

impl std::error::Error for ParseCheckpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        let checkpoint = Checkpoint { origin: "example.com/orders".into(), size: 21, root: Hash::of(b"root") };
        let text = checkpoint.to_string();
        assert_eq!(Checkpoint::parse(&text), Ok(checkpoint));

        let refused = |altered: String, line| assert_eq!(Checkpoint::parse(&altered).map_err(|e| e.line), Err(line));
        refused(text.replace("\n21\n", "\n021\n"), 2);
        refused(text.replace("\n21\n", "\n0\n"), 2);
        refused(text.replace("\n21\n", "\n+21\n"), 2);
        refused(text.replace("\n21\n", "\n21\r\n"), 2);
        refused(text.replace("example.com/orders", ""), 1);
        refused(text.trim_end().to_owned(), 3);
        refused(format!("{text}\n"), 4);
        refused(format!("{text}more\n"), 4);
        refused(text.replace('=', ""), 3);
    }

    #[test]
    fn notes_in_a_row_are_taken_apart() {
        let bare = "o\n1\nAAAA\n";
        let signed = format!("{bare}\n\u{2014} o AAAAAAAA\n\u{2014} w AAAAAAAA\n");
        let all = format!("{bare}{signed}{bare}{signed}");
        let (mut notes, mut rest) = (Vec::new(), all.as_str());
        while let Some((note, after)) = split_note(rest) {
            notes.push(note);
            rest = after;
        }
        assert_eq!((notes.as_slice(), rest), ([bare, signed.as_str(), bare, signed.as_str()].as_slice(), ""));
        for torn in ["", "o\n1\nAAAA", "o\n1\nAAAA\n\n", "o\n1\nAAAA\n\n\u{2014} o AA"] {
            assert_eq!(split_note(torn), None, "{torn:?}");
        }
    }
}

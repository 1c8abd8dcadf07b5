//! What the line `extra` of a `.tlog-proof` file holds.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::disclosed::{self, DISCLOSURES_MAX, Disclosed};
use super::{Evidence, ParseEvidenceError};
use crate::entry::LINE_BYTES_MAX;
use crate::lines;

/// The most rotations that one evidence may carry.
pub const ROTATIONS_MAX: usize = 4096;

/// The entry that is proved, sealed values of it that are disclosed, and the rotations that lead to the key of the checkpoint
/// that proves it.
///
/// ```text
/// {"record":{…},"sequence":{…}}⏎
/// disclosure L3JlcXVlc3QvYXJndW1lbnRzL25hbWU= WyJBUUlE…⏎
/// rotation YzJzcC5vcmcvdGxvZy1wcm9vZkB2MQ…⏎
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// The line of the entry without its line feed; from 1 to 65,535 bytes.
    pub entry: Vec<u8>,
    /// Values of the entry that were sealed; at most [`DISCLOSURES_MAX`].
    pub disclosures: Vec<Disclosed>,
    /// The evidence of each entry `key.rotated` on the way, the oldest first; at most [`ROTATIONS_MAX`].
    ///
    /// The extra data of each is the entry alone.
    pub rotations: Vec<Evidence>,
}

impl Extra {
    /// Parses the one canonical form; whether the entries are entries is not looked at.
    ///
    /// # Errors
    /// Tells which line is not as expected.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseExtraError> {
        let body = bytes.strip_suffix(b"\n");
        let body = body.ok_or_else(|| fault(1 + count_lines(bytes), "a line feed at the end"))?;
        let mut lines = body.split(|byte| *byte == b'\n');
        let entry = lines.next().filter(|line| !line.is_empty() && line.len() <= LINE_BYTES_MAX);
        let entry = entry.ok_or_else(|| fault(1, "an entry of 1 to 65535 bytes"))?.to_vec();
        let mut numbered = (2..).zip(lines).peekable();
        let mut disclosures = Vec::new();
        while let Some((number, line)) = numbered.next_if(|(_number, line)| disclosed::is_line(line)) {
            if disclosures.len() >= DISCLOSURES_MAX {
                return Err(fault(number, "at most 256 disclosures"));
            }
            let found = Disclosed::parse(line);
            disclosures.push(found.ok_or_else(|| fault(number, "`disclosure`, a path in base64 and a disclosure"))?);
        }
        let mut rotations = Vec::new();
        for (number, line) in numbered {
            if rotations.len() >= ROTATIONS_MAX {
                return Err(fault(number, "the end after at most 4096 rotations"));
            }
            rotations.push(parse_rotation(number, line)?);
        }
        Ok(Self { entry, disclosures, rotations })
    }

    /// Makes the extra data of an entry without rotations and disclosures.
    #[must_use]
    pub const fn of(entry: Vec<u8>) -> Self {
        Self { entry, disclosures: Vec::new(), rotations: Vec::new() }
    }

    /// Returns the bytes that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.entry.clone();
        bytes.push(b'\n');
        self.disclosures.iter().for_each(|disclosed| disclosed.write(&mut bytes));
        for rotation in &self.rotations {
            bytes.extend_from_slice(ROTATION);
            bytes.extend_from_slice(STANDARD.encode(rotation.to_string()).as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }
}

fn parse_rotation(line: usize, text: &[u8]) -> Result<Evidence, ParseExtraError> {
    let bytes = text.strip_prefix(ROTATION).and_then(lines::parse_base64);
    let bytes = bytes.ok_or_else(|| fault(line, "`rotation` and a .tlog-proof file in base64"))?;
    let rotation = Evidence::parse(&bytes).map_err(|source| ParseExtraError {
        line,
        expected: "the .tlog-proof file of a rotation",
        source: Some(source),
    })?;
    // Without a level below there is nothing that nests.
    let extra = rotation.extra.as_deref().and_then(|extra| extra.strip_suffix(b"\n"));
    let is_entry =
        extra.is_some_and(|entry| !entry.is_empty() && entry.len() <= LINE_BYTES_MAX && !entry.contains(&b'\n'));
    if is_entry { Ok(rotation) } else { Err(fault(line, "a rotation with its entry, and nothing else, as extra data")) }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

const fn fault(line: usize, expected: &'static str) -> ParseExtraError {
    ParseExtraError { line, expected, source: None }
}

/// The bytes are not the extra data of this project's evidence in its one canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseExtraError {
    line: usize,
    expected: &'static str,
    source: Option<ParseEvidenceError>,
}

impl ParseExtraError {
    /// Returns the number of the line that is not as expected, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for ParseExtraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the extra data of an entry: expected {} on line {}", self.expected, self.line)
    }
}

impl std::error::Error for ParseExtraError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

const ROTATION: &[u8] = b"rotation ";

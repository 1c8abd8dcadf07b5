//! Texts of lines that C2SP formats are made of: read strictly, one form only.

use core::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;

/// The most bytes in such a text.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// The most hashes in a proof: those of a tree of 2^63 leaves (C2SP `tlog-witness`).
pub(crate) const HASHES_MAX: usize = 63;

/// What is not as expected, and on which line, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) expected: &'static str,
}

/// The lines of a text, each of which ends with a line feed.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a str,
    /// The number of the line that `rest` begins with.
    line: usize,
}

impl<'a> Lines<'a> {
    /// Takes a text of at most [`BYTES_MAX`] bytes of UTF-8 in which the line feed is the only control character and the end.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, Fault> {
        if text.len() > BYTES_MAX {
            return Err(Fault { line: 1, expected: "at most 1048576 bytes" });
        }
        let line_of = |end: usize| 1 + text.iter().take(end).filter(|byte| **byte == b'\n').count();
        let rest = core::str::from_utf8(text)
            .map_err(|fault| Fault { line: line_of(fault.valid_up_to()), expected: "valid UTF-8" })?;
        if let Some(place) = text.iter().position(|byte| *byte < b' ' && *byte != b'\n') {
            return Err(Fault { line: line_of(place), expected: "no control character but the line feed" });
        }
        if !rest.ends_with('\n') {
            return Err(Fault { line: line_of(text.len()), expected: "a line feed at the end" });
        }
        Ok(Self { rest, line: 1 })
    }

    /// Takes the next line if it is as expected, which `parse` decides.
    pub(crate) fn take<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, Fault> {
        let fault = self.fault(expected);
        let (line, rest) = self.rest.split_once('\n').ok_or(fault)?;
        let value = parse(line).ok_or(fault)?;
        self.rest = rest;
        self.line += 1;
        Ok(value)
    }

    /// Tells whether the next line begins with a text.
    pub(crate) fn starts_with(&self, text: &str) -> bool {
        self.rest.starts_with(text)
    }

    /// Takes a proof, the empty line after it, and the checkpoint that is all the rest.
    pub(crate) fn proof_and_checkpoint(mut self) -> Result<(Vec<Hash>, String), Fault> {
        let mut proof = Vec::new();
        while proof.len() < HASHES_MAX && !self.starts_with("\n") {
            proof.push(self.take("a hash of 32 bytes in base64, or an empty line", parse_hash)?);
        }
        self.take("an empty line after at most 63 hashes", |line| line.is_empty().then_some(()))?;
        if self.rest.is_empty() || self.starts_with("\n") {
            return Err(self.fault("a checkpoint"));
        }
        Ok((proof, self.rest.to_owned()))
    }

    const fn fault(&self, expected: &'static str) -> Fault {
        Fault { line: self.line, expected }
    }
}

/// Writes what [`Lines::proof_and_checkpoint`] takes.
pub(crate) fn write_proof_and_checkpoint(f: &mut fmt::Formatter<'_>, proof: &[Hash], checkpoint: &str) -> fmt::Result {
    for hash in proof {
        writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
    }
    f.write_char('\n')?;
    f.write_str(checkpoint)
}

/// Reads a number in decimal digits without a sign or leading zeros.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// Reads bytes in the one base64 form of RFC 4648 §4; at least one byte.
pub(crate) fn parse_base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn parse_hash(line: &str) -> Option<Hash> {
    Some(Hash::from_bytes(parse_base64(line.as_bytes())?.try_into().ok()?))
}

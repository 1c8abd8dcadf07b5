//! Reading a policy: strictly, line by line.

use core::fmt;

use super::{Group, KnownLog, KnownWitness, Member, POLICY_BYTES_MAX, POLICY_LINES_MAX, Policy};
use crate::note::{ParseKeyError, VerificationKey};

impl Policy {
    /// Parses the bytes of a policy file: lines that each end with a line feed, of words between spaces and tabs.
    ///
    /// # Errors
    /// Tells which line is not as expected. A file of more than [`POLICY_BYTES_MAX`] bytes, or of more than
    /// [`POLICY_LINES_MAX`] logs, witnesses or groups, is refused.
    pub fn parse(file: &[u8]) -> Result<Self, ParsePolicyError> {
        if file.len() > POLICY_BYTES_MAX {
            return Err(fault(0, "a file of at most 65536 bytes"));
        }
        let mut draft = Draft::default();
        let mut number = 0;
        for line in file.split_inclusive(|byte| *byte == b'\n') {
            number += 1;
            let line = line.strip_suffix(b"\n").ok_or(fault(number, "a line feed at the end of the line"))?;
            if line.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
                return Err(fault(number, "no control character but the tab"));
            }
            let words: Vec<&[u8]> = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|w| !w.is_empty()).collect();
            draft.take(&words).map_err(|expected| ParsePolicyError { line: number, expected })?;
        }
        let quorum = draft.quorum.ok_or(fault(number + 1, "a quorum line, of which there is one in a file"))?;
        Ok(Self { logs: draft.logs, members: draft.members, quorum })
    }
}

const fn fault(line: usize, expected: &'static str) -> ParsePolicyError {
    ParsePolicyError { line, expected: Expected::Text(expected) }
}

/// What the lines so far have defined.
#[derive(Default)]
struct Draft {
    logs: Vec<KnownLog>,
    members: Vec<Member>,
    /// Whether the member of the same place is in a group already.
    is_grouped: Vec<bool>,
    quorum: Option<Option<usize>>,
}

impl Draft {
    fn take(&mut self, words: &[&[u8]]) -> Result<(), Expected> {
        match words {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", key, url @ ..] => self.log(key, one_at_most(url)?),
            [b"witness", name, key, url @ ..] => self.witness(name, key, one_at_most(url)?),
            [b"group", name, needed, first, more @ ..] => self.group(name, needed, &[&[*first], more].concat()),
            [b"quorum", name] => self.quorum(name),
            _ => Err(Expected::Text(
                "`log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> all|any|<k> <name>…` or \
                 `quorum <name>`",
            )),
        }
    }

    fn log(&mut self, key: &[u8], url: Option<&[u8]>) -> Result<(), Expected> {
        let key = parse_key(key)?;
        let is_twice = self.logs.iter().any(|other| other.key.public_key() == key.public_key());
        check(!is_twice, "a public key that no other log has")?;
        check(self.logs.len() < POLICY_LINES_MAX, "at most 128 logs")?;
        self.logs.push(KnownLog { key, url: url.map(<[u8]>::to_vec) });
        Ok(())
    }

    fn witness(&mut self, name: &[u8], key: &[u8], url: Option<&[u8]>) -> Result<(), Expected> {
        let key = parse_key(key)?;
        check(key.is_cosigner(), "a key of type 4 (Ed25519 cosignatures)")?;
        let mut others = self.members.iter().filter_map(Member::witness);
        check(
            others.all(|other| other.key.public_key() != key.public_key()),
            "a public key that no other witness has",
        )?;
        let count = self.members.iter().filter_map(Member::witness).count();
        check(count < POLICY_LINES_MAX, "at most 128 witnesses")?;
        self.define(Member::Witness(KnownWitness { name: name.to_vec(), key, url: url.map(<[u8]>::to_vec) }))
    }

    fn group(&mut self, name: &[u8], needed: &[u8], names: &[&[u8]]) -> Result<(), Expected> {
        let needed = parse_needed(needed, names.len())?;
        let groups = self.members.iter().filter(|member| member.witness().is_none()).count();
        check(groups < POLICY_LINES_MAX, "at most 128 groups")?;
        let mut members = Vec::with_capacity(names.len());
        for name in names {
            let place = self.find(name)?;
            let grouped = self.is_grouped.get_mut(place).ok_or(Expected::Text(DEFINED))?;
            check(!*grouped, "names that each stand in one group only, and once")?;
            *grouped = true;
            members.push(place);
        }
        self.define(Member::Group(Group { name: name.to_vec(), needed, members }))
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), Expected> {
        check(self.quorum.is_none(), "no second quorum line")?;
        self.quorum = Some(if name == NONE { None } else { Some(self.find(name)?) });
        Ok(())
    }

    fn define(&mut self, member: Member) -> Result<(), Expected> {
        check(member.name() != NONE, "a name other than `none`")?;
        check(self.members.iter().all(|other| other.name() != member.name()), "a name that is not taken")?;
        self.members.push(member);
        self.is_grouped.push(false);
        Ok(())
    }

    fn find(&self, name: &[u8]) -> Result<usize, Expected> {
        self.members.iter().position(|member| member.name() == name).ok_or(Expected::Text(DEFINED))
    }
}

const NONE: &[u8] = b"none";
const DEFINED: &str = "names of witnesses and groups that are defined above";

const fn check(is_met: bool, expected: &'static str) -> Result<(), Expected> {
    if is_met { Ok(()) } else { Err(Expected::Text(expected)) }
}

const fn one_at_most<'a>(words: &[&'a [u8]]) -> Result<Option<&'a [u8]>, Expected> {
    match words {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Expected::Text("nothing after the URL")),
    }
}

fn parse_key(word: &[u8]) -> Result<VerificationKey, Expected> {
    let text = core::str::from_utf8(word).map_err(|_not_text| Expected::Text("a key in UTF-8"))?;
    text.parse().map_err(Expected::Key)
}

fn parse_needed(word: &[u8], members: usize) -> Result<usize, Expected> {
    let expected = Expected::Text("`all`, `any` or a number from 1 to that of the members, in plain decimal digits");
    match word {
        b"all" => Ok(members),
        b"any" => Ok(1),
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
            let number = core::str::from_utf8(word).ok().and_then(|digits| digits.parse().ok());
            number.filter(|needed| *needed <= members).ok_or(expected)
        }
        _ => Err(expected),
    }
}

/// The bytes are not a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsePolicyError {
    line: usize,
    expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Text(&'static str),
    Key(ParseKeyError),
}

impl ParsePolicyError {
    /// Returns the number of the line that is not as expected, from 1; 0 if it is the whole file.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for ParsePolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expected {
            Expected::Text(expected) => write!(f, "not a policy: expected {expected}")?,
            Expected::Key(fault) => write!(f, "not a policy: {fault}")?,
        }
        if self.line > 0 { write!(f, " on line {}", self.line) } else { Ok(()) }
    }
}

impl std::error::Error for ParsePolicyError {}

//! A quick reading of records in the form in which this crate writes them.
//!
//! A [`Scanner`] checks the whole grammar of a record (RFC 8259), as the parser does, but builds nothing. What it does
//! not expect, it leaves to the parser: spaces between tokens, escapes in the members that matter, deep nesting. So it
//! never accepts what the parser refuses, and both read the same where both accept.

mod marks;

use marks::Marks;

/// The members of a record that verification reads, as the bytes between their quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Members<'a> {
    pub(crate) schema_version: &'a [u8],
    pub(crate) event_name: &'a [u8],
    pub(crate) stage: &'a [u8],
    pub(crate) time: &'a [u8],
    pub(crate) call_id: Option<&'a [u8]>,
}

/// Scans records one after the other.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    marks: Marks,
}

impl Scanner {
    /// Reads a record; `None` where it is for the parser to decide.
    pub(crate) fn scan<'a>(&mut self, record: &'a [u8]) -> Option<Members<'a>> {
        self.marks.set(record)?;
        let mut walk = Walk { bytes: record, marks: &self.marks, word: 0, quotes: 0, at: 0 };
        walk.quotes = self.marks.quotes(0)?;
        let found = walk.record()?;
        let [Some(schema_version), Some(event_name), Some(stage), Some(time), call_id] = found.values else {
            return None;
        };
        if found.has_call && call_id.is_none() {
            return None;
        }
        Some(Members { schema_version, event_name, stage, time, call_id })
    }
}

/// The members found so far: schema, event name, stage, time, and the identifier of the call.
#[derive(Default)]
struct Found<'a> {
    values: [Option<&'a [u8]>; 5],
    has_call: bool,
}

/// What a key says of the value after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Any,
    /// The member of this index; must be a text.
    Member(usize),
    /// Must be an object.
    Call,
}

/// The containers that are open: a bit each, set for an object.
struct Nesting {
    objects: u64,
    depth: u32,
}

impl Nesting {
    fn open(&mut self, is_object: bool) -> Option<()> {
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(is_object);
        (self.depth < u64::BITS).then_some(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    const fn is_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

/// The way through the bytes of one record, from quote to quote.
struct Walk<'a, 'm> {
    bytes: &'a [u8],
    marks: &'m Marks,
    /// The index of the current word of marks, and its quotes that were not met yet.
    word: usize,
    quotes: u64,
    at: usize,
}

impl<'a> Walk<'a, '_> {
    fn record(&mut self) -> Option<Found<'a>> {
        let mut found = Found::default();
        let mut nesting = Nesting { objects: 0, depth: 0 };
        let mut is_in_call = false;
        self.expect(b'{')?;
        nesting.open(true)?;
        // Every turn reads one value, with its key if it has one, and all ends of containers after it.
        loop {
            let mut meaning = Meaning::Any;
            if nesting.is_object() {
                let key = self.text()?;
                self.expect(b':')?;
                if nesting.depth == 1 || (is_in_call && nesting.depth == 2) {
                    meaning = self.meaning(key, nesting.depth == 1, &mut found)?;
                }
            }
            match (*self.bytes.get(self.at)?, meaning) {
                (b'"', Meaning::Any) => _ = self.text()?,
                (b'"', Meaning::Member(index)) => {
                    let text = self.text()?;
                    self.take(&mut found, index, text)?;
                }
                (b'{', Meaning::Any | Meaning::Call) => {
                    is_in_call |= meaning == Meaning::Call;
                    self.at += 1;
                    nesting.open(true)?;
                    if *self.bytes.get(self.at)? != b'}' {
                        continue;
                    }
                }
                (b'[', Meaning::Any) => {
                    self.at += 1;
                    nesting.open(false)?;
                    if *self.bytes.get(self.at)? != b']' {
                        continue;
                    }
                }
                (first, Meaning::Any) => self.scalar(first)?,
                _ => return None,
            }
            while *self.bytes.get(self.at)? != b',' {
                self.expect(if nesting.is_object() { b'}' } else { b']' })?;
                nesting.close();
                is_in_call &= nesting.depth > 1;
                if nesting.depth == 0 {
                    return (self.at == self.bytes.len()).then_some(found);
                }
            }
            self.at += 1;
        }
    }

    /// Tells what a key of the record, or else of its `call`, says of the value after it.
    fn meaning(&self, key: &[u8], is_member: bool, found: &mut Found<'a>) -> Option<Meaning> {
        if self.marks.has_escapes() && key.contains(&b'\\') {
            return None;
        }
        Some(match (is_member, key) {
            (true, b"schema_version") => Meaning::Member(0),
            (true, b"event_name") => Meaning::Member(1),
            (true, b"stage") => Meaning::Member(2),
            (true, b"time") => Meaning::Member(3),
            (true, b"call") if found.has_call => return None,
            (true, b"call") => {
                found.has_call = true;
                Meaning::Call
            }
            (false, b"id") => Meaning::Member(4),
            _ => Meaning::Any,
        })
    }

    /// Keeps the text of a member that was not met before.
    fn take(&self, found: &mut Found<'a>, index: usize, text: &'a [u8]) -> Option<()> {
        let place = found.values.get_mut(index)?;
        if place.is_some() || (self.marks.has_escapes() && text.contains(&b'\\')) {
            return None;
        }
        *place = Some(text);
        Some(())
    }

    /// Reads a text, which begins here, and returns what is between its quotes.
    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        if self.next_quote()? != self.at {
            return None;
        }
        let end = self.next_quote()?;
        let text = self.bytes.get(self.at + 1..end)?;
        self.at = end + 1;
        Some(text)
    }

    #[inline]
    fn next_quote(&mut self) -> Option<usize> {
        while self.quotes == 0 {
            self.word += 1;
            self.quotes = self.marks.quotes(self.word)?;
        }
        let at = self.word * 64 + usize::try_from(self.quotes.trailing_zeros()).ok()?;
        self.quotes &= self.quotes - 1;
        Some(at)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        if *self.bytes.get(self.at)? != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// Reads a number or one of the three words.
    fn scalar(&mut self, first: u8) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let word = match first {
            b't' => &b"true"[..],
            b'f' => b"false",
            b'n' => b"null",
            _ => rest.get(..number(rest)?)?,
        };
        self.at += word.len();
        rest.starts_with(word).then_some(())
    }
}

/// Returns the length of the number that the bytes begin with.
fn number(bytes: &[u8]) -> Option<usize> {
    let digits = |at: usize| {
        let count = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(at + count)
    };
    let start = usize::from(bytes.first() == Some(&b'-'));
    let mut at = if bytes.get(start) == Some(&b'0') { start + 1 } else { digits(start)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at = digits(at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-'))))?;
    }
    Some(at)
}

#[cfg(test)]
mod tests;

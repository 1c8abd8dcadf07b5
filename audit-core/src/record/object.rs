//! Writes an object whose members are known beforehand, in canonical order.

use crate::canonical::{write_digits, write_joined, write_string};
use crate::hash::Hash;
use crate::id::IdText;
use crate::time::TEXT_BYTES;

/// An object that is being written. Members are written in the order of their names, which debug builds check.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    last: Name,
}

/// The name of a member with what stands around it: `,"action":`, made by [`name!`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(pub(crate) &'static str);

/// Makes the [`Name`] of a member, when the program is compiled.
macro_rules! name {
    ($name:expr) => {
        $crate::record::Name(concat!(",\"", $name, "\":"))
    };
}
pub(crate) use name;

// Most of a record is written by what is called here, always with constants: inlined, each call is a copy of a few words.
impl<'a> Object<'a> {
    #[inline(always)]
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, last: Name("") }
    }

    /// Goes on with an object whose bytes up to the given member are written.
    #[inline(always)]
    pub(crate) fn resume(out: &'a mut Vec<u8>, bytes: &[u8], last: Name) -> Self {
        out.extend_from_slice(bytes);
        Self { out, last }
    }

    /// Adds members that are written already; `last` is at least the last of them.
    #[inline(always)]
    pub(crate) fn written(&mut self, bytes: &[u8], last: Name) {
        debug_assert!(self.last < last, "{last:?} is written after {:?}", self.last);
        self.last = last;
        self.out.extend_from_slice(bytes);
    }

    /// Returns how many bytes are written.
    pub(crate) const fn length(&self) -> usize {
        self.out.len()
    }

    #[inline(always)]
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    #[inline(always)]
    fn name(&mut self, name: Name) -> &mut Vec<u8> {
        debug_assert!(self.last < name, "{name:?} is written after {:?}", self.last);
        let text = name.0.as_bytes();
        let text = if self.last.0.is_empty() { text.get(1..).unwrap_or_default() } else { text };
        self.last = name;
        self.out.extend_from_slice(text);
        self.out
    }

    #[inline(always)]
    pub(crate) fn object(&mut self, name: Name) -> Object<'_> {
        Object::open(self.name(name))
    }

    #[inline(always)]
    pub(crate) fn text(&mut self, name: Name, text: &str) {
        write_string(self.name(name), text);
    }

    /// Writes a text that is given in parts.
    pub(crate) fn joined(&mut self, name: Name, parts: &[&str]) {
        write_joined(self.name(name), parts);
    }

    #[inline(always)]
    pub(crate) fn optional_text(&mut self, name: Name, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Writes a text that needs no escape: a word of the vocabulary, an identifier, a time.
    #[inline(always)]
    pub(crate) fn word(&mut self, name: Name, word: &[u8]) {
        let out = self.name(name);
        out.push(b'"');
        out.extend_from_slice(word);
        out.push(b'"');
    }

    #[inline(always)]
    pub(crate) fn time(&mut self, name: Name, time: &[u8; TEXT_BYTES]) {
        self.word(name, time);
    }

    #[inline(always)]
    pub(crate) fn id(&mut self, name: Name, id: &IdText) {
        self.word(name, id);
    }

    #[inline(always)]
    pub(crate) fn hash(&mut self, name: Name, hash: Hash) {
        let out = self.name(name);
        out.extend_from_slice(b"\"sha-256:");
        out.extend_from_slice(&hash.to_hex());
        out.push(b'"');
    }

    /// Writes a number; one beyond 2^53−1 as a string, as everywhere.
    #[inline(always)]
    pub(crate) fn number(&mut self, name: Name, number: u64) {
        let exact = number < 1 << 53;
        let out = self.name(name);
        if !exact {
            out.push(b'"');
        }
        write_digits(out, number);
        if !exact {
            out.push(b'"');
        }
    }

    #[inline(always)]
    pub(crate) fn boolean(&mut self, name: Name, value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    /// Writes a value that is canonical already.
    #[inline(always)]
    pub(crate) fn raw(&mut self, name: Name, bytes: &[u8]) {
        self.name(name).extend_from_slice(bytes);
    }

    pub(crate) fn list<T>(&mut self, name: Name, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
        let out = self.name(name);
        out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(out, item);
        }
        out.push(b']');
    }
}

//! Writes an object whose members are known beforehand, in canonical order.

use core::fmt::{Display, Write as _};

use crate::canonical::write_string;

/// An object that is being written. Members are written in the order of their names, which debug builds check.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    last: &'static str,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, last: "" }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        debug_assert!(self.last < name, "`{name}` is written after `{}`", self.last);
        if !self.last.is_empty() {
            self.out.push(b',');
        }
        self.last = name;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Object<'_> {
        Object::open(self.name(name))
    }

    pub(crate) fn text(&mut self, name: &'static str, text: &str) {
        write_string(self.name(name), text);
    }

    pub(crate) fn optional_text(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Writes a value whose text needs no escape: an identifier, a time, a hash.
    pub(crate) fn display(&mut self, name: &'static str, value: &dyn Display) {
        let out = self.name(name);
        out.push(b'"');
        // Writing into memory does not fail.
        let _written = write!(Bytes(out), "{value}");
        out.push(b'"');
    }

    /// Writes a number; one beyond 2^53−1 as a string, as everywhere.
    pub(crate) fn number(&mut self, name: &'static str, number: u64) {
        let exact = number < 1 << 53;
        let out = self.name(name);
        let mut digits = itoa::Buffer::new();
        if exact {
            out.extend_from_slice(digits.format(number).as_bytes());
        } else {
            write_string(out, digits.format(number));
        }
    }

    pub(crate) fn boolean(&mut self, name: &'static str, value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    /// Writes a value that is canonical already.
    pub(crate) fn raw(&mut self, name: &'static str, bytes: &[u8]) {
        self.name(name).extend_from_slice(bytes);
    }

    pub(crate) fn list<T>(&mut self, name: &'static str, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
        let out = self.name(name);
        out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(out, item);
        }
        out.push(b']');
    }
}

struct Bytes<'a>(&'a mut Vec<u8>);

impl core::fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

//! The `serde` side of the serializer.

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::super::key::name_of;
use super::super::raw::{RawJson, RawNumber};
use super::super::text::{write_float, write_integer};
use super::super::{Error, Kind};
use super::{Canonical, Frame, Item};

/// What `serde_json` calls the structs behind its raw values and its numbers of arbitrary precision.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
const RAW_NUMBER: &str = "$serde_json::private::Number";

impl Canonical {
    fn text(&mut self, text: &str) -> Result<(), Error> {
        self.check_scalar()?;
        if let Some(rule) = &self.removing {
            self.secrets.add(text, rule);
        }
        self.check_size(text.len())?;
        self.push_text(text);
        Ok(())
    }

    fn integer(&mut self, negative: bool, magnitude: u128) -> Result<(), Error> {
        self.check_scalar()?;
        let start = self.out.len();
        write_integer(&mut self.out, negative, magnitude);
        self.keep_number(start);
        Ok(())
    }

    /// Keeps a number that is removed, in the form of JSON.
    fn keep_number(&mut self, start: usize) {
        let Some(rule) = &self.removing else { return };
        let text = self.out.get(start..).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default();
        self.secrets.add(text.trim_matches('"'), rule);
    }

    fn null(&mut self) {
        self.push_raw(b"null");
    }

    fn float(&mut self, value: f64, shown: &dyn core::fmt::Display) -> Result<(), Error> {
        self.check_scalar()?;
        let start = self.out.len();
        write_float(&mut self.out, value);
        self.keep_number(start);
        if let Some(rule) = &self.removing {
            // As Rust displays it: JSON widens an `f32` and writes small numbers with an exponent.
            self.secrets.add(&shown.to_string(), rule);
        }
        Ok(())
    }

    fn member<T: Serialize + ?Sized>(&mut self, frame: &mut Frame, name: &str, value: &T) -> Result<(), Error> {
        let started = self.start_member(frame, name);
        let item = self.sticky(started)?;
        self.item(&item, value)?;
        self.end_member(frame, item);
        Ok(())
    }

    /// Writes the value of an item; one that is removed anyway need not be writable.
    fn item<T: Serialize + ?Sized>(&mut self, item: &Item, value: &T) -> Result<(), Error> {
        // Counted, so that a panic that the user's code catches on its way is noticed at the next step.
        self.open_items += 1;
        let Some(removed) = &item.removed else {
            let written = value.serialize(&mut *self);
            let written = self.sticky(written);
            self.open_items -= 1;
            return written;
        };
        let (depth, members, open_items, failed) =
            (self.depth, self.scratch.members.len(), self.open_items, self.failed.clone());
        let written = value.serialize(&mut *self);
        if written.is_err() || self.failed != failed {
            self.depth = depth;
            self.scratch.members.truncate(members);
            self.scratch.names.truncate(item.name.end);
            self.secrets.withhold(&removed.rule);
            self.failed = failed;
        }
        self.open_items = open_items - 1;
        Ok(())
    }

    fn open_variant(&mut self, variant: &'static str) -> Result<(Frame, Item), Error> {
        let frame = self.open(b'{')?;
        let item = self.start_member(&frame, variant)?;
        Ok((frame, item))
    }

    /// Writes what a raw value or number of `serde_json` stands for, so that the rules reach into it.
    fn raw(&mut self, name: &'static str, text: &str) -> Result<(), Error> {
        if name == RAW_VALUE { RawJson(text).serialize(self) } else { RawNumber(text).serialize(self) }
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty,)+) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            #[allow(unused_comparisons, reason = "one body serves signed and unsigned integers")]
            let negative = value < 0;
            let value = i128::from(value);
            self.integer(negative, value.unsigned_abs())
        })+
    };
}

impl<'a> Serializer for &'a mut Canonical {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.integer(false, value)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.check_scalar()?;
        self.push_raw(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.float(f64::from(value), &value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.float(value, &value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        // A list of numbers, as `serde_json` has it.
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.null();
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.null();
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut frame = self.open(b'{')?;
        self.member(&mut frame, variant, value)?;
        self.close_object(&frame)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        Ok(Compound { frame: self.open(b'[')?, canonical: self, variant: None, key: None, raw: None })
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'a>, Error> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Compound<'a>, Error> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Error> {
        let variant = Some(self.open_variant(variant)?);
        Ok(Compound { frame: self.open(b'[')?, canonical: self, variant, key: None, raw: None })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        Ok(Compound { frame: self.open(b'{')?, canonical: self, variant: None, key: None, raw: None })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a>, Error> {
        let raw = (name == RAW_VALUE || name == RAW_NUMBER).then_some(name);
        Ok(Compound { frame: self.open(b'{')?, canonical: self, variant: None, key: None, raw })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Error> {
        let variant = Some(self.open_variant(variant)?);
        Ok(Compound { frame: self.open(b'{')?, canonical: self, variant, key: None, raw: None })
    }
}

/// A list, map or struct that is being written.
#[derive(Debug)]
pub(crate) struct Compound<'a> {
    canonical: &'a mut Canonical,
    frame: Frame,
    /// The object around the values of an enum's variant.
    variant: Option<(Frame, Item)>,
    key: Option<String>,
    /// The name of the `serde_json` struct that stands for another value.
    raw: Option<&'static str>,
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let started = self.canonical.start_element(&self.frame);
        let item = self.canonical.sticky(started)?;
        self.canonical.item(&item, value)?;
        self.canonical.end_element(&mut self.frame, &item);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if let Some(raw) = self.raw {
            // The object opened for the struct is taken back: the text stands for the value itself.
            self.canonical.out.truncate(self.frame.start);
            let text = name_of(value);
            let text = self.canonical.sticky(text)?;
            let written = self.canonical.raw(raw, &text);
            return self.canonical.sticky(written);
        }
        self.canonical.member(&mut self.frame, name, value)
    }

    fn end_list(self) -> Result<(), Error> {
        let closed = self.canonical.close_list(&self.frame);
        self.canonical.sticky(closed)?;
        Self::end_variant(self.canonical, self.variant)
    }

    fn end_object(self) -> Result<(), Error> {
        if self.raw.is_some() {
            self.canonical.depth -= 1;
            return Ok(());
        }
        let closed = self.canonical.close_object(&self.frame);
        self.canonical.sticky(closed)?;
        Self::end_variant(self.canonical, self.variant)
    }

    fn end_variant(canonical: &mut Canonical, variant: Option<(Frame, Item)>) -> Result<(), Error> {
        let Some((mut frame, item)) = variant else { return Ok(()) };
        canonical.end_member(&mut frame, item);
        let closed = canonical.close_object(&frame);
        canonical.sticky(closed)
    }
}

macro_rules! list {
    ($($trait:ident: $method:ident,)+) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.end_list()
            }
        })+
    };
}

list! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! structure {
    ($($trait:ident,)+) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.end_object()
            }
        })+
    };
}

structure! { SerializeStruct, SerializeStructVariant, }

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let name = name_of(key);
        self.key = Some(self.canonical.sticky(name)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = self.key.take().ok_or(Error(Kind::NoName("a value without a key")));
        let name = self.canonical.sticky(name)?;
        self.canonical.keep_key(&self.frame, &name);
        self.canonical.member(&mut self.frame, &name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.end_object()
    }
}

//! The `serde` side of the serializer.

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::super::key::name_of;
use super::super::raw::{RawJson, RawNumber};
use super::super::{Error, Kind};
use super::items::{Key, Pair};
use super::removal::{Removed, Whole};
use super::{Canonical, Frame, Item};
use crate::privacy::types::{self, Member, MemberRule};
use crate::privacy::{Method, secret};

/// What `serde_json` calls the structs behind its raw values and its numbers of arbitrary precision.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
const RAW_NUMBER: &str = "$serde_json::private::Number";

/// What the rule is called that removes a secret by its type.
const SECRET_RULE: &str = "Secret";

impl Canonical {
    fn member<T: Serialize + ?Sized>(&mut self, frame: &mut Frame, name: &str, value: &T) -> Result<(), Error> {
        self.member_under(frame, Key::plain(name), value)
    }

    fn member_under<T: Serialize + ?Sized>(&mut self, frame: &mut Frame, key: Key<'_>, value: &T) -> Result<(), Error> {
        let started = self.start_member(frame, key);
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
        let (pointer, active) = (self.scratch.pointer.len(), self.scratch.active.len());
        let written = value.serialize(&mut *self);
        if written.is_err() || self.failed != failed {
            self.depth = depth;
            self.scratch.pointer.truncate(pointer);
            self.scratch.active.truncate(active);
            self.scratch.members.truncate(members);
            self.scratch.names.truncate(item.name.end);
            self.secrets.withhold(&removed.rule);
            // What was at work inside of it may still be.
            drop(self.begin_removal(removed, pointer));
            self.fail_removal();
            self.withheld = false;
            self.failed = failed;
        }
        self.open_items = open_items - 1;
        Ok(())
    }

    fn open_variant(&mut self, name: &'static str, variant: &'static str) -> Result<(Frame, Item), Error> {
        let frame = self.open(b'{')?;
        let removed = self.removed_variant(name, variant, Member::All);
        let item = self.start_member(&frame, Key { removed, ..Key::plain(variant) })?;
        Ok((frame, item))
    }

    /// Opens what has the members of a type.
    fn open_typed(&mut self, bracket: u8, name: &'static str, variant: Option<&'static str>) -> Result<Frame, Error> {
        let rules = self.types_of(name);
        let mut frame = self.open(bracket)?;
        (frame.members_rules, frame.variant) = (rules, variant);
        self.expect_seals(&mut frame, rules);
        Ok(frame)
    }

    /// Begins to remove a variant without members: of it there is nothing but its name.
    fn whole_unit(&mut self, name: &'static str, variant: &'static str) -> Option<Box<Whole>> {
        let is_meant = |rule: &&MemberRule| rule.member == Member::All && rule.variant.is_none_or(|of| of == variant);
        let removed = Removed::by_act(self.types_of(name).iter().find(is_meant)?);
        self.begin_whole(removed).map(Box::new)
    }

    /// Begins to remove a struct or an enum whose type says so of all of it.
    fn whole(&mut self, name: &'static str, also: Member) -> Option<Box<Whole>> {
        let removed = if name == secret::NAME {
            Removed::by_type(SECRET_RULE, Method::Drop)
        } else {
            let rules = self.types_of(name);
            let rule =
                rules.iter().find(|rule| rule.variant.is_none() && [Member::All, also].contains(&rule.member))?;
            Removed::by_act(rule)
        };
        self.begin_whole(removed).map(Box::new)
    }

    /// Returns the rule that removes all there is in a variant.
    fn removed_variant(&self, name: &'static str, variant: &'static str, also: Member) -> Option<Removed> {
        let is_meant = |rule: &&MemberRule| rule.variant == Some(variant) && [Member::All, also].contains(&rule.member);
        let rule = self.types_of(name).iter().find(is_meant)?;
        self.within(Removed::by_act(rule))
    }

    fn types_of(&self, name: &'static str) -> &'static [MemberRule] {
        if self.rules.is_some() && !self.is_leaving_out() { types::of(name) } else { &[] }
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
        self.boolean(value)
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

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        let whole = self.whole_unit(name, variant);
        self.text(variant)?;
        if let Some(whole) = whole {
            self.end_whole(*whole);
        }
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        let whole = self.whole(name, Member::Index(0));
        if name == secret::NAME && self.rules.is_some() {
            // It is read only to be removed.
            secret::expose(|| value.serialize(&mut *self))?;
        } else {
            value.serialize(&mut *self)?;
        }
        if let Some(whole) = whole {
            self.end_whole(*whole);
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let whole = self.whole(name, Member::All);
        let mut frame = self.open(b'{')?;
        let removed = self.removed_variant(name, variant, Member::Index(0));
        self.member_under(&mut frame, Key { removed, ..Key::plain(variant) }, value)?;
        self.close_object(&mut frame)?;
        if let Some(whole) = whole {
            self.end_whole(*whole);
        }
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Compound<'a>, Error> {
        let mut frame = self.open(b'[')?;
        frame.pair = Pair::of(length);
        Ok(Compound::new(self, frame))
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'a>, Error> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Compound<'a>, Error> {
        let whole = self.whole(name, Member::All);
        let mut frame = self.open_typed(b'[', name, None)?;
        frame.pair = Pair::of(Some(length));
        Ok(Compound { whole, ..Compound::new(self, frame) })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Compound<'a>, Error> {
        let whole = self.whole(name, Member::All);
        let around = Some(self.open_variant(name, variant)?);
        let mut frame = self.open_typed(b'[', name, Some(variant))?;
        frame.pair = Pair::of(Some(length));
        Ok(Compound { variant: around, whole, ..Compound::new(self, frame) })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        let mut frame = self.open(b'{')?;
        self.expect_seals(&mut frame, &[]);
        Ok(Compound::new(self, frame))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a>, Error> {
        if name == RAW_VALUE || name == RAW_NUMBER {
            let frame = self.open(b'{')?;
            return Ok(Compound { raw: Some(name), ..Compound::new(self, frame) });
        }
        let whole = self.whole(name, Member::All);
        let frame = self.open_typed(b'{', name, None)?;
        Ok(Compound { whole, ..Compound::new(self, frame) })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Error> {
        let whole = self.whole(name, Member::All);
        let around = Some(self.open_variant(name, variant)?);
        let frame = self.open_typed(b'{', name, Some(variant))?;
        Ok(Compound { variant: around, whole, ..Compound::new(self, frame) })
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
    /// Set if its type removes all of it.
    whole: Option<Box<Whole>>,
}

impl<'a> Compound<'a> {
    const fn new(canonical: &'a mut Canonical, frame: Frame) -> Self {
        Self { canonical, frame, variant: None, key: None, raw: None, whole: None }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let started = self.canonical.start_element(&mut self.frame);
        let item = self.canonical.sticky(started)?;
        self.canonical.item(&item, value)?;
        self.canonical.end_element(&mut self.frame, item);
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
        self.canonical.member(&mut self.frame, name, value)?;
        if self.frame.count == 1 && !self.frame.members_rules.is_empty() {
            self.canonical.see_tag(&mut self.frame);
        }
        Ok(())
    }

    fn end_list(self) -> Result<(), Error> {
        let closed = self.canonical.close_list(&self.frame);
        self.canonical.sticky(closed)?;
        self.end_around()
    }

    fn end_object(mut self) -> Result<(), Error> {
        if self.raw.is_some() {
            self.canonical.depth -= 1;
            return Ok(());
        }
        let closed = self.canonical.close_object(&mut self.frame);
        self.canonical.sticky(closed)?;
        self.end_around()
    }

    /// Ends what is around the members: the object of a variant, and what its type removes.
    fn end_around(self) -> Result<(), Error> {
        let Self { canonical, variant, whole, .. } = self;
        if let Some((mut frame, item)) = variant {
            canonical.end_member(&mut frame, item);
            let closed = canonical.close_object(&mut frame);
            canonical.sticky(closed)?;
        }
        if let Some(whole) = whole {
            canonical.end_whole(*whole);
        }
        Ok(())
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
        let mut shown = String::new();
        let key = self.canonical.key(&self.frame, &name, &mut shown);
        self.canonical.member_under(&mut self.frame, key, value)
    }

    fn end(self) -> Result<(), Error> {
        self.end_object()
    }
}

//! JSON text as a value: what `serde_json` calls a raw value, and its numbers of arbitrary precision.
//!
//! Numbers keep their digits on the way: an integer that no `u64` holds must not pass through a float.

use core::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::value::RawValue;

/// JSON text that is serialised as the value it stands for.
pub(super) struct RawJson<'a>(pub(super) &'a str);

/// A number in JSON's own text.
pub(super) struct RawNumber<'a>(pub(super) &'a str);

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.trim();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = parse(text)?;
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(&name, &RawJson(value.get()))?;
                }
                map.end()
            }
            Some(b'[') => {
                serializer.collect_seq(parse::<Vec<&RawValue>, _>(text)?.iter().map(|item| RawJson(item.get())))
            }
            Some(b'"') => parse::<String, _>(text)?.serialize(serializer),
            Some(b't' | b'f') => parse::<bool, _>(text)?.serialize(serializer),
            Some(b'n') => parse::<(), _>(text)?.serialize(serializer),
            _ => RawNumber(text).serialize(serializer),
        }
    }
}

impl Serialize for RawNumber<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0;
        if let Ok(integer) = text.parse::<i128>() {
            return serializer.serialize_i128(integer);
        }
        let is_integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() && !is_integer => serializer.serialize_f64(float),
            _ => serializer.serialize_str(text),
        }
    }
}

fn parse<'a, T: Deserialize<'a>, E: serde::ser::Error>(text: &'a str) -> Result<T, E> {
    serde_json::from_str(text).map_err(E::custom)
}

/// The members of an object in their order, doubled ones too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

//! A value that is a secret wherever it stands.

use core::cell::Cell;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What the serializer of records knows a [`Secret`] by.
pub(crate) const NAME: &str = "$audited::Secret";

thread_local! {
    /// True while the serializer of records is about to read the value of a secret.
    static EXPOSED: Cell<bool> = const { Cell::new(false) };
}

/// What every other way of showing a secret shows.
const SHOWN: &str = "[redacted]";

/// A value that no record holds, and that is not shown by accident: neither `Debug` nor any serializer sees it.
///
/// A record says where it was, by the rule `type:Secret`. It is read like the value itself, so that a request may have one
/// as a member; to send the value on, [`expose`](Self::expose) it.
///
/// ```
/// use audit_core::privacy::Secret;
///
/// let key = Secret::new("sk_live_1".to_owned());
/// assert_eq!(format!("{key:?} {}", serde_json::to_string(&key)?), "[redacted] \"[redacted]\"");
/// assert_eq!(key.expose(), "sk_live_1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret<T: ?Sized>(T);

impl<T> Secret<T> {
    /// Makes a secret of a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives the value up.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T: ?Sized> Secret<T> {
    /// Shows the value to whoever needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl<T: ?Sized> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl<T: Serialize + ?Sized> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Most serializers see nothing but the text. Ours reads the value, so that it can keep it out of error texts.
        serializer.serialize_newtype_struct(NAME, &Inside(&self.0))
    }
}

/// The value of a secret, for the one serializer that removes it again.
struct Inside<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Inside<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if EXPOSED.try_with(Cell::take).unwrap_or(false) {
            self.0.serialize(serializer)
        } else {
            serializer.serialize_str(SHOWN)
        }
    }
}

/// Writes the inside of a secret so that its value is seen: by the serializer of records, into what it removes.
pub(crate) fn expose<R>(write: impl FnOnce() -> R) -> R {
    let _ended = EXPOSED.try_with(|exposed| exposed.set(true));
    let written = write();
    // The value behind the name may be none of ours.
    let _ended = EXPOSED.try_with(|exposed| exposed.set(false));
    written
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_seen_by_whoever_asks_for_it_only() {
        let secret = Secret::new(vec![Secret::new("a".to_owned())]);
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        assert_eq!(format!("{secret} {secret:?}"), "[redacted] [redacted]");
        // What is inside of the value stays closed.
        assert_eq!(expose(|| serde_json::to_string(&secret).unwrap()), "[\"[redacted]\"]");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        let _no_secret = expose(|| serde_json::to_string("a").unwrap());
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        let read: Secret<Vec<String>> = serde_json::from_str("[\"b\"]").unwrap();
        assert_eq!(read.into_exposed(), ["b"]);
    }
}

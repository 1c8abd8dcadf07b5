//! Capture: from a value of any type to canonical, redacted JSON.
//!
//! A value is captured through `Serialize`, else through `Debug`, else by the name of its type, without a bound on the
//! user: the attribute's expansion calls a method on `(&&&&Probe(&value))`, and method look-up takes the first of the
//! traits below whose bound the type meets ("autoref specialisation").

use core::any::type_name;
use core::fmt::{Debug, Display, Write as _};
use core::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde_json::Value;

use crate::canonical::{self, Canonical, Removed, Writable};
use crate::privacy::Method;
use crate::redact::named::first_told;
use crate::redact::rule::Rule;
use crate::redact::secrets::REMOVED;
use crate::redact::{Path, Removal, Root, Segment};
use crate::reused::Buffer;

/// Types that hold secrets, by the paths that their names begin with, and what the rules are called. Those that implement
/// `Serialize` are written as it says.
const SECRET_TYPES: &[(&str, &str)] =
    &[("secrecy::SecretBox<", "SecretBox"), ("secrecy::Secret<", "SecretBox"), ("zeroize::Zeroizing<", "Zeroizing")];

/// How long the `Debug` text of a removed value may be to be kept beside its JSON.
const SMALL_DEBUG_BYTES_MAX: usize = 256;

/// Wraps a reference to a value that is about to be captured.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// A value in the best form that its type offers.
#[derive(Clone, Copy)]
pub struct Captured<'a>(Rung<'a>);

/// The rung that took a value. The forms of the value are asked for behind it: as one reference, a value costs the function
/// that it is an argument of less code than its forms would.
#[derive(Clone, Copy)]
enum Rung<'a> {
    Both(&'a dyn Formed<Both>),
    Serialize(&'a dyn Formed<OnlySerialize>),
    Debug(&'a dyn Formed<OnlyDebug>),
    Name(&'static str),
}

/// A type that offers the forms of a rung.
trait Formed<Rung> {
    fn forms(&self) -> Forms<'_>;
}

struct Both;
struct OnlySerialize;
struct OnlyDebug;

/// What a type offers.
struct Forms<'a> {
    serialize: Option<&'a dyn Writable>,
    debug: Option<&'a dyn Debug>,
    type_name: &'static str,
}

impl<T: Serialize + Debug> Formed<Both> for T {
    fn forms(&self) -> Forms<'_> {
        Forms { serialize: Some(self), debug: Some(self), type_name: type_name::<T>() }
    }
}

impl<T: Serialize> Formed<OnlySerialize> for T {
    fn forms(&self) -> Forms<'_> {
        Forms { serialize: Some(self), debug: None, type_name: type_name::<T>() }
    }
}

impl<T: Debug> Formed<OnlyDebug> for T {
    fn forms(&self) -> Forms<'_> {
        Forms { serialize: None, debug: Some(self), type_name: type_name::<T>() }
    }
}

impl Debug for Captured<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Captured").field("type_name", &self.forms().type_name).finish_non_exhaustive()
    }
}

/// The rungs of the ladder: how a value is taken, by the best form that its type offers.
///
/// One trait for all of them: the look-up then considers one candidate for each number of references.
pub trait Capture<'a> {
    /// Takes the value.
    fn captured(&self) -> Captured<'a>;
}

macro_rules! rungs {
    ($([$($bound:tt)*] $probe:ty => $value:ident: $rung:expr;)+) => {$(
        impl<'a, T: $($bound)*> Capture<'a> for $probe {
            fn captured(&self) -> Captured<'a> {
                let $value = self.0;
                Captured($rung)
            }
        }
    )+};
}

// First come types that implement both, so that a failing `Serialize` has something to fall back on; last comes the
// name, which every type has.
rungs! {
    [Serialize + Debug] &&&Probe<'a, T> => value: Rung::Both(value);
    [Serialize] &&Probe<'a, T> => value: Rung::Serialize(value);
    [Debug] &Probe<'a, T> => value: Rung::Debug(value);
    [] Probe<'a, T> => _value: Rung::Name(type_name::<T>());
}

impl<'a> Captured<'a> {
    fn forms(&self) -> Forms<'a> {
        match self.0 {
            Rung::Both(value) => value.forms(),
            Rung::Serialize(value) => value.forms(),
            Rung::Debug(value) => value.forms(),
            Rung::Name(type_name) => Forms { serialize: None, debug: None, type_name },
        }
    }
}

impl Captured<'_> {
    /// Writes the value, redacted, where the record will have it at the place: its pointer, and the last name of that.
    /// Without a root no path leads into it. Returns false if it was withheld: then nothing was written, and a redaction
    /// says why.
    #[inline]
    pub(crate) fn write(&self, canonical: &mut Canonical, place: (&str, &str), root: Option<Root>) -> bool {
        let rules = canonical.rules().filter(|rules| rules.has_paths());
        let (Some(rules), Some(root)) = (rules, root) else { return self.write_along(canonical, place, iter::empty()) };
        let of_root =
            move |is_whole| move |(_, path): &(usize, &Path)| path.root == root && path.segments.is_empty() == is_whole;
        let whole = rules.paths().filter(of_root(true)).map(|(index, _)| index);
        let leading = rules.paths().filter(of_root(false)).map(|(index, _)| index);
        // Of two paths the one that leaves nothing decides.
        let removed = whole.filter_map(|index| Removed::by_path(rules, index));
        match removed.reduce(|one, other| if one.is_drop() { one } else { other }) {
            Some(removed) => self.write_removed(canonical, place, &removed, leading),
            None => self.write_along(canonical, place, leading),
        }
    }

    /// Writes the value, with the paths of the given indices leading into it.
    fn write_along(
        &self,
        canonical: &mut Canonical,
        place: (&str, &str),
        mut leading: impl Iterator<Item = usize> + Clone,
    ) -> bool {
        let (pointer, _) = place;
        let by_path = |canonical: &Canonical, index: usize| Removed::by_path(canonical.rules()?, index);
        let mark = canonical.mark();
        let mut beyond_limit = false;
        match self.write_json(|value| canonical.write_at(pointer, leading.clone(), value)) {
            Some(Ok(is_written)) => return is_written,
            Some(Err(fault)) => {
                canonical.rewind(&mark);
                if let Some(removed) = fault.path_not_met().and_then(|index| by_path(canonical, index)) {
                    self.withhold(canonical, pointer, &removed);
                    return false;
                }
                beyond_limit = fault.is_beyond_limit();
            }
            // Panicked.
            None => canonical.rewind(&mark),
        }
        // A text cannot be addressed by a path.
        let by_path = leading.next().and_then(|index| by_path(canonical, index));
        if let Some(removed) = by_path.or_else(|| self.secret_type()) {
            self.withhold(canonical, pointer, &removed);
            return false;
        }
        // What is too deep or too large for JSON is so for `Debug`, which knows no limit to its depth.
        let text = if beyond_limit { None } else { self.debug_text(canonical::VALUE_BYTES_MAX) };
        match text.and_then(|text| clean(canonical, pointer, text)) {
            Some(text) => canonical.push_text(&text),
            None => self.write_type(canonical),
        }
        true
    }

    /// Returns the rule of a type that is known to hold a secret.
    fn secret_type(&self) -> Option<Removed> {
        let name = self.forms().type_name;
        let known = SECRET_TYPES.iter().find(|(path, _)| name.contains(path));
        known.map(|(_, reported)| Removed::by_type(reported, Method::Drop))
    }

    /// Writes what stands in the place of a value that is removed as a whole. Returns false if nothing does.
    pub(crate) fn write_removed(
        &self,
        canonical: &mut Canonical,
        place: (&str, &str),
        removed: &Removed,
        leading: impl Iterator<Item = usize>,
    ) -> bool {
        let (pointer, _) = place;
        if removed.is_drop() {
            self.withhold(canonical, pointer, removed);
            return false;
        }
        let mark = canonical.mark();
        let written = self.write_json(|value| canonical.write_removed(place, leading, removed, value));
        if let Some(Ok(is_written)) = written {
            self.add_small_debug(canonical, &removed.rule);
            return is_written;
        }
        canonical.rewind(&mark);
        self.withhold(canonical, pointer, removed);
        false
    }

    /// Removes the value; its scalars, as far as they are known, stay out of the call's other texts too.
    pub(crate) fn withhold(&self, canonical: &mut Canonical, pointer: &str, removed: &Removed) {
        let mark = canonical.mark();
        let read = |value: &dyn Writable| catch_unwind(AssertUnwindSafe(|| canonical.remove(removed, value)));
        let is_known = self.forms().serialize.map(read);
        canonical.rewind(&mark);
        match is_known {
            Some(Ok(())) => self.add_small_debug(canonical, &removed.rule),
            // What a `Debug` text shows of the value may be less than an error text says.
            Some(Err(_)) | None => canonical.secrets().withhold(&removed.rule),
        }
        canonical.note_removal(pointer.to_owned(), removed.as_dropped());
    }

    /// Keeps what a small value looks like in a `Debug` text too: a variant has another name there than in JSON.
    fn add_small_debug(&self, canonical: &mut Canonical, rule: &Rule) {
        if let Some(text) = self.debug_text(SMALL_DEBUG_BYTES_MAX) {
            canonical.secrets().add(text.trim_matches('"'), rule);
            canonical.secrets().add_debug(&text, rule);
        }
    }

    /// Has the value written through `Serialize`; `None` if that panicked.
    fn write_json<R>(
        &self,
        write: impl FnOnce(&dyn Writable) -> Result<R, canonical::Error>,
    ) -> Option<Result<R, canonical::Error>> {
        let Some(value) = self.forms().serialize else {
            return Some(Err(serde::ser::Error::custom("not serializable")));
        };
        catch_unwind(AssertUnwindSafe(|| write(value))).ok()
    }

    /// Returns the value as JSON with nothing removed, to be looked at and not kept; nothing without `Serialize`.
    pub(crate) fn json(&self) -> Option<Buffer> {
        let mut canonical = Canonical::plain();
        let written = self.write_json(|value| canonical.write_at("", iter::empty(), value));
        matches!(written, Some(Ok(true))).then(|| canonical.into_bytes())
    }

    /// Returns the one scalar that the steps lead to, as a text, to be the subject of what is sealed.
    pub(crate) fn subject(&self, segments: &[Segment]) -> Option<String> {
        let json: Value = serde_json::from_slice(&self.json()?).ok()?;
        let steps = segments.iter().map(|segment| match segment {
            Segment::Key { name, .. } => Some(*name),
            Segment::Each | Segment::Any => None,
        });
        let mut found = &json;
        for name in steps {
            found = found.get(name?)?;
        }
        match found {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn write_type(&self, canonical: &mut Canonical) {
        canonical.push_raw(b"{\"type\":");
        canonical.push_text(self.forms().type_name);
        canonical.push_raw(b"}");
    }

    /// Returns the `Debug` text; none if there is none, it panics, or it is longer than the limit.
    pub(crate) fn debug_text(&self, bytes_max: usize) -> Option<String> {
        let value = self.forms().debug?;
        let mut text = Bounded { text: String::new(), limit: bytes_max };
        let written = catch_unwind(AssertUnwindSafe(|| write!(text, "{value:?}")));
        matches!(written, Ok(Ok(()))).then_some(text.text)
    }

    /// Returns the text that identifies the value: a scalar as JSON has it, else the name of the type. Only scalars
    /// identify, and no rule would reach into the text of anything else.
    pub(crate) fn identity(&self) -> String {
        let Some(json) = self.json() else { return self.forms().type_name.to_owned() };
        match json.first() {
            Some(b'"') => serde_json::from_slice(&json).unwrap_or_default(),
            Some(b'{' | b'[') | None => self.forms().type_name.to_owned(),
            Some(_) => String::from_utf8(json.into_inner()).unwrap_or_default(),
        }
    }
}

/// Cuts a `Debug` text where a secret is named or a type shows itself that has rules, and out of it what was removed before
/// and what looks like a secret; `None` if it has to be withheld.
fn clean(canonical: &mut Canonical, pointer: &str, mut text: String) -> Option<String> {
    let rules = canonical.rules()?;
    if let Some((keep, rule)) = first_told(&text, &rules.privacy.names) {
        canonical.secrets().add_debug(text.get(keep..).unwrap_or_default(), &rule);
        text.truncate(keep);
        text.push(' ');
        text.push_str(REMOVED);
        canonical.note_removal(pointer.to_owned(), Removal::drop(rule));
    }
    let scrubbed = canonical.scrub(&text);
    for removal in scrubbed.removals {
        canonical.note_removal(pointer.to_owned(), removal);
    }
    scrubbed.text
}

/// A text that refuses to grow beyond its limit.
struct Bounded {
    text: String,
    limit: usize,
}

impl core::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        if self.text.len() + text.len() > self.limit {
            return Err(core::fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// The text of a target's identity, where its type displays itself; one that does not is identified by its JSON, if that
/// is a scalar.
pub trait Shown {
    /// Returns what the value displays.
    fn shown(&self) -> Option<String>;
}

impl<T: Display> Shown for &Probe<'_, T> {
    fn shown(&self) -> Option<String> {
        catch_unwind(AssertUnwindSafe(|| self.0.to_string())).ok()
    }
}

impl<T> Shown for Probe<'_, T> {
    fn shown(&self) -> Option<String> {
        None
    }
}

//! The state behind the serializer: the bytes written so far, the open objects, and the redaction rules at work.

mod arguments;
mod compound;
mod items;
mod removal;
mod seals;
mod texts;

use core::ops::Range;

use super::text::write_string;
use super::{DEPTH_MAX, Error, Kind, VALUE_BYTES_MAX};
use crate::privacy::types::MemberRule;
use crate::redact::secrets::{Scrubbed, Secrets};
use crate::redact::{Redaction, Removal, Rules, Segment};
use crate::reused::{Buffer, Reused, reuse};
use items::Pair;
pub(crate) use removal::Removed;
use removal::Removing;
use seals::Seals;

/// A value that can be written.
pub(crate) trait Writable {
    /// Writes it.
    fn write_to(&self, canonical: &mut Canonical) -> Result<(), Error>;
}

impl<T: serde::Serialize + ?Sized> Writable for T {
    fn write_to(&self, canonical: &mut Canonical) -> Result<(), Error> {
        self.serialize(canonical)
    }
}

/// A serializer that writes canonical JSON and applies redaction rules at each key.
///
/// Removed values are written too, into the same buffer, but only to keep their scalars in `secrets`; the buffer is
/// rewound before anything else is written.
#[derive(Debug)]
pub(crate) struct Canonical {
    out: Buffer,
    scratch: Reused<Scratch>,
    depth: usize,
    /// None only for bytes that hold no user's values: nothing is removed from them.
    rules: Option<Rules>,
    /// Where the paths start that lead into the innermost open value.
    active_start: usize,
    redactions: Vec<Redaction>,
    secrets: Secrets,
    /// How the value being written is removed.
    removing: Option<Removing>,
    /// Set when the value that was just written turned out to be one that its place must not have.
    withheld: bool,
    /// The scalar at this depth is kept as it is: it may be the subject of a sealed value beside it.
    catching: Option<(usize, Option<String>)>,
    /// The first error, however the user's `Serialize` dealt with it: nothing written after it can be trusted.
    failed: Option<Error>,
    /// How many members and elements are being written.
    open_items: usize,
}

/// What is known of the open values.
#[derive(Debug, Default)]
struct Scratch {
    /// The names of the members of all open objects.
    names: String,
    /// The members of all open objects; those of one object stand together at the end when it is closed.
    members: Vec<Member>,
    /// The paths that lead into the open values.
    active: Vec<Active>,
    /// Where the value being written will stand in the record.
    pointer: String,
    /// Where the argument will stand that is being captured.
    argument: String,
}

impl Scratch {
    fn clear(&mut self) {
        self.names.clear();
        self.members.clear();
        self.active.clear();
        self.pointer.clear();
        self.argument.clear();
    }

    const fn capacity(&self) -> usize {
        let Self { names, members, active, pointer, argument } = self;
        names.capacity() + pointer.capacity() + argument.capacity() + members.capacity() + active.capacity()
    }
}

reuse!(Scratch, |scratch| scratch.capacity());

#[derive(Clone, Debug)]
struct Member {
    name: Range<usize>,
    /// Where its value starts.
    value: usize,
    bytes: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Active {
    path: usize,
    segment: usize,
    met: bool,
}

/// An object or list that is being written.
#[derive(Debug)]
pub(crate) struct Frame {
    start: usize,
    names: usize,
    members: usize,
    active: Range<usize>,
    active_start: usize,
    open_items: usize,
    count: usize,
    /// What the type says of its members, and the variant they are of.
    members_rules: &'static [MemberRule],
    variant: Option<&'static str>,
    /// Whether a name before may say that a value is a secret.
    pair: Pair,
    /// What waits for the object's end.
    seals: Option<Box<Seals>>,
}

/// A member or element that is being written.
#[derive(Debug)]
struct Item {
    start: usize,
    /// Where its value starts, behind the name.
    value: usize,
    name: Range<usize>,
    active: usize,
    pointer: usize,
    removed: Option<Removed>,
    /// What was at work around it.
    outer: Option<Removing>,
}

/// A state to go back to when a value turns out not to be writable.
#[derive(Debug)]
pub(crate) struct Mark {
    out: usize,
    names: usize,
    members: usize,
    depth: usize,
    active: usize,
    active_start: usize,
    pointer: usize,
    redactions: usize,
}

impl Canonical {
    /// Makes a serializer that removes nothing.
    pub(crate) fn plain() -> Self {
        Self::new(None)
    }

    /// Makes a serializer that removes what the rules say.
    pub(crate) fn redacting(rules: Rules) -> Self {
        Self::new(Some(rules))
    }

    fn new(rules: Option<Rules>) -> Self {
        Self {
            out: Buffer::default(),
            scratch: Reused::default(),
            depth: 0,
            rules,
            active_start: 0,
            redactions: Vec::new(),
            secrets: Secrets::default(),
            removing: None,
            withheld: false,
            catching: None,
            failed: None,
            open_items: 0,
        }
    }

    /// Returns the bytes written.
    pub(crate) fn into_bytes(self) -> Buffer {
        self.out
    }

    /// Returns the bytes written, what was removed from them, and the removed scalars.
    pub(crate) fn into_parts(self) -> (Buffer, Vec<Redaction>, Secrets) {
        (self.out, self.redactions, self.secrets)
    }

    /// Takes what is known of whose values paths seal, for the result.
    pub(crate) fn take_rules(&mut self) -> Option<Rules> {
        self.rules.take()
    }

    /// Takes the bytes written so far, to begin another value; what was removed from them stays known.
    pub(crate) fn take_bytes(&mut self) -> Buffer {
        self.scratch.names.clear();
        self.scratch.members.clear();
        core::mem::take(&mut self.out)
    }

    /// Appends bytes that are canonical already.
    pub(crate) fn push_raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends a string.
    pub(crate) fn push_text(&mut self, text: &str) {
        write_string(&mut self.out, text);
    }

    pub(crate) fn secrets(&mut self) -> &mut Secrets {
        &mut self.secrets
    }

    /// Returns the rules at work.
    pub(crate) const fn rules(&self) -> Option<&Rules> {
        self.rules.as_ref()
    }

    /// Removes from a text what was removed from the values so far, and what looks like a secret.
    pub(crate) fn scrub_known(&self, text: &str) -> (String, Vec<Removal>) {
        match &self.rules {
            Some(rules) => rules.scrub_known(text, &self.secrets),
            None => (text.to_owned(), Vec::new()),
        }
    }

    /// Does so, and withholds the text if a removed value is not known.
    pub(crate) fn scrub(&self, text: &str) -> Scrubbed {
        match &self.rules {
            Some(rules) => rules.scrub(text, &self.secrets),
            None => Scrubbed { text: Some(text.to_owned()), removals: Vec::new() },
        }
    }

    /// Notes a removal at the given pointer. Inside a value that is sealed, keys are withheld: it stops there.
    pub(crate) fn note_removal(&mut self, mut path: String, removal: Removal) {
        if let Some(sealed) = self.removing.as_ref().and_then(Removing::sealed_at) {
            path.truncate(sealed);
        }
        let redaction = Redaction { path, removal };
        // The same rule may meet many scalars of what is sealed, or of one text.
        if self.redactions.last() != Some(&redaction) {
            self.redactions.push(redaction);
        }
    }

    /// Remembers where the next value starts.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            out: self.out.len(),
            names: self.scratch.names.len(),
            members: self.scratch.members.len(),
            depth: self.depth,
            active: self.scratch.active.len(),
            active_start: self.active_start,
            pointer: self.scratch.pointer.len(),
            redactions: self.redactions.len(),
        }
    }

    /// Takes back all that was written since the mark, but for the removed scalars: they stay removed.
    pub(crate) fn rewind(&mut self, mark: &Mark) {
        self.out.truncate(mark.out);
        self.scratch.names.truncate(mark.names);
        self.scratch.members.truncate(mark.members);
        self.depth = mark.depth;
        self.scratch.active.truncate(mark.active);
        self.active_start = mark.active_start;
        self.scratch.pointer.truncate(mark.pointer);
        self.redactions.truncate(mark.redactions);
        self.removing = None;
        self.withheld = false;
        self.catching = None;
        self.failed = None;
        self.open_items = 0;
    }

    /// Writes a value that will stand at `pointer`, with the paths of the given indices leading into it. Returns false if
    /// the value turned out to be one that must not stand anywhere.
    pub(crate) fn write_at(
        &mut self,
        pointer: &str,
        paths: impl Iterator<Item = usize>,
        value: &dyn Writable,
    ) -> Result<bool, Error> {
        self.scratch.pointer.clear();
        self.scratch.pointer.push_str(pointer);
        self.scratch.active.clear();
        self.active_start = 0;
        self.scratch.active.extend(paths.map(|path| Active { path, segment: 0, met: false }));
        let (depth, start) = (self.depth, self.out.len());
        value.write_to(self)?;
        self.check_unbroken(depth)?;
        let withheld = core::mem::take(&mut self.withheld);
        if withheld {
            self.out.truncate(start);
        }
        Ok(!withheld)
    }

    /// Writes what stands in the place of a value that is removed as a whole. Returns false if nothing does.
    pub(crate) fn write_removed(
        &mut self,
        (pointer, name): (&str, &str),
        paths: impl Iterator<Item = usize>,
        removed: &Removed,
        value: &dyn Writable,
    ) -> Result<bool, Error> {
        let start = self.out.len();
        let outer = self.begin_removal(removed, pointer.len());
        let is_written = self.write_at(pointer, paths, value)?;
        let (is_left, removal) = self.end_removal(removed, outer, start, name);
        if is_written {
            self.note(pointer.to_owned(), removal);
        }
        Ok(is_written && is_left)
    }

    /// Reads a value only to keep its scalars: it is removed under the given rule.
    pub(crate) fn remove(&mut self, removed: &Removed, value: &dyn Writable) {
        let mark = self.mark();
        self.active_start = self.scratch.active.len();
        let _outer = self.begin_removal(&removed.dropped(), 0);
        let depth = self.depth;
        if value.write_to(self).and_then(|()| self.check_unbroken(depth)).is_err() {
            self.secrets.withhold(&removed.rule);
        }
        self.rewind(&mark);
    }

    fn segment(&self, active: Active) -> Option<Segment> {
        self.rules.as_ref()?.path(active.path)?.segments.get(active.segment).copied()
    }

    /// A scalar stands where paths may still want to lead on.
    fn check_scalar(&self) -> Result<(), Error> {
        match self.scratch.active.get(self.active_start) {
            Some(active) if !self.is_leaving_out() => Err(Error(Kind::NotMet(active.path))),
            _ => self.check_unfailed(),
        }
    }

    /// Tells whether `more` bytes have room, and nothing went wrong before.
    fn check_size(&self, more: usize) -> Result<(), Error> {
        self.check_unfailed()?;
        if self.out.len() + more > VALUE_BYTES_MAX { Err(Error(Kind::TooLarge)) } else { Ok(()) }
    }

    fn check_unfailed(&self) -> Result<(), Error> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Tells whether everything that was opened since was closed, and nothing went wrong on the way.
    fn check_unbroken(&self, depth: usize) -> Result<(), Error> {
        self.check_unfailed()?;
        if self.depth == depth && self.open_items == 0 { Ok(()) } else { Err(Error(Kind::Broken)) }
    }

    /// Keeps an error, so that a `Serialize` that ignores it does not get away with what it leaves behind.
    fn sticky<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.failed.get_or_insert_with(|| error.clone());
        }
        result
    }

    fn open(&mut self, bracket: u8) -> Result<Frame, Error> {
        self.check_size(0)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error(Kind::TooDeep));
        }
        let frame = Frame {
            start: self.out.len(),
            names: self.scratch.names.len(),
            members: self.scratch.members.len(),
            active: self.active_start..self.scratch.active.len(),
            active_start: self.active_start,
            open_items: self.open_items,
            count: 0,
            members_rules: &[],
            variant: None,
            pair: Pair::None,
            seals: None,
        };
        self.out.push(bracket);
        Ok(frame)
    }
}

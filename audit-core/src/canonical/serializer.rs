//! The state behind the serializer: the bytes written so far, the open objects, and the redaction rules at work.

mod arguments;
mod compound;

use core::ops::Range;

use serde::Serialize;

use super::text::{compare_names, write_string};
use super::{DEPTH_MAX, Error, Kind, VALUE_BYTES_MAX};
use crate::redact::secrets::Secrets;
use crate::redact::{Path, Redaction, Segment, names, push_step};
use crate::reused::{Buffer, Reused, reuse};

/// A serializer that writes canonical JSON and applies redaction rules at each key.
///
/// Removed values are written too, into the same buffer, but only to keep their scalars in `secrets`; the buffer is
/// rewound before anything else is written.
#[derive(Debug)]
pub(crate) struct Canonical {
    out: Buffer,
    scratch: Reused<Scratch>,
    depth: usize,
    paths: &'static [Path],
    /// Removes members by their names; off only for bytes that hold no user's values.
    default_names: bool,
    /// Where the paths start that lead into the innermost open value.
    active_start: usize,
    redactions: Vec<Redaction>,
    secrets: Secrets,
    /// The rule under which the value being written is removed.
    removing: Option<String>,
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
}

/// A member or element that is being written.
#[derive(Debug)]
struct Item {
    start: usize,
    name: Range<usize>,
    active: usize,
    pointer: usize,
    removed: Option<Removed>,
}

#[derive(Debug)]
struct Removed {
    rule: String,
    /// False if the key itself is withheld: the pointer then stops at the map.
    names_key: bool,
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
        Self::new(&[], false)
    }

    /// Makes a serializer that removes what the paths and the default names say.
    pub(crate) fn redacting(paths: &'static [Path]) -> Self {
        Self::new(paths, true)
    }

    fn new(paths: &'static [Path], default_names: bool) -> Self {
        Self {
            out: Buffer::default(),
            scratch: Reused::default(),
            depth: 0,
            paths,
            default_names,
            active_start: 0,
            redactions: Vec::new(),
            secrets: Secrets::default(),
            removing: None,
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

    /// Notes a removal at the given pointer.
    pub(crate) fn note_removal(&mut self, path: String, rule: String) {
        let removal = Redaction { path, rule };
        if self.redactions.last() != Some(&removal) {
            self.redactions.push(removal);
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
        self.failed = None;
        self.open_items = 0;
    }

    /// Writes a value that will stand at `pointer`, with the paths of the given indices leading into it.
    pub(crate) fn write_at<T: Serialize + ?Sized>(
        &mut self,
        pointer: &str,
        paths: impl Iterator<Item = usize>,
        value: &T,
    ) -> Result<(), Error> {
        self.scratch.pointer.clear();
        self.scratch.pointer.push_str(pointer);
        self.scratch.active.clear();
        self.active_start = 0;
        self.scratch.active.extend(paths.map(|path| Active { path, segment: 0, met: false }));
        let depth = self.depth;
        value.serialize(&mut *self)?;
        self.check_unbroken(depth)
    }

    /// Reads a value only to keep its scalars: it is removed under the given rule.
    pub(crate) fn remove<T: Serialize + ?Sized>(&mut self, rule: &str, value: &T) {
        let mark = self.mark();
        self.active_start = self.scratch.active.len();
        self.removing = Some(rule.to_owned());
        let depth = self.depth;
        if value.serialize(&mut *self).and_then(|()| self.check_unbroken(depth)).is_err() {
            self.secrets.withhold(rule);
        }
        self.rewind(&mark);
    }

    fn segment(&self, active: Active) -> Option<Segment> {
        self.paths.get(active.path)?.segments.get(active.segment).copied()
    }

    /// A scalar stands where paths may still want to lead on.
    fn check_scalar(&self) -> Result<(), Error> {
        match self.scratch.active.get(self.active_start) {
            Some(active) if self.removing.is_none() => Err(Error(Kind::NotMet(active.path))),
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
        };
        self.out.push(bracket);
        Ok(frame)
    }

    fn start_member(&mut self, frame: &Frame, name: &str) -> Result<Item, Error> {
        self.check_size(name.len())?;
        self.check_frame(frame)?;
        let removed = self.rule_for_member(frame, name);
        let start = self.out.len();
        if frame.count > 0 {
            self.out.push(b',');
        }
        let name_start = self.scratch.names.len();
        self.scratch.names.push_str(name);
        write_string(&mut self.out, name);
        self.out.push(b':');
        let item = self.start_item(start, name_start, removed);
        if self.removing.is_none() {
            self.lead_into(frame, |segment| match segment {
                Segment::Key { name: wanted, .. } => wanted == name,
                Segment::Any => true,
                Segment::Each => false,
            });
            push_step(&mut self.scratch.pointer, name);
        }
        Ok(self.enter(item))
    }

    fn start_element(&mut self, frame: &Frame) -> Result<Item, Error> {
        self.check_size(0)?;
        self.check_frame(frame)?;
        let mut removed = None;
        if self.removing.is_none() {
            for index in frame.active.clone() {
                let Some(&active) = self.scratch.active.get(index) else { continue };
                match self.segment(active) {
                    Some(Segment::Each) if self.is_last(active) => removed = self.removed_by_path(active, true),
                    Some(Segment::Each) => {}
                    _ => return Err(Error(Kind::NotMet(active.path))),
                }
            }
        }
        let start = self.out.len();
        if frame.count > 0 {
            self.out.push(b',');
        }
        let item = self.start_item(start, self.scratch.names.len(), removed);
        if self.removing.is_none() {
            self.lead_into(frame, |segment| segment == Segment::Each);
            push_step(&mut self.scratch.pointer, itoa::Buffer::new().format(frame.count));
        }
        Ok(self.enter(item))
    }

    /// A panic inside an earlier item, caught by the user's code, leaves the item open.
    fn check_frame(&self, frame: &Frame) -> Result<(), Error> {
        let whole = self.open_items == frame.open_items && self.scratch.active.len() == frame.active.end;
        if whole { Ok(()) } else { Err(Error(Kind::Broken)) }
    }

    fn start_item(&self, start: usize, name_start: usize, removed: Option<Removed>) -> Item {
        let name = name_start..self.scratch.names.len();
        Item { start, name, active: self.scratch.active.len(), pointer: self.scratch.pointer.len(), removed }
    }

    /// Pushes the paths whose next segment leads into the item about to be written.
    fn lead_into(&mut self, frame: &Frame, leads: impl Fn(Segment) -> bool) {
        for index in frame.active.clone() {
            let Some(&active) = self.scratch.active.get(index) else { continue };
            if self.segment(active).is_some_and(&leads) && !self.is_last(active) {
                self.scratch.active.push(Active { segment: active.segment + 1, met: false, ..active });
            }
        }
    }

    fn enter(&mut self, item: Item) -> Item {
        self.active_start = item.active;
        if let Some(removed) = &item.removed {
            self.active_start = self.scratch.active.len();
            self.removing = Some(removed.rule.clone());
        }
        item
    }

    fn rule_for_member(&mut self, frame: &Frame, name: &str) -> Option<Removed> {
        if self.removing.is_some() {
            return None;
        }
        let mut removed = None;
        for index in frame.active.clone() {
            let Some(&active) = self.scratch.active.get(index) else { continue };
            let names_key = match self.segment(active) {
                Some(Segment::Key { name: wanted, .. }) if wanted == name => true,
                Some(Segment::Any) => false,
                _ => continue,
            };
            if let Some(active) = self.scratch.active.get_mut(index) {
                active.met = true;
            }
            if self.is_last(active) {
                removed = self.removed_by_path(active, names_key);
            }
        }
        if removed.is_none() && self.default_names {
            let rule = names::secret(name).map(|word| format!("name:{word}"));
            removed = rule.map(|rule| Removed { rule, names_key: true });
        }
        removed
    }

    fn is_last(&self, active: Active) -> bool {
        self.paths.get(active.path).is_some_and(|path| active.segment + 1 == path.segments.len())
    }

    fn removed_by_path(&self, active: Active, names_key: bool) -> Option<Removed> {
        let path = self.paths.get(active.path)?;
        Some(Removed { rule: format!("path:{}", path.text), names_key })
    }

    fn end_member(&mut self, frame: &mut Frame, item: Item) {
        match self.leave(frame, &item) {
            Some(()) => self.out.truncate(item.start),
            None => {
                self.scratch.members.push(Member { name: item.name, bytes: item.start..self.out.len() });
                frame.count += 1;
            }
        }
    }

    fn end_element(&mut self, frame: &mut Frame, item: &Item) {
        if self.leave(frame, item).is_some() {
            self.out.truncate(item.start);
            self.out.extend_from_slice(if frame.count > 0 { b",null" } else { b"null" });
        }
        frame.count += 1;
    }

    /// Restores what stood before the item; returns something if the item was removed.
    fn leave(&mut self, frame: &Frame, item: &Item) -> Option<()> {
        let removed = item.removed.as_ref();
        if let Some(removed) = removed {
            self.removing = None;
            let end = if removed.names_key { self.scratch.pointer.len() } else { item.pointer };
            let path = self.scratch.pointer.get(..end).unwrap_or_default().to_owned();
            self.note_removal(path, removed.rule.clone());
        }
        self.scratch.active.truncate(item.active);
        self.active_start = frame.active_start;
        self.scratch.pointer.truncate(item.pointer);
        removed.map(|_| ())
    }

    fn close_list(&mut self, frame: &Frame) -> Result<(), Error> {
        self.check_frame(frame)?;
        self.keep_bytes(frame);
        self.out.push(b']');
        self.depth -= 1;
        self.scratch.names.truncate(frame.names);
        self.check_size(0)
    }

    /// Keeps a removed list of bytes as the text that it may stand for.
    fn keep_bytes(&mut self, frame: &Frame) {
        let Some(rule) = &self.removing else { return };
        let written =
            self.out.get(frame.start + 1..).and_then(|list| core::str::from_utf8(list).ok()).unwrap_or_default();
        let bytes: Option<Vec<u8>> = written.split(',').map(|number| number.parse().ok()).collect();
        if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            self.secrets.add(&text, rule);
        }
    }

    /// Keeps the key of a map that is removed with its value or under any key, if it looks like data: names of members
    /// are made of letters.
    fn keep_key(&mut self, frame: &Frame, key: &str) {
        let is_name = key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-');
        if is_name {
            return;
        }
        let any = frame.active.clone().filter_map(|index| self.scratch.active.get(index).copied());
        let mut any = any.filter(|active| self.segment(*active) == Some(Segment::Any));
        let any = any.find(|active| self.is_last(*active));
        let rule = self.removing.clone().or_else(|| Some(self.removed_by_path(any?, false)?.rule));
        if let Some(rule) = rule {
            self.secrets.add(key, &rule);
        }
    }

    fn close_object(&mut self, frame: &Frame) -> Result<(), Error> {
        self.check_frame(frame)?;
        if self.removing.is_none() {
            for &active in self.scratch.active.get(frame.active.clone()).unwrap_or_default() {
                let satisfied = match self.segment(active) {
                    Some(Segment::Key { optional, .. }) => optional || active.met,
                    Some(Segment::Any) => true,
                    Some(Segment::Each) | None => false,
                };
                if !satisfied {
                    return Err(Error(Kind::NotMet(active.path)));
                }
            }
        }
        self.sort_members(frame)?;
        self.out.push(b'}');
        self.depth -= 1;
        self.scratch.members.truncate(frame.members);
        self.scratch.names.truncate(frame.names);
        self.check_size(0)
    }

    /// Brings the members written since the object's start into canonical order.
    fn sort_members(&mut self, frame: &Frame) -> Result<(), Error> {
        let Scratch { names, members, .. } = &mut *self.scratch;
        let name = |member: &Member| names.get(member.name.clone()).unwrap_or_default();
        let members = members.get_mut(frame.members..).unwrap_or_default();
        let sorted = members.is_sorted_by(|a, b| compare_names(name(a), name(b)).is_lt());
        if sorted {
            return Ok(());
        }
        members.sort_by(|a, b| compare_names(name(a), name(b)));
        let twice = members.windows(2).find_map(|pair| match pair {
            [a, b] if name(a) == name(b) => Some(name(a).to_owned()),
            _ => None,
        });
        if let Some(twice) = twice {
            return Err(Error(Kind::Twice(twice)));
        }
        arrange(&mut self.out, frame.start, members.iter());
        Ok(())
    }
}

/// Writes the members of the object that starts here in the given order: behind the object, and from there into its place.
fn arrange<'m>(out: &mut Vec<u8>, start: usize, members: impl Iterator<Item = &'m Member>) {
    let (first, end) = (start + 1, out.len());
    for Member { bytes, .. } in members {
        if out.len() > end {
            out.push(b',');
        }
        let comma = usize::from(out.get(bytes.start) == Some(&b','));
        out.extend_from_within(bytes.start + comma..bytes.end);
    }
    out.copy_within(end.., first);
    let length = out.len() - end;
    out.truncate(first + length);
}

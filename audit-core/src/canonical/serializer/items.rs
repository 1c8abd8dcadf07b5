//! Members and elements: which rule meets them, before their values are written, and what is left of them.

use super::super::text::{compare_names, write_string};
use super::super::{Error, Kind};
use super::{Active, Canonical, Frame, Item, Member, Removed, Scratch};
use crate::privacy::types::{self, MemberRule};
use crate::privacy::{Method, Subject};
use crate::redact::{Removal, Segment, names, push_step};

/// The members whose text is the name of what a member `value` holds: headers and variables are often listed so.
const NAMING: [&str; 8] = ["name", "key", "header", "field", "Name", "Key", "parameter", "variable"];
const VALUES: [&str; 4] = ["value", "Value", "values", "val"];

/// Whether a name before may say that a value is a secret: `["Authorization", "Bearer …"]`.
#[derive(Debug)]
pub(super) enum Pair {
    /// Nothing of the sort.
    None,
    /// A list of two, the first of which was not written yet.
    Open,
    /// What was written first is the name of a secret, which removes what comes next.
    Secret(Removed),
}

impl Pair {
    pub(super) const fn of(length: Option<usize>) -> Self {
        match length {
            Some(2) | None => Self::Open,
            Some(_) => Self::None,
        }
    }
}

/// Where a value stands in what its type says of its members.
#[derive(Clone, Copy)]
enum At<'n> {
    Member(&'n str),
    Element(usize),
}

impl At<'_> {
    fn is(self, member: types::Member) -> bool {
        match (self, member) {
            (Self::Member(name), types::Member::Name(meant)) => name == meant,
            (Self::Element(index), types::Member::Index(meant)) => index == meant,
            _ => false,
        }
    }
}

/// A key as it is, and as it is written.
#[derive(Debug)]
pub(super) struct Key<'k> {
    pub(super) name: &'k str,
    pub(super) shown: &'k str,
    /// Set if the key must not be seen, and its member with it.
    pub(super) removed: Option<Removed>,
}

impl<'k> Key<'k> {
    pub(super) const fn plain(name: &'k str) -> Self {
        Self { name, shown: name, removed: None }
    }
}

impl Canonical {
    pub(super) fn start_member(&mut self, frame: &Frame, key: Key<'_>) -> Result<Item, Error> {
        let Key { name, shown, removed } = key;
        self.check_size(shown.len())?;
        self.check_frame(frame)?;
        let removed = Removed::stronger(removed, self.rule_for_member(frame, name));
        let start = self.out.len();
        if frame.count > 0 {
            self.out.push(b',');
        }
        let name_start = self.scratch.names.len();
        self.scratch.names.push_str(shown);
        write_string(&mut self.out, shown);
        self.out.push(b':');
        let item = self.start_item(start, name_start, removed);
        if !self.is_leaving_out() {
            self.lead_into(frame, |segment| match segment {
                Segment::Key { name: wanted, .. } => wanted == name,
                Segment::Any => true,
                Segment::Each => false,
            });
            push_step(&mut self.scratch.pointer, shown);
        }
        if frame.seals.is_some() {
            self.catching = Some((self.depth, None));
        }
        Ok(self.enter(item))
    }

    pub(super) fn start_element(&mut self, frame: &mut Frame) -> Result<Item, Error> {
        self.check_size(0)?;
        self.check_frame(frame)?;
        let mut removed = None;
        if !self.is_leaving_out() {
            for index in frame.active.clone() {
                let Some(&active) = self.scratch.active.get(index) else { continue };
                match self.segment(active) {
                    Some(Segment::Each) if self.is_last(active) => {
                        removed = removed.or(self.removed_by_path(active, true));
                    }
                    Some(Segment::Each) => {}
                    _ => return Err(Error(Kind::NotMet(active.path))),
                }
            }
            removed = removed.or_else(|| self.removed_by_type(frame, At::Element(frame.count)));
            if let Pair::Secret(_) = frame.pair
                && let Pair::Secret(paired) = core::mem::replace(&mut frame.pair, Pair::None)
            {
                removed = removed.or(Some(paired));
            }
        }
        let start = self.out.len();
        if frame.count > 0 {
            self.out.push(b',');
        }
        let item = self.start_item(start, self.scratch.names.len(), removed);
        if !self.is_leaving_out() {
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
        let (active, pointer) = (self.scratch.active.len(), self.scratch.pointer.len());
        Item { start, value: self.out.len(), name, active, pointer, removed, outer: None }
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

    fn enter(&mut self, mut item: Item) -> Item {
        self.active_start = item.active;
        if let Some(removed) = &item.removed {
            let pointer = self.scratch.pointer.len();
            item.outer = self.begin_removal(removed, pointer);
            if self.is_leaving_out() {
                self.active_start = self.scratch.active.len();
            }
        }
        item
    }

    fn rule_for_member(&mut self, frame: &Frame, name: &str) -> Option<Removed> {
        if self.is_leaving_out() {
            return None;
        }
        let mut removed: Option<Removed> = None;
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
                let by_path = self.removed_by_path(active, names_key);
                // Of two paths the one that leaves nothing decides.
                removed = if removed.as_ref().is_some_and(Removed::is_drop) { removed } else { by_path.or(removed) };
            }
        }
        let removed = removed.or_else(|| self.removed_by_type(frame, At::Member(name)));
        let removed = removed.or_else(|| self.removed_by_name(name));
        let removed = removed.or_else(|| self.removed_by_neighbour(frame, name));
        removed.and_then(|removed| self.within(removed))
    }

    fn is_last(&self, active: Active) -> bool {
        let path = self.rules.as_ref().and_then(|rules| rules.path(active.path));
        path.is_some_and(|path| active.segment + 1 == path.segments.len())
    }

    fn removed_by_path(&self, active: Active, names_key: bool) -> Option<Removed> {
        Removed::by_path(self.rules.as_ref()?, active.path).map(|removed| {
            // What stays in its place stays under its key.
            Removed { names_key: names_key || !removed.is_drop(), ..removed }
        })
    }

    fn removed_by_name(&self, name: &str) -> Option<Removed> {
        let found = self.rules.as_ref()?.privacy.names.find(name)?;
        Some(Removed::by_name(found))
    }

    fn removed_by_type(&self, frame: &Frame, at: At<'_>) -> Option<Removed> {
        // Of a tagged enum the variant may not be known: then the rules of all variants hold.
        let is_of = |rule: &&MemberRule| frame.variant.is_none() || rule.variant == frame.variant;
        let is_meant =
            |rule: &&MemberRule| at.is(rule.member) || rule.member == types::Member::All && frame.variant.is_some();
        let rule = frame.members_rules.iter().filter(is_of).find(is_meant)?;
        let removed = Removed::by_act(rule);
        let At::Member(name) = at else { return Some(removed) };
        // What is left out as if it were not there may be shown in texts, unless it is a secret by its name.
        Some(if removed.is_noted() || self.removed_by_name(name).is_none() { removed } else { removed.secret() })
    }

    /// Learns the variant of an enum that is tagged by its first member.
    pub(super) fn see_tag(&self, frame: &mut Frame) {
        let Some(first) = self.scratch.members.get(frame.members) else { return };
        let tag = self.member_text(first);
        let variants = frame.members_rules.iter().filter_map(|rule| rule.variant);
        if let Some(variant) = variants.into_iter().find(|variant| tag == Some(*variant)) {
            frame.variant = Some(variant);
        }
    }

    /// Removes the member `value` of an object whose member `name` names a secret.
    fn removed_by_neighbour(&self, frame: &Frame, name: &str) -> Option<Removed> {
        if !VALUES.contains(&name) {
            return None;
        }
        let rules = self.rules.as_ref()?;
        let Scratch { names, members, .. } = &*self.scratch;
        members.get(frame.members..)?.iter().find_map(|member| {
            let naming = names.get(member.name.clone()).is_some_and(|name| NAMING.contains(&name));
            let text = self.member_text(member).filter(|text| naming && is_like_name(text, 1))?;
            rules.privacy.names.find(text).map(Removed::by_name)
        })
    }

    /// Returns the text of a member that was written, if it is one without escapes.
    fn member_text(&self, member: &Member) -> Option<&str> {
        let value = self.out.get(member.value..member.bytes.end)?;
        let text = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        core::str::from_utf8(text).ok()
    }

    pub(super) fn end_member(&mut self, frame: &mut Frame, mut item: Item) {
        let caught = self.catching.take().and_then(|(_, text)| text);
        if let (Some(seals), Some(text)) = (&mut frame.seals, caught) {
            let name = self.scratch.names.get(item.name.clone()).unwrap_or_default();
            seals.caught.push((name.to_owned(), text));
        }
        if self.leave(frame, &mut item) {
            let (value, bytes) = (item.value, item.start..self.out.len());
            self.scratch.members.push(Member { name: item.name, value, bytes });
            frame.count += 1;
        } else {
            self.out.truncate(item.start);
        }
    }

    pub(super) fn end_element(&mut self, frame: &mut Frame, mut item: Item) {
        if matches!(frame.pair, Pair::Open) && frame.count == 0 {
            let first = Member { name: 0..0, value: item.value, bytes: item.start..self.out.len() };
            let text = self.member_text(&first).filter(|text| item.removed.is_none() && is_like_name(text, 0));
            let secret = text.and_then(|text| self.removed_by_name(text));
            frame.pair = secret.and_then(|secret| self.within(secret)).map_or(Pair::None, Pair::Secret);
        }
        if !self.leave(frame, &mut item) {
            self.out.truncate(item.start);
            self.out.extend_from_slice(if frame.count > 0 { b",null" } else { b"null" });
        }
        frame.count += 1;
    }

    /// Restores what stood before the item; returns false if nothing is left of it.
    fn leave(&mut self, frame: &mut Frame, item: &mut Item) -> bool {
        let mut is_written = !core::mem::take(&mut self.withheld);
        if let Some(removed) = item.removed.take() {
            let end = if removed.names_key { self.scratch.pointer.len() } else { item.pointer };
            let path = self.scratch.pointer.get(..end).unwrap_or_default().to_owned();
            let waits = is_written && matches!(self.asked(&removed), Method::Seal(Subject::Beside(_)));
            if waits && frame.seals.is_some() && !self.removal_failed() {
                self.removing = item.outer.take();
                self.wait_for_neighbour(frame, item, removed, path);
            } else {
                let name = self.name_of_item(item);
                let (written, removal) = self.end_removal(&removed, item.outer.take(), item.value, &name);
                is_written &= written;
                self.note(path, removal);
            }
        }
        self.scratch.active.truncate(item.active);
        self.active_start = frame.active_start;
        self.scratch.pointer.truncate(item.pointer);
        is_written
    }

    /// Returns what a disclosure calls the item: its name, or its place in the list.
    fn name_of_item(&self, item: &Item) -> String {
        match self.scratch.names.get(item.name.clone()) {
            Some("") | None => self.scratch.pointer.rsplit('/').next().unwrap_or_default().to_owned(),
            Some(name) => name.to_owned(),
        }
    }

    /// Notes what was done, if anything is to be said of it.
    pub(super) fn note(&mut self, path: String, removal: Option<Removal>) {
        if let Some(removal) = removal {
            self.note_removal(path, removal);
        }
    }

    pub(super) fn close_list(&mut self, frame: &Frame) -> Result<(), Error> {
        self.check_frame(frame)?;
        self.keep_bytes(frame);
        self.out.push(b']');
        self.depth -= 1;
        self.scratch.names.truncate(frame.names);
        self.check_size(0)
    }

    /// Keeps a removed list of bytes as the text that it may stand for.
    fn keep_bytes(&mut self, frame: &Frame) {
        let Some(removing) = &self.removing else { return };
        let written =
            self.out.get(frame.start + 1..).and_then(|list| core::str::from_utf8(list).ok()).unwrap_or_default();
        let bytes: Option<Vec<u8>> = written.split(',').map(|number| number.parse().ok()).collect();
        if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            self.secrets.add(&text, &removing.rule);
        }
    }

    /// Keeps the key of a map that is removed with its value or under any key, if it looks like data.
    pub(super) fn keep_key(&mut self, frame: &Frame, key: &str) {
        if names::is_plain(key) {
            return;
        }
        let any = frame.active.clone().filter_map(|index| self.scratch.active.get(index).copied());
        let mut any = any.filter(|active| self.segment(*active) == Some(Segment::Any));
        let any = any.find(|active| self.is_last(*active));
        let rule = match &self.removing {
            Some(removing) if self.is_leaving_out() => Some(removing.rule.clone()),
            _ => any
                .and_then(|any| self.removed_by_path(any, false))
                .filter(Removed::is_drop)
                .map(|removed| removed.rule),
        };
        if let Some(rule) = rule {
            self.secrets.add(key, &rule);
        }
    }

    pub(super) fn close_object(&mut self, frame: &mut Frame) -> Result<(), Error> {
        self.check_frame(frame)?;
        if !self.is_leaving_out() {
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
            self.settle(frame);
        }
        self.sort_members(frame)?;
        self.out.push(b'}');
        self.depth -= 1;
        self.scratch.members.truncate(frame.members);
        self.scratch.names.truncate(frame.names);
        self.check_size(0)
    }

    /// Brings the members written since the object's start into canonical order.
    pub(super) fn sort_members(&mut self, frame: &Frame) -> Result<(), Error> {
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

/// How long the name of a header or variable may be that stands as a text.
const NAME_BYTES_MAX: usize = 64;

/// Tells whether a text is a name rather than prose: letters, digits, `_`, `-` and `.`, and at most so many spaces.
fn is_like_name(text: &str, spaces_max: usize) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    text.len() <= NAME_BYTES_MAX
        && text.bytes().all(is_letter)
        && text.bytes().filter(|byte| *byte == b' ').count() <= spaces_max
}

/// Writes the members of the object that starts here in the given order: behind the object, and from there into its place.
pub(super) fn arrange<'m>(out: &mut Vec<u8>, start: usize, members: impl Iterator<Item = &'m Member>) {
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

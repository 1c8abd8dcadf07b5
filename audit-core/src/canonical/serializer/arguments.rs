//! The object of a call's arguments, and that of the attribute's fields.

use super::super::text::write_string;
use super::items::{Pair, arrange};
use super::{Canonical, Frame, Member};
use crate::capture::Captured;
use crate::privacy::{Method, Subject};
use crate::redact::{Root, Rules, push_step};

impl Canonical {
    /// Finds whose values they are that paths seal, in the values that the paths start from.
    pub(crate) fn find_subjects<'v>(&mut self, value_of: &dyn Fn(Root) -> Option<&'v Captured<'v>>) {
        let Some(rules) = &mut self.rules else { return };
        if !rules.has_paths() {
            return;
        }
        for (index, path) in rules.paths() {
            let Method::Seal(asked) = &path.method else { continue };
            let subjects = if let Subject::FirstOf(subjects) = asked { subjects } else { core::slice::from_ref(asked) };
            let found = subjects.iter().find_map(|subject| match subject {
                Subject::Within { root, segments } => value_of(*root)?.subject(segments),
                _ => None,
            });
            if let Some(subject) = found {
                // What the arguments said before the result is there stays.
                rules.set_subject(index, subject);
            }
        }
    }

    /// Tells whether a path removes the whole of what it starts from.
    pub(crate) fn is_addressed(&self, root: Root) -> bool {
        let mut paths = self.rules.iter().flat_map(Rules::paths);
        paths.any(|(_, path)| path.root == root && path.segments.is_empty())
    }

    /// Opens the object of a call's arguments.
    pub(crate) fn open_arguments(&mut self) -> Frame {
        let start = self.out.len();
        let frame = Frame {
            start,
            names: 0,
            members: 0,
            active: 0..0,
            active_start: 0,
            open_items: 0,
            count: 0,
            members_rules: &[],
            variant: None,
            pair: Pair::None,
            seals: None,
        };
        self.out.push(b'{');
        frame
    }

    /// Writes one argument, whose object will stand at `parent`; `write` is given its place and returns false if its value was withheld.
    pub(crate) fn argument(
        &mut self,
        frame: &mut Frame,
        (parent, name): (&str, &str),
        write: impl FnOnce(&mut Self, &str) -> bool,
    ) {
        let start = self.out.len();
        if frame.count > 0 {
            self.out.push(b',');
        }
        let name_start = self.scratch.names.len();
        self.scratch.names.push_str(name);
        let name_end = self.scratch.names.len();
        write_string(&mut self.out, name);
        self.out.push(b':');
        let value = self.out.len();
        let mut pointer = core::mem::take(&mut self.scratch.argument);
        pointer.clear();
        pointer.push_str(parent);
        push_step(&mut pointer, name);
        let is_written = write(self, &pointer);
        self.scratch.argument = pointer;
        if is_written {
            self.scratch.members.push(Member { name: name_start..name_end, value, bytes: start..self.out.len() });
            frame.count += 1;
        } else {
            self.out.truncate(start);
            self.scratch.names.truncate(name_start);
        }
    }

    /// Writes the argument of the parameter with this index, as [`argument`](Self::argument) does, under a key that is
    /// written already.
    pub(crate) fn parameter(
        &mut self,
        frame: &mut Frame,
        index: usize,
        key: &[u8],
        write: impl FnOnce(&mut Self) -> bool,
    ) {
        let start = self.out.len();
        if frame.count > 0 {
            self.out.push(b',');
        }
        self.out.extend_from_slice(key);
        let value = self.out.len();
        if write(self) {
            // Its name is the parameter's.
            self.scratch.members.push(Member { name: index..index, value, bytes: start..self.out.len() });
            frame.count += 1;
        } else {
            self.out.truncate(start);
        }
    }

    /// Closes the object of a call's arguments; `order` lists the parameters in canonical order, unless they stand in it.
    pub(crate) fn close_parameters(&mut self, frame: &Frame, order: &[usize]) {
        let members = self.scratch.members.get(frame.members..).unwrap_or_default();
        if members.len() > 1 && !order.is_empty() {
            let ordered = order.iter().filter_map(|index| members.iter().find(|member| member.name.start == *index));
            arrange(&mut self.out, frame.start, ordered);
        }
        self.out.push(b'}');
    }

    /// Closes the object of a call's arguments. Their names are distinct, as those of parameters are.
    pub(crate) fn close_arguments(&mut self, frame: &Frame) {
        let _distinct = self.sort_members(frame);
        self.out.push(b'}');
    }
}

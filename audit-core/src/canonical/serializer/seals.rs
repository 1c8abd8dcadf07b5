//! Values that are sealed for a member beside them, which may be written later: they wait for the end of their object.

use super::{Canonical, Frame, Item, Member, Removed};
use crate::privacy::types::Act;
use crate::privacy::types::MemberRule;
use crate::privacy::{Method, Subject};
use crate::redact::Removal;
use crate::redact::rule::Rule;

/// What waits for the end of an object.
#[derive(Debug, Default)]
pub(super) struct Seals {
    /// The scalars of the object's members as they are, by their names.
    pub(super) caught: Vec<(String, String)>,
    waiting: Vec<Waiting>,
}

/// A member that is to be sealed.
#[derive(Debug)]
struct Waiting {
    name: String,
    rule: Rule,
    beside: &'static str,
    pointer: String,
}

impl Canonical {
    /// Has the frame keep the scalars of its members, if one of them may be the subject of another.
    pub(super) fn expect_seals(&self, frame: &mut Frame, members: &[MemberRule]) {
        let is_beside = |rule: &MemberRule| matches!(rule.act, Act::Remove(Method::Seal(Subject::Beside(_))));
        let by_rules = || self.rules.as_ref().is_some_and(crate::redact::Rules::seals_beside);
        if !self.is_leaving_out() && (members.iter().any(is_beside) || by_rules()) {
            frame.seals = Some(Box::default());
        }
    }

    /// Leaves the member as it is, to be sealed at the end of its object.
    pub(super) fn wait_for_neighbour(&self, frame: &mut Frame, item: &Item, removed: Removed, pointer: String) {
        let Method::Seal(Subject::Beside(beside)) = removed.method else { return };
        let name = self.scratch.names.get(item.name.clone()).unwrap_or_default().to_owned();
        if let Some(seals) = &mut frame.seals {
            seals.waiting.push(Waiting { name, rule: removed.rule, beside, pointer });
        }
    }

    /// Seals what waited for the end of the object.
    pub(super) fn settle(&mut self, frame: &mut Frame) {
        let Some(seals) = frame.seals.take() else { return };
        for waiting in seals.waiting {
            let subject = seals.caught.iter().find(|(name, _)| name == waiting.beside).map(|(_, text)| text.as_str());
            self.settle_one(frame, waiting, subject);
        }
    }

    fn settle_one(&mut self, frame: &mut Frame, waiting: Waiting, subject: Option<&str>) {
        let Waiting { name, rule, pointer, .. } = waiting;
        let names = &self.scratch.names;
        let members = self.scratch.members.get(frame.members..).unwrap_or_default();
        let Some(at) = members.iter().position(|member| names.get(member.name.clone()) == Some(name.as_str())) else {
            return;
        };
        let Some(member) = self.scratch.members.get(frame.members + at).cloned() else { return };
        let value = self.out.get(member.value..member.bytes.end).unwrap_or_default();
        let sealed = subject.and_then(|subject| self.sealed(subject, &name, value));
        let removal = match sealed {
            Some((instead, key_id)) => {
                self.splice(frame, at, member.value..member.bytes.end, &instead);
                Removal { key_id: Some(key_id), ..Removal::new(rule, Method::Seal(Subject::OnBehalfOf)) }
            }
            None => {
                self.take_out(frame, at, &member);
                Removal::drop(rule)
            }
        };
        self.note_removal(pointer, removal);
    }

    /// Puts other bytes into the place of a part of a member, and moves those behind it.
    fn splice(&mut self, frame: &Frame, at: usize, part: core::ops::Range<usize>, instead: &[u8]) {
        let (old, end) = (part.len(), part.end);
        self.out.splice(part, instead.iter().copied());
        let moved = |place: usize| if place >= end { place + instead.len() - old } else { place };
        for (index, member) in self.scratch.members.iter_mut().skip(frame.members).enumerate() {
            let Member { value, bytes, .. } = member;
            if index == at {
                bytes.end = moved(bytes.end);
            } else {
                *value = moved(*value);
                *bytes = moved(bytes.start)..moved(bytes.end);
            }
        }
    }

    /// Takes a member out of the object.
    fn take_out(&mut self, frame: &mut Frame, at: usize, member: &Member) {
        self.splice(frame, at, member.bytes.clone(), &[]);
        self.scratch.members.remove(frame.members + at);
        frame.count -= 1;
        // The first member of an object has no comma before it.
        if self.out.get(frame.start + 1) == Some(&b',') {
            let comma = frame.start + 1..frame.start + 2;
            self.splice(frame, usize::MAX, comma, &[]);
        }
    }
}

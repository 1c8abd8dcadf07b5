//! How a value is removed while it is written, and what is left in its place.

use super::super::text::write_string;
use super::Canonical;
use crate::privacy::types::{Act, MemberRule};
use crate::privacy::{Method, Subject};
use crate::redact::names::NameRule;
use crate::redact::rule::Rule;
use crate::redact::rules::{MASK, mask};
use crate::redact::{Removal, Rules};

/// A rule that meets a value, and what it asks for.
#[derive(Clone, Debug)]
pub(crate) struct Removed {
    pub(crate) rule: Rule,
    pub(super) method: Method,
    pub(super) strength: Strength,
    /// The index of the path.
    pub(super) path: Option<usize>,
    /// False if the key itself is withheld: the pointer then stops at the map.
    pub(super) names_key: bool,
    /// False for what is left out as if it were not there.
    pub(super) is_noted: bool,
    /// False if the value may stand in texts.
    pub(super) is_secret: bool,
}

/// What kind of rule it is. A stronger one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    Pattern,
    Name,
    Type,
    Path,
}

impl Removed {
    const fn new(rule: Rule, method: Method, strength: Strength) -> Self {
        Self { rule, method, strength, path: None, names_key: true, is_noted: true, is_secret: true }
    }

    pub(crate) fn by_name(name: &NameRule) -> Self {
        Self::new(name.rule.clone(), name.method, Strength::Name)
    }

    pub(crate) fn by_path(rules: &Rules, index: usize) -> Option<Self> {
        let path = rules.path(index)?;
        Some(Self { path: Some(index), ..Self::new(rules.path_rule(index), path.method, Strength::Path) })
    }

    pub(super) fn by_act(rule: &MemberRule) -> Self {
        match rule.act {
            Act::Remove(method) => Self::by_type(rule.rule, method),
            Act::Skip => Self { is_noted: false, is_secret: false, ..Self::by_type(rule.rule, Method::Drop) },
        }
    }

    pub(crate) const fn by_type(name: &'static str, method: Method) -> Self {
        Self::new(Rule::of_type(name), method, Strength::Type)
    }

    /// Makes the rule of a key that is withheld with its member.
    pub(super) fn by_key(rule: Rule) -> Self {
        Self { names_key: false, ..Self::new(rule, Method::Drop, Strength::Pattern) }
    }

    /// Returns the one that decides: what removes the key as well does in any case.
    pub(super) fn stronger(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if one.names_key && other.strength > one.strength => Some(other),
            (one, other) => one.or(other),
        }
    }

    pub(super) const fn is_noted(&self) -> bool {
        self.is_noted
    }

    /// Returns the same rule for a value that must not stand in texts.
    pub(super) fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// Returns the same rule for a value of which nothing is left.
    pub(crate) fn dropped(&self) -> Self {
        Self { method: Method::Drop, ..self.clone() }
    }

    pub(crate) const fn is_drop(&self) -> bool {
        matches!(self.method, Method::Drop)
    }

    /// Returns what is said of it where nothing is left.
    pub(crate) fn as_dropped(&self) -> Removal {
        Removal::drop(self.rule.clone())
    }
}

/// The removal at work.
#[derive(Debug)]
pub(super) struct Removing {
    pub(super) rule: Rule,
    pub(super) mode: Mode,
    strength: Strength,
    /// How deep the removed value stands.
    depth: usize,
    /// How long the pointer to it is.
    pointer: usize,
    is_secret: bool,
    /// Set when the value could not be written, or a token not be made: nothing is left of it then.
    failed: bool,
    key_id: Option<String>,
}

/// What is done with the scalars inside of a removed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// They are only kept out of texts: nothing of the value is left, or a mask.
    LeaveOut,
    /// Each becomes a token.
    Token,
    /// They are written, to be sealed.
    Seal,
}

impl Removing {
    /// Returns how long the pointer to the sealed value is, if it is sealed.
    pub(super) fn sealed_at(&self) -> Option<usize> {
        (self.mode == Mode::Seal).then_some(self.pointer)
    }

    /// Tells whether a scalar at this depth is the removed value itself.
    pub(super) const fn is_at(&self, depth: usize) -> bool {
        self.depth == depth
    }

    pub(super) const fn is_secret(&self) -> bool {
        self.is_secret
    }
}

impl Canonical {
    /// Tells whether nothing of what is written now will stay: then no further rule is looked for.
    pub(super) fn is_leaving_out(&self) -> bool {
        self.removing.as_ref().is_some_and(|removing| removing.mode == Mode::LeaveOut)
    }

    pub(super) fn removal_failed(&self) -> bool {
        self.removing.as_ref().is_some_and(|removing| removing.failed)
    }

    pub(super) fn fail_removal(&mut self) {
        if let Some(removing) = &mut self.removing {
            removing.failed = true;
        }
    }

    /// Returns the method that the rule asks for, as far as anything is worth a key.
    pub(super) fn asked(&self, removed: &Removed) -> Method {
        self.rules.as_ref().map_or(Method::Drop, |rules| rules.method(removed.method))
    }

    /// Begins to remove what is written next. Returns what was at work before.
    pub(super) fn begin_removal(&mut self, removed: &Removed, pointer: usize) -> Option<Removing> {
        let mode = match self.asked(removed) {
            Method::Drop | Method::Mask { .. } => Mode::LeaveOut,
            Method::Token => Mode::Token,
            Method::Seal(_) => Mode::Seal,
        };
        let Removed { rule, strength, is_secret, .. } = removed.clone();
        let (depth, failed, key_id) = (self.depth, false, None);
        self.removing.replace(Removing { rule, mode, strength, depth, pointer, is_secret, failed, key_id })
    }

    /// Puts into the place of what was written since `start` what stands for it. Returns false if nothing does, and what is
    /// said of it.
    pub(super) fn end_removal(
        &mut self,
        removed: &Removed,
        outer: Option<Removing>,
        start: usize,
        name: &str,
    ) -> (bool, Option<Removal>) {
        let done = core::mem::replace(&mut self.removing, outer);
        let (failed, key_id) = done.map_or((true, None), |done| (done.failed, done.key_id));
        let method = self.asked(removed);
        let made = match method {
            _ if failed => None,
            Method::Drop => None,
            Method::Mask { last_four } => Some((self.masked(start, last_four), None)),
            Method::Token => Some((None, key_id)),
            Method::Seal(subject) => self.seal(subject, removed.path, start, name),
        };
        let Some((instead, key_id)) = made else {
            self.out.truncate(start);
            return (false, removed.is_noted.then(|| removed.as_dropped()));
        };
        if let Some(instead) = instead {
            self.out.truncate(start);
            self.out.extend_from_slice(&instead);
        }
        (true, Some(Removal { key_id, ..Removal::new(removed.rule.clone(), method) }))
    }

    /// Returns what stands in the place of the value written since `start`: only scalars show their last four characters.
    fn masked(&self, start: usize, last_four: bool) -> Option<Vec<u8>> {
        let mut masked = Vec::new();
        let scalar = match self.out.get(start..) {
            Some(text @ [b'"', ..]) => serde_json::from_slice(text).ok(),
            Some(number @ [b'-' | b'0'..=b'9', ..]) => core::str::from_utf8(number).ok().map(str::to_owned),
            _ => None,
        };
        write_string(&mut masked, &scalar.map_or_else(|| MASK.to_owned(), |scalar| mask(&scalar, last_four)));
        Some(masked)
    }

    /// Seals the value written since `start`. Returns what stands in its place, and the key; nothing if it could not be.
    fn seal(
        &self,
        subject: Subject,
        path: Option<usize>,
        start: usize,
        name: &str,
    ) -> Option<(Option<Vec<u8>>, Option<String>)> {
        let rules = self.rules.as_ref()?;
        let subject = match subject {
            Subject::Within { .. } => rules.subject(path?)?,
            Subject::OnBehalfOf => rules.user()?,
            Subject::FirstOf(subjects) => {
                let user = || rules.user().filter(|_| subjects.contains(&Subject::OnBehalfOf));
                rules.subject(path?).or_else(user)?
            }
            // It was to be waited for.
            Subject::Beside(_) => return None,
        };
        let (instead, key_id) = self.sealed(subject, name, self.out.get(start..)?)?;
        Some((Some(instead), Some(key_id)))
    }

    /// Returns what stands in the place of a value that is sealed for the subject, and the key.
    pub(super) fn sealed(&self, subject: &str, name: &str, value: &[u8]) -> Option<(Vec<u8>, String)> {
        let sealed = self.rules.as_ref()?.seal(subject, name, value).ok()?;
        let mut instead = b"{\"_sd\":[".to_vec();
        write_string(&mut instead, &sealed.digest);
        instead.extend_from_slice(b"]}");
        Some((instead, sealed.key_id))
    }

    /// Returns the rule if it is at work inside of what is removed around: a value that is sealed as a whole is not sealed in
    /// parts, and of one whose scalars become tokens a part may only be left out or masked.
    pub(super) fn within(&self, removed: Removed) -> Option<Removed> {
        let mode = self.removing.as_ref().map(|removing| removing.mode);
        let is_at_work = match (mode, removed.method) {
            (None, _) | (Some(Mode::Token | Mode::Seal), Method::Drop | Method::Mask { .. }) => true,
            (Some(Mode::Seal), Method::Token) => true,
            (Some(_), _) => false,
        };
        is_at_work.then_some(removed)
    }

    /// Begins to remove a value by its type, wherever it stands. Returns nothing if a rule that is as strong removes the
    /// very value already.
    pub(super) fn begin_whole(&mut self, removed: Removed) -> Option<Whole> {
        if self.is_leaving_out() {
            return None;
        }
        let decided = self
            .removing
            .as_ref()
            .is_some_and(|removing| removing.is_at(self.depth) && removing.strength >= removed.strength);
        let removed = if decided { return None } else { self.within(removed)? };
        let (start, pointer) = (self.out.len(), self.scratch.pointer.len());
        let outer = self.begin_removal(&removed, pointer);
        Some(Whole { removed, outer, start })
    }

    /// Ends it; where nothing is left of the value, its place learns of it.
    pub(super) fn end_whole(&mut self, whole: Whole) {
        let Whole { removed, outer, start } = whole;
        let pointer = self.scratch.pointer.clone();
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let (is_written, removal) = self.end_removal(&removed, outer, start, name);
        if !is_written {
            // Something has to stand there until its place takes it back.
            self.out.extend_from_slice(b"null");
            self.withheld = true;
        }
        self.note(pointer, removal);
    }

    /// Makes a token of the scalar that was written since `start`, where that is asked for.
    pub(super) fn tokenise(&mut self, start: usize) {
        let Some(removing) = self.removing.as_mut().filter(|removing| removing.mode == Mode::Token) else { return };
        let scalar = self.out.get(start..).unwrap_or_default();
        let token = self.rules.as_ref().map(|rules| rules.token(scalar));
        self.out.truncate(start);
        match token {
            Some(Ok(token)) => {
                write_string(&mut self.out, &token.text);
                removing.key_id = Some(token.key_id);
            }
            _ => {
                self.out.extend_from_slice(b"null");
                removing.failed = true;
            }
        }
    }
}

/// A value that its type removes, while it is written.
#[derive(Debug)]
pub(super) struct Whole {
    removed: Removed,
    outer: Option<Removing>,
    start: usize,
}

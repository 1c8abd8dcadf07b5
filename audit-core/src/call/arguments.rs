//! The arguments of a call, captured before the body moves them.

use std::rc::Rc;

use super::Site;
use super::plan::{POINTER, Plan};
use crate::canonical::{Canonical, Frame};
use crate::capture::Captured;
use crate::limit;
use crate::record::Target;
use crate::redact::{Redaction, Root, names};
use crate::reused::Buffer;

/// Where the attribute's `fields` stand in a record.
const FIELDS_POINTER: &str = "/annotations";

/// How long the identity of a target may be.
const IDENTITY_BYTES_MAX: usize = 1_024;

/// The identity of a target that could not be told.
const UNAVAILABLE: &str = "[unavailable]";

/// What is done with an argument, and the index of its parameter.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// It is recorded.
    Taken(usize),
    /// The attribute leaves it out.
    Skipped(usize),
}

/// Takes the arguments and targets of one call.
#[derive(Debug)]
pub struct Arguments<'c> {
    site: &'static Site,
    plan: Rc<Plan>,
    canonical: &'c mut Canonical,
    frame: &'c mut Frame,
    /// The arguments' JSON, once they are closed because a field came after them.
    arguments: Option<Buffer>,
    targets: Vec<Target>,
}

impl<'c> Arguments<'c> {
    pub(super) fn new(site: &'static Site, canonical: &'c mut Canonical, frame: &'c mut Frame) -> Self {
        Self { site, plan: Plan::of(site), canonical, frame, arguments: None, targets: Vec::new() }
    }

    /// Takes the arguments in the order of their parameters, or as their places say where there are any.
    pub(super) fn take(&mut self, arguments: &[Captured<'_>], places: &[Place]) {
        for (index, captured) in arguments.iter().enumerate() {
            match places.get(index).copied().unwrap_or(Place::Taken(index)) {
                Place::Taken(index) => self.argument(index, captured),
                Place::Skipped(index) => self.skipped(index, captured),
            }
        }
    }

    fn argument(&mut self, index: usize, captured: &Captured<'_>) {
        let Some(parameter) = self.plan.parameter(index) else { return };
        let pointer = parameter.pointer.as_str();
        self.canonical.parameter(self.frame, index, &parameter.key, |canonical| {
            match parameter.secret.filter(|_| !parameter.is_addressed) {
                Some(word) => {
                    captured.withhold(canonical, pointer, format!("name:{word}"));
                    false
                }
                None => captured.write(canonical, pointer, self.site.redact, Root::Parameter(index)),
            }
        });
    }

    /// Captures one of the attribute's `fields`, which follow the arguments.
    pub fn field(&mut self, name: &str, captured: Captured<'_>) {
        self.close_arguments();
        let secret = names::secret(name);
        self.canonical.argument(self.frame, (FIELDS_POINTER, name), |canonical, pointer| match secret {
            Some(word) => {
                captured.withhold(canonical, pointer, format!("name:{word}"));
                false
            }
            None => captured.write(canonical, pointer, &[], Root::Return),
        });
    }

    /// Notes a field whose expression panicked.
    pub fn field_unavailable(&mut self, name: &str) {
        self.close_arguments();
        self.canonical.argument(self.frame, (FIELDS_POINTER, name), |canonical, _pointer| {
            canonical.push_text(UNAVAILABLE);
            true
        });
    }

    fn close_arguments(&mut self) {
        if self.arguments.is_none() {
            self.canonical.close_parameters(self.frame, self.plan.order());
            self.arguments = Some(self.canonical.take_bytes());
            *self.frame = self.canonical.open_arguments();
        }
    }

    /// Leaves the argument of the parameter with this index out. If it is a secret by its name, it stays out of the
    /// call's other texts, too.
    fn skipped(&mut self, index: usize, captured: &Captured<'_>) {
        if let Some(word) = self.plan.parameter(index).and_then(|parameter| parameter.secret) {
            // Nothing is written, so nothing is noted as removed.
            let mut aside = Canonical::redacting(&[]);
            captured.withhold(&mut aside, POINTER, format!("name:{word}"));
            let (_nothing, _unnoted, secrets) = aside.into_parts();
            self.canonical.secrets().absorb(&secrets);
        }
    }

    /// Notes what the action is done to. `shown` is the identity as its type displays it.
    pub fn target(&mut self, kind: &str, shown: Option<String>, captured: Captured<'_>) {
        let id = shown.unwrap_or_else(|| captured.identity());
        self.targets.push(Target { kind: kind.to_owned(), id });
    }

    /// Notes what the action is done to, where the expression for it panicked.
    pub fn target_unavailable(&mut self, kind: &str) {
        self.targets.push(Target { kind: kind.to_owned(), id: UNAVAILABLE.to_owned() });
    }

    /// Closes what is open, and removes from the targets what was removed from the arguments, now that all of them are known.
    /// Returns the arguments' JSON, too, if the canonical bytes are those of the fields.
    pub(super) fn into_parts(mut self) -> (Vec<Target>, Option<Buffer>) {
        let mut noted: Vec<Redaction> = Vec::new();
        for (index, target) in self.targets.iter_mut().enumerate() {
            let (clean, rules) = self.canonical.secrets().scrub_known(&target.id);
            let path = format!("/target/{index}/id");
            noted.extend(rules.into_iter().map(|rule| Redaction { path: path.clone(), rule }));
            target.id = clean;
            limit::cut(&mut target.id, IDENTITY_BYTES_MAX);
        }
        for redaction in noted {
            self.canonical.note_removal(redaction.path, redaction.rule);
        }
        match &self.arguments {
            None => self.canonical.close_parameters(self.frame, self.plan.order()),
            Some(_) => self.canonical.close_arguments(self.frame),
        }
        (self.targets, self.arguments)
    }
}

//! The arguments of a call, captured before the body moves them.

use std::rc::Rc;
use std::sync::Arc;

use super::Site;
use super::plan::{POINTER, Plan};
use crate::canonical::{Canonical, Frame, Removed};
use crate::capture::Captured;
use crate::limit;
use crate::privacy::Privacy;
use crate::record::Target;
use crate::redact::{Redaction, Root, Rules};
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
    privacy: Arc<Privacy>,
    canonical: &'c mut Canonical,
    frame: &'c mut Frame,
    /// The arguments' JSON, once they are closed because a field came after them.
    arguments: Option<Buffer>,
    targets: Vec<Target>,
}

impl<'c> Arguments<'c> {
    pub(super) fn new(site: &'static Site, canonical: &'c mut Canonical, frame: &'c mut Frame) -> Self {
        let privacy = canonical.rules().map_or_else(Privacy::shared, |rules| Arc::clone(&rules.privacy));
        Self { site, plan: Plan::of(site, &privacy), privacy, canonical, frame, arguments: None, targets: Vec::new() }
    }

    /// Takes the arguments in the order of their parameters, or as their places say where there are any.
    pub(super) fn take(&mut self, arguments: &[Captured<'_>], places: &[Place]) {
        let index_of = |place: Place| match place {
            Place::Taken(index) | Place::Skipped(index) => index,
        };
        self.canonical.find_subjects(&|root| {
            let Root::Parameter(wanted) = root else { return None };
            let place = |index: usize| places.get(index).copied().unwrap_or(Place::Taken(index));
            arguments
                .iter()
                .enumerate()
                .find(|(index, _)| index_of(place(*index)) == wanted)
                .map(|(_, captured)| captured)
        });
        for (index, captured) in arguments.iter().enumerate() {
            match places.get(index).copied().unwrap_or(Place::Taken(index)) {
                Place::Taken(index) => self.argument(index, captured),
                Place::Skipped(index) => self.skipped(index, captured),
            }
        }
    }

    fn argument(&mut self, index: usize, captured: &Captured<'_>) {
        let Some(parameter) = self.plan.parameter(index) else { return };
        let name = self.site.parameters.get(index).copied().unwrap_or_default();
        let place = (parameter.pointer.as_str(), name);
        let root = Root::Parameter(index);
        self.canonical.parameter(self.frame, index, &parameter.key, |canonical| match &parameter.secret {
            Some(removed) if !canonical.is_addressed(root) => {
                captured.write_removed(canonical, place, removed, core::iter::empty())
            }
            _ => captured.write(canonical, place, Some(root)),
        });
    }

    /// Captures one of the attribute's `fields`, which follow the arguments.
    pub fn field(&mut self, name: &str, captured: Captured<'_>) {
        self.close_arguments();
        let secret = self.privacy.names.find(name).map(Removed::by_name);
        self.canonical.argument(self.frame, (FIELDS_POINTER, name), |canonical, pointer| match &secret {
            Some(removed) => captured.write_removed(canonical, (pointer, name), removed, core::iter::empty()),
            None => captured.write(canonical, (pointer, name), None),
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
        if let Some(removed) = self.plan.parameter(index).and_then(|parameter| parameter.secret.as_ref()) {
            // Nothing is written, so nothing is noted as removed.
            let mut aside = Canonical::redacting(Rules::default());
            captured.withhold(&mut aside, POINTER, removed);
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
            let (clean, removals) = self.canonical.scrub_known(&target.id);
            let path = format!("/target/{index}/id");
            noted.extend(removals.into_iter().map(|removal| Redaction::new(path.clone(), removal)));
            target.id = clean;
            limit::cut(&mut target.id, IDENTITY_BYTES_MAX);
        }
        for redaction in noted {
            self.canonical.note_removal(redaction.path, redaction.removal);
        }
        match &self.arguments {
            None => self.canonical.close_parameters(self.frame, self.plan.order()),
            Some(_) => self.canonical.close_arguments(self.frame),
        }
        (self.targets, self.arguments)
    }
}

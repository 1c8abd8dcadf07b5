//! The fields of a span or event written by hand: those that say what it is, and the rest, redacted like arguments.

use core::fmt::Debug;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};

use crate::canonical::{Canonical, Removed, object_of};
use crate::capture::{Capture as _, Captured, Probe};
use crate::limit;
use crate::record::Payload;
use crate::redact::secrets::{REMOVED, Secrets};
use crate::redact::{Path, Redaction, Root, Rules, Segment, push_step};
use crate::vocabulary::{Effect, Status};

/// The fields that say what a span or event is.
pub(super) const ACTION: &str = "audit.action";
pub(super) const EVENT: &str = "audit.event";
const EFFECT: &str = "audit.effect";
const OUTCOME: &str = "audit.outcome";
const ERROR_TYPE: &str = "error.type";

/// How long a field that says what a span or event is may be.
const WORD_BYTES_MAX: usize = 1_024;

/// What the fields say.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) action: Option<String>,
    pub(super) effect: Option<Effect>,
    pub(super) outcome: Option<Status>,
    pub(super) error_type: Option<String>,
    pub(super) event: Option<String>,
    /// Where the other fields stand in the record.
    pointer: &'static str,
    /// The other fields, each in canonical JSON.
    members: Vec<(&'static str, Vec<u8>)>,
    rules: Rules,
    redactions: Vec<Redaction>,
    secrets: Secrets,
}

impl Fields {
    pub(super) fn new(pointer: &'static str, rules: Rules) -> Self {
        Self {
            action: None,
            effect: None,
            outcome: None,
            error_type: None,
            event: None,
            pointer,
            members: Vec::new(),
            rules,
            redactions: Vec::new(),
            secrets: Secrets::default(),
        }
    }

    /// Takes how the call ended, which may be said at its start.
    pub(super) fn take_outcome(&mut self, other: &mut Self) {
        self.outcome = other.outcome.take().or(self.outcome);
        self.error_type = other.error_type.take().or_else(|| self.error_type.take());
    }

    /// Adds fields that were recorded later; the last value of a field stays.
    pub(super) fn extend(&mut self, mut later: Self) {
        self.take_outcome(&mut later);
        for (name, value) in later.members {
            self.put(name, value);
        }
        for redaction in later.redactions {
            if !self.redactions.contains(&redaction) {
                self.redactions.push(redaction);
            }
        }
        self.secrets.absorb(&later.secrets);
    }

    /// Adds a field that is not one of those that say what the span or event is.
    pub(super) fn add(&mut self, name: &'static str, value: &str) {
        self.capture(name, (&&&Probe(&value)).captured());
    }

    /// Removes from the texts of the fields what was removed from them, and from the call around them.
    pub(super) fn clean(&mut self, around: &[&Mutex<Secrets>]) {
        let own = core::mem::take(&mut self.secrets);
        self.clean_of(&own);
        self.secrets = own;
        for secrets in around {
            self.clean_of(&secrets.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn clean_of(&mut self, secrets: &Secrets) {
        for (name, value) in &mut self.members {
            let mut path = self.pointer.to_owned();
            push_step(&mut path, name);
            let removals = self.rules.clean_text(value, secrets).into_iter();
            self.redactions.extend(removals.map(|removal| Redaction::new(path.clone(), removal)));
        }
        if let Some(error_type) = &mut self.error_type {
            *error_type = self.rules.scrub(error_type, secrets).text.unwrap_or_else(|| REMOVED.to_owned());
        }
    }

    /// Returns the other fields as one object, what was removed from them, and what no text of the call may show.
    pub(super) fn into_parts(mut self) -> (Option<Payload>, Vec<Redaction>, Secrets) {
        if self.members.is_empty() {
            return (None, self.redactions, self.secrets);
        }
        let bytes = object_of(&mut self.members);
        (Some(Payload::new(bytes)), self.redactions, self.secrets)
    }

    /// Returns what is removed from the fields.
    pub(super) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Takes a field that says what the span or event is. Returns false for any other, and for one that cannot be read.
    fn take(&mut self, name: &str, text: &str) -> bool {
        let word = || {
            let mut word = text.to_owned();
            limit::cut(&mut word, WORD_BYTES_MAX);
            Some(word)
        };
        match name {
            ACTION => self.action = word(),
            EVENT => self.event = word(),
            ERROR_TYPE => self.error_type = word(),
            EFFECT => match Effect::parse(text) {
                Some(effect) => self.effect = Some(effect),
                None => return false,
            },
            OUTCOME => match Status::parse(text) {
                Some(status) => self.outcome = Some(status),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    fn capture(&mut self, name: &'static str, captured: Captured<'_>) {
        let mut pointer = self.pointer.to_owned();
        push_step(&mut pointer, name);
        let mut canonical = Canonical::redacting(self.rules.clone());
        let by_name = || self.rules.privacy.names.find(name).map(Removed::by_name);
        let written = match self.by_path(name).or_else(by_name) {
            Some(removed) => captured.write_removed(&mut canonical, (&pointer, name), &removed, core::iter::empty()),
            None => captured.write(&mut canonical, (&pointer, name), None),
        };
        let (bytes, redactions, secrets) = canonical.into_parts();
        self.redactions.extend(redactions);
        self.secrets.absorb(&secrets);
        if written {
            self.put(name, bytes.into_inner());
        }
    }

    /// Returns the rule of a path that begins with the field. It removes the whole field if it leads into it: that is a text.
    fn by_path(&self, name: &str) -> Option<Removed> {
        let begins = |path: &Path| {
            path.root == Root::Parameter(0)
                && matches!(path.segments, [Segment::Key { name: first, .. }, ..] if *first == name)
        };
        let (index, path) = self.rules.paths().find(|(_, path)| begins(path))?;
        let removed = Removed::by_path(&self.rules, index)?;
        Some(if path.segments.len() == 1 { removed } else { removed.dropped() })
    }

    fn put(&mut self, name: &'static str, value: Vec<u8>) {
        self.members.retain(|(known, _)| *known != name);
        self.members.push((name, value));
    }
}

macro_rules! captured_as_they_are {
    ($($visit:ident: $type:ty),+) => {$(
        fn $visit(&mut self, field: &Field, value: $type) {
            self.capture(field.name(), (&&&Probe(&value)).captured());
        }
    )+};
}

impl Visit for Fields {
    captured_as_they_are!(record_f64: f64, record_i64: i64, record_u64: u64, record_i128: i128, record_u128: u128, record_bool: bool);

    fn record_str(&mut self, field: &Field, value: &str) {
        if !self.take(field.name(), value) {
            self.add(field.name(), value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &tracing::field::display(value));
    }

    /// Takes what `?value` and `%value` show.
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let is_word = matches!(field.name(), ACTION | EVENT | EFFECT | OUTCOME | ERROR_TYPE);
        let word = || catch_unwind(AssertUnwindSafe(|| format!("{value:?}"))).ok();
        if !is_word || !word().is_some_and(|text| self.take(field.name(), &text)) {
            self.capture(field.name(), (&&Probe(&value)).captured());
        }
    }
}

//! Agent events: what happens between calls, recorded through the port so that no filter silences it.

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use crate::audit_policy::{About, AuditPolicy, Limits, Written};
use crate::canonical::{Canonical, Removed, object_of};
use crate::context::Ambient;
use crate::correlation;
use crate::limit;
use crate::port::AuditPort;
use crate::record::{CallPart, Draft, Outcome, Payload, Target};
use crate::redact::secrets::{REMOVED, Secrets};
use crate::redact::{Redaction, Removal, Rules, push_step};
use crate::sink::{AppendError, Receipt};
use crate::time::{Clock as _, SystemClock};
use crate::unrecorded;
use crate::vocabulary::{Applied, EventName, Status, Writer};

/// How long the type and the identifier of a target may be.
const TARGET_BYTES_MAX: usize = 1_024;

/// Starts an event of the given name, to be recorded with [`Event::record`].
///
/// Inside an audited call the event belongs to that call and takes over its action; elsewhere its action is its name,
/// unless [`Event::action`] says otherwise.
#[must_use = "an event is recorded by `record`"]
pub fn event(name: &str) -> Event {
    Event {
        name: parse(name),
        action: None,
        outcome: Outcome::pending(),
        targets: Vec::new(),
        annotations: Annotations { rules: Rules::here(), members: Vec::new(), redactions: Vec::new() },
    }
}

fn parse(name: &str) -> Result<EventName, EventError> {
    let fault = |kind| EventError { name: name.to_owned(), kind };
    let event = EventName::parse(name).ok_or_else(|| fault(EventErrorKind::Unknown))?;
    match event.writer() {
        Writer::Program => Ok(event),
        Writer::Call => Err(fault(EventErrorKind::OfCall)),
        Writer::Log => Err(fault(EventErrorKind::OfLog)),
    }
}

/// An event that is being put together.
#[derive(Debug)]
#[must_use = "an event is recorded by `record`"]
pub struct Event {
    name: Result<EventName, EventError>,
    action: Option<String>,
    outcome: Outcome,
    targets: Vec<Target>,
    annotations: Annotations,
}

/// The values of one's own, each in canonical JSON.
#[derive(Debug)]
struct Annotations {
    rules: Rules,
    members: Vec<(String, Vec<u8>)>,
    redactions: Vec<Redaction>,
}

impl Event {
    /// Sets what the event is about, in the business' words: `order.refund`.
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Adds what the event is about: a type and an identifier, `("order", "ORD-54321")`.
    pub fn target(mut self, kind: impl Into<String>, id: impl Into<String>) -> Self {
        self.targets.push(Target { kind: kind.into(), id: id.into() });
        self
    }

    /// Sets how what the event tells of ended; `unknown` unless set.
    pub const fn outcome(mut self, status: Status) -> Self {
        self.outcome.status = status;
        self
    }

    /// Sets what was done to the world; `none` unless set.
    pub const fn effect(mut self, effect: Applied) -> Self {
        self.outcome.effect = effect;
        self
    }

    /// Sets why. Removed from it are what follows the name of a secret and, inside a call, what was removed from that
    /// call's arguments.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.outcome.reason = Some(reason.into());
        self
    }

    /// Adds a value of your own. Secrets in it are removed by their names; in the place of a value that has no JSON
    /// stands `{"not_captured":true}`. A name given twice keeps its last value.
    pub fn annotation<T: Serialize + ?Sized>(mut self, name: impl Into<String>, value: &T) -> Self {
        self.annotations.add(name.into(), value);
        self
    }

    /// Appends the event's record.
    ///
    /// # Errors
    /// The name is not one that programs may record, no log is open, or the log does not accept the record.
    pub fn record(mut self) -> Result<Receipt, EventError> {
        let event = self.name?;
        let unavailable = |cause: Option<AppendError>| {
            let kind = EventErrorKind::Unavailable(cause.clone());
            let fault = EventError { name: event.as_str().to_owned(), kind };
            unrecorded::add(SystemClock.now(), cause.as_ref(), &fault);
            fault
        };
        let Some(port) = AuditPort::find() else { return Err(unavailable(None)) };
        let ambient = Ambient::current_with(Some(&port));
        let call = ambient.call();
        let mut outcome = self.outcome;
        let rules = Rules::of(&port, &ambient);
        let secrets = Texts { ambient: &ambient, rules: &rules };
        ambient.with_secrets(|secrets| self.annotations.clean(secrets));
        let (annotations, mut redactions) = self.annotations.into_payload();
        outcome.reason = outcome.reason.map(|reason| secrets.clean(&reason, "/outcome/reason", &mut redactions));
        for (index, target) in self.targets.iter_mut().enumerate() {
            target.id = secrets.clean_target(&target.id, &format!("/target/{index}/id"), &mut redactions);
            limit::cut(&mut target.id, TARGET_BYTES_MAX);
            limit::cut(&mut target.kind, TARGET_BYTES_MAX);
        }
        let action = self.action.as_deref().or(call.map(|call| &*call.action)).unwrap_or(event.as_str());
        let policy = port.policy();
        let correlation = correlation::current().map(|ids| ambient.correlation_in(ids));
        let draft = Draft {
            event,
            time: port.clock().now(),
            action,
            ambient: &ambient,
            correlation: correlation.as_deref(),
            call: call.map(|call| CallPart { id: call.id, start: None, end: None, tool_call_id: None, parent: None }),
            operation: None,
            outcome: &outcome,
            level: None,
            request: None,
            response: None,
            targets: &self.targets,
            redactions: &redactions,
            annotations: annotations.as_ref(),
            retention: policy.as_ref().and_then(|policy| retention(policy, action, &ambient)),
            limits: Limits::default(),
            trigger: true,
        };
        let receipt = port.append_asked(&draft);
        match receipt.now() {
            Some(Err(error)) => Err(unavailable(Some(error))),
            _ => Ok(receipt),
        }
    }
}

/// Returns the class that says for how long records of an event or a span outside of calls are kept.
pub(crate) fn retention<'p>(policy: &'p AuditPolicy, action: &str, ambient: &Ambient) -> Option<&'p str> {
    let tenant = ambient.fields().and_then(|fields| fields.tenant_id());
    let ruling = policy.ruling(&About { action, tenant, ..About::default() }, Written::default());
    ruling.rule.decision.retention.as_deref()
}

impl Annotations {
    fn add<T: Serialize + ?Sized>(&mut self, name: String, value: &T) {
        let mut pointer = "/annotations".to_owned();
        push_step(&mut pointer, &name);
        let mut canonical = Canonical::redacting(self.rules.clone());
        let removed = self.rules.privacy.names.find(&name).map(Removed::by_name);
        let written = catch_unwind(AssertUnwindSafe(|| match &removed {
            Some(removed) if removed.is_drop() => {
                canonical.note_removal(pointer.clone(), removed.as_dropped());
                Ok(false)
            }
            Some(removed) => canonical.write_removed((&pointer, &name), core::iter::empty(), removed, &value),
            None => canonical.write_at(&pointer, core::iter::empty(), &value),
        }));
        let (bytes, redactions, _secrets) = canonical.into_parts();
        let mut bytes = bytes.into_inner();
        match (written, removed) {
            (Ok(Ok(is_written)), _) => {
                self.redactions.extend(redactions);
                if !is_written {
                    return;
                }
            }
            (_, Some(removed)) => return self.redactions.push(Redaction::new(pointer, removed.as_dropped())),
            // The reason is left out: it may quote the value.
            (Ok(Err(_)) | Err(_), None) => bytes = br#"{"not_captured":true}"#.to_vec(),
        }
        self.members.retain(|(other, _)| *other != name);
        self.members.push((name, bytes));
    }

    /// Removes from the values that are texts what was removed from the call around the event.
    fn clean(&mut self, secrets: &Secrets) {
        for (name, value) in &mut self.members {
            let mut path = "/annotations".to_owned();
            push_step(&mut path, name);
            let removals = self.rules.clean_text(value, secrets).into_iter();
            self.redactions.extend(removals.map(|removal| Redaction::new(path.clone(), removal)));
        }
    }

    fn into_payload(mut self) -> (Option<Payload>, Vec<Redaction>) {
        if self.members.is_empty() {
            return (None, self.redactions);
        }
        let bytes = object_of(&mut self.members);
        (Some(Payload::new(bytes)), self.redactions)
    }
}

/// What the texts of an event must not show: what was removed from the arguments of the call around it.
struct Texts<'a> {
    ambient: &'a Ambient,
    rules: &'a Rules,
}

impl Texts<'_> {
    fn clean(&self, text: &str, pointer: &str, redactions: &mut Vec<Redaction>) -> String {
        let scrubbed = self.ambient.with_secrets(|secrets| self.rules.scrub(text, secrets));
        note(pointer, scrubbed.removals, redactions);
        scrubbed.text.unwrap_or_else(|| REMOVED.to_owned())
    }

    fn clean_target(&self, id: &str, pointer: &str, redactions: &mut Vec<Redaction>) -> String {
        let (clean, removals) = self.ambient.with_secrets(|secrets| self.rules.scrub_known(id, secrets));
        note(pointer, removals, redactions);
        clean
    }
}

fn note(pointer: &str, removals: Vec<Removal>, redactions: &mut Vec<Redaction>) {
    redactions.extend(removals.into_iter().map(|removal| Redaction::new(pointer.to_owned(), removal)));
}

/// An event was not recorded.
#[derive(Clone, Debug)]
pub struct EventError {
    name: String,
    kind: EventErrorKind,
}

#[derive(Clone, Debug)]
enum EventErrorKind {
    Unknown,
    OfCall,
    OfLog,
    Unavailable(Option<AppendError>),
}

impl EventError {
    /// Tells whether no log took the event, rather than its name being wrong. It was counted then.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self.kind, EventErrorKind::Unavailable(_))
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.escape_debug();
        match &self.kind {
            EventErrorKind::Unknown => {
                let allowed = EventName::ALL.iter().filter(|event| event.writer() == Writer::Program);
                let allowed: Vec<&str> = allowed.map(|event| event.as_str()).collect();
                write!(f, "expected the name of an event, one of {}, found `{name}`", allowed.join(", "))
            }
            EventErrorKind::OfCall => {
                write!(f, "`{name}` is a stage of a call: `#[audited]` records it, not a program")
            }
            EventErrorKind::OfLog => {
                write!(f, "`{name}` is an event of the log itself: the log records it, not a program")
            }
            EventErrorKind::Unavailable(None) => write!(f, "`{name}` was not recorded: no audit log is open"),
            EventErrorKind::Unavailable(Some(_)) => {
                write!(f, "`{name}` was not recorded: the audit log does not accept it")
            }
        }
    }
}

impl std::error::Error for EventError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            EventErrorKind::Unavailable(Some(cause)) => Some(cause),
            _ => None,
        }
    }
}

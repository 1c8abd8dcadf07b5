//! Spans and events that a program wrote by hand, with the target `audit` and a field `audit.action`.
//!
//! A span is a call: it starts when the span is made and ends when it closes. Tracing decides whether there is a span at
//! all, so that filters silence these calls as they never silence those of `#[audited]`; nor is one ever refused.

mod fields;

use core::time::Duration;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use tracing::span::{Attributes, Record};
use tracing::{Event, Metadata, span};

use crate::audit_policy::Limits;
use crate::call::Site;
use crate::context::{Ambient, CallLink};
use crate::correlation;
use crate::event::retention;
use crate::id::CallId;
use crate::limit;
use crate::outcome;
use crate::policed::{Called, Policed, Ruled};
use crate::port::{AuditPort, Demand, is_call_span};
use crate::record::{CallPart, Draft, Operation, Outcome, PENDING, Payload};
use crate::redact::Redaction;
use crate::redact::Rules;
use crate::redact::secrets::{REMOVED, Secrets};
use crate::sink::Receipt;
use crate::time::{Clock as _, SystemClock, Time};
use crate::unavailable::Unavailable;
use crate::unrecorded;
use crate::vocabulary::{Durability, Effect, EventName, Level, Stages, Status, Writer};
use fields::Fields;

/// How long an action may be.
const ACTION_BYTES_MAX: usize = 128;

/// Tells whether spans or events of this metadata, if their target is an audit one, are records once they have an action.
#[must_use]
pub fn may_be_record(metadata: &Metadata<'_>) -> bool {
    !is_call_span(metadata) && metadata.fields().field(fields::ACTION).is_some()
}

/// The nearest call among the spans around a new span or event.
#[derive(Clone, Debug)]
pub struct Around {
    ambient: Ambient,
    /// Where that call is a span written by hand: the call that this thread was in when it was made.
    made_in: Option<Option<CallId>>,
}

impl Around {
    /// Describes the nearest call: what was attached to its span.
    #[must_use]
    pub fn new(ambient: Ambient, by_hand: Option<&SpanCall>) -> Self {
        Self { ambient, made_in: by_hand.map(|span| span.made_in) }
    }

    /// Chooses between what is at work on this thread and in the spans around: whichever was entered later. Inside a
    /// callback tracing may not tell the current span, so that this goes by the calls alone.
    fn or_here(around: Option<Self>, here: Ambient) -> Ambient {
        let Some(Self { ambient, made_in }) = around else { return here };
        let Some(thread) = here.call().map(|call| call.id) else { return ambient };
        if made_in == Some(Some(thread)) { ambient } else { here }
    }
}

/// A call that a span written by hand stands for. It lives in the span's extensions.
#[derive(Debug)]
pub struct SpanCall {
    port: AuditPort,
    ambient: Ambient,
    made_in: Option<CallId>,
    id: CallId,
    start: Time,
    start_steady: Duration,
    action: Cow<'static, str>,
    tool: &'static str,
    effect: Effect,
    /// What the log's policy decides; none without one.
    policed: Option<Arc<Policed>>,
    /// The fields of the span's start and what was removed from them, where the record of the end is the only one.
    request: Option<(Payload, Vec<Redaction>)>,
    /// What was recorded on the span after its start.
    late: Fields,
    /// What is at work inside the span.
    inside: Ambient,
    /// The span of OpenTelemetry around this one: its own is made by a layer that may come later.
    correlation: Option<Vec<u8>>,
    counted: bool,
    /// The thread was unwinding already when the span was made.
    unwinding: bool,
}

/// Fields that were recorded on a span after its start, taken before the span is locked.
#[derive(Debug)]
pub struct Recorded(Fields);

impl Recorded {
    /// Takes the values.
    #[must_use]
    pub fn take(port: &AuditPort, values: &Record<'_>) -> Self {
        let mut fields = Fields::new("/annotations", Rules::of(port, &Ambient::current_with(None)));
        values.record(&mut fields);
        Self(fields)
    }
}

impl SpanCall {
    /// Appends the beginning of the call; nothing if the span has no action.
    #[must_use]
    pub fn begin(port: &AuditPort, attributes: &Attributes<'_>, around: Option<Around>) -> Option<Self> {
        let here = Ambient::current_with(None);
        let made_in = here.call().map(|call| call.id);
        let ambient = Around::or_here(around, here);
        let mut rules = Rules::of(port, &ambient);
        let mut fields = Fields::new("/request/arguments", rules.clone());
        attributes.record(&mut fields);
        let action: Cow<'static, str> = action(&mut fields)?.into();
        let Some(port) = port.or_recorder() else {
            unrecorded::add(SystemClock.now(), None, &Unavailable::new(action, None));
            return None;
        };
        let effect = fields.effect.unwrap_or(Effect::Write);
        let called = Called { action: &action, tool: attributes.metadata().name(), ambient: &ambient };
        let policed = Policed::of(port.sink(), site(effect), called);
        if let Some(policed) = &policed {
            if policed.is_unrecorded() {
                policed.note_unrecorded(None);
                return None;
            }
            // What is removed from the fields depends on what they say the span is.
            rules = rules.with(policed.rules().clone());
            fields = Fields::new("/request/arguments", rules.clone());
            attributes.record(&mut fields);
            fields.action = None;
        }
        let (start, start_steady) = port.clock().both();
        let id = port.new_call_id(start);
        let inside = ambient.inside(CallLink { id, action: action.clone() });
        let mut call = Self {
            id,
            start_steady,
            port,
            ambient,
            made_in,
            start,
            action,
            tool: attributes.metadata().name(),
            effect,
            policed,
            request: None,
            late: Fields::new("/annotations", rules),
            inside,
            correlation: None,
            counted: false,
            unwinding: std::thread::panicking(),
        };
        call.correlation = correlation::current().map(|ids| call.ambient.correlation_in(ids));
        call.late.take_outcome(&mut fields);
        call.append_started(fields);
        Some(call)
    }

    /// Returns what is at work inside the span.
    #[must_use]
    pub fn inside(&self) -> Ambient {
        self.inside.clone()
    }

    /// Keeps what was recorded on the span; a field that was recorded before is replaced.
    pub fn record(&mut self, recorded: Recorded) {
        self.late.extend(recorded.0);
    }

    /// Appends the end of the call, whose span closes.
    pub fn finish(mut self, span: &span::Id) {
        if let Some(ids) = correlation::of_closing(span) {
            self.correlation = Some(self.ambient.correlation_in(ids));
        }
        let mut late = core::mem::replace(&mut self.late, Fields::new("", Rules::default()));
        late.clean(&self.around());
        let panicked = !self.unwinding && std::thread::panicking() && late.outcome.is_none();
        let (event, outcome) = self.ended(&late, panicked);
        let duration = self.port.clock().steady().saturating_sub(self.start_steady);
        let now = self.port.clock().now().max(self.start);
        let (annotations, mut redactions, secrets) = late.into_parts();
        self.inside.with_secrets(|own| own.absorb(&secrets));
        let ended = Some(outcome.status);
        let Some(level) = self.ruled(ended).level else {
            self.policed.iter().for_each(|policed| policed.note_unrecorded(ended));
            return;
        };
        let only = self.request.is_some();
        let request = self.request.take().filter(|_| level != Level::Metadata);
        let request = request.map(|(request, removed)| {
            redactions.extend(removed);
            request
        });
        if outcome.status != Status::Success {
            self.inside.tell(&self.ambient);
        }
        let draft = Draft {
            call: Some(self.call_part(Some((now, duration)))),
            operation: Some(Operation { tool: self.tool, effect: only.then_some(self.effect) }),
            request: request.as_ref(),
            annotations: annotations.as_ref(),
            redactions: &redactions,
            trigger: only,
            ..self.draft(event, now, &outcome, self.ruled(ended))
        };
        let durability = self.ruled(ended).durability;
        let receipt = self.port.append(&draft, Demand { durability, timeout: None });
        self.settle(&receipt);
    }

    /// Returns what the texts of this call must not show: what was removed from it, and from the call around it.
    fn around(&self) -> Vec<&Mutex<Secrets>> {
        [self.inside.secrets(), self.ambient.secrets()].into_iter().flatten().collect()
    }

    fn append_started(&mut self, mut fields: Fields) {
        fields.clean(&self.around());
        let (arguments, mut redactions, secrets) = fields.into_parts();
        self.inside.with_secrets(|own| own.absorb(&secrets));
        let arguments = arguments.unwrap_or_else(|| Payload::new(b"{}".to_vec()));
        if self.policed.as_ref().is_some_and(|policed| policed.stages() == Stages::Completed) {
            self.request = Some((arguments, redactions));
            return;
        }
        let ruled = self.ruled(None);
        let arguments = Some(arguments).filter(|_| ruled.level != Some(Level::Metadata));
        if arguments.is_none() {
            redactions.clear();
        }
        let draft = Draft {
            call: Some(self.call_part(None)),
            operation: Some(Operation { tool: self.tool, effect: Some(self.effect) }),
            request: arguments.as_ref(),
            redactions: &redactions,
            trigger: true,
            ..self.draft(EventName::ToolCalled, self.start, &PENDING, ruled)
        };
        // Nobody waits for the disk here, but it hurries.
        let durability = ruled.durability.max((self.effect == Effect::Destructive).then_some(Durability::Disk));
        let receipt = self.port.append(&draft, Demand { durability, timeout: None });
        self.counted = self.settle(&receipt);
    }

    /// Counts a call whose record is not in the log, once. Returns whether it was counted now.
    fn settle(&self, receipt: &Receipt) -> bool {
        let Some(Err(error)) = receipt.known() else { return false };
        if !self.counted {
            let unavailable = Unavailable::new(self.action.clone(), Some(error.clone()));
            unrecorded::add(SystemClock.now(), Some(&error), &unavailable);
        }
        true
    }

    fn ended(&self, late: &Fields, panicked: bool) -> (EventName, Outcome) {
        let error_type = late.error_type.clone().or_else(|| panicked.then(|| "panic".to_owned()));
        let by_error = if error_type.is_some() { Status::Failure } else { Status::Success };
        let status = late.outcome.unwrap_or(by_error);
        let (event, effect) = outcome::end(self.effect, status, None);
        let event = if panicked { EventName::ToolPanicked } else { event };
        let error_type = error_type.map(|text| {
            self.inside.with_secrets(|own| late.rules().scrub(&text, own)).text.unwrap_or_else(|| REMOVED.to_owned())
        });
        (event, Outcome { status, effect, error_type, ..Outcome::pending() })
    }

    fn draft<'a>(&'a self, event: EventName, time: Time, outcome: &'a Outcome, ruled: Ruled<'a>) -> Draft<'a> {
        let Ruled { level, retention, limits, .. } = ruled;
        let correlation = self.correlation.as_deref();
        Draft { level, retention, limits, correlation, ..draft(event, time, &self.action, &self.ambient, outcome) }
    }

    fn ruled(&self, ended: Option<Status>) -> Ruled<'_> {
        let written = || Ruled::as_written(site(self.effect));
        self.policed.as_ref().map_or_else(written, |policed| policed.ruled(ended))
    }

    fn call_part(&self, end: Option<(Time, Duration)>) -> CallPart<'_> {
        CallPart {
            id: self.id,
            start: Some(self.start),
            end,
            tool_call_id: self.ambient.tool_call_id(),
            parent: self.ambient.call().map(|call| call.id),
        }
    }
}

/// Appends the record of an event written by hand; nothing if it has no action.
///
/// Its name is its field `audit.event`, one that a program may record. Without one it is `tool.progress`: that alone
/// claims neither a decision, a check, an end nor an alarm. A name that programs may not record, or that there is not, is
/// kept among the annotations.
pub fn record_event(port: &AuditPort, event: &Event<'_>, around: Option<Around>) {
    let ambient = Around::or_here(around, Ambient::current_with(None));
    let mut fields = Fields::new("/annotations", Rules::of(port, &ambient));
    event.record(&mut fields);
    let Some(action) = action(&mut fields) else { return };
    let name = fields.event.take().and_then(|name| {
        let found = EventName::parse(&name).filter(|event| event.writer() == Writer::Program);
        if found.is_none() {
            fields.add(fields::EVENT, name.as_str());
        }
        found
    });
    let Some(port) = port.or_recorder() else {
        unrecorded::add(SystemClock.now(), None, &Unavailable::new(action.into(), None));
        return;
    };
    let secrets: Vec<&Mutex<Secrets>> = ambient.secrets().into_iter().collect();
    fields.clean(&secrets);
    let outcome = Outcome {
        status: fields.outcome.unwrap_or(Status::Unknown),
        error_type: fields.error_type.take(),
        ..Outcome::pending()
    };
    let (annotations, redactions, _secrets) = fields.into_parts();
    let call = ambient.call();
    let policy = port.policy();
    let correlation = correlation::current().map(|ids| ambient.correlation_in(ids));
    let draft = Draft {
        call: call.map(|call| CallPart { id: call.id, start: None, end: None, tool_call_id: None, parent: None }),
        annotations: annotations.as_ref(),
        redactions: &redactions,
        trigger: true,
        retention: policy.as_ref().and_then(|policy| retention(policy, &action, &ambient)),
        correlation: correlation.as_deref(),
        ..draft(name.unwrap_or(EventName::ToolProgress), port.clock().now(), &action, &ambient, &outcome)
    };
    if let Some(Err(error)) = port.append(&draft, Demand::default()).known() {
        let unavailable = Unavailable::new(action.clone().into(), Some(error.clone()));
        unrecorded::add(SystemClock.now(), Some(&error), &unavailable);
    }
}

/// Returns the site that spans of an effect share: what they say of themselves are the arguments of a call.
const fn site(effect: Effect) -> &'static Site {
    static READ: Site = Site::undescribed(Effect::Read);
    static WRITE: Site = Site::undescribed(Effect::Write);
    static DESTRUCTIVE: Site = Site::undescribed(Effect::Destructive);
    match effect {
        Effect::Read => &READ,
        Effect::Write => &WRITE,
        Effect::Destructive => &DESTRUCTIVE,
    }
}

fn action(fields: &mut Fields) -> Option<String> {
    let action = fields.action.take()?;
    let (mut action, _unsaid) = fields.rules().scrub_known(&action, &Secrets::default());
    limit::cut(&mut action, ACTION_BYTES_MAX);
    Some(action)
}

fn draft<'a>(event: EventName, time: Time, action: &'a str, ambient: &'a Ambient, outcome: &'a Outcome) -> Draft<'a> {
    Draft {
        event,
        time,
        action,
        ambient,
        correlation: None,
        call: None,
        operation: None,
        outcome,
        level: None,
        request: None,
        response: None,
        targets: &[],
        redactions: &[],
        annotations: None,
        retention: None,
        limits: Limits::default(),
        trigger: false,
    }
}

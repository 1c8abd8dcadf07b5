//! A call that is open: what is known of it, and the records it leaves.

use core::mem;
use core::time::Duration;
use std::borrow::Cow;
use std::sync::Arc;

use tracing::Span;

use super::span::{self, End};
use super::{Ending, Site, Tell};
use crate::context::{Ambient, Entered, SpanPlace};
use crate::id::CallId;
use crate::observe::{self, Called};
use crate::outcome::Conclusion;
use crate::policed::{Policed, Ruled};
use crate::port::{AuditPort, Demand};
use crate::record::{CallPart, Draft, Operation, Outcome, PENDING, Payload, Response, Target};
use crate::redact::{Redaction, Removal, Root, Rules};
use crate::sink::Receipt;
use crate::time::Time;
use crate::vocabulary::{Applied, Durability, Effect, EventName, Level, Stages, Status};

/// How much of an error's text is worth cleaning; the record cuts at 4,096 bytes, the mark of the cut included.
const REASON_BYTES_MAX: usize = 4_000;

/// How long a removed value can be; longer ones withhold every text of their call.
const SECRET_BYTES_MAX: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) site: &'static Site,
    /// What the log's policy decides; none without one.
    pub(super) policed: Option<Arc<Policed>>,
    /// The action and the tool: the site's, unless an adapter names them at run time.
    pub(super) action: Cow<'static, str>,
    pub(super) tool: Cow<'static, str>,
    pub(super) port: AuditPort,
    pub(super) span: Span,
    pub(super) place: Option<SpanPlace>,
    /// What is at work around the call, and inside of it.
    pub(super) ambient: Ambient,
    pub(super) inside: Ambient,
    /// Another handle to what is at work inside, which comes back each time that it was entered.
    pub(super) entering: Option<Ambient>,
    pub(super) id: CallId,
    pub(super) start: Time,
    pub(super) start_steady: Duration,
    pub(super) targets: Vec<Target>,
    /// What the closing record says of the arguments, where it is the only one.
    pub(super) request: Option<Payload>,
    /// The attribute's `fields`; they stand in the first record.
    pub(super) annotations: Option<Payload>,
    /// What is removed from the call.
    pub(super) rules: Rules,
    pub(super) redactions: Vec<Redaction>,
    /// What was removed from the result, wherever that will stand.
    pub(super) response_redactions: Vec<Redaction>,
    /// What the body of a returned future waits for.
    pub(super) receipt: Option<Receipt>,
    /// True once a record of the call is in the log, or on its way.
    pub(super) in_log: bool,
    /// True once the call is counted as unrecorded.
    pub(super) counted: bool,
    pub(super) body_began: bool,
    /// What its records say of the trace, where OpenTelemetry knows it.
    pub(super) correlation: Option<Vec<u8>>,
    /// The context, while what the call leaves behind is dropped inside of it.
    pub(super) entered: Option<Entered>,
}

/// How a call ended, before it is recorded.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) event: EventName,
    pub(super) outcome: Outcome,
    pub(super) response: Option<Response>,
}

impl Open {
    /// Runs code of the user's inside the call: in its span and its context. Not generic: what it does is compiled once,
    /// not once in each function.
    pub(super) fn enter(&mut self, code: &mut dyn FnMut()) {
        let entering = self.entering.take().unwrap_or_else(|| self.inside.clone());
        let _span = self.span.enter();
        let entered = entering.enter_in(self.place.clone().or_else(SpanPlace::current));
        code();
        self.entering = entered.leave();
    }

    /// Has the expansion tell how the call ended, inside the call: that runs code of the user's.
    pub(super) fn told<'t>(&mut self, tell: &mut Tell<'_>, told: &'t mut Option<Ended>) -> &'t Ended {
        let span = mem::replace(&mut self.span, Span::none()).entered();
        let entered = self.enter_context();
        tell(&mut Ending::new(self, told));
        // A `tell` that told nothing, because it panicked, leaves the outcome unknown.
        let ended = told.get_or_insert_with(|| self.ended(Conclusion::unknown(), None));
        self.entering = entered.leave();
        self.span = span.exit();
        ended
    }

    /// Enters the call without a guard: what is dropped meanwhile is dropped inside of it.
    pub(super) fn enter_until_left(&mut self) {
        self.span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
        self.entered = Some(self.enter_context());
    }

    /// Leaves the call, if it was entered without a guard.
    pub(super) fn leave(&mut self) {
        if let Some(context) = self.entered.take() {
            self.entering = context.leave();
            self.span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        }
    }

    fn enter_context(&mut self) -> Entered {
        let entering = self.entering.take().unwrap_or_else(|| self.inside.clone());
        entering.enter_in(self.place.clone().or_else(SpanPlace::current))
    }

    pub(super) fn panicked(&mut self, message: Option<String>) -> Ended {
        let mut conclusion = Conclusion::known_failure("panic");
        conclusion.reason = message;
        Ended { event: EventName::ToolPanicked, ..self.ended(conclusion, None) }
    }

    pub(super) fn cancelled(&mut self) -> Ended {
        let mut conclusion = Conclusion::unknown();
        conclusion.type_name = Some("cancelled".to_owned());
        conclusion.effect = (!self.body_began).then_some(Applied::None);
        Ended { event: EventName::ToolCancelled, ..self.ended(conclusion, None) }
    }

    /// Removes from an error's type or code what was removed from the arguments, and says so; nothing where a removed
    /// value is not known.
    pub(super) fn clean(&mut self, text: &str, pointer: &str) -> Option<String> {
        let scrubbed = self.inside.with_secrets(|secrets| self.rules.scrub(text, secrets));
        let noted = scrubbed.removals.into_iter().map(|removal| Redaction::new(pointer.to_owned(), removal));
        self.redactions.extend(noted);
        scrubbed.text
    }

    /// Tells whether what errors say is not recorded.
    pub(super) fn hides_errors(&self) -> bool {
        self.rules.paths().any(|(_, path)| path.root == Root::Error)
    }

    /// Removes from an error's text what was removed from the arguments, and says so.
    pub(super) fn reason(&mut self, text: Option<String>) -> Option<String> {
        const POINTER: &str = "/outcome/reason";
        let mut text = text?;
        // A text of an error is only ever left out: nobody looks for it by a token.
        if let Some((index, _)) = self.rules.paths().find(|(_, path)| path.root == Root::Error) {
            let removal = Removal::drop(self.rules.path_rule(index));
            self.redactions.push(Redaction::new(POINTER.to_owned(), removal));
            return None;
        }
        let unseen = truncate(&mut text, REASON_BYTES_MAX + SECRET_BYTES_MAX);
        let scrubbed = self.inside.with_secrets(|secrets| self.rules.scrub(&text, secrets));
        let noted = scrubbed.removals.into_iter().map(|removal| Redaction::new(POINTER.to_owned(), removal));
        self.redactions.extend(noted);
        let mut clean = scrubbed.text?;
        if unseen > 0 {
            // A secret that the cut went through left its beginning in the last bytes, unrecognised.
            let trusted = clean.len().saturating_sub(SECRET_BYTES_MAX).min(REASON_BYTES_MAX);
            let missing = unseen + truncate(&mut clean, trusted);
            clean.push_str(&format!("…(+{missing} bytes)"));
        }
        Some(clean)
    }

    /// The error of this call may pass through the one around it, whose texts must not show what was removed here.
    pub(super) fn tell_the_outer_call(&self) {
        self.inside.tell(&self.ambient);
    }

    /// Returns what holds for the record of the beginning, or of an end.
    pub(super) fn ruled(&self, ended: Option<Status>) -> Ruled<'_> {
        self.policed.as_ref().map_or_else(|| Ruled::as_written(self.site), |policed| policed.ruled(ended))
    }

    pub(super) fn stages(&self) -> Stages {
        self.policed.as_ref().map_or(self.site.stages, |policed| policed.stages())
    }

    /// Returns the highest level that a record with a result may have.
    pub(super) fn result_level(&self) -> Level {
        self.policed.as_ref().map_or(self.site.level, |policed| policed.result_level())
    }

    /// Tells whether a record of the call is to have its arguments.
    pub(super) fn takes_arguments(&self) -> bool {
        self.policed.as_ref().map_or(self.site.level != Level::Metadata, |policed| policed.takes_arguments())
    }

    /// Forgets what was removed from arguments that no record holds.
    pub(super) fn forget_arguments(&mut self) {
        self.redactions.retain(|redaction| !redaction.path.starts_with("/request/"));
    }

    fn note_unrecorded(&self, ended: Option<Status>) {
        if let Some(policed) = &self.policed {
            policed.note_unrecorded(ended);
        }
    }

    /// Appends the record of the intent; its receipt is returned unless that has nothing more to tell.
    pub(super) fn append_started(&mut self, request: Option<&Payload>) -> Option<Receipt> {
        // A destructive intent is on the disk before the body runs, whatever the log's own durability.
        let destructive = (self.site.effect == Effect::Destructive).then_some(Durability::Disk);
        let redactions = mem::take(&mut self.redactions);
        let ruled = self.ruled(None);
        let draft = Draft {
            call: Some(self.call_part(None)),
            operation: Some(Operation { tool: &self.tool, effect: Some(self.site.effect) }),
            request,
            redactions: &redactions,
            annotations: self.annotations.as_ref(),
            trigger: true,
            ..self.draft(EventName::ToolCalled, self.start, &PENDING, ruled)
        };
        let durability = ruled.durability.max(destructive);
        let demand = Demand { durability, timeout: self.site.append_timeout };
        let receipt = observe::timed(|| self.port.append(&draft, demand));
        if has_told(&receipt) { None } else { Some(receipt) }
    }

    pub(super) fn append_end(&mut self, ended: &Ended, durability: Option<Durability>) -> Option<Receipt> {
        let status = Some(ended.outcome.status);
        let Some(level) = self.ruled(status).level else {
            self.note_unrecorded(status);
            return None;
        };
        if level == Level::Metadata {
            self.forget_arguments();
        }
        let response = ended.response.as_ref();
        let (now, steady) = self.port.clock().both();
        let duration = steady.saturating_sub(self.start_steady);
        // The wall clock may have been set back meanwhile; a call does not end before it starts.
        let now = now.max(self.start);
        let only = self.stages() == Stages::Completed;
        let redactions = mem::take(&mut self.redactions);
        let ruled = self.ruled(status);
        let draft = Draft {
            call: Some(self.call_part(Some((now, duration)))),
            operation: Some(Operation { tool: &self.tool, effect: only.then_some(self.site.effect) }),
            request: self.request.as_ref().filter(|_| level != Level::Metadata),
            response,
            redactions: &redactions,
            annotations: self.annotations.as_ref().filter(|_| only),
            trigger: only,
            ..self.draft(ended.event, now, &ended.outcome, ruled)
        };
        let demand = Demand { durability, timeout: self.site.append_timeout };
        let record_id = self.port.new_record_id(now);
        let receipt = observe::timed(|| self.port.append_under(record_id, &draft, demand));
        observe::called(&Called {
            tool: &self.tool,
            status: ended.outcome.status,
            error_type: ended.outcome.error_type.as_deref(),
            duration,
        });
        let end = End { telemetry: self.site.telemetry, duration, response, receipt: &receipt };
        span::record_end(&self.span, &ended.outcome, record_id, &end);
        // One call is counted once, even if both of its records are missing.
        if self.counted || has_told(&receipt) { None } else { Some(receipt) }
    }

    fn draft<'a>(&'a self, event: EventName, time: Time, outcome: &'a Outcome, ruled: Ruled<'a>) -> Draft<'a> {
        Draft {
            event,
            time,
            action: &self.action,
            ambient: &self.ambient,
            correlation: self.correlation.as_deref(),
            call: None,
            operation: None,
            outcome,
            level: ruled.level,
            request: None,
            response: None,
            targets: &self.targets,
            redactions: &[],
            annotations: None,
            retention: ruled.retention,
            limits: ruled.limits,
            trigger: false,
        }
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

/// Tells whether the receipt has nothing more to tell: its record is kept. It is then not moved any more, as a copy of it
/// would wait for all that the sink wrote before it.
fn has_told(receipt: &Receipt) -> bool {
    matches!(receipt.known(), Some(Ok(())))
}

/// Takes the result of code that was run: a panic of it does not come here.
pub(super) fn expect_run<R>(result: Option<R>) -> R {
    match result {
        Some(result) => result,
        None => unreachable!("the code is run exactly once"),
    }
}

/// Cuts a text at a character, and returns how many bytes are gone.
fn truncate(text: &mut String, bytes_max: usize) -> usize {
    let length = text.len();
    let mut kept = bytes_max.min(length);
    while !text.is_char_boundary(kept) {
        kept -= 1;
    }
    text.truncate(kept);
    length - kept
}

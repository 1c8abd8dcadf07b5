//! The call protocol: what the expansion of `#[audited]` does before and after the body.
//!
//! ```text
//! begin ─▶ arguments captured, `started` appended ─▶ (receipt) ─▶ body ─▶ finish: `completed` appended
//!                                                        └ dropped: `cancelled`   └ panicked: `panicked`, resumed
//! ```

mod arguments;
mod begin;
mod drive;
mod site;
mod span;

use core::any::Any;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Span;

use crate::canonical::Canonical;
use crate::context::{Ambient, CallLink, SpanPlace};
use crate::id::CallId;
use crate::outcome::{Ending, ErrorFacts};
use crate::port::AuditPort;
use crate::record::{CallPart, Draft, Operation, Outcome, Payload, Response, Target};
use crate::redact::secrets::Secrets;
use crate::redact::{Redaction, Root};
use crate::sink::{AppendError, Appended, Receipt};
use crate::time::{Clock as _, SystemClock, Time};
use crate::unrecorded;
use crate::vocabulary::{Applied, Durability, Effect, EventName, Level, Stages, Status};

pub use arguments::Arguments;
pub use begin::{Begin, CheckedReady, Ready, begin};
pub use drive::Drive;
pub use site::{OnUnavailable, Site};
use span::Ended;

/// How much of an error's text is worth cleaning; the record cuts at 4,096 bytes, the mark of the cut included.
const REASON_BYTES_MAX: usize = 4_000;

/// How long a removed value can be; longer ones withhold every text of their call.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// One call, between its beginning and its end. Dropped before its end, it is recorded as cancelled.
#[derive(Debug)]
pub struct Call {
    /// `None` if the call runs unrecorded, or once its end is recorded.
    open: Option<Box<Open>>,
}

#[derive(Debug)]
struct Open {
    site: &'static Site,
    port: AuditPort,
    span: Span,
    ambient: Ambient,
    tool_call_id: Option<Box<str>>,
    parent: Option<CallId>,
    id: CallId,
    start: Time,
    start_steady: Duration,
    targets: Vec<Target>,
    /// What the closing record says of the arguments, where it is the only one.
    request: Option<Payload>,
    redactions: Vec<Redaction>,
    /// What was removed from the arguments, shared with the calls inside this one: those that fail add theirs.
    secrets: Arc<Mutex<Secrets>>,
    /// True once a record of the call is in the log, or on its way.
    in_log: bool,
    /// True once the call is counted as unrecorded.
    counted: bool,
    body_began: bool,
}

impl Call {
    /// Runs the body of a function that is not `async`.
    pub fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let Some(open) = &mut self.open else { return body() };
        open.body_began = true;
        let result = open.inside(|| catch_unwind(AssertUnwindSafe(body)));
        result.unwrap_or_else(|payload| self.resume(payload))
    }

    /// Runs the body of an `async` function; its span and context are entered at each poll.
    pub fn drive<F: Future>(&mut self, body: F) -> Drive<'_, F> {
        Drive::new(self, body)
    }

    /// Records how the call ended. Where durability demands it, waits until the record is on the disk.
    pub fn finish(&mut self, ending: Ending<'_>) {
        if let Some(receipt) = self.append_ending(ending) {
            settle(receipt.wait());
        }
    }

    /// Records how the call ended, without waiting: an executor's thread is never blocked.
    pub fn finish_async(&mut self, ending: Ending<'_>) {
        settle_now(self.append_ending(ending).as_ref());
    }

    /// Records how the call ended; the receipt is to be awaited if durability demands it.
    pub fn append_ending(&mut self, ending: Ending<'_>) -> Option<Receipt> {
        let mut open = self.open.take()?;
        let (ended, response) = match ending {
            Ending::Value(value) => open.succeeded(value),
            Ending::Error(error) => (open.failed(error), None),
        };
        open.append_end(ended, response.as_ref(), open.site.durability)
    }

    fn resume<R>(&mut self, payload: Box<dyn Any + Send>) -> R {
        if let Some(mut open) = self.open.take() {
            let message = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
            let ended = open.panicked(message);
            settle_now(open.append_end(ended, None, None).as_ref());
        }
        resume_unwind(payload)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        // A call that the log refused never was: its function returned without running the body.
        if open.in_log || open.body_began || open.site.stages == Stages::Completed {
            let ended = open.cancelled();
            settle_now(open.append_end(ended, None, None).as_ref());
        }
    }
}

/// A closing record that is not in the log never changes what the function returns: it is counted, and recovery will
/// report the call unresolved.
fn settle(result: Result<Appended, AppendError>) {
    if let Err(error) = result {
        unrecorded::add(SystemClock.now(), Some(&error), &error);
    }
}

fn settle_now(receipt: Option<&Receipt>) {
    if let Some(result) = receipt.and_then(Receipt::now) {
        settle(result);
    }
}

/// Awaits the receipt of a closing record.
pub async fn settled(receipt: Option<Receipt>) {
    if let Some(receipt) = receipt {
        settle(receipt.await);
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

/// The lock is held for a copy or a search in a text, which do not panic.
fn lock(secrets: &Mutex<Secrets>) -> MutexGuard<'_, Secrets> {
    secrets.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Open {
    /// Runs code of the user's inside the call: in its span and its context.
    fn inside<R>(&self, code: impl FnOnce() -> R) -> R {
        let _span = self.span.enter();
        let link = CallLink { id: self.id, action: self.site.action };
        let ambient = self.ambient.inside(link, Arc::clone(&self.secrets));
        let _ambient = match SpanPlace::of(&self.span) {
            Some(place) => ambient.enter_in(Some(place)),
            None => ambient.enter_here(),
        };
        code()
    }

    fn succeeded(&mut self, value: crate::capture::Captured<'_>) -> (Ended, Option<Response>) {
        let (event, effect) = match self.site.effect {
            Effect::Read => (EventName::ToolCompleted, Applied::None),
            Effect::Write | Effect::Destructive => (EventName::SideEffectApplied, Applied::Applied),
        };
        let outcome = Outcome { status: Status::Success, effect, error_type: None, reason: None };
        (Ended { event, outcome }, self.response(value))
    }

    fn response(&mut self, value: crate::capture::Captured<'_>) -> Option<Response> {
        let pointer = match self.site.level {
            Level::Metadata => return None,
            Level::Request => "/response/summary",
            Level::RequestResponse => "/response/result",
        };
        let mut canonical = Canonical::redacting(self.site.redact);
        let written = self.inside(|| value.write(&mut canonical, pointer, self.site.redact, Root::Return));
        let (bytes, redactions, _not_in_errors) = canonical.into_parts();
        self.redactions.extend(redactions);
        written.then(|| Response::new(bytes, self.site.level == Level::RequestResponse))
    }

    fn failed(&mut self, error: ErrorFacts<'_>) -> Ended {
        // The variant may be the error's text: `anyhow::Error` shows it by `Debug`, too.
        let hidden = self.site.redact.iter().any(|path| path.root == Root::Error);
        let (error_type, text) =
            self.inside(|| (if hidden { error.type_name() } else { error.error_type() }, error.text()));
        let outcome = Outcome {
            status: Status::Failure,
            effect: self.effect_unless_read(),
            error_type: Some(self.clean(error_type)),
            reason: self.reason(text),
        };
        self.tell_the_outer_call();
        Ended { event: EventName::ToolFailed, outcome }
    }

    fn panicked(&mut self, message: Option<String>) -> Ended {
        let outcome = Outcome {
            status: Status::Failure,
            effect: self.effect_unless_read(),
            error_type: Some("panic".to_owned()),
            reason: self.reason(message),
        };
        self.tell_the_outer_call();
        Ended { event: EventName::ToolPanicked, outcome }
    }

    fn cancelled(&self) -> Ended {
        let outcome = Outcome {
            status: Status::Unknown,
            effect: if self.body_began { self.effect_unless_read() } else { Applied::None },
            error_type: Some("cancelled".to_owned()),
            reason: None,
        };
        self.tell_the_outer_call();
        Ended { event: EventName::ToolCancelled, outcome }
    }

    fn effect_unless_read(&self) -> Applied {
        if self.site.effect == Effect::Read { Applied::None } else { Applied::Unknown }
    }

    /// Removes from an error's type what was removed from the arguments.
    fn clean(&self, text: String) -> String {
        let scrubbed = lock(&self.secrets).scrub(&text);
        scrubbed.text.unwrap_or_else(|| text.split("::").next().unwrap_or_default().to_owned())
    }

    /// Removes from an error's text what was removed from the arguments, and says so.
    fn reason(&mut self, text: Option<String>) -> Option<String> {
        const POINTER: &str = "/outcome/reason";
        let mut text = text?;
        if let Some(path) = self.site.redact.iter().find(|path| path.root == Root::Error) {
            self.redactions.push(Redaction { path: POINTER.to_owned(), rule: format!("path:{}", path.text) });
            return None;
        }
        let unseen = truncate(&mut text, REASON_BYTES_MAX + SECRET_BYTES_MAX);
        let scrubbed = lock(&self.secrets).scrub(&text);
        let noted = scrubbed.rules.into_iter().map(|rule| Redaction { path: POINTER.to_owned(), rule });
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
    fn tell_the_outer_call(&self) {
        let Some(outer) = self.ambient.secrets() else { return };
        let own = lock(&self.secrets);
        if !own.is_empty() {
            lock(outer).absorb(&own);
        }
    }

    fn append_started(&mut self, request: Option<&Payload>) -> Receipt {
        // A destructive intent is on the disk before the body runs, whatever the log's own durability.
        let destructive = (self.site.effect == Effect::Destructive).then_some(Durability::Disk);
        let draft = Draft {
            call: Some(self.call_part(None)),
            operation: Some(Operation { tool: self.site.tool, effect: Some(self.site.effect) }),
            request,
            redactions: core::mem::take(&mut self.redactions),
            trigger: true,
            ..self.draft(EventName::ToolCalled, self.start, Outcome::pending())
        };
        self.port.append(&draft, self.site.durability.max(destructive)).1
    }

    fn append_end(
        &mut self,
        ended: Ended,
        response: Option<&Response>,
        durability: Option<Durability>,
    ) -> Option<Receipt> {
        let duration = self.port.clock().steady().saturating_sub(self.start_steady);
        // The wall clock may have been set back meanwhile; a call does not end before it starts.
        let now = self.port.clock().now().max(self.start);
        let only = self.site.stages == Stages::Completed;
        let Ended { event, outcome } = ended;
        let draft = Draft {
            call: Some(self.call_part(Some((now, duration)))),
            operation: Some(Operation { tool: self.site.tool, effect: only.then_some(self.site.effect) }),
            request: self.request.as_ref(),
            response,
            redactions: core::mem::take(&mut self.redactions),
            trigger: only,
            ..self.draft(event, now, outcome)
        };
        let (record_id, receipt) = self.port.append(&draft, durability);
        span::record_end(&self.span, &draft.outcome, record_id, duration, response);
        // One call is counted once, even if both of its records are missing.
        (!self.counted).then_some(receipt)
    }

    fn draft(&self, event: EventName, time: Time, outcome: Outcome) -> Draft<'_> {
        Draft {
            event,
            time,
            action: self.site.action,
            ambient: &self.ambient,
            call: None,
            operation: None,
            outcome,
            level: Some(self.site.level),
            request: None,
            response: None,
            targets: &self.targets,
            redactions: Vec::new(),
            annotations: None,
            trigger: false,
        }
    }

    fn call_part(&self, end: Option<(Time, Duration)>) -> CallPart {
        CallPart {
            id: self.id,
            start: Some(self.start),
            end,
            tool_call_id: self.tool_call_id.clone(),
            parent: self.parent,
        }
    }
}

//! The record: one JSON object of schema 1, written in canonical form in one pass.

mod object;
mod payload;
mod redactions;
mod sections;
mod summary;

use core::time::Duration;
use std::borrow::Cow;

use crate::audit_policy::{Limits, Oversize};
use crate::context::Ambient;
use crate::entry::RECORD_BYTES_MAX;
use crate::hash::Hash;
use crate::id::{CallId, RecordId};
use crate::limit;
use crate::redact::Redaction;
use crate::reused::Buffer;
use crate::time::{TEXT_BYTES, Time};
use crate::verify::SCHEMA_VERSION;
use crate::vocabulary::{Applied, Effect, EventName, Level, Status};

pub(crate) use object::{Name, Object, name};
use payload::Place;
pub(crate) use payload::{Payload, Response};
use sections::Sections;

/// How long the text of a reason may be.
const REASON_BYTES_MAX: usize = 4_096;

/// How long the text of a reason may be once a record is too large for its line.
const SHORT_REASON_BYTES: usize = 256;

/// How long the JSON of each text is at most that the shortest form of a record cuts.
const LEAST_TEXT_BYTES: usize = 128;

/// How long the JSON of a target's type and identifier is each at most there, and how many targets are left.
const LEAST_TARGET_BYTES: usize = 64;
const LEAST_TARGETS_MAX: usize = 16;

/// How long the JSON of an identifier of the actor or the model's call is at most there.
const LEAST_ID_BYTES: usize = 1_024;

/// How long the actor and the correlation may each be to stay whole there.
const LEAST_CONTEXT_BYTES: usize = 8_192;

/// How long a record usually is at most.
const BYTES_USUAL: usize = 1_024;

/// Everything that a record says, but for what the port adds.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) event: EventName,
    pub(crate) time: Time,
    pub(crate) action: &'a str,
    pub(crate) ambient: &'a Ambient,
    /// The record's `correlation` where a span of OpenTelemetry is part of it; otherwise the context's own counts.
    pub(crate) correlation: Option<&'a [u8]>,
    pub(crate) call: Option<CallPart<'a>>,
    pub(crate) operation: Option<Operation<'a>>,
    pub(crate) outcome: &'a Outcome,
    pub(crate) level: Option<Level>,
    pub(crate) request: Option<&'a Payload>,
    pub(crate) response: Option<&'a Response>,
    pub(crate) targets: &'a [Target],
    pub(crate) redactions: &'a [Redaction],
    pub(crate) annotations: Option<&'a Payload>,
    /// The class that says for how long the record is to be kept.
    pub(crate) retention: Option<&'a str>,
    /// How large arguments and result may be to stand in the record.
    pub(crate) limits: Limits,
    /// False for records that repeat an earlier one's identifiers only.
    pub(crate) trigger: bool,
}

/// The call that a record belongs to.
#[derive(Clone, Debug)]
pub(crate) struct CallPart<'a> {
    pub(crate) id: CallId,
    pub(crate) start: Option<Time>,
    pub(crate) end: Option<(Time, Duration)>,
    pub(crate) tool_call_id: Option<&'a str>,
    pub(crate) parent: Option<CallId>,
}

/// The texts of a record's times: most of them are one and the same.
struct Times {
    time: Time,
    text: [u8; TEXT_BYTES],
}

impl Times {
    #[inline(always)]
    fn text(&self, time: Time) -> [u8; TEXT_BYTES] {
        if time == self.time { self.text } else { time.text() }
    }
}

/// The tool that a call executes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) tool: &'a str,
    /// What the tool does to the world; `None` where an earlier record said it.
    pub(crate) effect: Option<Effect>,
}

/// How a stage ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) effect: Applied,
    pub(crate) error_type: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
    /// How many parts succeeded and how many failed, where only some did.
    pub(crate) parts: Option<(u64, u64)>,
}

/// What an action is done to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: String,
    pub(crate) id: String,
}

/// What the port gives a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) record_id: RecordId,
    pub(crate) observed: Time,
}

/// Where the payloads of a record are.
#[derive(Clone, Copy, Debug)]
struct Places {
    annotations: Place,
    request: Place,
    response: Place,
}

impl Places {
    const HERE: Self = Self { annotations: Place::Here, request: Place::Here, response: Place::Here };
}

/// What is left out of a record so that its line fits, each step including those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    /// Arguments, result and annotations are replaced by hash, size and where they are kept, or `truncated`; redactions are
    /// listed in groups.
    WithoutPayloads,
    /// The reason is cut, redactions are listed by rule only.
    Bare,
    /// Every text is cut, and what is left says `shortened`. This always fits.
    Least,
}

impl Draft<'_> {
    /// Writes the record's canonical bytes, leaving out what its line has no room for. Payloads that are left out are given
    /// to `keep`, which returns the hash under which it keeps them.
    pub(crate) fn write(&self, stamp: Stamp, keep: &dyn Fn(&[u8]) -> Option<Hash>) -> Buffer {
        let mut out = Buffer::default();
        out.reserve(BYTES_USUAL);
        let places = self.places(keep);
        self.write_as(&mut out, Fit::Whole, stamp, places);
        if out.len() <= RECORD_BYTES_MAX {
            return out;
        }
        let elsewhere = |place: Place, kept: &dyn Fn() -> Place| if place == Place::Here { kept() } else { place };
        let places = Places {
            annotations: self.annotations.map_or(Place::Gone, |annotations| annotations.keep(keep)),
            request: elsewhere(places.request, &|| self.request.map_or(Place::Gone, |request| request.keep(keep))),
            response: elsewhere(places.response, &|| self.response.map_or(Place::Gone, |response| response.keep(keep))),
        };
        for fit in [Fit::WithoutPayloads, Fit::Bare, Fit::Least] {
            out.clear();
            self.write_as(&mut out, fit, stamp, places);
            if out.len() <= RECORD_BYTES_MAX {
                break;
            }
        }
        out
    }

    /// Tells where the payloads are that are larger than they may be in a record: beside it, or summed up in it.
    fn places(&self, keep: &dyn Fn(&[u8]) -> Option<Hash>) -> Places {
        let Limits { arguments_bytes_max, result_bytes_max, oversize } = self.limits;
        if arguments_bytes_max.is_none() && result_bytes_max.is_none() {
            return Places::HERE;
        }
        let place = |size: usize, limit: Option<usize>, kept: &dyn Fn() -> Place| {
            if limit.is_none_or(|limit| size <= limit) {
                return Place::Here;
            }
            let place = if oversize == Some(Oversize::Summary) { Place::Gone } else { kept() };
            if place == Place::Kept { place } else { Place::Summed }
        };
        Places {
            annotations: Place::Here,
            request: self
                .request
                .map_or(Place::Here, |request| place(request.size(), arguments_bytes_max, &|| request.keep(keep))),
            response: self.response.map_or(Place::Here, |response| {
                place(response.whole_size(), result_bytes_max, &|| response.keep(keep))
            }),
        }
    }

    fn write_as(&self, out: &mut Vec<u8>, fit: Fit, stamp: Stamp, places: Places) {
        let Stamp { record_id, observed } = stamp;
        let times = Times { time: self.time, text: self.time.text() };
        let sections = Sections::of(self, fit);
        let fields = self.ambient.fields();
        let mut record = Object::resume(out, sections.action(), name!("action"));
        self.write_actor(&mut record, fit);
        if fit == Fit::Least {
            record.raw(name!("annotations"), br#"{"shortened":true}"#);
        } else if let Some(annotations) = self.annotations {
            annotations.write_annotations(&mut record, places.annotations);
        }
        if let Some(call) = &self.call {
            call.write(record.object(name!("call")), fit, &times);
        }
        let correlation = self.correlation.or_else(|| fields?.correlation());
        if let Some(correlation) = correlation.filter(|whole| fit < Fit::Least || whole.len() <= LEAST_CONTEXT_BYTES) {
            record.raw(name!("correlation"), correlation);
        }
        record.written(sections.event_and_level(), name!("level"));
        record.time(name!("observed_time"), &times.text(observed));
        match (self.operation, fields.and_then(|fields| fields.mcp()).filter(|_| fit < Fit::Least)) {
            (Some(operation), Some(mcp)) => operation.write(record.object(name!("operation")), Some(mcp), fit),
            _ => record.written(sections.operation(), name!("operation")),
        }
        record.written(sections.outcome(), name!("outcome"));
        record.id(name!("record_id"), &record_id.text());
        let of_context = fields.map(|fields| fields.redactions()).unwrap_or_default();
        redactions::write(&mut record, self.redactions.iter().chain(of_context), fit);
        if let Some(request) = self.request {
            request.write_request(record.object(name!("request")), places.request);
        }
        if let Some(response) = self.response {
            response.write(record.object(name!("response")), places.response);
        }
        if let Some(class) = self.retention {
            let mut retention = record.object(name!("retention"));
            retention.text(name!("class"), &fit.text(class));
            retention.close();
        }
        record.written(sections.version_and_stage(), name!("stage"));
        let targets_max = if fit == Fit::Least { LEAST_TARGETS_MAX } else { usize::MAX };
        if !self.targets.is_empty() {
            let targets = self.targets.get(..targets_max).unwrap_or(self.targets);
            record.list(name!("target"), targets, |out, target| target.write(out, fit));
        }
        record.time(name!("time"), &times.text);
        let trigger = fields.and_then(|fields| fields.trigger());
        if let Some(trigger) = trigger.filter(|_| self.trigger) {
            record.word(name!("trigger"), trigger.as_str().as_bytes());
        }
        record.close();
    }

    /// Writes who acts; in the shortest form, if that is long, only by their identifiers.
    fn write_actor(&self, record: &mut Object<'_>, fit: Fit) {
        let Some(fields) = self.ambient.fields() else { return record.raw(name!("actor"), b"{}") };
        if fit < Fit::Least || fields.actor().len() <= LEAST_CONTEXT_BYTES {
            return record.raw(name!("actor"), fields.actor());
        }
        let mut actor = record.object(name!("actor"));
        for (part, id) in [(name!("agent"), fields.agent_id()), (name!("on_behalf_of"), fields.user_id())] {
            if let Some(id) = id {
                let mut part = actor.object(part);
                part.text(name!("id"), &limit::cut_escaped(id, LEAST_ID_BYTES));
                part.close();
            }
        }
        actor.close();
    }
}

impl Fit {
    /// Cuts a text in the shortest form.
    fn text(self, text: &str) -> Cow<'_, str> {
        self.cut(text, LEAST_TEXT_BYTES)
    }

    fn cut(self, text: &str, bytes_max: usize) -> Cow<'_, str> {
        if self < Self::Least { text.into() } else { limit::cut_escaped(text, bytes_max).into() }
    }
}

impl CallPart<'_> {
    #[inline(always)]
    fn write(&self, mut call: Object<'_>, fit: Fit, times: &Times) {
        if let Some((end, duration)) = self.end {
            call.number(name!("duration_ns"), u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
            call.time(name!("end_time"), &times.text(end));
        }
        call.id(name!("id"), &self.id.text());
        if let Some(parent) = self.parent {
            call.id(name!("parent_id"), &parent.text());
        }
        if let Some(start) = self.start {
            call.time(name!("start_time"), &times.text(start));
        }
        if let Some(id) = self.tool_call_id {
            call.text(name!("tool_call_id"), &fit.cut(id, LEAST_ID_BYTES));
        }
        call.close();
    }
}

impl Operation<'_> {
    fn write(self, mut operation: Object<'_>, mcp: Option<&[u8]>, fit: Fit) {
        if let Some(mcp) = mcp {
            operation.raw(name!("mcp"), mcp);
        }
        operation.word(name!("name"), b"execute_tool");
        let mut tool = operation.object(name!("tool"));
        if let Some(effect) = self.effect {
            tool.boolean(name!("destructive"), effect == Effect::Destructive);
        }
        tool.text(name!("name"), &fit.text(self.tool));
        if let Some(effect) = self.effect {
            tool.boolean(name!("read_only"), effect == Effect::Read);
        }
        tool.close();
        operation.close();
    }
}

/// What is known before the body has run.
pub(crate) static PENDING: Outcome = Outcome::pending();

impl Outcome {
    /// What is known before the body has run.
    pub(crate) const fn pending() -> Self {
        let (error_type, code, reason) = (None, None, None);
        Self { status: Status::Unknown, effect: Applied::None, error_type, code, reason, parts: None }
    }

    fn write(&self, mut outcome: Object<'_>, fit: Fit) {
        if let Some(code) = &self.code {
            outcome.text(name!("code"), &fit.text(code));
        }
        outcome.word(name!("effect"), self.effect.as_str().as_bytes());
        if let Some(error_type) = &self.error_type {
            outcome.text(name!("error_type"), &fit.text(error_type));
        }
        if let Some((_, failed)) = self.parts {
            outcome.number(name!("failed"), failed);
        }
        if let Some(mut reason) = self.reason.clone().filter(|_| fit < Fit::Least) {
            limit::cut(&mut reason, if fit == Fit::Bare { SHORT_REASON_BYTES } else { REASON_BYTES_MAX });
            outcome.text(name!("reason"), &reason);
        }
        outcome.word(name!("status"), self.status.as_str().as_bytes());
        if let Some((succeeded, _)) = self.parts {
            outcome.number(name!("succeeded"), succeeded);
        }
        outcome.close();
    }
}

impl Target {
    fn write(&self, out: &mut Vec<u8>, fit: Fit) {
        let mut object = Object::open(out);
        object.text(name!("id"), &fit.cut(&self.id, LEAST_TARGET_BYTES));
        object.text(name!("type"), &fit.cut(&self.kind, LEAST_TARGET_BYTES));
        object.close();
    }
}

#[cfg(test)]
mod tests;

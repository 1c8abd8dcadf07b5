//! The record: one JSON object of schema 1, written in canonical form in one pass.

mod object;
mod payload;

use core::time::Duration;

use crate::context::Ambient;
use crate::entry::RECORD_BYTES_MAX;
use crate::id::{CallId, RecordId};
use crate::limit;
use crate::redact::Redaction;
use crate::time::Time;
use crate::verify::SCHEMA_VERSION;
use crate::vocabulary::{Applied, Effect, EventName, Level, Status};

pub(crate) use object::Object;
pub(crate) use payload::{Payload, Response};

/// How many redactions one record lists one by one; beyond that they are listed once per value and rule.
const REDACTIONS_MAX: usize = 64;

/// How long the text of a reason may be.
const REASON_BYTES_MAX: usize = 4_096;

/// How long the text of a reason may be once a record is too large for its line.
const SHORT_REASON_BYTES: usize = 256;

/// Everything that a record says, but for what the port adds.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) event: EventName,
    pub(crate) time: Time,
    pub(crate) action: &'a str,
    pub(crate) ambient: &'a Ambient,
    pub(crate) call: Option<CallPart>,
    pub(crate) operation: Option<Operation<'a>>,
    pub(crate) outcome: Outcome,
    pub(crate) level: Option<Level>,
    pub(crate) request: Option<&'a Payload>,
    pub(crate) response: Option<&'a Response>,
    pub(crate) targets: &'a [Target],
    pub(crate) redactions: Vec<Redaction>,
    pub(crate) annotations: Option<&'a Payload>,
    /// False for records that repeat an earlier one's identifiers only.
    pub(crate) trigger: bool,
}

/// The call that a record belongs to.
#[derive(Clone, Debug)]
pub(crate) struct CallPart {
    pub(crate) id: CallId,
    pub(crate) start: Option<Time>,
    pub(crate) end: Option<(Time, Duration)>,
    pub(crate) tool_call_id: Option<Box<str>>,
    pub(crate) parent: Option<CallId>,
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
    pub(crate) reason: Option<String>,
}

/// What an action is done to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: String,
    pub(crate) id: String,
}

/// What is left out of a record so that its line fits, each step including those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    /// Arguments, result and annotations are replaced by hash, size and `truncated`; redactions are listed in groups.
    WithoutPayloads,
    /// The reason is cut, redactions are listed by rule only.
    Bare,
}

impl Draft<'_> {
    /// Writes the record's canonical bytes, leaving out what its line has no room for; `None` if it fits in no way.
    pub(crate) fn write(&self, record_id: RecordId, observed: Time) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(1024);
        [Fit::Whole, Fit::WithoutPayloads, Fit::Bare].into_iter().find_map(|fit| {
            out.clear();
            self.write_as(&mut out, fit, record_id, observed);
            (out.len() <= RECORD_BYTES_MAX).then(|| core::mem::take(&mut out))
        })
    }

    fn write_as(&self, out: &mut Vec<u8>, fit: Fit, record_id: RecordId, observed: Time) {
        let fields = self.ambient.fields();
        let truncated = fit >= Fit::WithoutPayloads;
        let mut record = Object::open(out);
        record.text("action", self.action);
        record.raw("actor", fields.map_or(b"{}", |fields| fields.actor()));
        if let Some(annotations) = self.annotations {
            annotations.write_annotations(&mut record, truncated);
        }
        if let Some(call) = &self.call {
            call.write(record.object("call"));
        }
        if let Some(correlation) = fields.and_then(|fields| fields.correlation()) {
            record.raw("correlation", correlation);
        }
        record.text("event_name", self.event.as_str());
        record.optional_text("level", self.level.map(Level::as_str));
        record.display("observed_time", &observed);
        if let Some(operation) = self.operation {
            operation.write(record.object("operation"));
        }
        self.outcome.write(record.object("outcome"), fit == Fit::Bare);
        record.display("record_id", &record_id);
        self.write_redactions(&mut record, fit);
        if let Some(request) = self.request {
            request.write_request(record.object("request"), truncated);
        }
        if let Some(response) = self.response {
            response.write(record.object("response"), truncated);
        }
        record.text("schema_version", SCHEMA_VERSION);
        record.text("stage", self.event.stage().as_str());
        if !self.targets.is_empty() {
            record.list("target", self.targets, Target::write);
        }
        record.display("time", &self.time);
        if let Some(trigger) = fields.and_then(|fields| fields.trigger()).filter(|_| self.trigger) {
            record.text("trigger", trigger.as_str());
        }
        record.close();
    }

    fn write_redactions(&self, record: &mut Object<'_>, fit: Fit) {
        let grouped = fit > Fit::Whole || self.redactions.len() > REDACTIONS_MAX;
        if !grouped {
            if !self.redactions.is_empty() {
                record.list("redactions", &self.redactions, Redaction::write);
            }
            return;
        }
        let mut groups: Vec<Redaction> = Vec::new();
        for redaction in &self.redactions {
            let path = ancestor(&redaction.path, if fit == Fit::Bare { 1 } else { 3 }).to_owned();
            let group = Redaction { path, rule: redaction.rule.clone() };
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        record.list("redactions", &groups, Redaction::write);
    }
}

/// Returns the first steps of a JSON Pointer.
fn ancestor(pointer: &str, steps: usize) -> &str {
    let end = pointer.match_indices('/').nth(steps).map_or(pointer.len(), |(at, _)| at);
    pointer.get(..end).unwrap_or(pointer)
}

impl CallPart {
    fn write(&self, mut call: Object<'_>) {
        if let Some((end, duration)) = self.end {
            call.number("duration_ns", u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
            call.display("end_time", &end);
        }
        call.display("id", &self.id);
        if let Some(parent) = self.parent {
            call.display("parent_id", &parent);
        }
        if let Some(start) = self.start {
            call.display("start_time", &start);
        }
        call.optional_text("tool_call_id", self.tool_call_id.as_deref());
        call.close();
    }
}

impl Operation<'_> {
    fn write(self, mut operation: Object<'_>) {
        operation.text("name", "execute_tool");
        let mut tool = operation.object("tool");
        if let Some(effect) = self.effect {
            tool.boolean("destructive", effect == Effect::Destructive);
        }
        tool.text("name", self.tool);
        if let Some(effect) = self.effect {
            tool.boolean("read_only", effect == Effect::Read);
        }
        tool.close();
        operation.close();
    }
}

impl Outcome {
    /// What is known before the body has run.
    pub(crate) const fn pending() -> Self {
        Self { status: Status::Unknown, effect: Applied::None, error_type: None, reason: None }
    }

    fn write(&self, mut outcome: Object<'_>, short: bool) {
        outcome.text("effect", self.effect.as_str());
        outcome.optional_text("error_type", self.error_type.as_deref());
        if let Some(mut reason) = self.reason.clone() {
            limit::cut(&mut reason, if short { SHORT_REASON_BYTES } else { REASON_BYTES_MAX });
            outcome.text("reason", &reason);
        }
        outcome.text("status", self.status.as_str());
        outcome.close();
    }
}

impl Target {
    fn write(out: &mut Vec<u8>, target: &Self) {
        let mut object = Object::open(out);
        object.text("id", &target.id);
        object.text("type", &target.kind);
        object.close();
    }
}

impl Redaction {
    fn write(out: &mut Vec<u8>, redaction: &Self) {
        let mut object = Object::open(out);
        object.text("method", "drop");
        object.text("path", &redaction.path);
        object.text("rule", &redaction.rule);
        object.close();
    }
}

#[cfg(test)]
mod tests;

//! The values of a context, and their canonical JSON, made once per scope.

use std::sync::Arc;

use crate::correlation::{RemoteParent, SpanIds};
use crate::limit;
use crate::record::{Object, name};
use crate::redact::rules::without_credentials;
use crate::redact::secrets::REMOVED;
use crate::redact::{Redaction, Removal};
use crate::vocabulary::Trigger;

/// How long one value may be.
const VALUE_BYTES_MAX: usize = 1_024;

/// How many roles are kept.
pub(super) const ROLES_MAX: usize = 64;

/// What can be said of who acts, for whom and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(super) agent: Agent,
    pub(super) user: User,
    pub(super) model: Model,
    pub(super) conversation_id: Option<String>,
    pub(super) turn: Option<u32>,
    pub(super) run_id: Option<String>,
    pub(super) tenant_id: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) trigger: Option<Trigger>,
    pub(super) trace: Option<Trace>,
    pub(super) mcp: Option<Mcp>,
    /// What was removed from the values.
    removed: Vec<Redaction>,
}

impl Parts {
    /// Removes from the values what lets in whoever has it: a context is made before it is known which log it goes to, and
    /// no value of it has any business there.
    fn clean(&mut self) {
        let Self { agent, user, model, conversation_id, run_id, tenant_id, environment, removed, .. } = self;
        let roles = user.roles.iter_mut().map(|role| ("/actor/on_behalf_of/roles", role));
        let values = [
            ("/actor/agent/id", &mut agent.id),
            ("/actor/agent/name", &mut agent.name),
            ("/actor/agent/version", &mut agent.version),
            ("/actor/model/name", &mut model.name),
            ("/actor/model/provider", &mut model.provider),
            ("/actor/on_behalf_of/id", &mut user.id),
            ("/correlation/conversation_id", conversation_id),
            ("/correlation/environment", environment),
            ("/correlation/run_id", run_id),
            ("/correlation/tenant_id", tenant_id),
        ];
        let values = values.into_iter().filter_map(|(pointer, value)| Some((pointer, value.as_mut()?)));
        let mut redactions = Vec::new();
        for (pointer, value) in values.chain(roles) {
            // What was removed from a value that is inherited.
            let inherited = removed.iter().filter(|known| known.path == pointer && value.contains(REMOVED));
            redactions.extend(inherited.cloned());
            let rules = without_credentials(value).into_iter();
            redactions.extend(rules.map(|rule| Redaction::new(pointer.to_owned(), Removal::drop(rule))));
        }
        *removed = redactions;
    }
}

/// The trace that a call belongs to, as its caller names it.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) is_sampled: bool,
}

impl Trace {
    /// Parses a W3C `traceparent` (Trace Context, level 2, section 3.2); `None` if it is not valid.
    pub(super) fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_set = |text: &str| text.bytes().any(|byte| byte != b'0');
        let valid = is_hex(version, 2)
            && version != "ff"
            && is_hex(trace_id, 32)
            && is_set(trace_id)
            && is_hex(span_id, 16)
            && is_set(span_id)
            && is_hex(flags, 2)
            // Later versions may add parts.
            && (version != "00" || parts.next().is_none());
        let is_sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
        valid.then(|| Self { trace_id: trace_id.to_owned(), span_id: span_id.to_owned(), is_sampled })
    }
}

/// The MCP request that a call answers, for the record's `operation.mcp`.
#[derive(Clone, Debug, Default)]
#[must_use = "it is set with `Context::mcp`"]
pub struct Mcp {
    method: Option<String>,
    progress_token: Option<String>,
    protocol_version: Option<String>,
    request_id: Option<String>,
    server: Option<String>,
    session_id: Option<String>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident)+) => {
        impl Mcp {
            /// Starts with nothing set.
            pub fn new() -> Self {
                Self::default()
            }

            $($(#[$doc])*
            pub fn $name(mut self, value: impl Into<String>) -> Self {
                self.$name = bounded(value);
                self
            })+

            fn write(&self) -> Vec<u8> {
                let mut out = Vec::new();
                let mut object = Object::open(&mut out);
                $(object.optional_text(name!(stringify!($name)), self.$name.as_deref());)+
                object.close();
                out
            }
        }
    };
}

setters! {
    /// Sets the method: `tools/call`.
    method
    /// Sets the token under which progress is reported.
    progress_token
    /// Sets the version of the protocol that was agreed on.
    protocol_version
    /// Sets the request's identifier.
    request_id
    /// Sets the server's name.
    server
    /// Sets the session's identifier.
    session_id
}

impl Mcp {
    pub(crate) fn method_name(&self) -> Option<&str> {
        self.method.as_deref()
    }

    pub(crate) fn protocol(&self) -> Option<&str> {
        self.protocol_version.as_deref()
    }

    pub(crate) fn request(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.session_id.as_deref()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Agent {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) id: Option<String>,
    pub(super) roles: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) provider: Option<String>,
    pub(super) name: Option<String>,
}

/// A context's values together with the parts of a record that they fill.
#[derive(Debug)]
pub(crate) struct Fields {
    parts: Parts,
    actor: Vec<u8>,
    correlation: Option<Vec<u8>>,
    mcp: Option<Vec<u8>>,
}

impl Fields {
    pub(super) fn new(mut parts: Parts) -> Self {
        parts.clean();
        let actor = write_actor(&parts);
        let correlation =
            write_correlation(&parts, parts.trace.as_ref().map(|trace| (&*trace.trace_id, &*trace.span_id)));
        let mcp = parts.mcp.as_ref().map(Mcp::write);
        Self { actor, correlation: (correlation != b"{}").then_some(correlation), mcp, parts }
    }

    /// Returns what was removed from the values.
    pub(crate) fn redactions(&self) -> &[Redaction] {
        &self.parts.removed
    }

    pub(crate) fn tenant_id(&self) -> Option<&str> {
        self.parts.tenant_id.as_deref()
    }

    pub(super) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Returns the record's `actor`, canonical.
    pub(crate) fn actor(&self) -> &[u8] {
        &self.actor
    }

    /// Returns the record's `correlation`, canonical, if it has any member.
    pub(crate) fn correlation(&self) -> Option<&[u8]> {
        self.correlation.as_deref()
    }

    /// Returns the record's `operation.mcp`, canonical.
    pub(crate) fn mcp(&self) -> Option<&[u8]> {
        self.mcp.as_deref()
    }

    pub(crate) const fn trigger(&self) -> Option<Trigger> {
        self.parts.trigger
    }

    pub(crate) fn conversation_id(&self) -> Option<&str> {
        self.parts.conversation_id.as_deref()
    }

    pub(crate) fn agent_id(&self) -> Option<&str> {
        self.parts.agent.id.as_deref()
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        self.parts.user.id.as_deref()
    }

    pub(crate) fn agent_name(&self) -> Option<&str> {
        self.parts.agent.name.as_deref()
    }

    pub(crate) fn run_id(&self) -> Option<&str> {
        self.parts.run_id.as_deref()
    }

    /// Returns the span that the context's `traceparent` names.
    pub(crate) fn remote_parent(&self) -> Option<RemoteParent> {
        let Trace { trace_id, span_id, is_sampled } = self.parts.trace.as_ref()?;
        Some(RemoteParent { ids: SpanIds::parse(trace_id, span_id)?, is_sampled: *is_sampled })
    }

    pub(crate) const fn mcp_request(&self) -> Option<&Mcp> {
        self.parts.mcp.as_ref()
    }
}

/// Cuts a value that is too long, visibly.
pub(super) fn bounded(value: impl Into<String>) -> Option<String> {
    let mut value = value.into();
    limit::cut(&mut value, VALUE_BYTES_MAX);
    Some(value)
}

fn write_actor(parts: &Parts) -> Vec<u8> {
    let mut out = Vec::new();
    let mut actor = Object::open(&mut out);
    // The schema requires an agent and a user to have an identifier: a name alone is no one.
    if let Some(id) = &parts.agent.id {
        let mut agent = actor.object(name!("agent"));
        agent.text(name!("id"), id);
        agent.optional_text(name!("name"), parts.agent.name.as_deref());
        agent.optional_text(name!("version"), parts.agent.version.as_deref());
        agent.close();
    }
    if parts.model.name.is_some() {
        let mut model = actor.object(name!("model"));
        model.optional_text(name!("name"), parts.model.name.as_deref());
        model.optional_text(name!("provider"), parts.model.provider.as_deref());
        model.close();
    }
    if let Some(id) = &parts.user.id {
        let mut user = actor.object(name!("on_behalf_of"));
        user.text(name!("id"), id);
        if !parts.user.roles.is_empty() {
            user.list(name!("roles"), &parts.user.roles, |out, role| crate::canonical::write_string(out, role));
        }
        user.close();
    }
    actor.close();
    out
}

/// Writes the record's `correlation` for a call inside of the given span, which counts instead of the context's.
pub(super) fn correlation_in(fields: Option<&Arc<Fields>>, span: SpanIds) -> Vec<u8> {
    let (trace, span) = (span.trace_id(), span.span_id());
    match fields {
        Some(fields) => write_correlation(&fields.parts, Some((&trace, &span))),
        None => write_correlation(&Parts::default(), Some((&trace, &span))),
    }
}

fn write_correlation(parts: &Parts, trace: Option<(&str, &str)>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut correlation = Object::open(&mut out);
    correlation.optional_text(name!("conversation_id"), parts.conversation_id.as_deref());
    correlation.optional_text(name!("environment"), parts.environment.as_deref());
    correlation.optional_text(name!("run_id"), parts.run_id.as_deref());
    correlation.optional_text(name!("span_id"), trace.map(|(_, span)| span));
    correlation.optional_text(name!("tenant_id"), parts.tenant_id.as_deref());
    correlation.optional_text(name!("trace_id"), trace.map(|(trace, _)| trace));
    if let Some(turn) = parts.turn {
        correlation.number(name!("turn"), u64::from(turn));
    }
    correlation.close();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_strictly() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        let check =
            |traceparent: &str, valid: bool| assert_eq!(Trace::parse(traceparent).is_some(), valid, "{traceparent}");
        check(&format!("00-{TRACE}-b7ad6b7169203331-01"), true);
        check(&format!("01-{TRACE}-b7ad6b7169203331-01-more"), true);
        check(&format!("00-{TRACE}-b7ad6b7169203331-01-more"), false);
        check(&format!("ff-{TRACE}-b7ad6b7169203331-01"), false);
        check(&format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()), false);
        check(&format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), false);
        check(&format!("00-{TRACE}-0000000000000000-01"), false);
        check(&format!("00-{TRACE}-b7ad6b7169203331"), false);
        check("", false);
    }
}

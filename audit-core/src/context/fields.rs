//! The values of a context, and their canonical JSON, made once per scope.

use crate::limit;
use crate::record::Object;
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
}

impl Fields {
    pub(super) fn new(parts: Parts) -> Self {
        let actor = write_actor(&parts);
        let correlation = write_correlation(&parts);
        Self { actor, correlation: (correlation != b"{}").then_some(correlation), parts }
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
        let mut agent = actor.object("agent");
        agent.text("id", id);
        agent.optional_text("name", parts.agent.name.as_deref());
        agent.optional_text("version", parts.agent.version.as_deref());
        agent.close();
    }
    if parts.model.name.is_some() {
        let mut model = actor.object("model");
        model.optional_text("name", parts.model.name.as_deref());
        model.optional_text("provider", parts.model.provider.as_deref());
        model.close();
    }
    if let Some(id) = &parts.user.id {
        let mut user = actor.object("on_behalf_of");
        user.text("id", id);
        if !parts.user.roles.is_empty() {
            user.list("roles", &parts.user.roles, |out, role| crate::canonical::write_string(out, role));
        }
        user.close();
    }
    actor.close();
    out
}

fn write_correlation(parts: &Parts) -> Vec<u8> {
    let mut out = Vec::new();
    let mut correlation = Object::open(&mut out);
    correlation.optional_text("conversation_id", parts.conversation_id.as_deref());
    correlation.optional_text("environment", parts.environment.as_deref());
    correlation.optional_text("run_id", parts.run_id.as_deref());
    correlation.optional_text("tenant_id", parts.tenant_id.as_deref());
    if let Some(turn) = parts.turn {
        correlation.number("turn", u64::from(turn));
    }
    correlation.close();
    out
}

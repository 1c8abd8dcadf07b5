//! The plan: how a call is going to be recorded, as told before it is made.

use audit_core::manual::{ToolCall, tool_call};
use audit_core::sites::AuditedSite;
use audit_core::vocabulary::{Effect, Level};
use rmcp::RoleServer;
use rmcp::model::Tool;
use rmcp::service::Service;

use crate::Audited;
use crate::asked::{Arguments, Asked};
use crate::options::ToolOptions;
use crate::paths::{self, Removal};
use crate::verdict::Availability;

/// How long the name of a tool is at most, as MCP asks for.
const NAME_BYTES_MAX: usize = 128;

/// Who records a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorder {
    /// The function itself: it is `#[audited]`.
    Function,
    /// The adapter.
    Adapter,
    /// No one: the tool is exempt.
    Nobody,
}

/// What is known of a call before it is made.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    asked: &'a Asked,
    /// The name under which the audited function records itself.
    pub(crate) function: &'a str,
    pub(crate) recorder: Recorder,
    pub(crate) availability: Availability,
    options: &'a ToolOptions,
    sites: &'a [AuditedSite],
    effect: Effect,
    definition: Option<Tool>,
}

impl<S: Service<RoleServer>> Audited<S> {
    pub(crate) fn plan<'a>(&'a self, asked: &'a Asked) -> Plan<'a> {
        let tool = asked.tool.as_str();
        let options = self.tools.get(tool).unwrap_or(&self.defaults);
        let function = options.function.as_deref().unwrap_or(tool);
        let sites = self.sites.get(function).map(Vec::as_slice).unwrap_or_default();
        let definition = (self.find)(&self.server, tool);
        let effect = options.effect.unwrap_or_else(|| effect_of(sites, definition.as_ref()));
        let is_malformed = matches!(asked.arguments, Arguments::Malformed(_));
        let availability = match &definition {
            _ if is_malformed => Availability::Malformed,
            _ if (self.is_disabled)(&self.server, tool) => Availability::Disabled,
            Some(_) => Availability::Listed,
            None => Availability::Unlisted,
        };
        let recorder = if is_malformed { Recorder::Adapter } else { recorder(options, sites, effect) };
        Plan { asked, function, recorder, availability, options, sites, effect, definition }
    }

    /// Describes the call as it is to be recorded here; the closure begins it.
    pub(crate) fn describe<R>(&self, plan: &Plan<'_>, begin: impl FnOnce(ToolCall<'_>) -> R) -> R {
        let mut call = tool_call(plan.action(), plan.asked.tool.clone()).effect(plan.effect);
        if let Some(level) = plan.options.level.or_else(|| level_of(plan.sites)) {
            call = call.level(level);
        }
        let removal = self.removal(plan);
        match &plan.asked.arguments {
            Arguments::Absent => begin(call.redact(&removal.paths)),
            Arguments::Object(arguments) => begin(call.redact(&removal.paths).arguments(&removal.apply(arguments))),
            Arguments::Malformed(params) => begin(call.redact([paths::EVERYTHING]).arguments(params)),
        }
    }

    fn removal<'p>(&self, plan: &'p Plan<'_>) -> Removal<'p> {
        if plan.definition.is_none() && plan.sites.is_empty() {
            let of_sites = self.sites.values().flatten().flat_map(|site| site.redact.iter().chain(&site.skip));
            let of_tools = self.tools.values().flat_map(|options| &options.redact);
            return paths::of_any(of_sites.chain(of_tools).map(String::as_str));
        }
        // What the function leaves out is removed like what it redacts.
        let functions = plan.sites.iter().flat_map(|site| site.redact.iter().chain(&site.skip)).map(String::as_str);
        paths::of_tool(functions, plan.options.redact.iter().map(String::as_str), plan.definition.as_ref())
    }
}

impl Plan<'_> {
    fn action(&self) -> String {
        match (&self.options.action, self.sites) {
            (Some(action), _) => action.clone(),
            (None, [site]) => site.action.clone(),
            // The name is the client's word: what is no name of a tool is no part of an action.
            (None, _) if is_tool_name(&self.asked.tool) => format!("mcp.{}", self.asked.tool),
            (None, _) => "mcp.unknown_tool".to_owned(),
        }
    }
}

fn recorder(options: &ToolOptions, sites: &[AuditedSite], effect: Effect) -> Recorder {
    match options.exempt {
        Some(_) if effect != Effect::Destructive => Recorder::Nobody,
        _ if sites.is_empty() => Recorder::Adapter,
        _ => Recorder::Function,
    }
}

/// Returns the level of the audited functions, the lowest if they differ.
fn level_of(sites: &[AuditedSite]) -> Option<Level> {
    sites.iter().filter_map(|site| Level::parse(&site.level)).min()
}

/// Returns the graver of what the audited functions of that name and the tool's annotations say.
fn effect_of(sites: &[AuditedSite], tool: Option<&Tool>) -> Effect {
    let of_sites = sites.iter().filter_map(|site| Effect::parse(&site.effect)).max();
    let hints = tool.and_then(|tool| tool.annotations.as_ref());
    let of_tool = hints.and_then(|hints| match (hints.read_only_hint, hints.destructive_hint) {
        (Some(true), _) => Some(Effect::Read),
        (_, Some(true)) => Some(Effect::Destructive),
        _ => None,
    });
    of_sites.max(of_tool).unwrap_or(Effect::Write)
}

/// Tells whether the text is a tool's name as MCP wants it.
fn is_tool_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(is_allowed)
}

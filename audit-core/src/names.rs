//! The names under which telemetry knows what records say: attributes of spans, of OTLP log records and of metrics.
//!
//! They are those of OpenTelemetry's semantic conventions for generative AI and MCP, in the repository
//! `open-telemetry/semantic-conventions-genai` as of [`CONVENTIONS`]; they are in development and live outside of the core
//! registry, so that no crate of names is depended on. What begins with `audit.` is of OpenTelemetry's draft for audit logs
//! ([`AUDIT_DRAFT`]), or ours where that has no word for it: [`OWN`].

/// When the conventions were read; there is no release of them.
pub const CONVENTIONS: &str = "2026-11-20, in development";

/// The draft for audit logs, which is not adopted: branch and commit of `apeirora/opentelemetry-specification`.
pub const AUDIT_DRAFT: &str = "auditing, 195a6da4";

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {$(
        $(#[$doc])*
        pub const $name: &str = $text;
    )+};
}

names! {
    /// What is done, as GenAI has it: always [`EXECUTE_TOOL`].
    OPERATION = "gen_ai.operation.name";
    /// The tool's name.
    TOOL = "gen_ai.tool.name";
    /// The model's identifier of the call.
    TOOL_CALL_ID = "gen_ai.tool.call.id";
    /// The arguments, opt-in.
    ARGUMENTS = "gen_ai.tool.call.arguments";
    /// The result, opt-in.
    RESULT = "gen_ai.tool.call.result";
    /// The conversation.
    CONVERSATION_ID = "gen_ai.conversation.id";
    /// The agent.
    AGENT_ID = "gen_ai.agent.id";
    /// The agent's name.
    AGENT_NAME = "gen_ai.agent.name";
    /// The agent's version.
    AGENT_VERSION = "gen_ai.agent.version";
    /// The user on whose behalf the agent acts.
    USER_ID = "user.id";
    /// The type of the error.
    ERROR_TYPE = "error.type";
    /// The method of the MCP request.
    MCP_METHOD = "mcp.method.name";
    /// The MCP session.
    MCP_SESSION_ID = "mcp.session.id";
    /// The version of MCP that was agreed on.
    MCP_PROTOCOL_VERSION = "mcp.protocol.version";
    /// The identifier of the MCP request.
    JSONRPC_REQUEST_ID = "jsonrpc.request.id";
    /// The action.
    ACTION = "audit.action";
    /// The record: on a span, the one that closes the call.
    RECORD_ID = "audit.record.id";
    /// How the stage ended.
    OUTCOME = "audit.outcome";
    /// Who acts.
    ACTOR_ID = "audit.actor.id";
    /// What who acts is: `user`, `service` or `system`.
    ACTOR_TYPE = "audit.actor.type";
    /// What the action is done to.
    TARGET_ID = "audit.target.id";
    /// What kind of thing that is.
    TARGET_TYPE = "audit.target.type";
    /// The version of the record's schema.
    SCHEMA_VERSION = "audit.schema.version";
    /// The number of the record's entry.
    SEQUENCE_NUMBER = "audit.sequence.number";
    /// The log's stream.
    SEQUENCE_STREAM_ID = "audit.sequence.stream_id";
    /// The hash of the entry before.
    SEQUENCE_PREVIOUS_HASH = "audit.sequence.previous_hash";
    /// Set where the stream ends, by closing.
    SEQUENCE_END = "audit.sequence.end";
    /// Our identifier of the call.
    CALL_ID = "audit.call.id";
    /// How long the call took, in milliseconds.
    DURATION_MS = "audit.duration_ms";
    /// The redacted summary of the result, at most 256 bytes.
    SUMMARY = "audit.summary";
    /// The run.
    RUN_ID = "audit.run.id";
}

/// The operation of every audited call.
pub const EXECUTE_TOOL: &str = "execute_tool";

/// The names that neither the conventions nor the draft know.
pub const OWN: [&str; 4] = [CALL_ID, DURATION_MS, SUMMARY, RUN_ID];

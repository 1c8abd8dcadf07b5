//! The request: what it says of the model's call, its session and its trace.

use audit_core::context::baggage::Carried;
use audit_core::context::{Context, Mcp, context};
use rmcp::RoleServer;
use rmcp::service::RequestContext;

/// Members of `_meta` in which clients pass on the model's identifier of the call, behind the prefix that names the
/// client: `acme/toolCallId`. MCP itself has none for it.
const TOOL_CALL_ID_KEYS: [&str; 4] = ["toolCallId", "tool_call_id", "toolUseId", "tool_use_id"];

/// Makes the context of what a request's baggage claims, as far as it is allowed to.
pub(crate) fn claimed(request: &RequestContext<RoleServer>, allowed: &[Carried]) -> Context {
    let claimed = request.meta.get("baggage").and_then(|baggage| baggage.as_str());
    context().baggage(claimed.filter(|_| !allowed.is_empty()).unwrap_or_default(), allowed)
}

/// Adds what a request says to a context.
pub(crate) fn add(context: Context, request: &RequestContext<RoleServer>, session: Option<String>) -> Context {
    let mut mcp = Mcp::new().method("tools/call").request_id(request.id.to_string());
    if let Some(session) = session {
        mcp = mcp.session_id(session);
    }
    if let Some(version) = request.protocol_version() {
        mcp = mcp.protocol_version(version.as_str());
    }
    if let Some(token) = request.meta.get_progress_token() {
        mcp = mcp.progress_token(token.0.to_string());
    }
    let mut context = context.mcp(mcp);
    if let Some(traceparent) = request.meta.get_traceparent() {
        context = context.traceparent(traceparent);
    }
    match tool_call_id(request) {
        Some(id) => context.tool_call_id(id),
        None => context,
    }
}

fn tool_call_id(request: &RequestContext<RoleServer>) -> Option<&str> {
    TOOL_CALL_ID_KEYS.iter().find_map(|key| {
        let (_, value) = request.meta.iter().find(|(name, _)| name.rsplit('/').next() == Some(key))?;
        value.as_str()
    })
}

/// Returns the session of a request over the streamable HTTP transport, for
/// [`Audited::session`](crate::Audited::session).
///
/// ```
/// # use rmcp::ServerHandler;
/// # fn server(desk: impl ServerHandler) -> impl Sized {
/// audit_rmcp::Audited::new(desk).session(audit_rmcp::http_session)
/// # }
/// ```
#[cfg(feature = "http")]
#[must_use]
pub fn http_session(request: &RequestContext<RoleServer>) -> Option<String> {
    let parts = request.extensions.get::<http::request::Parts>()?;
    parts.headers.get("mcp-session-id")?.to_str().ok().map(str::to_owned)
}

//! Records every tool call that an [`rmcp`] server is asked for, those that reach no tool included.
//!
//! Put [`Audited`] around the server. Functions that are `#[audited]` record themselves, now with the request, session
//! and trace that the call came with; everything else that a client may call is recorded here: tools without the
//! attribute, and calls that no function ever sees.
//!
//! ```
//! use audit_core::vocabulary::Effect;
//! use audit_rmcp::{Audited, ToolOptions};
//! use rmcp::ServerHandler;
//!
//! fn audited<S: ServerHandler>(server: S) -> Audited<S> {
//!     Audited::new(server)
//!         .tool("send_mail", ToolOptions::new().action("mail.send").redact(["body"]))
//!         .tool("reindex", ToolOptions::new().effect(Effect::Destructive))
//!         .tool("ping", ToolOptions::new().exempt("answers without looking at anything"))
//! }
//! ```
//!
//! `audited(server).serve(transport)` then serves as the server alone would.
//!
//! # Guarantees
//! - One call, one story: the intent before the tool runs, the outcome after it. A tool whose function is `#[audited]`
//!   under the tool's name is not recorded a second time.
//! - A call that reaches no function is `tool.called`, then `tool.failed` with what is wrong with it: `unknown_tool`,
//!   `tool_disabled`, `invalid_arguments` or another `protocol_error`, with the code of the protocol. So is a `tools/call`
//!   that rmcp cannot read as one, without what it holds.
//! - `isError` is a failure: `tool_error`.
//! - A tool that destroys does not run where its call cannot be recorded: one without the attribute is refused here, an
//!   audited function refuses as its own policy says.
//! - Nothing is asked of the tools' types: what is recorded is the JSON that came and the JSON that goes.
//! - Calls that never reach an `#[audited]` function are redacted as the function redacts, what the tool does not take is
//!   removed with it, and where a path has no certain place in the JSON, no argument is recorded.
//!
//! # What it does not do
//! It does not check who the client is: what `_meta` says is the client's word. It records tool calls, not prompts and
//! resources. Calls to the server that go around [`Audited`], `ServerHandler::call_tool` for one, are not seen.
//!
//! Functions are known by the name of their tool alone. A tool that has the name of an audited function elsewhere in the
//! program, but none of its own, is recorded once it has ended, and not refused; [`ToolOptions::function`] tells the two
//! apart. A function that runs in a task spawned without `audited::inherit` is not seen, and recorded here a second time.
//!
//! # Features
//! - `http`: [`http_session`](Audited::session), the session of the streamable HTTP transport.

mod adapter;
mod asked;
mod call;
mod options;
mod paths;
mod plan;
mod request;
mod verdict;

pub use adapter::Audited;
pub use options::ToolOptions;
#[cfg(feature = "http")]
pub use request::http_session;

use audit_core::Unavailable;
use rmcp::ErrorData;

/// Says in the protocol that a call was refused because it cannot be recorded: the policy of audited functions that
/// return an [`ErrorData`].
///
/// ```text
/// #[audited(action = "order.refund", effect = "destructive", on_unavailable = |u| Err(audit_rmcp::refused(&u)))]
/// ```
#[must_use]
pub fn refused(unavailable: &Unavailable) -> ErrorData {
    ErrorData::internal_error(unavailable.to_string(), None)
}

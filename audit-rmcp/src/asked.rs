//! What a request asks for: the tool and its arguments.

use rmcp::model::{ClientRequest, JsonObject};
use serde_json::Value;

const METHOD: &str = "tools/call";

/// What stands for the name where a request has none.
const UNNAMED: &str = "(unnamed)";

/// A call of a tool that a client asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) tool: String,
    pub(crate) arguments: Arguments,
}

/// The arguments, as far as they can be read.
#[derive(Debug)]
pub(crate) enum Arguments {
    Absent,
    Object(JsonObject),
    /// The request has not the form of a call. This is all that it holds; what may be recorded of it cannot be told.
    Malformed(Value),
}

impl Asked {
    /// Reads a request; `None` if it asks for something else.
    pub(crate) fn of(request: &ClientRequest) -> Option<Self> {
        match request {
            ClientRequest::CallToolRequest(request) => {
                let arguments = request.params.arguments.clone().map_or(Arguments::Absent, Arguments::Object);
                Some(Self { tool: request.params.name.clone().into_owned(), arguments })
            }
            // rmcp takes what it cannot read as a call for a request of its user's own.
            ClientRequest::CustomRequest(request) if request.method == METHOD => {
                let params = request.params.clone().unwrap_or_default();
                let tool = params.get("name").and_then(Value::as_str).unwrap_or(UNNAMED).to_owned();
                Some(Self { tool, arguments: Arguments::Malformed(params) })
            }
            _ => None,
        }
    }
}

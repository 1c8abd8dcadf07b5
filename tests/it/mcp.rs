//! An rmcp server: `#[audited]` above and below `#[tool]`, the calls that reach no function, and a client in Python.

mod adapter;
mod client;
mod ends;
mod orders;

use rmcp::model::{CallToolRequestParams, ContentBlock};
use rmcp::{RoleServer, Service, ServiceError, ServiceExt as _, schemars};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use testkit::Memory;
use tracing_subscriber::layer::SubscriberExt as _;

const CARD: &str = "4242 4242 4242 4242";

#[derive(Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Refund {
    order: String,
    card: String,
}

/// What the client saw of a call: the text of the result, or the code of an error in the protocol.
type Seen = Result<String, i32>;

/// Calls tools of a server one after the other; returns what the client saw and the records that were left.
fn serve(server: impl Service<RoleServer>, calls: &[(&'static str, Value)]) -> (Vec<Seen>, Vec<Value>) {
    let requests = calls.iter().map(|(tool, arguments)| {
        CallToolRequestParams::new(*tool).with_arguments(arguments.as_object().unwrap().clone())
    });
    serve_requests(&Memory::new(), server, requests.collect())
}

fn serve_requests(
    memory: &Memory,
    server: impl Service<RoleServer>,
    requests: Vec<CallToolRequestParams>,
) -> (Vec<Seen>, Vec<Value>) {
    let seen = tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let (server, client) = tokio::join!(server.serve(ours), ().serve(theirs));
            let (server, client) = (server.unwrap(), client.unwrap());
            let mut seen = Vec::new();
            for request in requests {
                seen.push(match client.call_tool(request).await {
                    Ok(result) => Ok(result.content[0].as_text().unwrap().text.clone()),
                    Err(ServiceError::McpError(error)) => Err(error.code.0),
                    Err(other) => panic!("{other}"),
                });
            }
            client.cancel().await.unwrap();
            server.waiting().await.unwrap();
            seen
        })
    });
    (seen, memory.records())
}

/// What each record says of its call, in one line: event, action, tool and, of a failure, its type, code and effect.
fn stories(records: &[Value]) -> Vec<String> {
    records.iter().map(story).collect()
}

fn story(record: &Value) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    let parts = ["/event_name", "/action", "/operation/tool/name", "/outcome/error_type", "/outcome/code"];
    let mut story = parts.into_iter().filter_map(text).collect::<Vec<&str>>().join(" ");
    if text("/outcome/error_type").is_some() {
        story = format!("{story} {}", text("/outcome/effect").unwrap());
    }
    story
}

fn text(text: impl Into<String>) -> Vec<ContentBlock> {
    vec![ContentBlock::text(text)]
}

fn no_secret_in(records: &[Value]) {
    let bytes: String = records.iter().map(Value::to_string).collect();
    assert!(!bytes.contains("4242"), "the card's number stands in {bytes}");
}

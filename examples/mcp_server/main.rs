//! An MCP server over stdio whose every tool call leaves its story in a log.
//!
//! ```text
//! mcp_server LOG_DIRECTORY
//! ```
//!
//! [`tools`] holds the audited tools. [`Audited`](audit_rmcp::Audited) stands around the server: it gives each call the
//! request, session and trace that it came with, and records the calls that never reach a tool. `run-client` drives the
//! server with the Python client of MCP:
//!
//! ```text
//! cargo build -p examples --example mcp_server
//! examples/mcp_server/run-client target/debug/examples/mcp_server target/mcp-audit
//! cargo run -p audit-cli -- show target/mcp-audit
//! ```

mod tools;

use anyhow::Context as _;
use audit_rmcp::Audited;
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;

use tools::OrderDesk;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let log = std::env::args_os().nth(1).context("expected the directory of the log as the first argument")?;
    let guard = audited::init(log)?;

    // The standard output belongs to the protocol: nothing else may be printed there.
    let run = format!("stdio-{}", std::process::id());
    let server = Audited::new(OrderDesk::default())
        .context(move |request| {
            let client = request.client_info().map_or_else(|| "unknown".to_owned(), |client| client.name);
            audited::context().agent(client).run(run.as_str())
        })
        .drop_cancelled();
    server.serve(stdio()).await?.waiting().await?;

    guard.close()?;
    Ok(())
}

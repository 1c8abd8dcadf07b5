//! The example's server, driven by the Python SDK of MCP.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::workspace;

use super::CARD;

/// Builds the example and returns where it is.
fn server() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "examples", "--example", "mcp_server", "--message-format", "json"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let executable = messages.filter_map(|message| Some(message["executable"].as_str()?.to_owned())).next_back();
    executable.expect("cargo names the executable").into()
}

/// Runs the client; returns what it saw of each call.
fn run_client(server: &Path, log: &Path) -> Vec<Value> {
    let script = workspace().join("examples/mcp_server/run-client");
    // What the SDK is installed into stands beside the other products of the build, wherever those are.
    let target = server.ancestors().nth(3).expect("target/debug/examples/mcp_server");
    let output = Command::new(script).arg(server).arg(log).env("CARGO_TARGET_DIR", target).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn audited(arguments: &[&str]) -> String {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = audit_cli::run(["audited"].iter().chain(arguments), &mut stdout, &mut stderr);
    assert_eq!(exit, audit_cli::Exit::Success, "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Every byte of every file below a directory.
fn all_bytes(directory: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { all_bytes(&path) } else { std::fs::read(path).unwrap() }).collect()
}

#[test]
fn five_calls_of_a_python_client_are_five_stories() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    let seen = run_client(&server(), &log);
    let seen: Vec<(&str, bool)> = seen
        .iter()
        .map(|seen| (seen["story"].as_str().unwrap(), seen["is_error"] == true || seen["protocol_error"] == -32602))
        .collect();
    assert_eq!(
        seen,
        [
            ("tools", false),
            ("good", false),
            ("tool_error", true),
            ("invalid_arguments", true),
            ("unknown_tool", true),
            ("progress", false),
            ("cancelled", false),
        ]
    );

    let path = log.to_str().unwrap();
    assert!(audited(&["verify", path]).contains("intact"));
    let records: Vec<Value> = audited(&["show", path, "--json"])
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].take())
        .filter(|record| record.get("call").is_some())
        .collect();
    assert_eq!(
        super::stories(&records),
        [
            "tool.called order.status.read order_status",
            "tool.completed order.status.read order_status",
            "tool.called order.refund order_refund",
            "tool.failed order.refund order_refund tool_error unknown",
            "tool.called order.refund order_refund",
            "tool.failed order.refund order_refund invalid_arguments -32602 none",
            "tool.called mcp.order_refund_all order_refund_all",
            "tool.failed mcp.order_refund_all order_refund_all unknown_tool -32602 none",
            "tool.called order.reserve order_reserve",
            "tool.cancelled order.reserve order_reserve cancelled unknown",
        ]
    );
    for pair in records.chunks(2) {
        assert_eq!(pair[0]["call"]["id"], pair[1]["call"]["id"], "{pair:#?}");
    }
    let requests: Vec<&str> =
        records.iter().step_by(2).map(|record| record["operation"]["mcp"]["request_id"].as_str().unwrap()).collect();
    assert_eq!(requests.iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "{requests:?}");
    for record in records.iter().take(8) {
        assert_eq!(record["correlation"]["trace_id"], json!("0af7651916cd43dd8448eb211c80319c"), "{record}");
    }

    let run = records[0]["correlation"]["run_id"].as_str().unwrap();
    let timeline = audited(&["timeline", path, "--run", run]);
    assert!(timeline.contains("5 calls"), "{timeline}");

    let bytes = String::from_utf8_lossy(&all_bytes(&log)).into_owned();
    for secret in [CARD, "4242"] {
        assert!(!bytes.contains(secret), "{secret} stands in the log");
    }
}

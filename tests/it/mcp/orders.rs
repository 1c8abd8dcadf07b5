//! `#[audited]` above and below `#[tool]`, sync and async.

use audited::audited;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolResult;
use rmcp::{ErrorData, RoleServer, Service, tool, tool_handler, tool_router};
use serde_json::json;

use super::{CARD, Refund, no_secret_in, serve, stories, text};

mod above {
    use super::*;

    #[derive(Clone)]
    pub struct Server;

    #[tool_router]
    impl Server {
        #[audited(action = "order.refund", redact = [card])]
        #[tool]
        async fn asynchronous(&self, Parameters(Refund { order, card }): Parameters<Refund>) -> Result<String, String> {
            tokio::task::yield_now().await;
            if order == "ORD-1" { Ok(order) } else { Err(format!("{card} was refused")) }
        }

        #[audited(action = "order.refund", redact = [request.card])]
        #[tool]
        fn synchronous(&self, Parameters(request): Parameters<Refund>) -> Result<CallToolResult, ErrorData> {
            match request.order.as_str() {
                "ORD-1" => Ok(CallToolResult::success(text(request.order))),
                "ORD-2" => Ok(CallToolResult::error(text(format!("{} was refused", request.card)))),
                _ => Err(ErrorData::invalid_params(format!("{} paid for no such order", request.card), None)),
            }
        }
    }

    #[tool_handler]
    impl rmcp::ServerHandler for Server {}
}

mod below {
    use super::*;

    #[derive(Clone)]
    pub struct Server;

    #[tool_router]
    impl Server {
        #[tool]
        #[audited(action = "order.refund", redact = [card])]
        async fn asynchronous(&self, Parameters(Refund { order, card }): Parameters<Refund>) -> Result<String, String> {
            tokio::task::yield_now().await;
            if order == "ORD-1" { Ok(order) } else { Err(format!("{card} was refused")) }
        }

        #[tool]
        #[audited(action = "order.refund", redact = [request.card])]
        fn synchronous(&self, Parameters(request): Parameters<Refund>) -> Result<CallToolResult, ErrorData> {
            match request.order.as_str() {
                "ORD-1" => Ok(CallToolResult::success(text(request.order))),
                "ORD-2" => Ok(CallToolResult::error(text(format!("{} was refused", request.card)))),
                _ => Err(ErrorData::invalid_params(format!("{} paid for no such order", request.card), None)),
            }
        }
    }

    #[tool_handler]
    impl rmcp::ServerHandler for Server {}
}

/// What both orders of the attributes have to leave.
fn check_order(server: impl Service<RoleServer>) {
    let refund = |order: &str| json!({"order": order, "card": CARD});
    let (seen, records) = serve(
        server,
        &[
            ("asynchronous", refund("ORD-1")),
            ("asynchronous", refund("ORD-2")),
            ("synchronous", refund("ORD-1")),
            ("synchronous", refund("ORD-2")),
            ("synchronous", refund("ORD-3")),
        ],
    );
    let refused = format!("{CARD} was refused");
    assert_eq!(seen, [Ok("ORD-1".into()), Ok(refused.clone()), Ok("ORD-1".into()), Ok(refused), Err(-32602)]);
    assert_eq!(
        stories(&records),
        [
            "tool.called order.refund asynchronous",
            "side_effect.applied order.refund asynchronous",
            "tool.called order.refund asynchronous",
            "tool.failed order.refund asynchronous String unknown",
            "tool.called order.refund synchronous",
            "side_effect.applied order.refund synchronous",
            "tool.called order.refund synchronous",
            "tool.failed order.refund synchronous tool_error unknown",
            "tool.called order.refund synchronous",
            "tool.failed order.refund synchronous ErrorData -32602 unknown",
        ]
    );
    assert_eq!(records[0]["request"]["arguments"], json!({"order": "ORD-1"}));
    assert_eq!(records[4]["request"]["arguments"], json!({"request": {"order": "ORD-1"}}));
    no_secret_in(&records);
}

#[test]
fn the_attribute_stands_above_tool() {
    check_order(above::Server);
}

#[test]
fn the_attribute_stands_below_tool() {
    check_order(below::Server);
}

mod named {
    use super::*;

    #[derive(Clone)]
    pub struct Server;

    #[tool_router(vis = "pub")]
    impl Server {
        #[audited(action = "order.read")]
        #[tool(name = "order.read", annotations(read_only_hint = true))]
        async fn read(&self) -> String {
            "open".to_owned()
        }

        #[audited(action = "order.delete", on_unavailable = |unavailable| Err(audit_rmcp::refused(&unavailable)))]
        #[rmcp::tool(description = "Deletes, for good", annotations(title = "Delete", destructive_hint = true))]
        fn delete(&self) -> Result<String, ErrorData> {
            Ok("gone".to_owned())
        }

        #[audited(action = "order.archive", name = "archive", effect = "write")]
        #[tool(name = "order.archive", annotations(destructive_hint = true))]
        fn put_away(&self) -> String {
            "away".to_owned()
        }
    }

    #[tool_handler]
    impl rmcp::ServerHandler for Server {}
}

#[test]
fn name_and_effect_come_from_tool_unless_the_attribute_says_better() {
    let (_, records) =
        serve(named::Server, &[("order.read", json!({})), ("delete", json!({})), ("order.archive", json!({}))]);
    let told: Vec<(&str, &str)> = records
        .iter()
        .filter(|record| record["stage"] == "completed")
        .map(|record| (record["event_name"].as_str().unwrap(), record["operation"]["tool"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("tool.completed", "order.read"), ("side_effect.applied", "delete"), ("side_effect.applied", "archive")]
    );
    let hints = |record: usize| {
        let tool = &records[record]["operation"]["tool"];
        (tool["read_only"].as_bool().unwrap(), tool["destructive"].as_bool().unwrap())
    };
    assert_eq!([hints(0), hints(2), hints(4)], [(true, false), (false, true), (false, false)]);
}

#[test]
fn a_tool_of_a_router_that_is_not_audited_under_its_name_is_found() {
    let tools = named::Server::tool_router().list_all();
    assert_eq!(audited::sites().missing(tools.iter().map(|tool| &tool.name)), ["order.archive"]);
}

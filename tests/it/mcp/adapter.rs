//! What the adapter records: tools without the attribute, calls that reach no function, and whose calls they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use audit_core::sink::AppendErrorKind;
use audit_core::vocabulary::{Effect, Level};
use audit_rmcp::{Audited, ToolOptions};
use audited::audited;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use serde_json::{Value, json};
use testkit::Memory;

use super::{CARD, Refund, no_secret_in, serve, serve_requests, stories, text};

/// Tools with and without the attribute.
#[derive(Clone, Debug)]
struct Desk {
    tool_router: ToolRouter<Self>,
    ran: Arc<AtomicBool>,
}

#[tool_router]
impl Desk {
    fn new() -> Self {
        let mut tool_router = Self::tool_router();
        tool_router.disable_route("closed");
        Self { tool_router, ran: Arc::default() }
    }

    #[tool(annotations(read_only_hint = true))]
    async fn look(&self, Parameters(Refund { order, card }): Parameters<Refund>) -> Result<CallToolResult, ErrorData> {
        match order.as_str() {
            "ORD-1" => Ok(CallToolResult::structured(json!({"state": "open", "card": card}))),
            "ORD-2" => Ok(CallToolResult::error(text(format!("{card} paid for no such order")))),
            _ => Err(ErrorData::internal_error(format!("{card} broke it"), None)),
        }
    }

    #[tool]
    async fn note(&self) -> String {
        self.ran.store(true, Ordering::Relaxed);
        "noted".to_owned()
    }

    #[tool(annotations(destructive_hint = true))]
    async fn wipe_desk(&self) -> String {
        self.ran.store(true, Ordering::Relaxed);
        "wiped".to_owned()
    }

    #[tool]
    async fn closed(&self) -> String {
        "never".to_owned()
    }

    #[audited(action = "order.pay_back", redact = [card])]
    #[tool]
    async fn pay_back(&self, Parameters(Refund { order, card }): Parameters<Refund>) -> Result<String, String> {
        drop(card);
        self.inner(&order)
    }

    #[audited(action = "order.cancel", redact = [number])]
    #[tool]
    async fn cancel_order(&self, Parameters(Refund { order, card: number }): Parameters<Refund>) -> String {
        drop(number);
        order
    }

    #[audited(action = "order.pay_back.inner")]
    fn inner(&self, order: &str) -> Result<String, String> {
        Ok(order.to_owned())
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Desk {}

fn desk() -> Audited<Desk> {
    let card = ToolOptions::new().redact(["card", "return.card"]);
    Audited::new(Desk::new()).disabled(|desk, tool| desk.tool_router.is_disabled(tool)).tool("look", card)
}

fn refund(order: &str) -> Value {
    json!({"order": order, "card": CARD})
}

#[test]
fn tools_without_the_attribute_are_recorded_with_all_their_ends() {
    let calls = [("look", refund("ORD-1")), ("look", refund("ORD-2")), ("look", refund("ORD-3")), ("note", json!({}))];
    let (seen, records) = serve(desk(), &calls);
    assert_eq!(seen[2..], [Err(-32603), Ok("noted".into())]);
    assert_eq!(
        stories(&records),
        [
            "tool.called mcp.look look",
            "tool.completed mcp.look look",
            "tool.called mcp.look look",
            "tool.failed mcp.look look tool_error none",
            "tool.called mcp.look look",
            "tool.failed mcp.look look protocol_error -32603 none",
            "tool.called mcp.note note",
            "side_effect.applied mcp.note note",
        ]
    );
    assert_eq!(records[0]["request"]["arguments"], json!({"order": "ORD-1"}));
    assert_eq!(records[1]["response"]["summary"], json!({"state": "open"}));
    assert_eq!(records[3]["outcome"]["reason"], "[redacted] paid for no such order");
    assert_eq!(records[7]["response"]["summary"], "noted");
    no_secret_in(&records);
}

#[test]
fn calls_that_reach_no_function_are_recorded() {
    let twelve = json!({"order": 12, "card": CARD});
    let (seen, records) = serve(
        desk(),
        &[
            ("look", twelve.clone()),
            ("pay_back", twelve),
            ("pay_back", json!({"order": "ORD-1", "crad": CARD})),
            ("lok", refund("ORD-1")),
            ("closed", json!({})),
            ("what is this?", json!({"password": CARD})),
        ],
    );
    assert_eq!(seen.iter().filter_map(|seen| seen.as_ref().err()).collect::<Vec<_>>(), [&-32602; 3]);
    assert_eq!(
        stories(&records),
        [
            "tool.called mcp.look look",
            "tool.failed mcp.look look invalid_arguments -32602 none",
            "tool.called order.pay_back pay_back",
            "tool.failed order.pay_back pay_back invalid_arguments -32602 none",
            "tool.called order.pay_back pay_back",
            "tool.failed order.pay_back pay_back invalid_arguments -32602 none",
            "tool.called mcp.lok lok",
            "tool.failed mcp.lok lok unknown_tool -32602 none",
            "tool.called mcp.closed closed",
            "tool.failed mcp.closed closed tool_disabled -32602 none",
            "tool.called mcp.unknown_tool what is this?",
            "tool.failed mcp.unknown_tool what is this? unknown_tool -32602 none",
        ]
    );
    assert_eq!(records[2]["request"]["arguments"], json!({}), "a number is no order: what it is cannot be told");
    assert_eq!(records[4]["request"]["arguments"], json!({"order": "ORD-1"}));
    let of_no_tool = &records[6]["request"]["arguments"];
    assert!(of_no_tool.get("card").is_none(), "the paths of all tools of the program are for it: {of_no_tool}");
    no_secret_in(&records);
}

#[test]
fn what_cannot_be_found_in_the_json_costs_the_arguments() {
    let (_, records) = serve(desk(), &[("cancel_order", json!({"order": 12, "card": CARD}))]);
    assert_eq!(
        stories(&records),
        [
            "tool.called order.cancel cancel_order",
            "tool.failed order.cancel cancel_order invalid_arguments -32602 none",
        ]
    );
    assert!(!records[0]["request"].to_string().contains("order"), "{}", records[0]);
    no_secret_in(&records);
}

#[test]
fn a_call_of_an_audited_function_is_recorded_once() {
    let (_, records) = serve(desk(), &[("pay_back", refund("ORD-1"))]);
    assert_eq!(
        stories(&records),
        [
            "tool.called order.pay_back pay_back",
            "tool.called order.pay_back.inner inner",
            "side_effect.applied order.pay_back.inner inner",
            "side_effect.applied order.pay_back pay_back",
        ]
    );
    assert_eq!(records[1]["call"]["parent_id"], records[0]["call"]["id"]);
    assert_eq!(records[0]["operation"]["mcp"]["request_id"], records[1]["operation"]["mcp"]["request_id"]);
}

#[test]
fn a_function_of_another_name_is_found_where_it_is_told() {
    let server = desk().tool("note", ToolOptions::new().function("pay_back").action("order.note"));
    let (_, records) = serve(server, &[("note", json!({}))]);
    assert_eq!(stories(&records), ["tool.called order.note note", "side_effect.applied order.note note"]);
}

#[test]
fn a_record_says_which_request_it_belongs_to() {
    let mut request = CallToolRequestParams::new("note");
    let meta = json!({
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "acme.example/toolUseId": "toolu_1",
    });
    request.meta = Some(serde_json::from_value(meta).unwrap());
    let mut untraced =
        CallToolRequestParams::new("pay_back").with_arguments(refund("ORD-1").as_object().unwrap().clone());
    untraced.meta = Some(serde_json::from_value(json!({"traceparent": "00-0AF7-1-01"})).unwrap());
    let server = desk()
        .session(|_| Some("session-1".to_owned()))
        .context(|request| audited::context().agent(request.client_info().unwrap().name).conversation("conv_1"));
    let (_, records) = serve_requests(&Memory::new(), server, vec![request, untraced]);

    let mcp = &records[0]["operation"]["mcp"];
    assert_eq!(mcp["session_id"], "session-1");
    assert_eq!(mcp["method"], "tools/call");
    assert_eq!(records[0]["actor"]["agent"]["id"], "rmcp");
    assert_eq!(records[0]["correlation"]["conversation_id"], "conv_1");
    assert_eq!(records[0]["correlation"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(records[0]["correlation"]["span_id"], "b7ad6b7169203331");
    assert_eq!(records[0]["call"]["tool_call_id"], "toolu_1");
    assert_eq!(records[2]["operation"]["mcp"]["session_id"], "session-1");
    assert_ne!(records[2]["operation"]["mcp"]["request_id"], mcp["request_id"]);
    assert!(records[2]["correlation"].get("trace_id").is_none());
    assert!(records[2]["call"].get("tool_call_id").is_none());
}

#[test]
fn what_a_client_claims_in_its_baggage_counts_as_far_as_it_is_allowed() {
    use audited::Carried;
    let request = || {
        let mut request = CallToolRequestParams::new("note");
        let meta = json!({"baggage": "audit.run.id=run%201,user.id=usr_9,gen_ai.agent.id=agent:9"});
        request.meta = Some(serde_json::from_value(meta).unwrap());
        vec![request]
    };
    let (_, unasked) = serve_requests(&Memory::new(), desk(), request());
    assert_eq!((&unasked[0]["actor"], &unasked[0]["correlation"]["run_id"]), (&json!({}), &json!(null)));
    let server = desk().baggage([Carried::Run, Carried::User]).context(|_| audited::context().on_behalf_of("usr_1"));
    let (_, records) = serve_requests(&Memory::new(), server, request());
    assert_eq!(records[0]["correlation"]["run_id"], "run 1");
    // What the server knows comes before what the client claims.
    assert_eq!(records[0]["actor"], json!({"on_behalf_of": {"id": "usr_1"}}));
}

#[test]
fn an_exempt_tool_leaves_nothing_unless_it_is_destructive() {
    let exempt = || ToolOptions::new().exempt("answers the same to everyone");
    let server = desk().tool("note", exempt()).tool("wipe_desk", exempt()).tool("look", ToolOptions::new().exempt(" "));
    assert_eq!(server.exemptions().map(|(tool, _)| tool).collect::<Vec<_>>(), ["note", "wipe_desk"]);
    let (_, records) = serve(server, &[("note", json!({})), ("wipe_desk", json!({})), ("look", json!({"order": 1}))]);
    assert_eq!(
        stories(&records),
        [
            "tool.called mcp.wipe_desk wipe_desk",
            "side_effect.applied mcp.wipe_desk wipe_desk",
            "tool.called mcp.look look",
            "tool.failed mcp.look look invalid_arguments -32602 none",
        ]
    );
}

#[test]
fn the_options_of_a_tool_decide() {
    let options = ToolOptions::new().action("note.read").effect(Effect::Read).level(Level::Metadata);
    let (_, records) = serve(desk().tool("note", options), &[("note", json!({"extra": 1}))]);
    assert_eq!(stories(&records), ["tool.called note.read note", "tool.completed note.read note"]);
    assert!(records[0].get("request").is_none() && records[1].get("response").is_none());
}

#[test]
fn a_destructive_tool_does_not_run_unrecorded() {
    let call = |tool: &'static str| {
        let (memory, desk) = (Memory::new(), Desk::new());
        memory.refuse(AppendErrorKind::Poisoned);
        let ran = Arc::clone(&desk.ran);
        let (seen, _) = serve_requests(&memory, Audited::new(desk), vec![CallToolRequestParams::new(tool)]);
        (seen, ran.load(Ordering::Relaxed))
    };
    assert_eq!(call("wipe_desk"), (vec![Err(-32603)], false));
    assert_eq!(call("note"), (vec![Ok("noted".into())], true));
}

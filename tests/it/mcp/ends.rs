//! Calls that do not end by an answer: cancelled, dropped, panicked; and calls at the same time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use audit_rmcp::Audited;
use audited::audited;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResponse, ClientRequest, CustomRequest, NumberOrString,
    ServerResult,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, Peer, RoleServer, ServerHandler, Service, ServiceExt as _, tool, tool_handler, tool_router};
use serde_json::{Value, json};
use testkit::recorded;

use super::stories;

#[derive(Clone, Debug)]
struct Shelf;

#[tool_router]
impl Shelf {
    #[audited(action = "shelf.hold")]
    #[tool]
    async fn hold_shelf(&self) -> String {
        std::future::pending().await
    }

    #[tool]
    async fn hang(&self) -> String {
        std::future::pending().await
    }

    #[tool]
    async fn fail_later(&self) -> Result<String, String> {
        tokio::task::yield_now().await;
        Err("too late".to_owned())
    }

    #[tool]
    async fn fill_later(&self) -> String {
        tokio::task::yield_now().await;
        "filled".to_owned()
    }

    #[tool]
    async fn collapse(&self) -> String {
        panic!("the shelf collapsed")
    }
}

#[tool_handler]
impl ServerHandler for Shelf {}

/// A server that takes its time before it looks for the tool.
#[derive(Clone, Debug)]
struct Slow;

impl ServerHandler for Slow {
    async fn call_tool(
        &self,
        _request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        std::future::pending().await
    }
}

/// Hands a server that is connected to the closure, and returns the stories that it left.
fn left(test: impl AsyncFnOnce(Peer<RoleServer>)) -> Vec<String> {
    stories(&records_left(test))
}

fn records_left(test: impl AsyncFnOnce(Peer<RoleServer>)) -> Vec<Value> {
    recorded(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(1 << 12);
            let (server, client) = tokio::join!(Shelf.serve(ours), ().serve(theirs));
            let (server, _client) = (server.unwrap(), client.unwrap());
            test(server.peer().clone()).await;
        });
    })
}

fn call(tool: &'static str) -> ClientRequest {
    ClientRequest::CallToolRequest(CallToolRequest::new(CallToolRequestParams::new(tool)))
}

fn request(number: i64, peer: &Peer<RoleServer>) -> RequestContext<RoleServer> {
    RequestContext::new(NumberOrString::Number(number), peer.clone())
}

fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets a tool begin, cancels its request, and goes on.
fn cancelled(server: Audited<Shelf>, tool: &'static str) -> (Poll<Result<ServerResult, ErrorData>>, Vec<String>) {
    let mut answer = Poll::Pending;
    let stories = left(async |peer| {
        let context = request(7, &peer);
        let token = context.ct.clone();
        let mut work = pin!(server.handle_request(call(tool), context));
        assert!(poll(work.as_mut()).is_pending());
        token.cancel();
        answer = poll(work.as_mut());
    });
    (answer, stories)
}

#[test]
fn a_cancelled_request_drops_its_tool_where_that_is_wanted() {
    for (tool, action) in [("hold_shelf", "shelf.hold"), ("hang", "mcp.hang")] {
        let (answer, stories) = cancelled(Audited::new(Shelf).drop_cancelled(), tool);
        assert!(matches!(answer, Poll::Ready(Err(_))), "{answer:?}");
        let expected =
            [format!("tool.called {action} {tool}"), format!("tool.cancelled {action} {tool} cancelled unknown")];
        assert_eq!(stories, expected);
    }
}

#[test]
fn a_tool_that_outlives_its_request_is_recorded_as_it_ends() {
    let (answer, stories) = cancelled(Audited::new(Shelf), "fill_later");
    assert!(answer.is_ready());
    assert_eq!(stories, ["tool.called mcp.fill_later fill_later", "side_effect.applied mcp.fill_later fill_later"]);

    let (answer, stories) = cancelled(Audited::new(Shelf), "fail_later");
    assert!(answer.is_ready());
    assert_eq!(
        stories,
        ["tool.called mcp.fail_later fail_later", "tool.cancelled mcp.fail_later fail_later cancelled unknown"]
    );
}

#[test]
fn a_call_whose_future_is_dropped_is_cancelled() {
    let dropped = |tool: &'static str| {
        left(async |peer| {
            let server = Audited::new(Shelf);
            let mut work = Box::pin(server.handle_request(call(tool), request(7, &peer)));
            assert!(poll(work.as_mut()).is_pending());
        })
    };
    assert_eq!(
        dropped("hold_shelf"),
        ["tool.called shelf.hold hold_shelf", "tool.cancelled shelf.hold hold_shelf cancelled unknown"]
    );
    assert_eq!(dropped("hang"), ["tool.called mcp.hang hang", "tool.cancelled mcp.hang hang cancelled unknown"]);

    let before_the_function = left(async |peer| {
        let server = Audited::new(Slow);
        let mut work = Box::pin(server.handle_request(call("hold_shelf"), request(7, &peer)));
        assert!(poll(work.as_mut()).is_pending());
    });
    assert_eq!(
        before_the_function,
        ["tool.called shelf.hold hold_shelf", "tool.cancelled shelf.hold hold_shelf cancelled none"]
    );
}

#[test]
fn a_tool_that_panics_is_recorded_and_panics() {
    let stories = left(async |peer| {
        let server = Audited::new(Shelf);
        let mut work = pin!(server.handle_request(call("collapse"), request(7, &peer)));
        let panicked = catch_unwind(AssertUnwindSafe(|| poll(work.as_mut())));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"the shelf collapsed"));
    });
    assert_eq!(stories, ["tool.called mcp.collapse collapse", "tool.panicked mcp.collapse collapse panic unknown"]);
}

#[test]
fn a_request_that_has_not_the_form_of_a_call_is_recorded_without_what_it_holds() {
    let records = records_left(async |peer| {
        let server = Audited::new(Shelf);
        for params in
            [json!({"name": "hold_shelf", "arguments": ["4242"]}), json!({"arguments": {"a": "4242"}}), json!(null)]
        {
            let request = ClientRequest::CustomRequest(CustomRequest::new("tools/call", Some(params)));
            server.handle_request(request, self::request(1, &peer)).await.unwrap_err();
        }
    });
    let expected = ["shelf.hold hold_shelf", "mcp.unknown_tool (unnamed)", "mcp.unknown_tool (unnamed)"]
        .map(|call| [format!("tool.called {call}"), format!("tool.failed {call} invalid_arguments -32601 none")]);
    assert_eq!(stories(&records), expected.concat());
    super::no_secret_in(&records);
}

#[test]
fn the_session_of_http_is_recorded() {
    let records = records_left(async |peer| {
        let server = Audited::new(Shelf).session(audit_rmcp::http_session);
        let http = http::Request::builder().header("mcp-session-id", "session-7").body(()).unwrap();
        let mut over_http = request(1, &peer);
        over_http.extensions.insert(http.into_parts().0);
        for context in [over_http, request(2, &peer)] {
            server.handle_request(call("missing"), context).await.unwrap_err();
        }
    });
    let session = |record: usize| records[record]["operation"]["mcp"].get("session_id").cloned();
    assert_eq!([session(0), session(2)], [Some("session-7".into()), None]);
}

#[test]
fn calls_at_the_same_time_keep_apart() {
    let records = records_left(async |peer| {
        let server = Audited::new(Shelf);
        let requests = (1..=3).map(|number| server.handle_request(call("fill_later"), request(number, &peer)));
        let mut work: Vec<_> = requests.map(Box::pin).collect();
        for _ in 0..2 {
            work.retain_mut(|work| poll(work.as_mut()).is_pending());
        }
        assert!(work.is_empty());
    });
    let told: Vec<(&str, &str)> = records
        .iter()
        .map(|record| (record["stage"].as_str().unwrap(), record["operation"]["mcp"]["request_id"].as_str().unwrap()))
        .collect();
    let of_stage = |stage: &'static str| ["1", "2", "3"].map(|number| (stage, number));
    assert_eq!(told, [of_stage("started"), of_stage("completed")].concat());
}

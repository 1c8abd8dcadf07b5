//! axum: handlers with destructured extractors, run through a router, and requests that reach no handler.

use audited::{Applied, Conclusion, Unavailable, audited, manual};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testkit::recorded;
use tower::ServiceExt as _;

#[derive(Clone)]
struct Shop {
    cents_max: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Refund {
    cents: u64,
    card: String,
}

#[derive(Debug)]
enum Refused {
    TooMuch { cents_max: u64 },
    Unrecorded(Unavailable),
}

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unrecorded(unavailable)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::TooMuch { cents_max } => (StatusCode::UNPROCESSABLE_ENTITY, format!("at most {cents_max}")),
            Self::Unrecorded(unavailable) => (StatusCode::SERVICE_UNAVAILABLE, unavailable.to_string()),
        }
        .into_response()
    }
}

#[audited(action = "order.refund", effect = "destructive", skip(shop), redact = [refund.card])]
async fn refund(
    State(shop): State<Shop>,
    Path(order): Path<String>,
    Json(refund): Json<Refund>,
) -> Result<Json<Value>, Refused> {
    if refund.cents > shop.cents_max {
        return Err(Refused::TooMuch { cents_max: shop.cents_max });
    }
    Ok(Json(json!({"order": order, "cents": refund.cents})))
}

#[audited(action = "order.show", effect = "read")]
async fn show(Path((shop, order)): Path<(String, u64)>) -> impl IntoResponse {
    (StatusCode::NOT_FOUND, format!("{shop} has no {order}"))
}

fn by_status(response: &Response) -> Conclusion {
    let status = response.status();
    if status.is_success() { Conclusion::success() } else { Conclusion::failure("http").code(status.as_str()) }
}

#[audited(action = "order.track", effect = "read", outcome = |response| by_status(response))]
async fn track(Path(order): Path<u64>) -> Response {
    (StatusCode::GONE, format!("{order} has arrived")).into_response()
}

/// Says for every request who makes it.
async fn who(request: Request, next: Next) -> Response {
    let mut context = audited::context();
    if let Some(agent) = header(&request, "x-agent-id") {
        context = context.agent(agent);
    }
    if let Some(traceparent) = header(&request, "traceparent") {
        context = context.traceparent(traceparent);
    }
    context.scope(next.run(request)).await
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// What a request was to do, if no handler is reached that could tell.
#[derive(Clone)]
struct Intended {
    action: &'static str,
    tool: &'static str,
}

/// Records requests that an extractor or another middleware turns away.
async fn turned_away(State(intended): State<Intended>, request: Request, next: Next) -> Response {
    let (context, watch) = audited::context().watch(intended.tool);
    let response = context.scope(next.run(request)).await;
    if !watch.reached() {
        let why = Conclusion::failure("turned_away").code(response.status().as_str()).effect(Applied::None);
        manual::tool_call(intended.action, intended.tool).begin().call_now().finish(why, None);
    }
    response
}

fn router() -> Router {
    let intended = Intended { action: "order.refund", tool: "refund" };
    Router::new()
        .route("/orders/{order}/refund", post(refund))
        .route_layer(from_fn_with_state(intended, turned_away))
        .route("/shops/{shop}/orders/{order}", get(show))
        .route("/track/{order}", get(track))
        .layer(from_fn(who))
        .with_state(Shop { cents_max: 1_000 })
}

/// Sends a request through the router; returns the status and body of the answer, and the records that were left.
fn send(method: Method, uri: &str, body: &Value) -> (StatusCode, String, Vec<Value>) {
    let mut answer = None;
    let records = recorded(|| {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", "application/json")
            .header("x-agent-id", "agent:support-7")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .body(Body::from(body.to_string()))
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        answer = Some(runtime.block_on(async {
            let response = router().oneshot(request).await.unwrap();
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        }));
    });
    let (status, body) = answer.unwrap();
    (status, body, records)
}

#[test]
fn a_handler_is_recorded_with_the_variables_of_its_extractors_and_the_context_of_its_request() {
    let (status, body, records) =
        send(Method::POST, "/orders/ORD-1/refund", &json!({"cents": 700, "card": "4242424242424242"}));
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"cents":700,"order":"ORD-1"}"#));
    let [started, completed] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(started["request"]["arguments"], json!({"order": "ORD-1", "refund": {"cents": 700}}));
    assert_eq!(started["actor"]["agent"]["id"], "agent:support-7");
    assert_eq!(started["correlation"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(completed["outcome"]["status"], "success");
    assert!(!records.iter().any(|record| record.to_string().contains("4242")));
}

#[test]
fn the_error_of_a_handler_is_that_of_its_call() {
    let (status, body, records) = send(Method::POST, "/orders/ORD-1/refund", &json!({"cents": 1_001, "card": "4"}));
    assert_eq!((status, body.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "at most 1000"));
    assert_eq!(records.len(), 2);
    assert_eq!(
        (&records[1]["outcome"]["status"], &records[1]["outcome"]["error_type"]),
        (&json!("failure"), &json!("Refused::TooMuch"))
    );
}

#[test]
fn an_opaque_answer_is_a_success_and_a_response_tells_by_its_status_if_it_is_asked() {
    let (status, body, records) = send(Method::GET, "/shops/ours/orders/7", &Value::Null);
    assert_eq!((status, body.as_str()), (StatusCode::NOT_FOUND, "ours has no 7"));
    assert_eq!(records[0]["request"]["arguments"], json!({"shop": "ours", "order": 7}));
    assert_eq!((records.len(), &records[1]["outcome"]["status"]), (2, &json!("success")));
    let (status, _, records) = send(Method::GET, "/track/7", &Value::Null);
    assert_eq!((status, records.len()), (StatusCode::GONE, 2));
    assert_eq!((&records[1]["outcome"]["status"], &records[1]["outcome"]["code"]), (&json!("failure"), &json!("410")));
}

#[test]
fn a_request_that_an_extractor_turns_away_leaves_a_record_through_the_middleware() {
    let (status, _, records) = send(Method::POST, "/orders/ORD-1/refund", &json!({"cents": "all of them"}));
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let [started, completed] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&started["action"], &started["request"]), (&json!("order.refund"), &Value::Null));
    assert_eq!(started["actor"]["agent"]["id"], "agent:support-7");
    let outcome = json!({"code": "422", "effect": "none", "error_type": "turned_away", "status": "failure"});
    assert_eq!(completed["outcome"], outcome);
}

#[test]
fn a_request_without_a_route_leaves_none() {
    let (status, _, records) = send(Method::GET, "/orders", &Value::Null);
    assert_eq!((status, records.as_slice()), (StatusCode::NOT_FOUND, [].as_slice()));
}

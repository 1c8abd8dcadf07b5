//! How a call ended, by what its function returned, and what of it is recorded.

use std::fmt;
use std::io;

use audited::{Applied, Conclusion, Outcome, audited};
use futures_util::FutureExt as _;
use serde::Serialize;
use serde_json::{Value, json};
use testkit::recorded;

fn end(call: impl FnOnce()) -> Value {
    recorded(call).pop().unwrap()
}

/// The end of a call, whatever its function returns.
fn end_of<R>(call: impl FnOnce() -> R) -> Value {
    end(|| {
        let _returned = call();
    })
}

/// What MCP's result looks like.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallToolResult {
    content: Vec<Value>,
    is_error: Option<bool>,
}

#[test]
fn a_result_that_says_it_is_an_error_is_a_failure() {
    #[audited(action = "tool")]
    fn tool(is_error: Option<bool>) -> Result<CallToolResult, String> {
        Ok(CallToolResult { content: vec![json!({"type": "text", "text": "no such order"})], is_error })
    }
    #[audited(action = "tool", level = "metadata")]
    fn at_level_metadata() -> CallToolResult {
        CallToolResult { content: Vec::new(), is_error: Some(true) }
    }
    let failed = end_of(|| tool(Some(true)));
    let expected =
        json!({"effect": "unknown", "error_type": "tool_error", "reason": "no such order", "status": "failure"});
    assert_eq!((&failed["event_name"], &failed["outcome"]), (&json!("tool.failed"), &expected));
    assert_eq!(failed["response"]["summary"]["isError"], true);
    assert_eq!(end_of(|| tool(Some(false)))["outcome"]["status"], "success");
    assert_eq!(end_of(|| tool(None))["outcome"]["status"], "success");
    let failed = end_of(at_level_metadata);
    assert_eq!((&failed["outcome"]["error_type"], &failed["response"]), (&json!("tool_error"), &Value::Null));
}

#[test]
fn what_a_failed_tool_says_does_not_show_a_removed_argument() {
    #[audited(action = "pay", redact = [card])]
    fn pay(card: &str) -> Result<CallToolResult, String> {
        let text = format!("card {card} paid for no order");
        Ok(CallToolResult { content: vec![json!({"type": "text", "text": text})], is_error: Some(true) })
    }
    let record = end_of(|| pay("4242424242424242"));
    assert_eq!(record["outcome"]["reason"], "card [redacted] paid for no order");
    assert!(!record.to_string().contains("4242"), "{record}");
}

#[test]
fn nothing_found_is_no_failure() {
    struct Opaque;
    #[audited(action = "find")]
    fn find(found: bool) -> Option<Opaque> {
        found.then_some(Opaque)
    }
    let record = end_of(|| find(false));
    assert_eq!((&record["outcome"]["status"], &record["response"]["summary"]), (&json!("success"), &Value::Null));
    assert_eq!(record["response"]["size"], 4);
    assert!(end_of(|| find(true))["response"]["summary"]["type"].as_str().unwrap().ends_with("Opaque"));
}

enum Reply {
    Sent,
    Queued,
    Bounced,
}

impl Outcome for Reply {
    fn outcome(&self) -> Conclusion {
        match self {
            Self::Sent => Conclusion::success(),
            Self::Queued => Conclusion::unknown().reason("queued"),
            Self::Bounced => Conclusion::failure("bounced").code("550").effect(Applied::None),
        }
    }
}

#[test]
fn a_type_says_itself_how_its_call_ended() {
    #[audited(action = "mail.send")]
    fn send(reply: u8) -> Reply {
        [Reply::Sent, Reply::Queued, Reply::Bounced].into_iter().nth(reply.into()).unwrap()
    }
    #[audited(action = "mail.send")]
    async fn send_async(reply: u8) -> Result<Reply, String> {
        Ok(if reply == 0 { Reply::Sent } else { Reply::Bounced })
    }
    let outcome = |reply| end_of(|| send(reply))["outcome"].clone();
    assert_eq!(outcome(0), json!({"effect": "applied", "status": "success"}));
    assert_eq!(outcome(1), json!({"effect": "unknown", "reason": "queued", "status": "unknown"}));
    let bounced = json!({"code": "550", "effect": "none", "error_type": "bounced", "status": "failure"});
    assert_eq!(outcome(2), bounced);
    let record = end_of(|| send_async(1).now_or_never());
    assert_eq!((&record["event_name"], &record["outcome"]), (&json!("tool.failed"), &bounced));
}

#[test]
fn an_error_says_itself_how_its_call_ended() {
    #[derive(Debug)]
    struct Half;
    impl Outcome for Half {
        fn outcome(&self) -> Conclusion {
            Conclusion::partial(3, 1)
        }
    }
    #[audited(action = "import")]
    fn import() -> Result<(), Half> {
        Err(Half)
    }
    let record = end_of(import);
    let expected = json!({
        "effect": "partially_applied", "error_type": "Half", "failed": 1, "reason": "Half", "status": "partial",
        "succeeded": 3,
    });
    assert_eq!((&record["event_name"], &record["outcome"]), (&json!("side_effect.applied"), &expected));
}

#[derive(Serialize)]
struct Order {
    id: u32,
    status: &'static str,
    lines: Vec<Line>,
    note: String,
}

#[derive(Serialize)]
struct Line {
    sku: &'static str,
}

fn order(status: &'static str) -> Order {
    Order { id: 7, status, lines: vec![Line { sku: "a" }, Line { sku: "b" }], note: "x".repeat(500) }
}

#[test]
fn the_attribute_says_how_a_call_ended_and_what_sums_it_up() {
    #[audited(action = "order.read", effect = "read", outcome = |order| order.status != "lost", summary = [id, lines[].sku])]
    fn read(status: &'static str) -> Order {
        order(status)
    }
    #[audited(action = "order.read", effect = "read", result = |order| (order.id, order.status))]
    async fn read_async() -> Result<Order, String> {
        Ok(order("paid"))
    }
    #[audited(action = "order.read", level = "request_response", result = |order| &order.status)]
    fn borrowed() -> Order {
        order("paid")
    }
    #[audited(action = "order.read", outcome = |found| match found {
        Ok(_) => Conclusion::success(),
        Err(text) => Conclusion::failure("not_found").code(text.as_str()),
    })]
    fn concluded() -> Result<(), String> {
        Err("E7".to_owned())
    }
    let record = end_of(|| read("paid"));
    assert_eq!(record["response"]["summary"], json!({"id": 7, "lines[].sku": ["a", "b"]}));
    assert_eq!(record["outcome"]["status"], "success");
    assert_eq!(end_of(|| read("lost"))["outcome"]["status"], "failure");
    let record = end_of(|| read_async().now_or_never());
    assert_eq!(record["response"]["summary"], json!([7, "paid"]));
    assert_eq!(end_of(borrowed)["response"]["result"], "paid");
    let record = end_of(concluded);
    assert_eq!((&record["outcome"]["error_type"], &record["outcome"]["code"]), (&json!("not_found"), &json!("E7")));
}

#[test]
fn a_panic_of_the_attributes_closure_is_not_one_of_the_function() {
    #[audited(action = "tool", outcome = |number| { assert!(*number > 9); true }, result = |number| 1 / (number - number))]
    fn tool() -> u32 {
        7
    }
    let record = end(|| assert_eq!(tool(), 7));
    assert_eq!((&record["stage"], &record["outcome"]["status"]), (&json!("completed"), &json!("unknown")));
    assert_eq!(record["response"], Value::Null);
}

#[derive(Debug)]
struct Layered(io::Error);

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order was not saved")
    }
}

impl std::error::Error for Layered {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn disk_full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left")
}

#[test]
fn an_error_is_told_with_its_sources_and_the_systems_code() {
    #[audited(action = "save")]
    fn layered() -> Result<(), Layered> {
        Err(Layered(disk_full()))
    }
    #[audited(action = "save")]
    fn system() -> io::Result<()> {
        Err(disk_full())
    }
    #[audited(action = "save")]
    fn boxed() -> Result<(), Box<dyn std::error::Error>> {
        Err(Box::new(Layered(disk_full())))
    }
    #[audited(action = "save")]
    fn boxed_for_threads() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err(Box::new(Layered(disk_full())))
    }
    #[audited(action = "save")]
    fn any() -> anyhow::Result<()> {
        Err(anyhow::Error::new(disk_full()).context("the order was not saved"))
    }
    let check = |error: &dyn Fn(), error_type: &str, reason: &str| {
        let outcome = end(error)["outcome"].clone();
        let expected = json!({
            "code": "StorageFull", "effect": "unknown", "error_type": error_type, "reason": reason, "status": "failure",
        });
        assert_eq!(outcome, expected);
    };
    check(&|| drop(layered()), "Layered", "the order was not saved: no space left");
    check(&|| drop(system()), "io::Error", "no space left");
    check(&|| drop(boxed()), "Box<dyn Error>::Layered", "the order was not saved: no space left");
    check(
        &|| drop(boxed_for_threads()),
        "Box<dyn Error + Send + Sync>::Layered",
        "the order was not saved: no space left",
    );
    check(&|| drop(any()), "anyhow::Error", "the order was not saved: no space left");
}

#[test]
fn an_error_may_borrow_be_a_value_or_have_no_text_at_all() {
    #[derive(Debug)]
    struct Borrowing<'a>(&'a str);
    impl fmt::Display for Borrowing<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "expected a number, found {}", self.0)
        }
    }
    impl std::error::Error for Borrowing<'_> {}
    #[audited(action = "parse")]
    fn borrowing(text: &str) -> Result<u32, Borrowing<'_>> {
        text.parse().map_err(|_not_a_number| Borrowing(text))
    }
    #[audited(action = "parse")]
    fn borrowing_in_a_box<'a>(text: &'a str) -> Result<u32, Box<dyn std::error::Error + 'a>> {
        Err(Box::new(Borrowing(text)))
    }
    #[derive(Debug, Serialize)]
    struct ErrorData {
        code: i32,
        message: &'static str,
    }
    #[audited(action = "parse")]
    fn coded() -> Result<u32, ErrorData> {
        Err(ErrorData { code: -32_602, message: "invalid params" })
    }
    struct Silent;
    #[audited(action = "parse")]
    fn silent() -> Result<u32, Silent> {
        Err(Silent)
    }
    let reason = "expected a number, found x";
    assert_eq!(end_of(|| borrowing("x"))["outcome"]["reason"], reason);
    assert_eq!(end_of(|| borrowing_in_a_box("x"))["outcome"]["reason"], reason);
    assert_eq!(end_of(coded)["outcome"]["code"], "-32602");
    let outcome = end_of(silent)["outcome"].clone();
    assert_eq!(outcome, json!({"effect": "unknown", "error_type": "Silent", "status": "failure"}));
}

#[test]
fn a_redacted_error_shows_neither_code_nor_sources() {
    #[audited(action = "save", redact = [error])]
    fn save() -> Result<(), Layered> {
        Err(Layered(disk_full()))
    }
    let outcome = end_of(save)["outcome"].clone();
    assert_eq!(outcome, json!({"effect": "unknown", "error_type": "Layered", "status": "failure"}));
}

#[test]
fn a_tool_error_is_one_whatever_is_recorded_of_it() {
    fn failed() -> CallToolResult {
        CallToolResult { content: vec![json!({"type": "text", "text": "no such order"})], is_error: Some(true) }
    }
    #[audited(action = "tool", redact = [return])]
    fn withheld() -> CallToolResult {
        failed()
    }
    #[audited(action = "tool", redact = [return.email])]
    fn path_not_met() -> Result<CallToolResult, String> {
        Ok(failed())
    }
    #[audited(action = "tool", result = |result| result.content.len())]
    fn replaced() -> CallToolResult {
        failed()
    }
    #[audited(action = "tool", redact = [error])]
    fn hidden() -> CallToolResult {
        failed()
    }
    for record in [end_of(withheld), end_of(path_not_met), end_of(replaced), end_of(hidden)] {
        assert_eq!(record["outcome"]["error_type"], "tool_error", "{record}");
    }
    assert!(!end_of(hidden).to_string().contains("no such order"));
}

#[test]
fn neither_code_nor_type_shows_what_was_removed() {
    /// Known to `Debug` alone, which does not show it.
    struct Card(&'static str);
    impl fmt::Debug for Card {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Card")
        }
    }
    #[derive(Debug, Serialize)]
    struct Declined {
        code: &'static str,
    }
    #[audited(action = "pay", redact = [card])]
    fn pay(card: Card) -> Result<(), Declined> {
        Err(Declined { code: card.0 })
    }
    #[audited(action = "pay", redact = [card], outcome = |_| Conclusion::failure("declined_4242424242424242"))]
    fn stated(card: Card) -> Result<(), Declined> {
        Err(Declined { code: card.0 })
    }
    #[audited(action = "order", outcome = |_| true)]
    fn forgiving() -> Result<(), Declined> {
        pay(Card("4242424242424242"))
    }
    #[audited(action = "order")]
    fn outer() -> Result<(), Declined> {
        forgiving()
    }
    let records = recorded(|| drop(outer()));
    assert!(!serde_json::to_string(&records).unwrap().contains("4242"), "{records:?}");
    let record = end_of(|| stated(Card("4242424242424242")));
    assert!(!record.to_string().contains("4242"), "{record}");
    assert_eq!(record["outcome"]["status"], "failure");
}

#[test]
fn an_error_whose_deref_panics_ends_the_call_all_the_same() {
    #[derive(Debug)]
    struct Held;
    impl fmt::Display for Held {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("held")
        }
    }
    impl std::ops::Deref for Held {
        type Target = dyn std::error::Error + Send + Sync;
        fn deref(&self) -> &Self::Target {
            panic!("not one of the function")
        }
    }
    #[audited(action = "order")]
    fn order() -> Result<(), Held> {
        Err(Held)
    }
    let record = end_of(order);
    assert_eq!((&record["event_name"], &record["outcome"]["reason"]), (&json!("tool.failed"), &json!("held")));
}

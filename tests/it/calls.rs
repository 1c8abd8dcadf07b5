//! What a call leaves, however it ends, and that the function itself does not notice.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use audited::audited;
use serde_json::{Value, json};
use testkit::{Memory, recorded};
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Debug, PartialEq)]
enum OrderError {
    Shipped { order: u32 },
    Unrecorded,
}

impl std::fmt::Display for OrderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shipped { order } => write!(f, "order {order} was shipped"),
            Self::Unrecorded => f.write_str("not recorded"),
        }
    }
}

impl From<audited::Unavailable> for OrderError {
    fn from(_: audited::Unavailable) -> Self {
        Self::Unrecorded
    }
}

#[audited(action = "order.cancel", effect = "destructive", target(type = "order", id = order))]
fn cancel(order: u32) -> Result<u32, OrderError> {
    if order > 9 {
        return Err(OrderError::Shipped { order });
    }
    Ok(order + 1)
}

#[audited(action = "order.read", effect = "read")]
async fn read(order: u32) -> Option<u32> {
    std::future::ready(()).await;
    (order > 0).then_some(order)
}

#[audited(action = "order.sync")]
async fn never_ends(order: String) -> String {
    std::future::pending::<()>().await;
    order
}

#[audited(action = "order.break")]
fn breaks(why: &str) {
    panic!("broken by {why}");
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn member(record: &Value, pointer: &str) -> Value {
    record.pointer(pointer).cloned().unwrap_or_default()
}

/// Checks the members that tell records of a call apart, one row a record.
fn check(records: &[Value], expected: Value) {
    const MEMBERS: [&str; 6] =
        ["/event_name", "/stage", "/outcome/status", "/outcome/effect", "/outcome/error_type", "/outcome/reason"];
    let rows: Vec<Vec<Value>> =
        records.iter().map(|record| MEMBERS.iter().map(|pointer| member(record, pointer)).collect()).collect();
    assert_eq!(json!(rows), expected);
    // All of them are of one call.
    assert!(records.iter().all(|record| member(record, "/call/id") == member(&records[0], "/call/id")));
}

const STARTED: [Option<&str>; 6] = [Some("tool.called"), Some("started"), Some("unknown"), Some("none"), None, None];

#[test]
fn a_success_leaves_the_intent_and_the_effect() {
    let records = recorded(|| assert_eq!(cancel(7), Ok(8)));
    check(&records, json!([STARTED, ["side_effect.applied", "completed", "success", "applied", null, null]]));
    let [started, completed] = &records[..] else { panic!("{records:?}") };
    assert_eq!(member(started, "/action"), "order.cancel");
    assert_eq!(member(started, "/request/arguments"), json!({"order": 7}));
    assert_eq!(
        member(started, "/operation"),
        json!({"name": "execute_tool", "tool": {"destructive": true, "name": "cancel", "read_only": false}})
    );
    assert_eq!(member(started, "/target"), json!([{"id": "7", "type": "order"}]));
    assert_eq!(member(started, "/level"), "request");
    assert_eq!(member(completed, "/response/summary"), json!(8));
    assert_eq!(member(completed, "/request"), Value::Null);
    assert_eq!(member(completed, "/operation"), json!({"name": "execute_tool", "tool": {"name": "cancel"}}));
    assert!(member(completed, "/call/duration_ns").as_u64() > Some(0));
    assert!(member(completed, "/call/end_time").as_str() > member(completed, "/call/start_time").as_str());
}

#[test]
fn an_error_passes_untouched_and_is_told() {
    let records = recorded(|| assert_eq!(cancel(10), Err(OrderError::Shipped { order: 10 })));
    let failed = ["tool.failed", "completed", "failure", "unknown", "OrderError::Shipped", "order 10 was shipped"];
    check(&records, json!([STARTED, failed]));
    assert_eq!(member(&records[1], "/response"), Value::Null);
}

#[test]
fn an_error_is_recognised_through_an_alias() {
    type Answer = std::io::Result<u8>;
    #[audited(action = "file.read", effect = "read")]
    fn open() -> Answer {
        Err(std::io::Error::other("no such drawer"))
    }
    let records = recorded(|| assert!(open().is_err()));
    let failed = ["tool.failed", "completed", "failure", "none", "io::Error", "no such drawer"];
    check(&records, json!([STARTED, failed]));
}

#[test]
fn an_async_call_begins_at_its_first_poll() {
    let records = recorded(|| drop(read(1)));
    assert_eq!(records, Vec::<Value>::new());
    let records = recorded(|| assert_eq!(block_on(read(0)), None));
    check(&records, json!([STARTED, ["tool.completed", "completed", "success", "none", null, null]]));
    assert_eq!(member(&records[1], "/response/summary"), Value::Null);
}

#[test]
fn a_future_dropped_before_its_end_is_cancelled() {
    let records = recorded(|| {
        let mut future = Box::pin(never_ends("seven".to_owned()));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    check(&records, json!([STARTED, ["tool.cancelled", "cancelled", "unknown", "unknown", "cancelled", null]]));
}

#[test]
fn a_panic_is_recorded_and_resumed_unchanged() {
    let mut message = String::new();
    let records = recorded(|| {
        let payload = std::panic::catch_unwind(|| breaks("a test")).unwrap_err();
        message.clone_from(payload.downcast_ref::<String>().unwrap());
    });
    assert_eq!(message, "broken by a test");
    check(&records, json!([STARTED, ["tool.panicked", "panicked", "failure", "unknown", "panic", "broken by a test"]]));
}

#[test]
fn a_panic_inside_a_poll_is_recorded_once() {
    #[audited(action = "order.poll")]
    async fn poll_breaks() {
        std::future::ready(()).await;
        panic!("in a poll");
    }
    let records = recorded(|| {
        let caught = std::panic::catch_unwind(|| block_on(poll_breaks()));
        assert!(caught.is_err());
    });
    check(&records, json!([STARTED, ["tool.panicked", "panicked", "failure", "unknown", "panic", "in a poll"]]));
}

#[test]
fn one_stage_holds_arguments_and_result() {
    #[audited(action = "price.read", effect = "read", stages = "completed", level = "request_response", name = "price")]
    fn price_of(article: &str) -> Vec<u8> {
        vec![1; article.len() * 100]
    }
    let records = recorded(|| assert_eq!(price_of("tea").len(), 300));
    check(&records, json!([["tool.completed", "completed", "success", "none", null, null]]));
    assert_eq!(member(&records[0], "/request/arguments"), json!({"article": "tea"}));
    let summary = json!({"count": 300, "first": 1, "last": 1, "type": "list"});
    assert_eq!(member(&records[0], "/response/summary"), summary);
    assert_eq!(member(&records[0], "/response/result").as_array().map(Vec::len), Some(300));
    assert_eq!(member(&records[0], "/operation/tool/name"), "price");
    assert_eq!(member(&records[0], "/operation/tool/read_only"), true);
}

#[test]
fn metadata_holds_neither_arguments_nor_result() {
    #[audited(action = "mail.send", level = "metadata")]
    fn send(_to: &str, body: &str) -> usize {
        body.len()
    }
    let records = recorded(|| assert_eq!(send("bob", "hello"), 5));
    assert!(records.iter().all(|record| record.get("request").is_none() && record.get("response").is_none()));
    assert_eq!(member(&records[1], "/outcome/status"), "success");
}

#[test]
fn nested_calls_name_their_parent() {
    #[audited(action = "outer")]
    fn outer(n: u32) -> u32 {
        inner(n) + 1
    }
    #[audited(action = "inner")]
    fn inner(n: u32) -> u32 {
        n
    }
    let records = recorded(|| assert_eq!(outer(1), 2));
    let actions: Vec<Value> = records.iter().map(|record| member(record, "/action")).collect();
    assert_eq!(actions, ["outer", "inner", "inner", "outer"]);
    assert_eq!(member(&records[1], "/call/parent_id"), member(&records[0], "/call/id"));
    assert_eq!(member(&records[0], "/call/parent_id"), Value::Null);
}

#[test]
fn methods_patterns_borrows_and_generics_work() {
    struct Shop {
        stock: Vec<u32>,
    }
    struct Request<T>(T, u8);
    impl Shop {
        #[audited(action = "stock.read", effect = "read", skip(unused))]
        fn first<'a, T: Into<String> + Clone>(
            &'a mut self,
            Request(name, mut count): Request<T>,
            unused: &str,
        ) -> Option<&'a mut u32> {
            count += u8::try_from(unused.len()).ok()?;
            let name: String = name.into();
            (name.len() + usize::from(count) > 0).then(|| self.stock.first_mut())?
        }

        #[audited(action = "stock.drop")]
        fn consume(self) -> usize {
            self.stock.len()
        }
    }
    let records = recorded(|| {
        let mut shop = Shop { stock: vec![5] };
        *shop.first(Request("tea", 3), "x").unwrap() += 1;
        assert_eq!((shop.stock[0], shop.consume()), (6, 1));
    });
    assert_eq!(member(&records[0], "/request/arguments/count"), 3);
    assert_eq!(member(&records[0], "/request/arguments/unused"), Value::Null);
    assert_eq!(member(&records[1], "/response/summary"), 5);
}

#[test]
fn a_destructive_intent_waits_for_the_disk_and_nothing_else_does() {
    #[audited(action = "order.note")]
    fn note() {}
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        cancel(1).unwrap();
        note();
    });
    let demanded: Vec<_> =
        memory.durabilities().iter().map(|demanded| demanded.map(audited::Durability::as_str)).collect();
    assert_eq!(demanded, [Some("disk"), None, None, None]);
}

#[test]
fn an_async_call_awaits_the_disk_and_dropped_there_has_no_effect() {
    #[audited(action = "order.wipe", effect = "destructive")]
    async fn wipe(ran: &std::cell::Cell<bool>) -> Result<(), OrderError> {
        ran.set(true);
        Ok(())
    }
    let memory = Memory::new();
    memory.hold();
    let ran = std::cell::Cell::new(false);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        let context = &mut Context::from_waker(Waker::noop());
        let mut future = Box::pin(wipe(&ran));
        assert!(future.as_mut().poll(context).is_pending());
        drop(future);
        assert!(!ran.get());

        let mut future = Box::pin(wipe(&ran));
        assert!(future.as_mut().poll(context).is_pending());
        memory.resolve(None);
        assert_eq!(future.as_mut().poll(context), Poll::Ready(Ok(())));
    });
    let records = memory.records();
    check(&records[..2], json!([STARTED, ["tool.cancelled", "cancelled", "unknown", "none", "cancelled", null]]));
    check(&records[2..], json!([STARTED, ["side_effect.applied", "completed", "success", "applied", null, null]]));
}

#[test]
fn durability_disk_waits_for_both_records_async_and_sync() {
    #[audited(action = "order.pay", durability = "disk")]
    async fn pay() -> u8 {
        1
    }
    #[audited(action = "order.pay", durability = "disk")]
    fn pay_now() -> u8 {
        2
    }
    let memory = Memory::new();
    memory.hold();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        let context = &mut Context::from_waker(Waker::noop());
        let mut future = Box::pin(pay());
        assert!(future.as_mut().poll(context).is_pending());
        memory.resolve(None);
        assert!(future.as_mut().poll(context).is_pending());
        memory.resolve(None);
        assert_eq!(future.as_mut().poll(context), Poll::Ready(1));
        memory.accept();
        assert_eq!(pay_now(), 2);
    });
    assert_eq!(memory.durabilities(), [Some(audited::Durability::Disk); 4]);
}

#[test]
fn a_future_is_send_where_its_body_is() {
    fn is_send<T: Send>(_: &T) {}
    let future = never_ends(String::new());
    is_send(&future);
}

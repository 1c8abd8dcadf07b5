//! An audited function is the plain one with a record: what it drops, where its clean-up runs and what its errors show.

use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use audited::audited;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use testkit::{Memory, recorded};
use tracing::{Dispatch, Span, dispatcher};
use tracing_subscriber::layer::SubscriberExt as _;

const CARD: &str = "4242424242424242";

fn assert_absent(records: &[Value], secret: &str) {
    let text = serde_json::to_string(records).unwrap();
    assert!(!text.contains(secret), "`{secret}` stands in {text}");
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn only<'a>(records: &'a [Value], action: &str) -> &'a Value {
    records.iter().find(|record| record["action"] == action).unwrap()
}

#[audited(action = "card.charge", redact = [card])]
fn charge(card: &str, panics: bool) -> Result<(), String> {
    assert!(!panics, "card {card} panics");
    Err(format!("card {card} refused"))
}

#[test]
fn an_error_that_passes_through_the_outer_call_shows_no_secret_of_the_inner_one() {
    #[audited(action = "order.refund")]
    fn refund(panics: bool) -> Result<(), String> {
        between(panics).map_err(|error| format!("no refund: {error}"))
    }
    #[audited(action = "order.between")]
    fn between(panics: bool) -> Result<(), String> {
        charge(CARD, panics)
    }
    let records = recorded(|| assert!(refund(false).is_err()));
    assert_eq!(records[5]["outcome"]["reason"], "no refund: card [redacted] refused");
    assert_absent(&records, CARD);
    assert_absent(&recorded(|| assert!(catch_unwind(|| refund(true)).is_err())), CARD);
}

#[test]
fn a_cancelled_inner_call_tells_the_outer_one_its_secrets() {
    #[audited(action = "card.hold", redact = [card])]
    async fn hold(card: &str) {
        std::future::pending::<()>().await;
    }
    #[audited(action = "order.refund")]
    async fn refund(card: &str) -> Result<(), String> {
        {
            let mut held = pin!(hold(card));
            assert!(poll_once(held.as_mut()).is_pending());
        }
        Err(format!("timeout for {card}"))
    }
    let records = recorded(|| assert!(poll_once(pin!(refund(CARD))).is_ready()));
    assert_eq!(records[3]["outcome"]["reason"], "timeout for [redacted]");
}

#[test]
fn targets_are_cleaned_before_they_are_cut() {
    #[audited(action = "mail", redact = [to], target(type = "url", id = format!("{}{to}", "x".repeat(1_018))))]
    fn mail(to: &str) {
        let _ = to;
    }
    assert_absent(&recorded(|| mail("ann@example.org")), "ann@");
}

#[test]
fn a_target_that_panics_does_not_stop_the_call() {
    #[audited(action = "open", target(type = "door", id = door.unwrap()))]
    fn open(door: Option<u8>) -> bool {
        door.is_none()
    }
    let records = recorded(|| assert!(open(None)));
    assert_eq!(records[0]["target"], json!([{"type": "door", "id": "[unavailable]"}]));
    assert_eq!(records[1]["outcome"]["status"], "success");
}

#[test]
fn a_skipped_secret_stays_out_of_the_error() {
    #[audited(action = "login", skip(password, user))]
    fn login(user: &str, password: &str) -> Result<(), String> {
        Err(format!("`{password}` is not that of {user}"))
    }
    let records = recorded(|| assert!(login("ann", "hunter2hunter2").is_err()));
    assert_eq!(records[0]["request"]["arguments"], json!({}));
    assert_eq!(records[0]["redactions"], Value::Null);
    assert_eq!(records[1]["outcome"]["reason"], "`[redacted]` is not that of ann");
}

#[test]
fn a_member_is_a_secret_whatever_the_pattern_calls_it() {
    struct Login {
        user: &'static str,
        password: &'static str,
    }
    #[audited(action = "login")]
    fn login(Login { user, password: typed }: Login) -> Result<(), String> {
        Err(format!("{typed} is not that of {user}"))
    }
    let records = recorded(|| assert!(login(Login { user: "ann", password: "hunter2hunter2" }).is_err()));
    assert_eq!(records[0]["request"]["arguments"], json!({"user": "ann"}));
    assert_eq!(records[1]["outcome"]["reason"], "[redacted] is not that of ann");
    assert_absent(&records, "hunter2");
}

#[test]
fn a_hidden_error_hides_its_variant_too() {
    #[derive(Debug)]
    enum Refusal {
        Positive,
    }
    #[audited(action = "test.read", redact = [error])]
    fn read() -> Result<(), Refusal> {
        Err(Refusal::Positive)
    }
    let records = recorded(|| assert!(read().is_err()));
    assert_eq!(records[1]["outcome"]["error_type"], "Refusal");
}

#[test]
fn a_long_error_is_cut_without_the_beginning_of_a_secret() {
    #[audited(action = "read", redact = [key])]
    fn read(key: &str, before: usize) -> Result<(), String> {
        Err(format!("{}{key}", "é".repeat(before)))
    }
    let key = "0123456789abcdef".repeat(64);
    for before in [1_000, 2_000, 2_048, 34_700, 34_760, 100_000] {
        let records = recorded(|| assert!(read(&key, before).is_err()));
        assert_absent(&records, "0123");
        assert!(records[1]["outcome"]["reason"].as_str().unwrap().starts_with("éééé"));
    }
}

#[test]
fn the_cleanup_of_a_dropped_future_runs_inside_its_call_and_context() {
    #[audited(action = "rollback")]
    fn rollback() {}
    struct Rollback;
    impl Drop for Rollback {
        fn drop(&mut self) {
            rollback();
        }
    }
    async fn forever() {
        let _rollback = Rollback;
        std::future::pending::<()>().await;
    }
    #[audited(action = "pay")]
    async fn pay() {
        forever().await;
    }
    let abandon = |mut future: Pin<Box<dyn Future<Output = ()>>>| {
        assert!(poll_once(future.as_mut()).is_pending());
    };
    let context = || audited::context().conversation("c");
    let records = recorded(|| abandon(Box::pin(context().scope(pay()))));
    let nested = only(&records, "rollback");
    assert_eq!(nested["call"]["parent_id"], records[0]["call"]["id"]);
    assert_eq!(nested["correlation"]["conversation_id"], "c");
    let records = recorded(|| abandon(Box::pin(context().scope(forever()))));
    assert_eq!(records[0]["correlation"]["conversation_id"], "c");
}

#[test]
fn arguments_and_result_are_serialized_inside_the_call() {
    #[audited(action = "inner")]
    fn inner() {}
    struct Calls;
    impl Serialize for Calls {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            inner();
            serializer.serialize_unit()
        }
    }
    #[audited(action = "outer")]
    fn outer(calls: Calls) -> Calls {
        calls
    }
    let records = recorded(|| {
        let _calls = outer(Calls);
    });
    let outer = only(&records, "outer")["call"]["id"].clone();
    let inner: Vec<&Value> = records.iter().filter(|record| record["action"] == "inner").collect();
    assert_eq!(inner.len(), 4);
    assert!(inner.iter().all(|record| record["call"]["parent_id"] == outer));
}

#[test]
fn a_span_is_not_taken_for_that_of_another_subscriber() {
    #[audited(action = "work")]
    fn work() {}
    #[audited(action = "hold")]
    fn hold() -> Span {
        Span::current()
    }
    let (first, second) = (Memory::new(), Memory::new());
    let subscriber = |memory: &Memory| Dispatch::from(tracing_subscriber::registry().with(memory.layer()));
    let (first, other) = (subscriber(&first), subscriber(&second));
    let held = dispatcher::with_default(&other, || audited::context().conversation("other").in_scope(hold));
    dispatcher::with_default(&first, || {
        let _same_id = tracing::info_span!("first").entered();
        let context = audited::context().conversation("first");
        context.in_scope(|| dispatcher::with_default(&other, || held.in_scope(work)));
    });
    assert_eq!(only(&second.records(), "work")["correlation"]["conversation_id"], "other");
}

#[test]
fn a_borrowed_result_is_told() {
    struct Cache(Result<u8, String>);
    impl Cache {
        #[audited(action = "cache.read")]
        fn read(&self) -> &Result<u8, String> {
            &self.0
        }
        #[audited(action = "cache.change")]
        fn change(&mut self) -> &mut Result<u8, String> {
            &mut self.0
        }
    }
    let records = recorded(|| {
        let mut cache = Cache(Err("cold".to_owned()));
        assert!(cache.read().is_err());
        assert!(cache.change().is_err());
    });
    assert_eq!((&records[1]["outcome"]["reason"], &records[3]["outcome"]["reason"]), (&json!("cold"), &json!("cold")));
}

/// Notes that it was dropped, and by an audited call of its own, where.
struct Noted(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Drop for Noted {
    fn drop(&mut self) {
        note();
        self.1.lock().unwrap().push(self.0);
    }
}

#[audited(action = "note")]
fn note() {}

#[test]
fn parameters_are_dropped_inside_the_call_in_the_functions_own_order() {
    fn plain(a: Noted, b: Noted, _c: Noted, d: Noted) -> usize {
        b.0.len() + a.0.len() + d.0.len()
    }
    #[audited(action = "sync", skip(a, b, _c, d))]
    fn sync(a: Noted, b: Noted, _c: Noted, d: Noted) -> usize {
        b.0.len() + a.0.len() + d.0.len()
    }
    #[audited(action = "async", skip(a, b, _c, d))]
    async fn asynchronous(a: Noted, b: Noted, _c: Noted, d: Noted) -> usize {
        std::future::ready(b.0.len() + a.0.len() + d.0.len()).await
    }
    let order = |call: &dyn Fn(Noted, Noted, Noted, Noted)| {
        let dropped = Arc::default();
        let noted = |name| Noted(name, Arc::clone(&dropped));
        let records = recorded(|| call(noted("a"), noted("b"), noted("c"), noted("d")));
        let inside = records.iter().filter(|record| !record["call"]["parent_id"].is_null()).count();
        (dropped.lock().unwrap().clone(), inside)
    };
    let expected = vec!["d", "c", "b", "a"];
    assert_eq!(order(&|a, b, c, d| assert_eq!(plain(a, b, c, d), 3)), (expected.clone(), 0));
    assert_eq!(order(&|a, b, c, d| assert_eq!(sync(a, b, c, d), 3)), (expected.clone(), 8));
    let asynchronously = |a, b, c, d| assert!(poll_once(pin!(asynchronous(a, b, c, d))).is_ready());
    assert_eq!(order(&asynchronously), (expected, 8));
}

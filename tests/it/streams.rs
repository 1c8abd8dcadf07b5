//! A stream that a tool returns is one call, whose end says how many items there were.

use std::pin::Pin;

use audited::audited;
use futures_util::stream::{self, BoxStream, LocalBoxStream, Stream};
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::{Value, json};
use testkit::recorded;

#[audited(action = "step")]
fn step() {}

fn lines(count: u32) -> impl Stream<Item = u32> + Send {
    stream::iter(1..=count).inspect(|_| step())
}

fn parts(bad: &'static [u32]) -> BoxStream<'static, Result<u32, String>> {
    let part = |number| if bad.contains(&number) { Err(format!("part {number} is bad")) } else { Ok(number) };
    stream::iter(1..=3).map(part).boxed()
}

#[audited(action = "lines", effect = "read")]
fn opaque(count: u32) -> impl Stream<Item = u32> + Send {
    lines(count)
}

#[audited(action = "lines", effect = "read")]
fn boxed(count: u32) -> Pin<Box<dyn Stream<Item = u32> + Send>> {
    if count == 0 {
        return Box::pin(stream::empty());
    }
    lines(count).boxed()
}

#[audited(action = "lines", effect = "read")]
fn boxed_on_its_thread(count: u32) -> LocalBoxStream<'static, u32> {
    lines(count).boxed_local()
}

#[audited(action = "lines", effect = "read")]
fn opaque_in_a_box(count: u32) -> Pin<Box<impl Stream<Item = u32>>> {
    Box::pin(lines(count))
}

#[audited(action = "lines", effect = "read")]
async fn by_async(count: u32) -> BoxStream<'static, u32> {
    lines(count).boxed()
}

#[audited(action = "lines", effect = "read")]
async fn opaque_by_async(count: u32) -> impl Stream<Item = u32> {
    lines(count)
}

#[audited(action = "lines", effect = "read")]
async fn in_a_result(count: u32) -> Result<BoxStream<'static, u32>, String> {
    if count == 9 { Err("too many".to_owned()) } else { Ok(lines(count).boxed()) }
}

#[audited(action = "lines", effect = "read")]
fn opaque_in_a_result(count: u32) -> Result<impl Stream<Item = u32>, String> {
    if count == 9 {
        return Err("too many".to_owned());
    }
    Ok(lines(count))
}

#[audited(action = "lines", effect = "write")]
fn parted(bad: &'static [u32]) -> BoxStream<'static, Result<u32, String>> {
    parts(bad)
}

fn drain<S: Stream<Item = u32>>(stream: S) -> Vec<u32> {
    stream.collect::<Vec<u32>>().now_or_never().unwrap()
}

fn check(form: &str, drain: impl FnOnce() -> Vec<u32>) {
    let records = recorded(|| assert_eq!(drain(), [1, 2], "{form}"));
    assert_eq!(records.len(), 6, "{form}");
    let (first, last) = (&records[0], &records[5]);
    assert_eq!((&first["stage"], &first["action"]), (&json!("started"), &json!("lines")), "{form}");
    assert_eq!((&last["stage"], &last["action"]), (&json!("completed"), &json!("lines")), "{form}");
    assert_eq!(last["response"], json!({"summary": {"count": 2, "type": "stream"}}), "{form}");
    assert_eq!(records[1]["call"]["parent_id"], first["call"]["id"], "{form}");
}

#[test]
fn the_end_of_a_stream_is_recorded_with_the_count_of_its_items() {
    check("opaque", || drain(opaque(2)));
    check("boxed", || drain(boxed(2)));
    check("boxed on its thread", || drain(boxed_on_its_thread(2)));
    check("opaque in a box", || drain(opaque_in_a_box(2)));
    check("by async", || drain(by_async(2).now_or_never().unwrap()));
    check("opaque by async", || drain(opaque_by_async(2).now_or_never().unwrap()));
    check("in a result", || drain(in_a_result(2).now_or_never().unwrap().unwrap()));
    check("opaque in a result", || drain(opaque_in_a_result(2).unwrap()));
}

fn end(records: &[Value]) -> &Value {
    records.last().unwrap()
}

#[test]
fn a_stream_that_is_dropped_early_is_cancelled_with_its_count() {
    let records = recorded(|| {
        let mut stream = boxed(5);
        assert_eq!(stream.next().now_or_never(), Some(Some(1)));
    });
    assert_eq!(end(&records)["stage"], "cancelled");
    assert_eq!(end(&records)["response"]["summary"], json!({"count": 1, "type": "stream"}));
}

#[test]
fn an_error_in_the_place_of_a_stream_ends_the_call() {
    let records = recorded(|| assert!(in_a_result(9).now_or_never().unwrap().is_err()));
    assert_eq!(end(&records)["outcome"]["reason"], "too many");
    let records = recorded(|| assert!(opaque_in_a_result(9).is_err()));
    assert_eq!(end(&records)["outcome"]["error_type"], "String");
}

#[test]
fn items_that_are_errors_make_a_stream_partial_or_a_failure() {
    let outcome = |bad: &'static [u32]| {
        let records = recorded(|| drop(parted(bad).collect::<Vec<_>>().now_or_never().unwrap()));
        end(&records)["outcome"].clone()
    };
    assert_eq!(outcome(&[]), json!({"effect": "applied", "status": "success"}));
    let partial = json!({
        "effect": "partially_applied", "error_type": "String", "failed": 2, "reason": "part 1 is bad",
        "status": "partial", "succeeded": 1,
    });
    assert_eq!(outcome(&[1, 3]), partial);
    assert_eq!(outcome(&[1, 2, 3])["status"], "failure");
}

#[test]
fn a_stream_keeps_its_size_hint_and_its_panic() {
    let records = recorded(|| assert_eq!(opaque(4).size_hint(), (4, Some(4))));
    assert_eq!(end(&records)["stage"], "cancelled");
    #[audited(action = "breaks")]
    fn breaks() -> BoxStream<'static, u32> {
        stream::once(async { panic!("broken") }).boxed()
    }
    let records = recorded(|| {
        assert!(std::panic::catch_unwind(|| breaks().next().now_or_never()).is_err());
    });
    assert_eq!((&end(&records)["stage"], records.len()), (&json!("panicked"), 2));
}

#[test]
fn a_hidden_error_among_the_items_hides_its_variant() {
    #[audited(action = "lines", redact = [error])]
    fn hidden() -> BoxStream<'static, Result<u32, anyhow::Error>> {
        stream::once(async { Err(anyhow::anyhow!("Smith")) }).boxed()
    }
    let records = recorded(|| drop(hidden().collect::<Vec<_>>().now_or_never()));
    assert!(!serde_json::to_string(&records).unwrap().contains("Smith"), "{records:?}");
}

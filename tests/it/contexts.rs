//! Who acts, for whom and why: set for a scope, inherited by whatever runs inside it, on whatever thread.

use audited::{Trigger, audited};
use serde_json::{Value, json};
use testkit::Memory;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[audited(action = "work")]
async fn work(n: u32) -> u32 {
    tokio::task::yield_now().await;
    n
}

/// Runs a future on a runtime whose threads all have the audit layer; returns the conversation and parent of each
/// `started` record.
fn run(threads: usize, future: impl Future<Output = ()>) -> Vec<Value> {
    let memory = Memory::new();
    let subscriber: tracing::Dispatch = tracing_subscriber::registry().with(memory.layer()).into();
    let _here = tracing::dispatcher::set_default(&subscriber);
    let mut builder = match threads {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(threads.max(1))
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&subscriber)))
        .build()
        .unwrap();
    runtime.block_on(future);
    memory.records().into_iter().filter(|record| record["stage"] == "started").collect()
}

fn conversations(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["correlation"]["conversation_id"].as_str().unwrap_or("none")).collect()
}

#[test]
fn a_record_carries_all_that_was_set() {
    let records = run(0, async {
        audited::context()
            .agent("agent:7")
            .agent_name("support")
            .agent_version("1.2")
            .on_behalf_of("usr_1")
            .roles(["admin", "clerk"])
            .model("openai", "gpt-4o")
            .conversation("c")
            .turn(3)
            .run("r")
            .tenant("acme")
            .environment("prod")
            .trigger(Trigger::UserRequest)
            .tool_call_id("call_1")
            .scope(async { assert_eq!(work(1).await, 1) })
            .await;
    });
    let expected_actor = json!({
        "agent": {"id": "agent:7", "name": "support", "version": "1.2"},
        "model": {"name": "gpt-4o", "provider": "openai"},
        "on_behalf_of": {"id": "usr_1", "roles": ["admin", "clerk"]},
    });
    assert_eq!(records[0]["actor"], expected_actor);
    let expected =
        json!({"conversation_id": "c", "environment": "prod", "run_id": "r", "tenant_id": "acme", "turn": 3});
    assert_eq!(records[0]["correlation"], expected);
    assert_eq!(records[0]["trigger"], "user_request");
    assert_eq!(records[0]["call"]["tool_call_id"], "call_1");
}

#[test]
fn a_scope_follows_its_future_and_ends_with_it() {
    for threads in [0, 2] {
        let records = run(threads, async {
            let scoped = audited::context().conversation("a").scope(async {
                work(1).await;
                audited::context().turn(2).scope(work(2)).await;
            });
            let other = audited::context().conversation("b").scope(work(3));
            tokio::join!(scoped, other);
            work(4).await;
        });
        let mut found = conversations(&records);
        found.sort_unstable();
        assert_eq!(found, ["a", "a", "b", "none"]);
    }
}

#[test]
fn a_guard_holds_until_it_is_dropped() {
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        #[audited(action = "plain")]
        fn plain() {}
        let outer = audited::context().conversation("outer").enter();
        audited::context().conversation("inner").in_scope(plain);
        plain();
        drop(outer);
        plain();
    });
    let started: Vec<Value> = memory.records().into_iter().filter(|record| record["stage"] == "started").collect();
    assert_eq!(conversations(&started), ["inner", "outer", "none"]);
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        #[audited(action = "plain")]
        fn plain() {}
        let first = audited::context().conversation("first").enter();
        let second = audited::context().conversation("second").enter();
        drop(first);
        plain();
        drop(second);
        plain();
    });
    let started: Vec<Value> = memory.records().into_iter().filter(|record| record["stage"] == "started").collect();
    assert_eq!(conversations(&started), ["second", "none"]);
}

#[audited(action = "fan.out")]
async fn fan_out(how: &'static str) {
    let task = match how {
        "inherit" => tokio::spawn(audited::inherit(work(1))),
        "span" => tokio::spawn(work(1).in_current_span()),
        "child span" => tokio::spawn(work(1).instrument(tracing::info_span!("child"))),
        _ => tokio::spawn(work(1)),
    };
    task.await.unwrap();
}

#[test]
fn a_spawned_task_inherits_through_inherit_or_its_span() {
    for threads in [0, 2] {
        for (how, expected) in [("inherit", "b"), ("span", "b"), ("child span", "b"), ("nothing", "none")] {
            let records = run(threads, audited::context().conversation("b").scope(fan_out(how)));
            assert_eq!(conversations(&records), ["b", expected], "{how} on {threads} threads");
            let parent = if expected == "none" { &Value::Null } else { &records[0]["call"]["id"] };
            assert_eq!(&records[1]["call"]["parent_id"], parent, "{how}");
        }
    }
}

#[test]
fn the_nearer_of_guard_and_span_decides() {
    // On one thread a guard around everything is there when a spawned task is polled; the task's span is nearer.
    let records = run(0, async {
        let guard = audited::context().conversation("outer").enter();
        audited::context().conversation("b").scope(fan_out("span")).await;
        drop(guard);
    });
    assert_eq!(conversations(&records), ["b", "b"]);

    // A scope inside the span is nearer than the span.
    #[audited(action = "rescope")]
    async fn rescope() {
        audited::context().conversation("c").scope(work(1)).await;
    }
    let records = run(0, audited::context().conversation("b").scope(rescope()));
    assert_eq!(conversations(&records), ["b", "c"]);
}

#[test]
fn the_models_call_id_belongs_to_one_call() {
    #[audited(action = "outer")]
    async fn outer() {
        work(1).await;
    }
    let records = run(0, audited::context().tool_call_id("call_7").scope(outer()));
    assert_eq!(records[0]["call"]["tool_call_id"], "call_7");
    assert_eq!(records[1]["call"]["tool_call_id"], Value::Null);
}

#[test]
fn a_value_that_is_too_long_is_cut_visibly() {
    let records =
        run(0, audited::context().conversation("x".repeat(2_000)).scope(async { assert_eq!(work(1).await, 1) }));
    let conversation = records[0]["correlation"]["conversation_id"].as_str().unwrap();
    assert!(conversation.ends_with("x…(+976 bytes)"), "{conversation}");
}

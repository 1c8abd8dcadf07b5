//! Futures that a function returns without being `async`: the call goes on inside them, however they were made.

use std::future::Future;
use std::panic::{UnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use audited::audited;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use serde_json::{Value, json};
use testkit::{Memory, recorded};
use tracing_subscriber::layer::SubscriberExt as _;

mod waiting;

type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Gives way once, so that each future is polled twice.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Work inside of which an audited call is made, after a pause: it must find the call around it.
async fn work(number: u32) -> Result<u32, String> {
    pause().await;
    step();
    if number == 0 { Err("nothing to do".to_owned()) } else { Ok(number) }
}

#[audited(action = "step")]
fn step() {}

mod forms {
    use super::*;

    #[audited(action = "tool")]
    pub async fn written_async(number: u32) -> Result<u32, String> {
        work(number).await
    }

    #[audited(action = "tool")]
    #[expect(clippy::let_and_return, reason = "this form is what is tested")]
    pub fn boxed_by_let(number: u32) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send>> {
        let future = Box::pin(work(number));
        future
    }

    #[audited(action = "tool")]
    pub fn boxed_by_early_return(number: u32) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send>> {
        if number == 0 {
            return Box::pin(async { work(0).await });
        }
        return Box::pin(work(number));
    }

    #[audited(action = "tool")]
    pub fn boxed_by_branches(number: u32) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send>> {
        if number == 0 { Box::pin(async { work(0).await }) } else { Box::pin(work(number)) }
    }

    #[audited(action = "tool")]
    pub fn boxed_by_method(number: u32) -> BoxFuture<'static, Result<u32, String>> {
        work(number).boxed()
    }

    #[audited(action = "tool")]
    pub fn boxed_on_its_thread(number: u32) -> LocalBoxFuture<'static, Result<u32, String>> {
        let local = Rc::new(number);
        async move { work(*local).await }.boxed_local()
    }

    #[audited(action = "tool")]
    pub fn delegated(number: u32) -> Reply<'static, u32> {
        inner(number)
    }

    fn inner(number: u32) -> Reply<'static, u32> {
        Box::pin(work(number))
    }

    #[audited(action = "tool")]
    pub fn behind_an_alias(number: u32) -> Reply<'static, u32> {
        Box::pin(async move { work(number).await })
    }

    #[audited(action = "tool")]
    pub fn boxed_without_pin(number: u32) -> Box<dyn Future<Output = Result<u32, String>> + Send + Unpin> {
        Box::new(work(number).boxed())
    }

    #[audited(action = "tool")]
    pub fn opaque(number: u32) -> impl Future<Output = Result<u32, String>> + Send {
        work(number)
    }

    #[audited(action = "tool")]
    pub fn opaque_in_a_box(number: u32) -> Pin<Box<impl Future<Output = Result<u32, String>>>> {
        Box::pin(work(number))
    }

    #[audited(action = "tool", boxed)]
    pub async fn boxed_by_the_attribute(number: u32) -> Result<u32, String> {
        work(number).await
    }

    #[audited(action = "tool", boxed = "local")]
    pub async fn boxed_locally(number: u32) -> Result<u32, String> {
        let local = Rc::new(number);
        work(*local).await
    }

    #[async_trait::async_trait]
    pub trait Tool {
        async fn call(&self, number: u32) -> Result<u32, String>;

        #[audited(action = "tool")]
        async fn by_default(&self, number: u32) -> Result<u32, String> {
            work(number).await
        }
    }

    pub struct Worker;

    #[async_trait::async_trait]
    impl Tool for Worker {
        #[audited(action = "tool")]
        async fn call(&self, number: u32) -> Result<u32, String> {
            work(number).await
        }
    }

    #[async_trait::async_trait(?Send)]
    pub trait LocalTool {
        #[audited(action = "tool")]
        async fn call_here(&self, number: u32) -> Result<u32, String> {
            let local = Rc::new(number);
            work(*local).await
        }
    }

    impl LocalTool for Worker {}

    pub trait NativeTool {
        fn call_natively(&self, number: u32) -> impl Future<Output = Result<u32, String>>;
    }

    impl NativeTool for Worker {
        #[audited(action = "tool")]
        async fn call_natively(&self, number: u32) -> Result<u32, String> {
            work(number).await
        }
    }
}

fn every_form(number: u32) -> Vec<(&'static str, LocalBoxFuture<'static, Result<u32, String>>)> {
    use forms::{LocalTool as _, NativeTool as _, Tool as _, Worker};
    macro_rules! forms {
        ($($form:ident)+) => { vec![$((stringify!($form), Box::pin(async move { forms::$form(number).await }) as _)),+] };
    }
    let mut forms: Vec<(&'static str, LocalBoxFuture<'static, _>)> = forms! {
        written_async boxed_by_let boxed_by_early_return boxed_by_branches boxed_by_method boxed_on_its_thread delegated
        behind_an_alias boxed_without_pin opaque opaque_in_a_box boxed_by_the_attribute boxed_locally
    };
    forms.push(("async_trait", Box::pin(async move { Worker.call(number).await })));
    forms.push(("async_trait's default", Box::pin(async move { Worker.by_default(number).await })));
    forms.push(("async_trait(?Send)", Box::pin(async move { Worker.call_here(number).await })));
    forms.push(("native", Box::pin(async move { Worker.call_natively(number).await })));
    forms
}

fn stages(records: &[Value]) -> Vec<(&str, &str)> {
    records.iter().map(|record| (record["action"].as_str().unwrap(), record["stage"].as_str().unwrap())).collect()
}

#[test]
fn the_body_of_every_form_of_future_runs_inside_its_call() {
    for (form, future) in every_form(7) {
        let records = recorded(|| {
            let mut future = future;
            assert!(poll_once(future.as_mut()).is_pending(), "{form}");
            assert_eq!(poll_once(future.as_mut()), Poll::Ready(Ok(7)), "{form}");
        });
        let expected = [("tool", "started"), ("step", "started"), ("step", "completed"), ("tool", "completed")];
        assert_eq!(stages(&records), expected, "{form}");
        assert_eq!(records[1]["call"]["parent_id"], records[0]["call"]["id"], "{form}");
        assert_eq!(records[0]["request"]["arguments"], json!({"number": 7}), "{form}");
        assert_eq!(records[3]["response"]["summary"], 7, "{form}");
        assert_eq!(records[3]["outcome"], json!({"effect": "applied", "status": "success"}), "{form}");
    }
}

#[test]
fn every_form_of_future_can_fail_and_be_cancelled() {
    for (form, future) in every_form(0) {
        let records = recorded(|| assert!(future.now_or_never().is_none()));
        assert_eq!(stages(&records), [("tool", "started"), ("tool", "cancelled")], "{form}");
        assert_eq!(records[1]["outcome"]["effect"], "unknown", "{form}");
    }
    for (form, mut future) in every_form(0) {
        let records = recorded(|| while poll_once(future.as_mut()).is_pending() {});
        let outcome = &records.last().unwrap()["outcome"];
        assert_eq!((&outcome["status"], &outcome["reason"]), (&json!("failure"), &json!("nothing to do")), "{form}");
    }
}

#[test]
fn a_returned_future_that_is_never_polled_is_cancelled_and_an_async_function_was_no_call() {
    let records = recorded(|| drop(forms::boxed_by_let(1)));
    assert_eq!(stages(&records), [("tool", "started"), ("tool", "cancelled")]);
    assert_eq!(recorded(|| drop(forms::written_async(1))), Vec::<Value>::new());
}

#[test]
fn what_async_trait_makes_of_an_async_function_begins_at_its_first_poll_in_the_context_of_then() {
    use forms::{Tool as _, Worker};
    assert_eq!(recorded(|| drop(Worker.call(1))), Vec::<Value>::new());
    let records = recorded(|| {
        let scoped = audited::context().conversation("c").scope(Worker.call(1));
        assert!(scoped.now_or_never().is_none());
    });
    assert_eq!(records[0]["correlation"]["conversation_id"], "c");
}

#[test]
fn a_future_that_is_forgotten_leaves_its_intent() {
    let records = recorded(|| {
        let mut future = forms::boxed_by_let(1);
        assert!(poll_once(future.as_mut()).is_pending());
        std::mem::forget(future);
    });
    assert_eq!(stages(&records), [("tool", "started")]);
}

#[audited(action = "tool")]
fn panics_when_polled(why: &'static str) -> BoxFuture<'static, u32> {
    Box::pin(async move { panic!("broken by {why}") })
}

#[test]
fn a_panic_inside_a_poll_is_recorded_and_resumed() {
    let records = recorded(|| {
        let panic = catch_unwind(|| panics_when_polled("design").now_or_never()).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "broken by design");
    });
    assert_eq!(stages(&records), [("tool", "started"), ("tool", "panicked")]);
    assert_eq!(records[1]["outcome"]["reason"], "broken by design");
}

/// Runs in a runtime of one thread, on which the subscriber is the default.
fn recorded_in_tasks<F: Future<Output = ()>>(work: impl FnOnce() -> F) -> Vec<Value> {
    let memory = Memory::new();
    let dispatch = tracing::Dispatch::from(tracing_subscriber::registry().with(memory.layer()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(work()));
    memory.records()
}

#[test]
fn select_cancels_the_call_that_loses() {
    let records = recorded_in_tasks(|| async {
        tokio::select! {
            biased;
            _ = forms::boxed_by_method(1) => panic!("it pauses first"),
            () = std::future::ready(()) => {}
        }
    });
    assert_eq!(stages(&records), [("tool", "started"), ("tool", "cancelled")]);
}

#[audited(action = "tool")]
fn never() -> impl Future<Output = Result<u32, String>> + Send {
    std::future::pending()
}

#[test]
fn a_join_set_runs_each_call_to_its_end_or_aborts_it() {
    let records = recorded_in_tasks(|| async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 1..=5 {
            tasks.spawn(forms::behind_an_alias(number));
        }
        while let Some(done) = tasks.join_next().await {
            assert!(done.unwrap().is_ok());
        }
        tasks.spawn(never());
        tokio::task::yield_now().await;
        tasks.abort_all();
        while tasks.join_next().await.is_some() {}
    });
    let count = |action: &str, stage: &str| stages(&records).iter().filter(|found| **found == (action, stage)).count();
    assert_eq!((count("tool", "started"), count("tool", "completed"), count("tool", "cancelled")), (6, 5, 1));
}

#[test]
fn a_blocking_task_inherits_the_call_around_it() {
    #[audited(action = "tool")]
    fn blocking() -> BoxFuture<'static, ()> {
        Box::pin(async {
            let step = audited::inherit(async { step() });
            tokio::task::spawn_blocking(move || step.now_or_never()).await.unwrap().unwrap();
        })
    }
    let memory = Memory::new();
    let subscriber = tracing_subscriber::registry().with(memory.layer());
    let dispatch = tracing::Dispatch::from(subscriber);
    let runtime = {
        let dispatch = dispatch.clone();
        let enter = move || std::mem::forget(tracing::dispatcher::set_default(&dispatch));
        tokio::runtime::Builder::new_current_thread().on_thread_start(enter).build().unwrap()
    };
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(blocking()));
    let records = memory.records();
    assert_eq!(records[1]["action"], "step");
    assert_eq!(records[1]["call"]["parent_id"], records[0]["call"]["id"]);
}

#[test]
fn the_context_is_entered_again_at_each_poll_on_whatever_thread() {
    let memory = Memory::new();
    let dispatch = tracing::Dispatch::from(tracing_subscriber::registry().with(memory.layer()));
    let on_a_thread = |future: BoxFuture<'static, Result<u32, String>>| {
        let dispatch = dispatch.clone();
        let poll = move || {
            tracing::dispatcher::with_default(&dispatch, || {
                let mut future = future;
                let polled = poll_once(future.as_mut());
                (future, polled)
            })
        };
        std::thread::spawn(poll).join().unwrap()
    };
    let future = audited::context().conversation("c").scope(async { forms::boxed_by_method(3).await }).boxed();
    let (future, polled) = on_a_thread(future);
    assert!(polled.is_pending());
    let (_done, polled) = on_a_thread(future);
    assert_eq!(polled, Poll::Ready(Ok(3)));
    let step = memory.records().into_iter().find(|record| record["action"] == "step").unwrap();
    assert_eq!(step["correlation"]["conversation_id"], "c");
    assert!(step["call"]["parent_id"].is_string());
}

#[test]
fn auto_traits_are_those_of_the_plain_future() {
    fn auto(_: &(impl Send + Sync + UnwindSafe)) {}
    async fn plain() -> u32 {
        1
    }
    #[audited(action = "tool")]
    async fn written_async() -> u32 {
        plain().await
    }
    #[audited(action = "tool")]
    fn opaque() -> impl Future<Output = u32> {
        plain()
    }
    #[audited(action = "tool")]
    fn unpin() -> impl Future<Output = u32> + Unpin {
        std::future::ready(1)
    }
    auto(&plain());
    auto(&written_async());
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        auto(&opaque());
        auto(&unpin());
        let mut unpin = unpin();
        assert_eq!(poll_once(Pin::new(&mut unpin)), Poll::Ready(1));
    });
}

#[test]
fn the_attribute_boxes_what_is_large_or_calls_itself() {
    #[audited(action = "tool", skip(bytes))]
    async fn large(bytes: [u8; 4096]) -> usize {
        pause().await;
        bytes.len()
    }
    #[audited(action = "tool", boxed)]
    async fn small(bytes: usize) -> usize {
        let large = [0; 4096];
        pause().await;
        large.len() + bytes
    }
    #[audited(action = "tool", boxed = "local")]
    async fn count_down(from: u32) -> u32 {
        if from == 0 { 0 } else { count_down(from - 1).await }
    }
    assert!(size_of_val(&large([0; 4096])) > 4096);
    assert!(size_of_val(&small(1)) < 256);
    let records = recorded(|| assert_eq!(count_down(3).now_or_never(), Some(0)));
    assert_eq!(records.len(), 8);
}

#[test]
fn a_future_of_a_type_of_its_own_says_that_its_end_is_not_seen() {
    #[audited(action = "tool")]
    fn named() -> std::future::Ready<u32> {
        std::future::ready(1)
    }
    #[audited(action = "tool")]
    fn not_unpin() -> Box<dyn Future<Output = u32> + Send> {
        Box::new(async { 1 })
    }
    #[audited(action = "tool")]
    fn in_a_result() -> Result<Reply<'static, u32>, String> {
        Ok(Box::pin(work(1)))
    }
    #[audited(action = "tool")]
    #[expect(clippy::async_yields_async, reason = "this form is what is tested")]
    async fn opaque_by_async() -> impl Future<Output = u32> {
        std::future::ready(1)
    }
    let unwatched = |call: &dyn Fn()| assert_eq!(recorded(call)[1]["outcome"]["status"], "unknown");
    unwatched(&|| drop(not_unpin()));
    unwatched(&|| drop(in_a_result()));
    unwatched(&|| drop(opaque_by_async().now_or_never()));
    let records = recorded(|| assert_eq!(named().now_or_never(), Some(1)));
    assert_eq!(records[1]["outcome"]["status"], "unknown");
    assert_eq!(records[1]["outcome"]["reason"], "returned a future or stream whose end is not seen");
}

/// Thirty-two audited functions that await each other, at the default recursion limit: `boxed` keeps each from being
/// part of the type of the next.
mod nested {
    use super::*;

    #[audited(action = "nest")]
    async fn level_0(depth: u32) -> Result<u32, String> {
        pause().await;
        Ok(depth)
    }

    macro_rules! levels {
        ($below:ident $level:ident $($more:ident)*) => {
            #[audited(action = "nest", boxed)]
            async fn $level(depth: u32) -> Result<u32, String> {
                $below(depth + 1).await
            }
            levels!($level $($more)*);
        };
        ($top:ident) => {
            pub async fn top(depth: u32) -> Result<u32, String> {
                $top(depth).await
            }
        };
    }

    levels! {
        level_0 level_1 level_2 level_3 level_4 level_5 level_6 level_7 level_8 level_9 level_10 level_11 level_12
        level_13 level_14 level_15 level_16 level_17 level_18 level_19 level_20 level_21 level_22 level_23 level_24
        level_25 level_26 level_27 level_28 level_29 level_30 level_31
    }
}

#[test]
fn audited_functions_await_each_other_more_than_thirty_deep() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let records = recorded(|| {
        let mut future = pin!(sent(nested::top(0)));
        assert!(poll_once(future.as_mut()).is_pending());
        assert_eq!(poll_once(future.as_mut()), Poll::Ready(Ok(31)));
    });
    assert_eq!(records.len(), 64);
}

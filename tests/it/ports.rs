//! No level, filter or missing subscriber silences a call; what happens when there is no log is what its policy says.

use audit_core::sink::AppendErrorKind;
use audited::{Unavailable, audited};
use testkit::{Memory, in_a_process_of_its_own};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

#[audited(action = "work")]
fn work() -> u8 {
    1
}

#[derive(Debug)]
struct Refused(String);

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        let cause = std::error::Error::source(&unavailable).map(ToString::to_string);
        Self(format!("{unavailable}; {}", cause.unwrap_or_default()))
    }
}

#[audited(action = "order.wipe", effect = "destructive")]
fn wipe() -> Result<u8, Refused> {
    Ok(work())
}

#[audited(action = "order.wipe", effect = "destructive", on_unavailable = |u| u.action().len())]
fn wipe_or_length() -> usize {
    0
}

#[audited(action = "order.wipe", effect = "destructive", on_unavailable = "panic")]
fn wipe_or_panic() {}

#[audited(action = "order.wipe", effect = "destructive", on_unavailable = "count")]
fn wipe_and_count() -> u8 {
    3
}

#[audited(action = "order.wipe", effect = "destructive", on_unavailable = |u| Err(format!("{u}")))]
async fn wipe_async() -> Result<(), String> {
    Ok(())
}

fn poll_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("expected an output at the first poll"),
    }
}

#[test]
fn filters_that_switch_the_span_off_do_not_silence_the_record() {
    let calls_recorded = |make: &dyn Fn(&Memory) -> tracing::Dispatch| {
        let memory = Memory::new();
        tracing::dispatcher::with_default(&make(&memory), || assert_eq!(work(), 1));
        memory.records().len()
    };
    assert_eq!(calls_recorded(&|memory| tracing_subscriber::registry().with(memory.layer()).into()), 2);
    let off = LevelFilter::OFF;
    assert_eq!(calls_recorded(&|memory| tracing_subscriber::registry().with(memory.layer()).with(off).into()), 2);
    assert_eq!(calls_recorded(&|memory| tracing_subscriber::registry().with(off).with(memory.layer()).into()), 2);
    assert_eq!(
        calls_recorded(&|memory| tracing_subscriber::registry().with(memory.layer().with_filter(off)).into()),
        2
    );
    assert_eq!(calls_recorded(&|memory| tracing_subscriber::registry().with(Some(memory.layer())).into()), 2);
    assert_eq!(calls_recorded(&|memory| tracing_subscriber::registry().with(vec![memory.layer()]).into()), 2);
}

/// Runs the body in a process of its own, which must succeed.
fn alone(test: &str, body: impl FnOnce()) -> String {
    let Some(output) = in_a_process_of_its_own(test, body) else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn the_recorder_serves_where_no_layer_is_reachable() {
    alone("ports::the_recorder_serves_where_no_layer_is_reachable", || {
        let memory = Memory::new();
        let layer = memory.layer();
        work();
        std::thread::spawn(work).join().unwrap();
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), work);
        let (reloadable, _handle) = tracing_subscriber::reload::Layer::new(layer);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(reloadable), work);
        assert_eq!(memory.records().len(), 8);
    });
}

#[test]
fn a_closed_sink_is_let_go_and_the_next_one_takes_over() {
    alone("ports::a_closed_sink_is_let_go_and_the_next_one_takes_over", || {
        let (first, second) = (Memory::new(), Memory::new());
        let _layers = (first.layer(), second.layer());
        work();
        first.close();
        assert!(wipe().is_err());
        let _layer = second.layer();
        assert_eq!(wipe().unwrap(), 1);
        assert_eq!((first.records().len(), second.records().len()), (2, 4));
    });
}

#[test]
fn without_a_log_each_policy_does_as_it_says() {
    let output = alone("ports::without_a_log_each_policy_does_as_it_says", || {
        let refused = wipe().unwrap_err().0;
        assert_eq!(refused, "`order.wipe` was refused: it must be recorded and no audit log is open; ");
        assert_eq!(wipe_or_length(), "order.wipe".len());
        assert_eq!(audit_core::unrecorded::count(), 0);
        assert_eq!((work(), wipe_and_count()), (1, 3));
        assert!(audited::event("run.created").record().unwrap_err().is_unavailable());
        assert_eq!(audit_core::unrecorded::count(), 3);
        assert!(poll_once(wipe_async()).unwrap_err().contains("no audit log is open"));
        let message = std::panic::catch_unwind(wipe_or_panic).unwrap_err();
        assert!(message.downcast_ref::<String>().unwrap().contains("`order.wipe` was refused"));
    });
    if !output.is_empty() {
        assert_eq!(output.matches("audited: calls are running unrecorded").count(), 1, "{output}");
    }
}

#[test]
fn a_log_that_refuses_is_as_none_but_names_its_reason() {
    alone("ports::a_log_that_refuses_is_as_none_but_names_its_reason", || {
        let memory = Memory::new();
        let _layer = memory.layer();
        memory.refuse(AppendErrorKind::DiskFull);
        assert!(wipe().unwrap_err().0.ends_with("does not accept it; the disk is full: a test"));
        assert_eq!(work(), 1);
        // A sink that stays open counts what it refused; one that ends cannot.
        assert_eq!(audit_core::unrecorded::count(), 0);
        memory.refuse(AppendErrorKind::Poisoned);
        assert!(wipe().is_err());
        assert_eq!(work(), 1);
        assert_eq!(audit_core::unrecorded::count(), 1);
        memory.accept();
        assert_eq!(wipe().unwrap(), 1);
        assert_eq!(memory.records().len(), 4);
    });
}

#[test]
fn a_failed_fsync_refuses_the_destructive_call() {
    let memory = Memory::new();
    memory.hold();
    let failed = std::thread::scope(|scope| {
        let worker = scope
            .spawn(|| tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), wipe));
        while memory.records().is_empty() {
            std::thread::yield_now();
        }
        memory.resolve(Some(AppendErrorKind::Poisoned));
        worker.join().unwrap()
    });
    assert!(failed.unwrap_err().0.contains("accepts nothing more"));
}

//! How long the records of an action wait for a log that is slow or full, and what becomes of the call then.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audit_store::verify::Verdict;
use audited::sink::{AppendError, AppendErrorKind, WhenFull};
use audited::{Conclusion, Effect, verify_log};
use audited::{Durability, Log, Unavailable, audited, call, manual};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use testkit::{Memory, in_a_process_of_its_own};
use tracing_subscriber::layer::SubscriberExt as _;

mod forms {
    use super::*;

    #[audited(action = "tool", append_timeout_ms = 50)]
    pub fn function() -> u32 {
        1
    }

    #[audited(action = "tool", append_timeout_ms = 50)]
    pub async fn asynchronous() -> u32 {
        1
    }

    #[audited(action = "tool", append_timeout_ms = 50, boxed)]
    pub async fn on_the_heap() -> u32 {
        1
    }

    #[audited(action = "tool", append_timeout_ms = 50, on_unavailable = |_| 0)]
    pub async fn answered() -> u32 {
        1
    }

    #[audited(action = "tool", append_timeout_ms = 50)]
    pub fn future() -> Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async { 1 })
    }

    #[audited(action = "tool", append_timeout_ms = 50)]
    pub fn stream() -> BoxStream<'static, u32> {
        stream::iter([1]).boxed()
    }

    #[audited(action = "tool", append_timeout_ms = 50)]
    pub fn panics() {
        panic!("as the test wants");
    }
}

struct Shop;

#[audited(prefix = "shop", append_timeout_ms = 50)]
impl Shop {
    fn by_the_block() {}

    #[audited(append_timeout_ms = 7)]
    fn by_itself() {}
}

#[derive(Debug)]
struct Refused(Unavailable);

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        Self(unavailable)
    }
}

impl Refused {
    fn kind(&self) -> AppendErrorKind {
        let cause = std::error::Error::source(&self.0).unwrap();
        cause.downcast_ref::<AppendError>().unwrap().kind()
    }
}

#[audited(action = "deny", on_unavailable = "deny", append_timeout_ms = 50)]
fn denies() -> Result<u32, Refused> {
    Ok(1)
}

#[audited(action = "deny.async", on_unavailable = "deny", append_timeout_ms = 50)]
async fn denies_async() -> Result<u32, Refused> {
    Ok(1)
}

#[audited(action = "deny.destructive", effect = "destructive", append_timeout_ms = 50)]
async fn denies_destructive() -> Result<u32, Refused> {
    Ok(1)
}

#[audited(action = "deny.now", on_unavailable = "deny", append_timeout_ms = 0)]
fn denies_at_once() -> Result<u32, Refused> {
    Ok(1)
}

#[audited(action = "count", append_timeout_ms = 50)]
fn counts() -> u32 {
    1
}

#[audited(action = "count.async", append_timeout_ms = 50)]
async fn counts_async() -> u32 {
    1
}

fn within(memory: &Memory, work: impl FnOnce()) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), work);
}

/// Checks how long each of the records may wait that the work leaves, of which there are so many.
#[track_caller]
fn check(patience: Option<Duration>, records: usize, work: impl FnOnce()) {
    let memory = Memory::new();
    within(&memory, work);
    let demands = memory.demands();
    assert_eq!(demands.len(), records, "{demands:?}");
    assert!(demands.iter().all(|demand| demand.patience == patience), "{demands:?}");
    assert!(demands.iter().all(|demand| demand.if_full == WhenFull::Queue), "{demands:?}");
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

const FIFTY: Option<Duration> = Some(Duration::from_millis(50));

#[test]
fn both_records_of_a_call_wait_as_long_as_its_action_says() {
    check(FIFTY, 2, || assert_eq!(forms::function(), 1));
    check(FIFTY, 2, || assert_eq!(forms::asynchronous().now_or_never(), Some(1)));
    check(FIFTY, 2, || assert_eq!(forms::on_the_heap().now_or_never(), Some(1)));
    check(FIFTY, 2, || assert_eq!(forms::answered().now_or_never(), Some(1)));
    check(FIFTY, 2, || assert_eq!(forms::future().now_or_never(), Some(1)));
    check(FIFTY, 2, || assert_eq!(forms::stream().count().now_or_never(), Some(1)));
    check(FIFTY, 2, || assert_eq!(call!("tool", append_timeout_ms = 50, { 1 }), 1));
    check(FIFTY, 2, || assert_eq!(call!("tool", append_timeout_ms = 50, async { 1 }).now_or_never(), Some(1)));
    check(FIFTY, 2, || assert_eq!(call!("tool", append_timeout_ms = 50, |number: u32| number + 1)(1), 2));
    check(FIFTY, 2, Shop::by_the_block);
    check(Some(Duration::from_millis(7)), 2, Shop::by_itself);
}

#[test]
fn a_call_that_ends_otherwise_waits_no_longer() {
    check(FIFTY, 2, || drop(std::panic::catch_unwind(forms::panics)));
    check(FIFTY, 2, || drop(forms::future()));
    check(FIFTY, 2, || drop(forms::stream()));
    check(FIFTY, 1, || call!("tool", stages = "completed", append_timeout_ms = 50, {}));
}

#[test]
fn what_says_nothing_is_left_to_the_log() {
    check(None, 2, || call!("tool", {}));
    check(None, 2, || assert_eq!(call!("tool", async { 1 }).now_or_never(), Some(1)));
    check(None, 2, || drop(manual::tool_call("tool", "tool").begin().call()));
    check(None, 1, || {
        audited::event("run.created").record().unwrap();
    });
    check(None, 2, || drop(tracing::info_span!(target: "audit", "tool", audit.action = "tool")));
}

#[test]
fn a_call_of_an_adapter_waits_as_long_as_it_says_at_most_a_day() {
    let day = Duration::from_secs(86_400);
    for (given, kept) in [(Duration::from_millis(50), Duration::from_millis(50)), (Duration::MAX, day)] {
        check(Some(kept), 2, || {
            let call = manual::tool_call("tool", "tool").append_timeout(given).begin().call();
            call.finish(Conclusion::success(), None);
        });
    }
}

#[test]
fn timeouts_without_end_are_left_to_the_log() {
    let output = in_a_process_of_its_own("backpressure::timeouts_without_end_are_left_to_the_log", || {
        let begin = |milliseconds| {
            let call = manual::tool_call("tool", "tool").append_timeout(Duration::from_millis(milliseconds));
            drop(call.begin().call());
        };
        let memory = Memory::new();
        within(&memory, || (1..5_000).for_each(begin));
        let known = memory.demands().iter().filter(|demand| demand.patience.is_some()).count();
        assert_eq!((memory.demands().len(), known), (2 * 4_999, 2 * 4_096));
        check(FIFTY, 2, || begin(50));
        check(None, 2, || begin(5_000));
    });
    assert!(output.is_none_or(|output| output.status.success()), "the process says why");
}

#[test]
fn a_destructive_call_waits_for_the_disk_as_long_as_for_room() {
    let memory = Memory::new();
    within(&memory, || assert_eq!(denies_destructive().now_or_never().unwrap().unwrap(), 1));
    let demands = memory.demands();
    assert_eq!((demands[0].durability, demands[0].patience), (Some(Durability::Disk), FIFTY));
    assert_eq!((demands[1].durability, demands[1].patience), (None, FIFTY));
}

#[test]
fn a_busy_log_refuses_what_denies_and_runs_what_counts() {
    let memory = Memory::new();
    memory.refuse(AppendErrorKind::Busy);
    within(&memory, || {
        assert_eq!(denies().unwrap_err().kind(), AppendErrorKind::Busy);
        assert_eq!(denies_async().now_or_never().unwrap().unwrap_err().kind(), AppendErrorKind::Busy);
        let destructive = || manual::tool_call("tool", "tool").effect(Effect::Destructive);
        let begun = destructive().append_timeout(Duration::from_millis(50)).begin();
        assert!(!begun.checked().unwrap_err().is_without_log());
        assert_eq!(memory.demands().len(), 3, "what is refused leaves no other record");
        assert_eq!(counts(), 1);
        assert_eq!(counts_async().now_or_never(), Some(1));
    });
    assert_eq!(memory.demands().len(), 7);
}

#[test]
fn a_record_that_has_waited_in_vain_refuses_the_call_late() {
    let memory = Memory::new();
    memory.fill();
    within(&memory, || {
        let mut denied = pin!(denies_async());
        assert!(poll_once(denied.as_mut()).is_pending());
        memory.resolve(Some(AppendErrorKind::Busy));
        let Poll::Ready(refused) = poll_once(denied) else { panic!("it still waits") };
        assert_eq!(refused.unwrap_err().kind(), AppendErrorKind::Busy);

        let mut counted = pin!(counts_async());
        assert!(poll_once(counted.as_mut()).is_pending());
        memory.resolve(Some(AppendErrorKind::Busy));
        assert_eq!(poll_once(counted), Poll::Ready(1));

        let mut served = pin!(denies_async());
        assert!(poll_once(served.as_mut()).is_pending());
        memory.resolve(None);
        assert!(matches!(poll_once(served), Poll::Ready(Ok(1))), "there is room in time");
    });
}

#[test]
fn a_closing_record_without_room_changes_nothing_for_the_caller() {
    let memory = Memory::new();
    within(&memory, || {
        let refuse = || {
            memory.refuse(AppendErrorKind::Busy);
            1
        };
        assert_eq!(call!("tool", append_timeout_ms = 50, { refuse() }), 1);
        memory.accept();
        let denied = call!("tool", on_unavailable = "deny", append_timeout_ms = 0, || -> Result<u32, Refused> {
            memory.fill();
            Ok(1)
        });
        assert_eq!(denied().unwrap(), 1);
    });
    assert_eq!((memory.demands().len(), memory.records().len()), (4, 2));
}

#[test]
fn a_call_that_does_not_wait_is_decided_at_once() {
    let memory = Memory::new();
    within(&memory, || assert_eq!(denies_at_once().unwrap(), 1));
    let zero = |memory: &Memory| {
        memory
            .demands()
            .iter()
            .all(|demand| (demand.patience, demand.if_full) == (Some(Duration::ZERO), WhenFull::Refuse))
    };
    assert_eq!((memory.demands().len(), zero(&memory)), (2, true));
    memory.fill();
    // On the thread that would block: the sink would let it wait for ever.
    within(&memory, || assert_eq!(denies_at_once().unwrap_err().kind(), AppendErrorKind::Busy));
    assert_eq!((memory.demands().len(), zero(&memory)), (3, true));
}

#[test]
fn a_log_with_room_keeps_no_call_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit");
    let log = Log::open(&path).unwrap();
    let guard = log.guard();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(audited::layer(&log)), || {
        for _ in 0..50 {
            assert_eq!(denies_at_once().unwrap(), 1);
            assert_eq!(denies().unwrap(), 1);
        }
    });
    drop((guard, log));
    let report = verify_log(&path).unwrap();
    assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
    assert_eq!((report.summary.calls, report.summary.abandoned), (100, 0));
}

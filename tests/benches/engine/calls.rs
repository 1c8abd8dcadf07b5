//! What a call costs the thread that makes it, beside `#[tracing::instrument]` with JSON logging and fastrace.
//!
//! Same function, same arguments, same run, by turns. The peer writes one JSON line when the span closes, through a
//! non-blocking writer that loses nothing. All of them leave work to a thread of their own, so calls come in bursts with
//! pauses in which that thread catches up: what is measured is the calling thread, and it never waits for the other.

use core::future::Future;
use core::hint::black_box;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use anyhow::Result;
use audited::{Log, audited};
use testkit::bench::{ROUNDS, Table, Target, by_turns, median};
use tracing::Dispatch;
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::allocations;
use crate::clock::thread_time;
use crate::peers::Peers;
use crate::settings::Settings;

const BURSTS: u32 = 20;
const CALLS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(20);
const NOTE: &str = "left at the door";

fn work(order: u32, note: &str) -> usize {
    black_box(order as usize + note.len())
}

#[tracing::instrument]
fn instrumented(order: u32, note: &str) -> usize {
    work(order, note)
}

#[audited(action = "order.note")]
fn two_records(order: u32, note: &str) -> usize {
    work(order, note)
}

#[audited(action = "order.read", effect = "read", stages = "completed")]
fn one_record(order: u32, note: &str) -> usize {
    work(order, note)
}

#[audited(action = "order.note")]
async fn two_records_async(order: u32, note: &str) -> usize {
    work(order, note)
}

#[audited(action = "order.read", effect = "read", stages = "completed")]
async fn one_record_async(order: u32, note: &str) -> usize {
    work(order, note)
}

/// Polls a future that is ready at once.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

type Call = fn(u32, &str) -> Option<usize>;

pub(crate) fn measure(settings: &Settings, peers: &mut Peers, table: &mut Table) -> Result<()> {
    let directory = settings.fresh("calls")?;
    std::fs::create_dir_all(&directory)?;
    let file = std::fs::File::create(directory.join("peer.jsonl"))?;
    let (writer, _flushed) = NonBlockingBuilder::default().lossy(false).finish(file);
    let json = tracing_subscriber::fmt::layer().json().with_span_events(FmtSpan::CLOSE).with_writer(writer);
    let peer: Dispatch = tracing_subscriber::registry().with(json).into();
    let log = Log::open(directory.join("audit"))?;
    let ours: Dispatch = tracing_subscriber::registry().with(audited::layer(&log)).into();

    table.heading("One call, processor time of the calling thread");
    beside_logging(&peer, &ours, table)?;
    beside_fastrace(&ours, peers, table)?;
    asynchronous(&ours, table);
    allocated(&ours, table);
    log.close()?;
    Ok(())
}

fn beside_logging(peer: &Dispatch, ours: &Dispatch, table: &mut Table) -> Result<()> {
    let mut plain = || Ok(round(|order, note| Some(work(order, note))));
    let mut peer = || Ok(under(peer, |order, note| Some(instrumented(order, note))));
    let mut two = || Ok(under(ours, |order, note| Some(two_records(order, note))));
    let mut one = || Ok(under(ours, |order, note| Some(one_record(order, note))));
    let rounds = by_turns::<anyhow::Error>(ROUNDS, &mut [&mut plain, &mut peer, &mut two, &mut one])?;
    table.add("plain call", rounds.median(0), "ns", None);
    table.add("`#[instrument]` + JSON, one line", rounds.median(1), "ns", None);
    table.add("audited, two records", rounds.median(2), "ns", None);
    table.add("audited, one record", rounds.median(3), "ns", None);
    table.judge("two records / `#[instrument]` + JSON", rounds.ratio(2, 1), "×", Target::AtMost(0.25));
    table.judge("one record / `#[instrument]` + JSON", rounds.ratio(3, 1), "×", Target::AtMost(0.15));
    Ok(())
}

fn beside_fastrace(ours: &Dispatch, peers: &mut Peers, table: &mut Table) -> Result<()> {
    let (measure, target) = ("one record / fastrace, a root and two properties", Target::AtMost(1.0));
    let request = format!("trace {BURSTS} {CALLS} {}", PAUSE.as_micros());
    if let Err(reason) = peers.ask(&request)? {
        table.absent(measure, Some(target), reason);
        return Ok(());
    }
    let mut peer = || peers.insist(&request);
    let mut one = || Ok(under(ours, |order, note| Some(one_record(order, note))));
    let rounds = by_turns(ROUNDS, &mut [&mut peer, &mut one])?;
    table.add("fastrace `#[trace]`, a root and two properties", rounds.median(0), "ns", None);
    table.judge(measure, rounds.ratio(1, 0), "×", target);
    Ok(())
}

fn asynchronous(ours: &Dispatch, table: &mut Table) {
    tracing::dispatcher::with_default(ours, || {
        let two =
            added(|order, note| now(two_records_async(order, note)), |order, note| Some(two_records(order, note)));
        let one = added(|order, note| now(one_record_async(order, note)), |order, note| Some(one_record(order, note)));
        table.judge("added by an async fn, two records", two, "ns", Target::AtMost(60.0));
        table.judge("added by an async fn, one record", one, "ns", Target::AtMost(60.0));
    });
}

fn allocated(ours: &Dispatch, table: &mut Table) {
    tracing::dispatcher::with_default(ours, || {
        let sync_two = allocations_of(|order, note| Some(two_records(order, note)));
        let async_two = allocations_of(|order, note| now(two_records_async(order, note)));
        let sync_one = allocations_of(|order, note| Some(one_record(order, note)));
        let async_one = allocations_of(|order, note| now(one_record_async(order, note)));
        table.judge("allocations of a call, two records", sync_two, "", Target::AtMost(0.0));
        table.judge("allocations of a call, one record", sync_one, "", Target::AtMost(0.0));
        table.judge("allocations added by an async fn, two records", async_two - sync_two, "", Target::AtMost(0.0));
        table.judge("allocations added by an async fn, one record", async_one - sync_one, "", Target::AtMost(0.0));
    });
}

/// How often one call allocates, after some that warm up what threads keep.
fn allocations_of(call: Call) -> f64 {
    let calls = |count: u32| {
        for order in 0..count {
            black_box(call(order, NOTE));
        }
    };
    calls(CALLS);
    let before = allocations::so_far();
    calls(CALLS);
    #[expect(clippy::cast_precision_loss, reason = "a count of allocations is small")]
    let allocated = (allocations::so_far() - before) as f64;
    allocated / f64::from(CALLS)
}

fn under(dispatch: &Dispatch, call: Call) -> f64 {
    tracing::dispatcher::with_default(dispatch, || round(call))
}

/// Makes the calls of one round; returns the nanoseconds of this thread's own time that one of them took.
fn round(call: Call) -> f64 {
    let spent: f64 = (0..BURSTS).map(|_| burst(call)).sum();
    spent / f64::from(BURSTS)
}

/// Returns how much more one call costs than another one: so small a difference shows when they take turns burst by burst.
fn added(call: Call, base: Call) -> f64 {
    let differences = (0..BURSTS * 5).map(|_| burst(call) - burst(base));
    median(differences.collect())
}

/// Makes some calls after a pause; returns the nanoseconds of this thread's own time that one of them took.
fn burst(call: Call) -> f64 {
    std::thread::sleep(PAUSE);
    let start = thread_time();
    for order in 0..CALLS {
        black_box(call(order, NOTE));
    }
    (thread_time() - start) / f64::from(CALLS)
}

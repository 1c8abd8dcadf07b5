//! The cost of one audited call on the calling thread, beside `#[tracing::instrument]` with JSON logging.
//!
//! Same function, same arguments, same run, by turns. The peer writes one JSON line when the span closes, through a
//! non-blocking writer that loses nothing; ours writes to the kernel before the call goes on, and hashes.

use std::hint::black_box;

use audited::{Log, audited};
use testkit::bench::{Table, alternate};
use tracing::Dispatch;
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;

const CALLS: u32 = 10_000;

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

#[audited(action = "order.peek", effect = "read")]
fn unrecorded(order: u32, note: &str) -> usize {
    work(order, note)
}

/// Twenty rules that do not match, one that leaves calls unrecorded, and one that decides about the rest.
fn rules() -> String {
    let others = (0..20).map(|n| format!("[[rule]]\naction = \"other{n}.*\"\nlevel = \"metadata\"\n"));
    let last = "[[rule]]\naction = \"order.peek\"\nlevel = \"none\"\n\
        [[rule]]\naction = \"order.*\"\nredact = [\"card\"]\nretention = \"standard\"\n";
    others.chain([last.to_owned()]).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let file = std::fs::File::create(directory.path().join("peer.jsonl"))?;
    let (writer, _flushed) = NonBlockingBuilder::default().lossy(false).finish(file);
    let json = tracing_subscriber::fmt::layer().json().with_span_events(FmtSpan::CLOSE).with_writer(writer);
    let peer: Dispatch = tracing_subscriber::registry().with(json).into();

    let log = Log::open(directory.path().join("audit"))?;
    let ours: Dispatch = tracing_subscriber::registry().with(audited::layer(&log)).into();

    let policy = directory.path().join("policy.toml");
    std::fs::write(&policy, rules())?;
    let policed_log = Log::options().policy_file(&policy).open(directory.path().join("policed"))?;
    let policed: Dispatch = tracing_subscriber::registry().with(audited::layer(&policed_log)).into();

    let under = |dispatch: &Dispatch, call: fn(u32, &str) -> usize| {
        let dispatch = dispatch.clone();
        move |order| {
            tracing::dispatcher::with_default(&dispatch, || black_box(call(order, "left at the door")));
        }
    };
    let mut plain = |order| {
        black_box(work(order, "left at the door"));
    };
    let mut subjects = [
        under(&peer, instrumented),
        under(&ours, two_records),
        under(&ours, one_record),
        under(&policed, two_records),
        under(&policed, unrecorded),
    ];
    let [peer, two, one, policed, none] = &mut subjects;
    let times = alternate(CALLS, &mut [&mut plain, peer, two, one, policed, none]);
    log.close()?;
    policed_log.close()?;

    let [plain, peer, two, one, policed, none] = times[..] else { return Err("expected six measures".into()) };
    let mut table = Table::default();
    table.add("plain call", plain, "ns", None);
    table.add("instrument + JSON fmt, one line", peer, "ns", None);
    table.add("audited, two records", two, "ns", None);
    table.add("audited, one record", one, "ns", None);
    table.add("audited, two records, under a policy of 22 rules", policed, "ns", None);
    table.add("audited, left unrecorded by the policy", none, "ns", None);
    table.add("two records under a policy / without one", policed / two, "×", None);
    table.add("two records / instrument + JSON", two / peer, "×", Some(2.0));
    table.add("one record / instrument + JSON", one / peer, "×", Some(1.0));
    table.publish("call")?;
    Ok(())
}

//! What OpenTelemetry costs a call beside the audit layer, on the calling thread.
//!
//! Same function, same arguments, same run, by turns; the processor time of the thread is what counts. Spans go to the SDK's batch processor and from there to an exporter
//! that takes them and does nothing.

use std::hint::black_box;

use audited::{Log, audited};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use testkit::bench::{ROUNDS, Table};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

const CALLS: u32 = 5_000;

fn work(order: u32, note: &str) -> usize {
    black_box(order as usize + note.len())
}

#[tracing::instrument]
fn instrumented(order: u32, note: &str) -> usize {
    work(order, note)
}

#[audited(action = "order.note")]
fn audited_call(order: u32, note: &str) -> usize {
    work(order, note)
}

#[audited(action = "order.note", telemetry = "arguments")]
fn with_arguments(order: u32, note: &str) -> usize {
    work(order, note)
}

/// Takes spans and does nothing.
#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(batch);
        Ok(())
    }
}

/// Returns the median processor time of a call of each, in nanoseconds.
fn processor_times(subjects: &mut [&mut dyn FnMut(u32)]) -> Vec<f64> {
    let mut rounds = vec![Vec::new(); subjects.len()];
    for round in 0..=ROUNDS {
        for (subject, times) in subjects.iter_mut().zip(&mut rounds) {
            let start = processor_time();
            (0..CALLS).for_each(&mut **subject);
            let per_call = (processor_time() - start) / f64::from(CALLS);
            // The first one warms up.
            if round > 0 {
                times.push(per_call);
            }
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    rounds.into_iter().map(median).collect()
}

/// Returns how long this thread has run, in nanoseconds.
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a thread's time is far below 2^52 seconds")]
    let (seconds, nanoseconds) = (time.tv_sec as f64, time.tv_nsec as f64);
    seconds * 1e9 + nanoseconds
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let log = Log::open(directory.path().join("audit"))?;
    let config = BatchConfigBuilder::default().with_max_queue_size(1 << 20).build();
    let processor = BatchSpanProcessor::builder(Nowhere).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    macro_rules! otel {
        () => {
            // As `audited::init` has it.
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("bench"))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
        };
    }
    let audit: Dispatch = tracing_subscriber::registry().with(audited::layer(&log)).into();
    let traced: Dispatch = tracing_subscriber::registry().with(otel!()).into();
    let both: Dispatch = tracing_subscriber::registry().with(audited::layer(&log)).with(otel!()).into();

    let under = |dispatch: &Dispatch, call: fn(u32, &str) -> usize| {
        let dispatch = dispatch.clone();
        move |order| {
            tracing::dispatcher::with_default(&dispatch, || black_box(call(order, "left at the door")));
        }
    };
    let mut subjects = [
        under(&audit, audited_call),
        under(&traced, instrumented),
        under(&both, audited_call),
        under(&both, with_arguments),
    ];
    let [alone, instrument, beside, arguments] = &mut subjects;
    let times = processor_times(&mut [alone, instrument, beside, arguments]);
    audited::opentelemetry::metrics::observe(&log);
    let [alone, _, beside, _] = &mut subjects;
    let metered = processor_times(&mut [alone, beside]);
    log.close()?;

    let ([alone, instrument, beside, arguments], [metered, _]) = (&times[..], &metered[..]) else {
        return Err("expected six measures".into());
    };
    let mut table = Table::default();
    table.add("audited, no OpenTelemetry layer", *alone, "ns", None);
    table.add("#[tracing::instrument], OpenTelemetry layer", *instrument, "ns", None);
    table.add("audited, OpenTelemetry layer", *beside, "ns", None);
    table.add("audited with arguments in the span, OpenTelemetry layer", *arguments, "ns", None);
    table.add("audited, metrics to a provider that does nothing", *metered, "ns", None);
    table.add("OpenTelemetry beside the audit layer / audit layer alone", beside / alone, "×", None);
    table.add("audit layer beside OpenTelemetry / instrument with OpenTelemetry", beside / instrument, "×", None);
    table.publish("opentelemetry")?;
    Ok(())
}

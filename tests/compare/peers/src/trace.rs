//! fastrace, set up as its documentation says, with a reporter that counts.

use core::hint::black_box;
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use rustix::time::{ClockId, clock_gettime};

/// Counts the spans that reach it, as an exporter would get them.
struct Counter(Arc<AtomicU64>);

impl Reporter for Counter {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.fetch_add(spans.len() as u64, Ordering::Relaxed);
    }
}

/// A process-wide tracer.
pub(crate) struct Tracer {
    reported: Arc<AtomicU64>,
    expected: u64,
}

impl Tracer {
    pub(crate) fn new() -> Self {
        let reported = Arc::new(AtomicU64::new(0));
        fastrace::set_reporter(Counter(Arc::clone(&reported)), Config::default());
        Self { reported, expected: 0 }
    }

    /// Makes so many bursts of calls with a pause before each, in which the collector catches up; returns the nanoseconds of
    /// this thread's own time that one call took.
    pub(crate) fn round(&mut self, bursts: u32, calls: u32, pause: Duration) -> Result<f64> {
        let mut spent = 0.0;
        for _ in 0..bursts {
            std::thread::sleep(pause);
            let start = thread_time();
            for order in 0..calls {
                black_box(call(order, "left at the door"));
            }
            spent += thread_time() - start;
        }
        fastrace::flush();
        // The root and the function's own.
        self.expected += 2 * u64::from(bursts) * u64::from(calls);
        let reported = self.reported.load(Ordering::Relaxed);
        if reported != self.expected {
            bail!("expected {} spans, found {reported}", self.expected);
        }
        Ok(spent / (f64::from(bursts) * f64::from(calls)))
    }
}

fn call(order: u32, note: &str) -> usize {
    let root = Span::root("order.read", SpanContext::random());
    let _guard = root.set_local_parent();
    traced(order, note)
}

#[fastrace::trace(properties = { "order": "{order}", "note": "{note}" })]
fn traced(order: u32, note: &str) -> usize {
    black_box(order as usize + note.len())
}

/// The processor time of this thread, in nanoseconds.
fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a thread's time is far below 2^52 nanoseconds")]
    let (seconds, nanoseconds) = (time.tv_sec as f64, time.tv_nsec as f64);
    seconds * 1e9 + nanoseconds
}

//! How calls and the log do, as metrics.
//!
//! | name | kind, unit | what it tells |
//! |---|---|---|
//! | `gen_ai.execute_tool.duration` | histogram, s | how long calls took, by `gen_ai.tool.name` and `error.type` |
//! | `audit.calls` | counter | how many calls there were, by `audit.outcome` |
//! | `audit.append.duration` | histogram, s | how long the log took to take a record of a call |
//! | `audit.fsync.duration` | histogram, s | how long entries took to be brought to the disk |
//! | `audit.queue.size` | gauge, By | how much of the journal is taken by records that are in no segment yet |
//! | `audit.queue.depth` | gauge | how many records wait in memory for room in the journal |
//! | `audit.records.dropped` | counter | how many records were refused since the log was opened |
//! | `audit.checkpoint.age` | gauge, s | how long ago the newest checkpoint was written |
//! | `audit.checkpoint.uncovered` | gauge | how many entries no checkpoint covers yet |
//!
//! Those of a log bear its `audit.sequence.stream_id`. Nothing is measured before [`observe()`] is called.

use core::time::Duration;
use std::sync::Arc;

use audit_core::names;
use audit_core::observe::{self, Called, Observer};
use audit_store::{Figures, Gauge, Log};
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, Meter};
use opentelemetry::{KeyValue, global};

/// The name of the meter.
const METER: &str = "audited";

/// The bounds that the conventions advise for how long operations take.
const OPERATION_SECONDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// Bounds for what should take microseconds, and may take seconds.
const WAITING_SECONDS: [f64; 12] = [1e-6, 2e-6, 5e-6, 1e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.25, 1.0];

/// Tells how calls and this log do, through the meter provider that is the global one by now.
///
/// Calls of the whole process are told once, however many logs are observed. The log is not kept open.
pub fn observe(log: &Log) {
    let meter = global::meter(METER);
    let _already = observe::register(Box::new(Calls::new(&meter)));
    let stream = KeyValue::new(names::SEQUENCE_STREAM_ID, log.stream_id().to_string());
    of_log(&meter, &Arc::new(log.gauge()), &stream);
}

/// Measures calls as they end.
struct Calls {
    duration: Histogram<f64>,
    calls: Counter<u64>,
    append: Histogram<f64>,
    fsync: Histogram<f64>,
}

impl Calls {
    fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, bounds: &[f64]| {
            meter.f64_histogram(name).with_unit("s").with_boundaries(bounds.to_vec()).build()
        };
        Self {
            duration: seconds("gen_ai.execute_tool.duration", &OPERATION_SECONDS),
            calls: meter.u64_counter("audit.calls").with_unit("{call}").build(),
            append: seconds("audit.append.duration", &WAITING_SECONDS),
            fsync: seconds("audit.fsync.duration", &WAITING_SECONDS),
        }
    }
}

impl Observer for Calls {
    fn called(&self, call: &Called<'_>) {
        let tool = KeyValue::new(names::TOOL, call.tool.to_owned());
        let operation = KeyValue::new(names::OPERATION, names::EXECUTE_TOOL);
        let seconds = call.duration.as_secs_f64();
        match call.error_type {
            Some(error) => {
                self.duration.record(seconds, &[operation, tool, KeyValue::new(names::ERROR_TYPE, error.to_owned())]);
            }
            None => self.duration.record(seconds, &[operation, tool]),
        }
        self.calls.add(1, &[KeyValue::new(names::OUTCOME, call.status.as_str())]);
    }

    fn appended(&self, duration: Duration) {
        self.append.record(duration.as_secs_f64(), &[]);
    }

    fn synced(&self, duration: Duration) {
        self.fsync.record(duration.as_secs_f64(), &[]);
    }
}

/// Has the log asked whenever metrics are collected. The provider keeps what it asks.
fn of_log(meter: &Meter, log: &Arc<Gauge>, stream: &KeyValue) {
    let ask = |of: fn(&Figures) -> u64| {
        let (log, stream) = (Arc::clone(log), stream.clone());
        move |observer: &dyn AsyncInstrument<u64>| {
            if let Some(figures) = log.read() {
                observer.observe(of(&figures), core::slice::from_ref(&stream));
            }
        }
    };
    let gauge = |name: &'static str, unit: &'static str, of| {
        let _kept = meter.u64_observable_gauge(name).with_unit(unit).with_callback(ask(of)).build();
    };
    gauge("audit.queue.size", "By", |figures| figures.queued_bytes);
    gauge("audit.queue.depth", "{record}", |figures| figures.queued_records);
    gauge("audit.checkpoint.uncovered", "{entry}", |figures| figures.uncovered);
    let dropped = meter.u64_observable_counter("audit.records.dropped").with_unit("{record}");
    let _kept = dropped.with_callback(ask(|figures| figures.refused)).build();
    let (log, stream) = (Arc::clone(log), stream.clone());
    let age = meter.f64_observable_gauge("audit.checkpoint.age").with_unit("s");
    let age = age.with_callback(move |observer| {
        if let Some(figures) = log.read() {
            observer.observe(figures.since_checkpoint.as_secs_f64(), core::slice::from_ref(&stream));
        }
    });
    let _kept = age.build();
}

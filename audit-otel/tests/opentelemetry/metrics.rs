//! How calls and the log do, as a meter provider collects it.

use std::collections::BTreeMap;

use audited::audited;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use tracing_subscriber::layer::SubscriberExt as _;

#[audited(action = "order.note", durability = "disk")]
fn metered(fail: bool) -> Result<(), String> {
    if fail { Err("no".to_owned()) } else { Ok(()) }
}

/// Collects once: each metric with its attributes and how often, or how much, it was.
fn collected(provider: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> BTreeMap<String, f64> {
    exporter.reset();
    provider.force_flush().unwrap();
    let mut found = BTreeMap::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            let mut put = |attributes: Vec<String>, value: f64| {
                found.insert(format!("{} {}", metric.name(), attributes.join(" ")), value);
            };
            let text = |attribute: &opentelemetry::KeyValue| format!("{}={}", attribute.key, attribute.value);
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                    .data_points()
                    .for_each(|point| put(point.attributes().map(text).collect(), point.count() as f64)),
                AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                    gauge.data_points().for_each(|point| put(Vec::new(), point.value()));
                }
                AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                    gauge.data_points().for_each(|point| put(Vec::new(), point.value() as f64));
                }
                AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                    .data_points()
                    .for_each(|point| put(point.attributes().map(text).collect(), point.value() as f64)),
                other => panic!("{other:?}"),
            }
        }
    }
    found
}

#[test]
fn opentelemetry_metrics_tell_how_calls_and_the_log_do() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    opentelemetry::global::set_meter_provider(provider.clone());
    let directory = tempfile::tempdir().unwrap();
    let log = audited::Log::open(directory.path().join("log")).unwrap();
    audited::opentelemetry::metrics::observe(&log);
    let subscriber = tracing_subscriber::registry().with(audited::layer(&log));
    tracing::subscriber::with_default(subscriber, || {
        metered(false).unwrap();
        metered(true).unwrap_err();
    });
    let found = collected(&provider, &exporter);
    // Other tests of this process call functions, too; none but this calls that one.
    let duration = |error: &str| {
        let of_tool = |name: &&String| {
            name.contains("gen_ai.tool.name=metered") && name.contains("error.type") != error.is_empty()
        };
        found.iter().find(|(name, _)| name.starts_with("gen_ai.execute_tool.duration") && of_tool(name)).unwrap().1
    };
    assert_eq!((*duration(""), *duration("String")), (1.0, 1.0), "{found:?}");
    let at_least = |name: &str, least: f64| {
        let value = found.get(name).unwrap_or_else(|| panic!("no {name:?} in {found:?}"));
        assert!(*value >= least, "{name} is {value}");
    };
    at_least("audit.calls audit.outcome=success", 1.0);
    at_least("audit.calls audit.outcome=failure", 1.0);
    at_least("audit.append.duration ", 4.0);
    at_least("audit.fsync.duration ", 4.0);
    at_least("audit.queue.size ", 0.0);
    at_least("audit.queue.depth ", 0.0);
    at_least("audit.checkpoint.uncovered ", 0.0);
    at_least("audit.checkpoint.age ", 0.0);
    let dropped = format!("audit.records.dropped audit.sequence.stream_id={}", log.stream_id());
    at_least(&dropped, 0.0);
    log.close().unwrap();
    // A log that has ended tells nothing any more, and metrics do not keep it open.
    assert!(!collected(&provider, &exporter).contains_key("audit.checkpoint.age "));
}

//! Traces, logs and metrics over OTLP, as the standard variables of the environment say.
//!
//! | variable | what it decides |
//! |---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_TRACES_ENDPOINT`, `…_LOGS_ENDPOINT`, `…_METRICS_ENDPOINT` | where to send; a signal is sent once one of its two is set |
//! | `OTEL_TRACES_EXPORTER`, `OTEL_LOGS_EXPORTER`, `OTEL_METRICS_EXPORTER` | `otlp` sends to the default, `http://localhost:4318`; `none` does not send |
//! | `OTEL_SDK_DISABLED` | `true` sends nothing |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT`, `…_CERTIFICATE` | as OpenTelemetry's specification has it |
//! | `AUDITED_SPANS` | `conventions` leaves out of spans the four attributes that only this project names; they stand in the record, too |
//!
//! The protocol is `http/protobuf`.

use core::fmt;
use core::time::Duration;

use audit_store::Log;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::conventional::Conventional;
use crate::http::Client;
use crate::logs::{Options, Shipping};
use crate::{correlate, metrics};

/// How long a shutdown waits for each signal.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// What sends traces, logs and metrics of this process. Close it after the log, so that all of it is sent.
#[must_use = "nothing is sent any more once this is dropped"]
#[derive(Debug)]
pub struct Sending {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<Options>,
    shipping: Option<Shipping>,
}

/// What is sent over OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Traces,
    Logs,
    Metrics,
}

impl Sending {
    /// Prepares what the variables ask for; nothing without them.
    ///
    /// Providers become the global ones, so that other instrumentation finds them.
    ///
    /// # Errors
    /// A variable is malformed.
    pub fn from_environment() -> Result<Self, SetupError> {
        correlate();
        let traces = if is_wanted(Signal::Traces, &variable) { Some(traces()?) } else { None };
        let metrics = if is_wanted(Signal::Metrics, &variable) { Some(metrics_provider()?) } else { None };
        if let Some(provider) = &traces {
            global::set_tracer_provider(provider.clone());
            global::set_text_map_propagator(TraceContextPropagator::new());
        }
        if let Some(provider) = &metrics {
            global::set_meter_provider(provider.clone());
        }
        let logs = is_wanted(Signal::Logs, &variable).then(Options::new);
        Ok(Self { traces, metrics, logs, shipping: None })
    }

    /// Sets how the log is sent, where it is sent at all.
    pub fn logs(mut self, options: Options) -> Self {
        if let Some(wanted) = &mut self.logs {
            *wanted = options;
        }
        self
    }

    /// Makes the layer that has spans sent: audit spans, and of the others those that `RUST_LOG` allows (`info` unless
    /// set). Events are left out: what a program logs may hold what a record would not.
    pub fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup> + Send + Sync,
    {
        let tracer = self.traces.as_ref()?.tracer("audited");
        // What the layer adds by itself has no names in the conventions.
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        let spans = filter_fn(|metadata| metadata.is_span());
        Some(layer.with_filter(levels().and(spans)).boxed())
    }

    /// Begins to send the log and to tell how it does, as far as that is wanted.
    ///
    /// # Errors
    /// The receiver's address is malformed, or a thread could not be started.
    pub fn begin(&mut self, log: &Log) -> Result<(), SetupError> {
        if self.metrics.is_some() {
            metrics::observe(log);
        }
        if let Some(options) = &self.logs {
            let shipping = Shipping::begin(log.path(), options);
            self.shipping = Some(shipping.map_err(|fault| SetupError(fault.to_string()))?);
        }
        Ok(())
    }

    /// Tells whether anything is sent.
    #[must_use]
    pub const fn is_sending(&self) -> bool {
        self.traces.is_some() || self.metrics.is_some() || self.logs.is_some()
    }

    /// Sends what is left, for at most five seconds a signal. What is not sent of the log by then stays in it, and is sent
    /// the next time; spans and metrics are lost.
    ///
    /// # Errors
    /// What could not be sent, and why.
    pub fn close(mut self) -> Result<(), SetupError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), SetupError> {
        let mut faults = Vec::new();
        if let Some(shipping) = self.shipping.take() {
            faults.extend(shipping.close(SHUTDOWN).err().map(|fault| format!("logs: {fault}")));
        }
        if let Some(traces) = self.traces.take() {
            let ended = traces.shutdown_with_timeout(SHUTDOWN);
            faults.extend(ended.err().map(|fault| format!("traces: {fault}")));
        }
        if let Some(metrics) = self.metrics.take() {
            let ended = metrics.shutdown_with_timeout(SHUTDOWN);
            faults.extend(ended.err().map(|fault| format!("metrics: {fault}")));
        }
        if faults.is_empty() { Ok(()) } else { Err(SetupError(faults.join("; "))) }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let _nobody_to_tell = self.end();
    }
}

fn traces() -> Result<SdkTracerProvider, SetupError> {
    let client = Client::new(|_answer| Ok(())).map_err(SetupError)?;
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
    let exporter = exporter.map_err(|fault| SetupError(fault.to_string()))?;
    let is_strict = variable("AUDITED_SPANS").is_some_and(|text| text == "conventions");
    let exporter = Conventional { exporter, is_strict };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(Resource::builder().build()).build())
}

fn metrics_provider() -> Result<SdkMeterProvider, SetupError> {
    let client = Client::new(|_answer| Ok(())).map_err(SetupError)?;
    let exporter = MetricExporter::builder().with_http().with_http_client(client).build();
    let exporter = exporter.map_err(|fault| SetupError(fault.to_string()))?;
    Ok(SdkMeterProvider::builder().with_periodic_exporter(exporter).with_resource(Resource::builder().build()).build())
}

fn levels() -> Targets {
    let wanted: Option<Targets> = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    // The spans of audited calls are what this is for.
    wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)).with_target("audit", LevelFilter::INFO)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn is_wanted(signal: Signal, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let name = match signal {
        Signal::Traces => "TRACES",
        Signal::Logs => "LOGS",
        Signal::Metrics => "METRICS",
    };
    if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return false;
    }
    match variable(&format!("OTEL_{name}_EXPORTER")).as_deref() {
        Some("otlp") => true,
        Some(_other) => false,
        None => {
            let endpoint = variable(&format!("OTEL_EXPORTER_OTLP_{name}_ENDPOINT"));
            endpoint.or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT")).is_some()
        }
    }
}

/// OpenTelemetry could not be set up, or what was left could not be sent.
#[derive(Debug)]
pub struct SetupError(String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_sent_where_the_variables_ask_for_it() {
        let check = |variables: &[(&str, &str)], expect: [bool; 3]| {
            let variable =
                |name: &str| variables.iter().find(|(found, _)| *found == name).map(|(_, text)| (*text).to_owned());
            let found = [Signal::Traces, Signal::Logs, Signal::Metrics].map(|signal| is_wanted(signal, &variable));
            assert_eq!(found, expect, "{variables:?}");
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        check(&[], [false; 3]);
        check(&[endpoint], [true; 3]);
        check(&[endpoint, ("OTEL_SDK_DISABLED", "true")], [false; 3]);
        check(&[endpoint, ("OTEL_METRICS_EXPORTER", "none")], [true, true, false]);
        check(&[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://a/v1/audit")], [false, true, false]);
        check(&[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_LOGS_EXPORTER", "console")], [true, false, false]);
    }
}

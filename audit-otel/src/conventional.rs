//! Spans under the names of the conventions alone.

use core::time::Duration;

use audit_core::names;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Leaves out of each span what neither the conventions nor the draft for audit logs have a name for, where that is asked
/// for.
#[derive(Debug)]
pub(crate) struct Conventional<E> {
    pub(crate) exporter: E,
    pub(crate) is_strict: bool,
}

impl<E: SpanExporter> SpanExporter for Conventional<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        if self.is_strict {
            for span in &mut batch {
                span.attributes.retain(|attribute| !names::OWN.contains(&attribute.key.as_str()));
            }
        }
        self.exporter.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    use super::*;

    #[test]
    fn only_what_is_ours_alone_is_left_out_and_only_where_that_is_asked_for() {
        for is_strict in [true, false] {
            let memory = InMemorySpanExporter::default();
            let exporter = Conventional { exporter: memory.clone(), is_strict };
            let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
            let mut span = provider.tracer("test").start("execute_tool refund");
            for name in names::OWN.into_iter().chain([names::TOOL, names::RECORD_ID]) {
                span.set_attribute(opentelemetry::KeyValue::new(name, "x"));
            }
            span.end();
            let spans = memory.get_finished_spans().unwrap();
            let found: BTreeSet<&str> = spans[0].attributes.iter().map(|attribute| attribute.key.as_str()).collect();
            let known = BTreeSet::from([names::TOOL, names::RECORD_ID]);
            let all: BTreeSet<&str> = names::OWN.into_iter().chain(known.clone()).collect();
            assert_eq!(found, if is_strict { known } else { all });
        }
    }
}

//! A log on disk as OTLP log records.
//!
//! What is sent is read from the log, under its checkpoints, and never from memory: a record that is in the log is sent, if
//! not now then when the receiver is back or the program starts again. *Durability:* how far the log was sent is stored after
//! each batch that the receiver took, below the log's directory. *Ordering:* that of the log, each checkpoint behind what it
//! covers. *Retry:* without end, ever less often, up to every ten seconds; what was taken while its answer was lost comes
//! twice, with the same `audit.record.id`. *Overflow:* none, the log is the queue.

mod convert;
mod position;
mod sender;
mod shipping;

use std::path::PathBuf;

pub use audit_export::otlp::Mapping;
pub use sender::{SendError, Sender, Sent};
pub use shipping::{Shipping, ShippingHealth};

/// Where a log is sent, and how.
#[derive(Clone, Debug, Default)]
#[must_use = "it does nothing by itself"]
pub struct Options {
    endpoint: Option<String>,
    mapping: Mapping,
    position: Option<PathBuf>,
    anew: bool,
}

impl Options {
    /// Sends to where `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` says, or to
    /// `http://localhost:4318`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the receiver's URL. If it has no path, `/v1/logs` is added.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Sets how entries become log records.
    pub const fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// Sets the file that says how far the log was sent; one below the log's directory, for each receiver, unless set.
    pub fn position(mut self, file: impl Into<PathBuf>) -> Self {
        self.position = Some(file.into());
        self
    }

    /// Begins at the log's first entry, whatever was sent before.
    pub const fn anew(mut self, anew: bool) -> Self {
        self.anew = anew;
        self
    }

    /// Returns the URL that logs are sent to.
    #[must_use]
    pub fn url(&self) -> String {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        if let Some(url) = &self.endpoint {
            return with_path(url);
        }
        variable("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT").unwrap_or_else(|| {
            let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap_or_else(|| "http://localhost:4318".to_owned());
            format!("{}{PATH}", base.trim_end_matches('/'))
        })
    }
}

/// Where logs go, below a receiver's address.
const PATH: &str = "/v1/logs";

fn with_path(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    match after_scheme.split_once('/') {
        Some((_, path)) if !path.is_empty() => url.to_owned(),
        _ => format!("{}{PATH}", url.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_gets_the_one_of_logs() {
        let check = |url: &str, expect: &str| assert_eq!(Options::new().endpoint(url).url(), expect);
        check("http://localhost:4318", "http://localhost:4318/v1/logs");
        check("https://collector.example/", "https://collector.example/v1/logs");
        check("https://collector.example/v1/audit", "https://collector.example/v1/audit");
    }
}

//! The way to a receiver: one blocking client, for threads that may block.

use core::fmt;
use core::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

/// How long an exchange may take unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Posts requests. Redirects are not followed; a proxy is taken from the environment.
pub(crate) struct Client {
    agent: Agent,
    /// Looks at the answer to what was accepted; an error says that it was not, after all.
    examine: fn(&[u8]) -> Result<(), String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Makes the client, by the standard variables of the environment.
    pub(crate) fn new(examine: fn(&[u8]) -> Result<(), String>) -> Result<Self, String> {
        let milliseconds = std::env::var("OTEL_EXPORTER_OTLP_TIMEOUT").ok().and_then(|text| text.parse().ok());
        let roots = match std::env::var_os("OTEL_EXPORTER_OTLP_CERTIFICATE") {
            Some(path) => certificates(
                &std::fs::read(&path)
                    .map_err(|fault| format!("could not read the certificates in {}: {fault}", path.display()))?,
            )?,
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            .timeout_global(Some(milliseconds.map_or(TIMEOUT, Duration::from_millis)))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("audit-otel/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self { agent: config.new_agent(), examine })
    }

    fn post(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut response = self.agent.run(request.map(|body| body.to_vec()))?;
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        if response.status().is_success() {
            (self.examine)(&body)?;
        }
        Ok(response.map(|_| Bytes::from(body)))
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    // It blocks: the SDK's processors and the sender of logs have threads of their own.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.post(request)
    }
}

fn certificates(pem: &[u8]) -> Result<RootCerts, String> {
    let mut roots = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => return Err("expected certificates in PEM, found something else among them".to_owned()),
            Err(fault) => return Err(format!("expected certificates in PEM, found: {fault}")),
        }
    }
    if roots.is_empty() {
        Err("expected certificates in PEM, found none".to_owned())
    } else {
        Ok(RootCerts::new_with_certs(&roots))
    }
}

//! Requests over HTTP, limited in time and size.

use core::time::Duration;

use audit_core::anchor::{AnchorError, AnchorErrorKind};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

use crate::SetupError;

/// How an anchor is reached over HTTP.
///
/// Connections are kept open between requests. Redirects are not followed: a request that is moved is an answer that is not
/// the anchor's. A proxy is taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
#[derive(Clone, Debug)]
pub struct Connection {
    timeout: Duration,
    roots: Option<Vec<Certificate<'static>>>,
}

/// How long an exchange may take unless set.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many idle connections an anchor keeps: it has one request at a time.
const IDLE_MAX: usize = 1;

impl Default for Connection {
    fn default() -> Self {
        Self { timeout: TIMEOUT, roots: None }
    }
}

impl Connection {
    /// Makes the usual connection: at most 30 seconds for an exchange, certificates of Mozilla's list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits how long one exchange may take, from looking up the name to the last byte of the answer.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificates, in PEM, and no others: for an anchor whose certificate an authority of your own issued.
    ///
    /// # Errors
    /// There is no certificate among the bytes, or one that cannot be read.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, SetupError> {
        let expected = "expected certificates in PEM, found";
        let mut roots = Vec::new();
        for item in ureq::tls::parse_pem(pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
                Ok(_) => return Err(SetupError::new(format!("{expected} something else among them"))),
                Err(fault) => return Err(SetupError::new(format!("{expected} one unreadable")).caused_by(fault)),
            }
        }
        if roots.is_empty() {
            return Err(SetupError::new(format!("{expected} none")));
        }
        self.roots = Some(roots);
        Ok(self)
    }

    /// Makes the client for one URL, which is checked.
    pub(crate) fn to(&self, url: &str) -> Result<Client, SetupError> {
        let has_host = |scheme| {
            let rest = url.strip_prefix(scheme).unwrap_or_default();
            rest.split('/').next().is_some_and(|host| !host.is_empty() && !host.starts_with(':'))
        };
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@'));
        if !is_plain || !(has_host("https://") || has_host("http://")) {
            let found = url.escape_debug();
            return Err(SetupError::new(format!(
                "expected a URL such as https://witness.example/prefix, found {found}"
            )));
        }
        let roots = match &self.roots {
            Some(roots) => RootCerts::new_with_certs(roots),
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            .timeout_global(Some(self.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(IDLE_MAX)
            .max_idle_connections_per_host(IDLE_MAX)
            .user_agent(concat!("audit-anchor/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Client { agent: config.new_agent(), url: url.to_owned() })
    }
}

/// Posts to one URL.
pub(crate) struct Client {
    agent: Agent,
    url: String,
}

/// What is posted.
pub(crate) struct Post<'a> {
    pub(crate) content_type: &'static str,
    pub(crate) body: &'a [u8],
    /// The longest answer that is read.
    pub(crate) answer_bytes_max: u64,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type without its parameters, in lower case; empty if there is none.
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn post(&self, post: &Post<'_>) -> Result<Answer, AnchorError> {
        let request = self.agent.post(&self.url).header("Content-Type", post.content_type);
        let mut response = request.send(post.body).map_err(|fault| self.fault(fault))?;
        let header = response.headers().get("Content-Type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(post.answer_bytes_max).read_to_vec();
        Ok(Answer { status, media_type, body: body.map_err(|fault| self.fault(fault))? })
    }

    fn fault(&self, fault: ureq::Error) -> AnchorError {
        use ureq::Error as Fault;
        let kind = match &fault {
            Fault::Timeout(_) => AnchorErrorKind::Timeout,
            Fault::BodyExceedsLimit(_) | Fault::Protocol(_) | Fault::Http(_) | Fault::LargeResponseHeader(..) => {
                AnchorErrorKind::Answer
            }
            _ => AnchorErrorKind::Unreachable,
        };
        AnchorError::new(kind, format!("expected an answer of {}, found: {fault}", self.url)).caused_by(fault)
    }
}

impl Answer {
    /// Returns the beginning of the body for a message, with all that is not plain escaped.
    pub(crate) fn quoted(&self) -> String {
        const QUOTED_BYTES_MAX: usize = 120;
        let start = self.body.get(..QUOTED_BYTES_MAX).unwrap_or(&self.body);
        let more = if start.len() < self.body.len() { "…" } else { "" };
        format!("\"{}{more}\"", start.escape_ascii())
    }
}

//! Anchors, each against the other side: a witness of the test kit, OpenSSL as a timestamp authority, another log.

mod copies;
mod log;
mod policy;
mod queue;
pub mod timestamps;
mod tls;
mod witness;

use std::time::Duration;

use audit_anchor::Connection;
use audit_core::anchor::AnchorError;

/// A connection that waits for nobody for long. Only what never answers needs the time.
fn impatient() -> Connection {
    Connection::new().timeout(Duration::from_millis(200))
}

/// A connection with as much time as a busy machine may take.
fn patient() -> Connection {
    Connection::new().timeout(Duration::from_secs(60))
}

/// Returns the kind of an error and its message, in which the URL of the other side is replaced.
fn told(fault: &AnchorError, url: &str) -> (String, String) {
    (fault.kind().as_str().to_owned(), fault.to_string().replace(url, "URL"))
}

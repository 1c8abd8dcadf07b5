//! Anchors over TLS: whom the client trusts.

use std::sync::Arc;

use audit_anchor::{Connection, Timestamps};
use audit_core::anchor::AnchorErrorKind;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use testkit::http::{Reply, Server};

use super::log::Tree;
use super::patient;
use super::timestamps::run_shell;

/// A root, and two certificates that it issued: for 127.0.0.1 and for another host.
const CERTIFICATES: &str = "
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Root' -keyout root.key -out root.pem
for name in IP:127.0.0.1 DNS:other.example; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Host' -keyout $name.key -out $name.csr
    echo subjectAltName = $name > $name.ext
    openssl x509 -req -in $name.csr -CA root.pem -CAkey root.key -set_serial 1 -days 30 -extfile $name.ext -out $name.pem
done";

/// A server with one of the certificates, that is too busy for whoever trusts it.
fn server(place: &std::path::Path, name: &str) -> Server {
    let certificate = CertificateDer::from_pem_file(place.join(format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(place.join(format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let wrap = move |stream| {
        let tls = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
        Ok(Box::new(StreamOwned::new(tls, stream)) as _)
    };
    Server::start_over(wrap, |_received| Reply::answer(503, "text/plain", "busy")).unwrap()
}

#[test]
fn only_a_certificate_of_this_host_by_who_is_trusted_will_do() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let output = run_shell(CERTIFICATES, place);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let root = std::fs::read(place.join("root.pem")).unwrap();
    let outcome = |server: &Server, connection: &Connection| {
        let url = server.url().replace("http://", "https://");
        let client = Timestamps::new("tsa".parse().unwrap(), &url, connection).unwrap();
        Tree::of(5).anchor(&client).unwrap_err()
    };
    let (ours, other) = (server(place, "IP:127.0.0.1"), server(place, "DNS:other.example"));
    let trusting = patient().trust(&root).unwrap();
    // Reached: the answer is the server's.
    assert_eq!(outcome(&ours, &trusting).kind(), AnchorErrorKind::Unavailable);
    for (server, connection) in [(&ours, &patient()), (&other, &trusting)] {
        let fault = outcome(server, connection);
        assert_eq!(fault.kind(), AnchorErrorKind::Unreachable, "{fault}");
        assert!(fault.to_string().contains("certificate"), "{fault}");
    }
}

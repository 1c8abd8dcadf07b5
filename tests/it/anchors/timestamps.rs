//! The client of timestamp authorities, against OpenSSL, as `docs/anchors.md` has it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use audit_anchor::{OpenSsl, Timestamps};
use audit_cli::{Exit, run as run_command};
use audit_core::anchor::{Anchor as _, AnchorErrorKind, Form, Takes};
use audit_store::Log;
use audit_store::verify::{Options, Verdict};
use testkit::http::{Received, Reply, Server};
use testkit::workspace;

use super::log::Tree;
use super::{impatient, patient, told};

/// Returns the commands that `docs/anchors.md` has under this name.
fn documented(name: &str) -> String {
    let text = fs::read_to_string(workspace().join("docs/anchors.md")).unwrap();
    let start = format!("<!-- run: {name} -->\n```sh\n");
    let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("docs/anchors.md has no block {name}"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Runs commands in a directory.
pub fn run_shell(commands: &str, directory: &Path) -> Output {
    let openssl = Command::new("openssl").arg("version").output();
    if let Err(fault) = openssl {
        assert_eq!(fault.kind(), io::ErrorKind::NotFound, "{fault}");
        panic!("expected the command `openssl`, found none: install OpenSSL, on Debian `apt-get install openssl`");
    }
    Command::new("sh").args(["-euc", commands]).current_dir(directory).output().unwrap()
}

fn run(name: &str, directory: &Path) -> Output {
    run_shell(&documented(name), directory)
}

pub fn run_well(name: &str, directory: &Path) -> String {
    let output = run(name, directory);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the authority does with requests and answers.
type Twist = Box<dyn Fn(&Received, &dyn Fn(&[u8]) -> Vec<u8>) -> Reply + Send>;

/// An authority on 127.0.0.1 that lets OpenSSL answer.
struct Authority {
    directory: tempfile::TempDir,
    server: Server,
    twist: Arc<Mutex<Twist>>,
}

const REPLY_TYPE: &str = "application/timestamp-reply";

impl Authority {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        run_well("root", directory.path());
        run_well("signer", directory.path());
        let twist: Arc<Mutex<Twist>> = Arc::new(Mutex::new(Box::new(|received, answer| {
            assert_eq!(
                (received.method.as_str(), received.media_type.as_str()),
                ("POST", "application/timestamp-query")
            );
            Reply::answer(200, REPLY_TYPE, answer(&received.body))
        })));
        let (inside, place) = (Arc::clone(&twist), directory.path().to_path_buf());
        let answer = move |query: &[u8]| {
            fs::write(place.join("request.tsq"), query).unwrap();
            run_well("answer", &place);
            fs::read(place.join("answer.tsr")).unwrap()
        };
        let server = Server::start(move |received| inside.lock().unwrap()(received, &answer)).unwrap();
        Self { directory, server, twist }
    }

    fn place(&self) -> &Path {
        self.directory.path()
    }

    fn twist(&self, twist: impl Fn(&Received, &dyn Fn(&[u8]) -> Vec<u8>) -> Reply + Send + 'static) {
        *self.twist.lock().unwrap() = Box::new(twist);
    }

    fn client(&self) -> Timestamps {
        Timestamps::new("tsa".parse().unwrap(), &self.server.url(), &patient()).unwrap()
    }

    /// Makes a request by OpenSSL, with these arguments.
    fn query(&self, arguments: &str) -> Vec<u8> {
        let commands = format!("openssl ts -query -sha256 {arguments} -out other.tsq");
        let output = run_shell(&commands, self.place());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(self.place().join("other.tsq")).unwrap()
    }

    /// Tells whether OpenSSL, by the documented commands, takes this answer for one about this note.
    fn verifies(&self, note: &str, answer: &[u8]) -> bool {
        fs::write(self.place().join("checkpoint.note"), note).unwrap();
        fs::write(self.place().join("checkpoint.tsr"), answer).unwrap();
        let output = run("verify", self.place());
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Verification: OK")
    }
}

#[test]
fn a_timestamp_is_verified_by_openssl() {
    let authority = Authority::start();
    let client = authority.client();
    assert_eq!((client.name().as_str(), client.takes()), ("tsa", Takes::Newest));
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let tree = Tree::of(13);
    let kept = tree.anchor(&client).unwrap();
    assert_eq!((kept.form(), kept.form().extension()), (Form::Timestamp, "tsr"));
    assert!(kept.time().unwrap().since_unix().as_secs() >= before.as_secs(), "{:?}", kept.time());

    let note = tree.note().to_string();
    assert!(authority.verifies(&note, kept.bytes()));
    let shown = run_well("show", authority.place());
    assert!(shown.contains("Status: Granted.") && shown.contains("Hash Algorithm: sha256"), "{shown}");
    // Signatures are not timestamped: they may be added later.
    assert!(authority.verifies(&format!("{note}\u{2014} other AAAAAAAA\n"), kept.bytes()));

    // Neither another checkpoint, nor an altered answer, nor another authority.
    assert!(!authority.verifies(&note.replace("\n13\n", "\n12\n"), kept.bytes()));
    assert!(!authority.verifies(&Tree::of(13).forked(0).note().to_string(), kept.bytes()));
    let mut altered = kept.bytes().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    assert!(!authority.verifies(&note, &altered));
    let other = Authority::start();
    assert!(!other.verifies(&note, kept.bytes()));

    // The second request has another nonce, and its answer is as good.
    let again = tree.anchor(&client).unwrap();
    assert_ne!(again.bytes(), kept.bytes());
    assert!(authority.verifies(&note, again.bytes()));
    assert_eq!(authority.server.connections(), 1, "the connection is kept");
}

#[test]
fn an_answer_to_another_request_is_not_kept() {
    let authority = Authority::start();
    let client = authority.client();
    let tree = Tree::of(13);
    let first = tree.anchor(&client).unwrap();
    let check = |kind, message: &str| {
        let (found_kind, found) = told(&tree.anchor(&client).unwrap_err(), &authority.server.url());
        assert_eq!((found_kind.as_str(), found.as_str()), (kind, message));
    };
    let says = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        authority.twist(move |_received, _answer| Reply::answer(200, REPLY_TYPE, bytes.clone()));
    };
    let answers = |query: Vec<u8>| {
        authority.twist(move |_received, answer| Reply::answer(200, REPLY_TYPE, answer(&query)));
    };
    // An earlier answer, said again.
    says(first.bytes());
    const NOT_OURS: &str = "the answer was not made by the anchor for this checkpoint: expected";
    check("not_by_anchor", &format!("{NOT_OURS} the nonce of the request, found another or none at URL"));
    fs::write(authority.place().join("checkpoint.txt"), tree.note().text()).unwrap();
    answers(authority.query("-data checkpoint.txt -cert -no_nonce"));
    check("not_by_anchor", &format!("{NOT_OURS} the nonce of the request, found another or none at URL"));
    // One for something else.
    answers(authority.query(&format!("-digest {} -cert", "ab".repeat(32))));
    let imprint = audit_core::hash::Hash::of(tree.note().text().as_bytes());
    check("not_by_anchor", &format!("{NOT_OURS} the imprint {imprint}, found {} at URL", "ab".repeat(32)));
}

/// Takes the wish for a certificate out of a request: `BOOLEAN TRUE` at the end, and three bytes of length.
fn without_certificate(query: &[u8]) -> Vec<u8> {
    let mut query = query.strip_suffix(&[1, 1, 0xff]).unwrap().to_vec();
    query[1] -= 3;
    query
}

#[test]
fn each_failure_is_told_apart() {
    let authority = Authority::start();
    let client = authority.client();
    let tree = Tree::of(13);
    let check = |kind, message: &str| {
        let fault = tree.anchor(&client).unwrap_err();
        let (found_kind, found) = told(&fault, &authority.server.url());
        assert_eq!(found_kind, kind, "{found}");
        assert!(found.contains(message), "{found}");
    };
    let says = |status, media_type: &'static str, body: &'static [u8]| {
        authority.twist(move |_received, _answer| Reply::answer(status, media_type, body));
    };
    authority.twist(|received, answer| Reply::answer(200, REPLY_TYPE, answer(&without_certificate(&received.body))));
    check("answer", "expected the authority's certificate in the token, found none at URL");
    // The authority does not know SHA-256: OpenSSL's own refusal.
    let place = authority.place().to_path_buf();
    let config = fs::read_to_string(place.join("authority.cnf")).unwrap();
    fs::write(place.join("authority.cnf"), config.replace("digests = sha256", "digests = sha512")).unwrap();
    authority.twist(|received, answer| Reply::answer(200, REPLY_TYPE, answer(&received.body)));
    check("malformed", "expected the status granted, found rejection, unknown algorithm, ");
    fs::write(place.join("authority.cnf"), config).unwrap();

    says(200, REPLY_TYPE, b"");
    check("answer", "expected a timestamp response in DER, found: ");
    says(200, REPLY_TYPE, b"<html>");
    check("answer", "expected a timestamp response in DER, found: ");
    // SEQUENCE { SEQUENCE { granted } }, without a token; waiting; time not available.
    says(200, REPLY_TYPE, &[0x30, 5, 0x30, 3, 2, 1, 0]);
    check("answer", "expected a token with the status granted, found none at URL");
    says(200, REPLY_TYPE, &[0x30, 5, 0x30, 3, 2, 1, 3]);
    check("unavailable", "expected the status granted, found waiting at URL");
    says(200, REPLY_TYPE, &[0x30, 9, 0x30, 7, 2, 1, 2, 3, 2, 1, 2]);
    check("malformed", "expected the status granted, found rejection");
    says(200, "text/html", b"<html>");
    check(
        "answer",
        "expected status 200 with application/timestamp-reply, found 200 with \"<html>\" in text/html at URL",
    );
    says(400, "text/plain", b"");
    check("malformed", "found 400 with \"\"");
    says(403, "text/plain", b"who?");
    check("unknown_key", "found 403 with \"who?\"");
    says(404, "text/plain", b"");
    check("answer", "found 404");
    says(503, "text/plain", b"later");
    check("unavailable", "found 503 with \"later\"");
    says(200, REPLY_TYPE, &[0x30; 70_000]);
    check("answer", "expected an answer of URL, found");
    authority.twist(|_received, _answer| Reply::End);
    check("unreachable", "expected an answer of URL, found");
    authority.twist(|_received, _answer| Reply::Silence);
    let client = Timestamps::new("tsa".parse().unwrap(), &authority.server.url(), &impatient()).unwrap();
    assert_eq!(tree.anchor(&client).unwrap_err().kind(), AnchorErrorKind::Timeout);
}

#[test]
fn an_answer_that_was_cut_or_lengthened_is_refused() {
    let authority = Authority::start();
    let client = authority.client();
    let tree = Tree::of(13);
    let whole = Arc::new(Mutex::new((Vec::new(), 0_isize)));
    let inside = Arc::clone(&whole);
    authority.twist(move |received, answer| {
        let mut state = inside.lock().unwrap();
        if state.0.is_empty() {
            state.0 = answer(&received.body);
        }
        let length = state.0.len().checked_add_signed(state.1).unwrap();
        let mut bytes = state.0.clone();
        bytes.resize(length, 0);
        Reply::answer(200, REPLY_TYPE, bytes)
    });
    assert!(tree.anchor(&client).is_ok());
    for change in [1, 2, -1, -2, -100, -1000] {
        whole.lock().unwrap().1 = change;
        let fault = tree.anchor(&client).unwrap_err();
        assert_eq!(fault.kind(), AnchorErrorKind::Answer, "{change}: {fault}");
    }
}

#[test]
fn an_answer_with_a_byte_altered_is_never_more_than_refused() {
    let authority = Authority::start();
    let client = authority.client();
    let tree = Tree::of(13);
    let kept = tree.anchor(&client).unwrap();
    let next = Arc::new(Mutex::new(0));
    let (inside, whole) = (Arc::clone(&next), kept.bytes().to_vec());
    authority.twist(move |_received, _answer| {
        let mut index = inside.lock().unwrap();
        let mut bytes = whole.clone();
        bytes[*index] ^= 1 << (*index % 8);
        *index += 1;
        Reply::answer(200, REPLY_TYPE, bytes)
    });
    for index in 0..kept.bytes().len() {
        // At the least the nonce is that of another request.
        let kind = tree.anchor(&client).unwrap_err().kind();
        let expected = [
            AnchorErrorKind::Answer,
            AnchorErrorKind::NotByAnchor,
            AnchorErrorKind::Malformed,
            AnchorErrorKind::Unavailable,
        ];
        assert!(expected.contains(&kind), "byte {index}: {kind:?}");
    }
    assert_eq!(*next.lock().unwrap(), kept.bytes().len());
}

/// A log of which the authority timestamped two checkpoints.
fn stamped(authority: &Authority) -> std::path::PathBuf {
    let log = authority.place().join("orders");
    for _ in 0..2 {
        Log::options().origin("example.com/orders").open(&log).unwrap().close().unwrap();
        assert!(audit_store::anchors::anchor(&log, Arc::new(authority.client())).unwrap().added.is_some());
    }
    log
}

fn verify(arguments: &[&str]) -> (Exit, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = run_command(["audited", "verify"].iter().chain(arguments), &mut stdout, &mut stderr);
    (exit, String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[test]
fn the_timestamps_of_a_log_are_verified_with_the_certificate_that_is_given() {
    let authority = Authority::start();
    let log = stamped(&authority);
    let (path, certificate) = (log.to_str().unwrap(), authority.place().join("authority.pem"));
    let certificate = certificate.to_str().unwrap();

    let (exit, text) = verify(&[path]);
    assert_eq!(exit, Exit::Success, "{text}");
    assert!(text.contains("2 kept, the newest for 4 entries; --timestamps-ca verifies whose they are"), "{text}");
    let (exit, text) = verify(&[path, "--timestamps-ca", certificate]);
    assert_eq!(exit, Exit::Success, "{text}");
    assert!(text.contains("assurance        timestamps; the first 4 entries are as they were at "), "{text}");
    assert!(text.contains("2 of 2 verified, the newest for 4 entries, "), "{text}");
    let (_exit, text) = verify(&[path, "--timestamps-ca", certificate, "--json"]);
    let account: serde_json::Value = serde_json::from_str(&text).unwrap();
    let verified = &account["timestamps"]["verified"];
    assert_eq!((&verified["count"], &verified["newest_size"]), (&2.into(), &4.into()), "{text}");
    assert!(verified["newest_time"].as_str().unwrap().ends_with('Z'), "{text}");

    // Another's certificate, one that cannot be read, and none of OpenSSL's programs.
    let other = Authority::start();
    let (exit, text) = verify(&[path, "--timestamps-ca", other.place().join("authority.pem").to_str().unwrap()]);
    assert_eq!(exit, Exit::Error, "{text}");
    assert!(
        text.contains("unverifiable") && text.contains("openssl does not verify it: certificate verify error"),
        "{text}"
    );
    let (exit, text) = verify(&[path, "--timestamps-ca", "no-such-file.pem"]);
    assert_eq!(exit, Exit::Error, "{text}");
    assert!(text.contains("could not read no-such-file.pem"), "{text}");
    let report = Options::new().timestamps(&OpenSsl::new(certificate).program("no-such-openssl")).verify(&log).unwrap();
    assert_eq!(report.verdict, Verdict::Unverifiable);
    assert_eq!(
        report.finding.unwrap().to_string(),
        "anchors/tsa/00000000000000000002.tsr: no program no-such-openssl to verify timestamps with"
    );
}

#[test]
fn a_timestamp_that_is_not_of_the_listed_checkpoint_is_found_without_a_certificate() {
    let authority = Authority::start();
    let log = stamped(&authority);
    let check = |reason: &str| {
        let report = Options::new().verify(&log).unwrap();
        assert_eq!(report.verdict, Verdict::Unverifiable);
        assert_eq!(report.finding.unwrap().to_string(), format!("anchors/tsa/00000000000000000002.tsr: {reason}"));
    };
    let (older, newer) =
        (log.join("anchors/tsa/00000000000000000002.tsr"), log.join("anchors/tsa/00000000000000000004.tsr"));
    let bytes = fs::read(&older).unwrap();
    fs::copy(&newer, &older).unwrap();
    check("expected a timestamp of the listed checkpoint of 2 entries, found one of another text");
    fs::write(&older, b"<html>").unwrap();
    check("expected a timestamp of RFC 3161, found none");
    fs::write(&older, bytes).unwrap();

    // All that was given is gone: nothing is missed, unless it is demanded.
    let openssl = OpenSsl::new(authority.place().join("authority.pem"));
    fs::remove_dir_all(log.join("anchors")).unwrap();
    assert_eq!(Options::new().verify(&log).unwrap().verdict, Verdict::Intact);
    let report = Options::new().timestamps(&openssl).verify(&log).unwrap();
    assert_eq!(report.verdict, Verdict::Unverifiable);
    assert_eq!(report.finding.unwrap().to_string(), "anchors: no timestamp of a checkpoint");
}

//! The client of witnesses.

use std::sync::atomic::{AtomicU64, Ordering};

use audit_anchor::Witness;
use audit_core::anchor::{Anchor as _, AnchorErrorKind, Form, Takes};
use audit_core::note::{Note, VerificationKey};
use audit_core::policy::Policy;
use testkit::http::{Reply, Server};
use testkit::witness::{self, COSIGNED_AT, Fault};

use super::log::{ORIGIN, Tree};
use super::{impatient, patient, told};

const NAME: &str = "witness.example/w1";

fn other_side() -> witness::Witness {
    witness::Witness::start(NAME, 9, &[Tree::of(1).key()], None).unwrap()
}

fn client(other: &witness::Witness) -> Witness {
    Witness::new("w1".parse().unwrap(), other.key().clone(), &other.url(), &patient()).unwrap()
}

#[test]
fn a_log_that_grows_is_cosigned() {
    let other = other_side();
    let client = client(&other);
    assert_eq!((client.name().as_str(), client.takes()), ("w1", Takes::Newest));
    let policy = format!("log {}\nwitness w1 {} {}\nquorum w1\n", Tree::of(1).key(), other.key(), other.url());
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    for (size, requests) in [(5, 1), (13, 2), (13, 3), (14, 4), (256, 5), (300, 6)] {
        let tree = Tree::of(size);
        assert!(policy.check(&tree.note()).is_err());
        let kept = tree.anchor(&client).unwrap();
        assert_eq!((kept.form(), kept.form().extension()), (Form::Note, "note"));
        assert_eq!(kept.time().unwrap().since_unix().as_secs(), COSIGNED_AT);
        let note = Note::parse(core::str::from_utf8(kept.bytes()).unwrap()).unwrap();
        assert_eq!(note.text(), tree.note().text());
        // The log's signature, and that of the witness; not that of the key that nobody knows.
        assert_eq!(note.signatures().len(), 2);
        let cosigned = policy.check(&note).unwrap();
        assert_eq!((&*cosigned[0].witness.name(), cosigned[0].time), ("w1", COSIGNED_AT));
        assert_eq!((other.newest(ORIGIN).unwrap().size, other.requests()), (size, requests));
    }
    assert_eq!(other.connections(), 1, "the connection is kept");
}

#[test]
fn the_witness_tells_what_it_has_to_a_client_that_begins_anew() {
    let other = other_side();
    let kept = Tree::of(5).anchor(&client(&other)).unwrap();
    let again = client(&other);
    Tree::of(8).anchor(&again).unwrap();
    assert_eq!(other.requests(), 3, "the second client asks twice");
    Tree::of(9).anchor(&again).unwrap();
    assert_eq!(other.requests(), 4);

    // With what is kept a client goes on without asking, even if it is not the newest.
    let kept = Note::parse(core::str::from_utf8(kept.bytes()).unwrap()).unwrap();
    let continuing = client(&other).continuing(&kept).unwrap();
    Tree::of(12).anchor(&continuing).unwrap();
    assert_eq!(other.requests(), 6);
    let not_cosigned = client(&other).continuing(&Tree::of(5).note()).unwrap_err();
    let expected = format!("expected a checkpoint that is cosigned by {}, found one that is not", other.key());
    assert_eq!(not_cosigned.to_string(), expected);
}

#[test]
fn a_log_that_was_rolled_back_is_refused() {
    let other = other_side();
    let first = client(&other);
    let kept = Tree::of(21).anchor(&first).unwrap();
    let kept = Note::parse(core::str::from_utf8(kept.bytes()).unwrap()).unwrap();
    let message = "the anchor has seen a longer log: expected a checkpoint of example.com/orders of at least 21 entries, \
                   found one of 13 at URL/add-checkpoint";
    for (client, requests) in [(first, 1), (client(&other), 2), (client(&other).continuing(&kept).unwrap(), 2)] {
        let fault = Tree::of(13).anchor(&client).unwrap_err();
        assert_eq!(told(&fault, &other.url()), ("longer".to_owned(), message.to_owned()));
        assert!(fault.contradicts_log() && !fault.is_passing());
        assert_eq!(other.requests(), requests);
    }
    assert_eq!(other.newest(ORIGIN).unwrap().size, 21);
}

#[test]
fn a_log_that_was_changed_is_refused() {
    let other = other_side();
    let client = client(&other);
    Tree::of(21).anchor(&client).unwrap();
    for size in [21, 22, 32, 40] {
        let fault = Tree::of(size).forked(3).anchor(&client).unwrap_err();
        assert_eq!(fault.kind(), AnchorErrorKind::Inconsistent, "{fault}");
        assert!(fault.contradicts_log() && !fault.is_passing());
        let expected = format!(
            "the checkpoint does not continue the anchor's: expected the tree of size {size} of {ORIGIN} to continue that \
             of size 21, found status 422"
        );
        assert!(fault.to_string().starts_with(&expected), "{fault}");
    }
    // Only what the witness has not seen may differ.
    Tree::of(40).forked(30).anchor(&client).unwrap();
}

#[test]
fn a_log_or_a_key_that_the_witness_does_not_know_is_refused() {
    let other = other_side();
    let fault = Tree::of(5).signed_by(8).anchor(&client(&other)).unwrap_err();
    assert_eq!(
        told(&fault, &other.url()),
        (
            "unknown_key".to_owned(),
            "the anchor does not know the log's key: expected a witness that knows a key which signed for \
             example.com/orders, found status 403 and \"no signature of a known key\\n\" at URL/add-checkpoint"
                .to_owned()
        )
    );
    let stranger = witness::Witness::start(NAME, 9, &[], None).unwrap();
    let fault = Tree::of(5).anchor(&client(&stranger)).unwrap_err();
    assert_eq!(
        told(&fault, &stranger.url()),
        (
            "unknown_log".to_owned(),
            "the anchor does not know the log: expected a witness that knows the log example.com/orders, found status \
             404 and \"unknown log\\n\" at URL/add-checkpoint"
                .to_owned()
        )
    );
    assert!(!fault.is_passing() && !fault.contradicts_log());
}

/// What the witness says or does, and what becomes of it.
#[test]
fn each_failure_is_told_apart() {
    let other = other_side();
    let client = client(&other);
    let says = |status, media_type: &str, body: &[u8]| Fault::Says(Reply::answer(status, media_type, body));
    let key = other.key().to_string();
    let check = |fault: Fault, kind: &str, message: &str| {
        other.fail(fault.clone());
        let error = Tree::of(5).anchor(&client).unwrap_err();
        let (found_kind, found) = told(&error, &other.url());
        assert_eq!(found_kind, kind, "{fault:?}: {found}");
        assert!(found.contains(&message.replace("KEY", &key)), "{fault:?}: {found}");
    };
    check(says(400, "text/plain", b"bad\n"), "malformed", "found status 400 and \"bad\\n\" at URL/add-checkpoint");
    check(says(429, "text/plain", b""), "unavailable", "expected status 200, found status 429 and \"\"");
    check(says(500, "text/plain", b""), "unavailable", "found status 500");
    check(says(503, "text/html", &b"<b>\xff".repeat(100)), "unavailable", "<b>\\xff<b>\\xff");
    for status in [204, 302, 401, 405] {
        check(says(status, "text/plain", b""), "answer", "expected one of the statuses of a witness");
    }
    // What is said with status 200 is not what a witness says.
    let line = "\u{2014} w AAAAAAAA";
    for body in
        ["", "\n", "yes", "yes\n", line, &format!("{line}\n\n"), &format!("{line}\r\n"), &format!("{line}\nyes\n")]
    {
        check(says(200, "text/plain", body.as_bytes()), "answer", "expected lines of signatures, found");
    }
    check(says(200, "text/plain", &[0xff; 10]), "answer", "expected lines of signatures");
    check(
        says(200, "text/plain", format!("{line}\n").as_bytes()),
        "not_by_anchor",
        "of KEY, found only those of other keys",
    );
    check(says(200, "text/plain", &[b'a'; 70_000]), "answer", "URL/add-checkpoint");
    check(Fault::BadSignature, "not_by_anchor", "expected a cosignature of KEY, found one that does not verify");
    check(Fault::OtherKey, "not_by_anchor", "expected a cosignature of KEY, found only those of other keys");
    check(Fault::NoTime, "not_by_anchor", "expected a cosignature of KEY, found one without a time");
    // A conflict states a size, and another one than that of the request.
    let size = "text/x.tlog.size";
    for body in ["", "\n", "3", "03\n", "+3\n", " 3\n", "3\n\n", "3\r\n", "x\n", "18446744073709551616\n"] {
        check(says(409, size, body.as_bytes()), "answer", "expected a tree size in text/x.tlog.size with status 409");
    }
    check(says(409, "text/plain", b"3\n"), "answer", "found \"3\\n\" in text/plain");
    check(says(409, size, b"0\n"), "answer", "expected another size than 0 with status 409, found the same");
    check(says(409, size, b"3\n"), "answer", "expected another size than 3 with status 409, found the same");
    check(says(409, size, b"6\n"), "longer", "of at least 6 entries, found one of 5");
    check(Fault::Says(Reply::End), "unreachable", "expected an answer of URL/add-checkpoint, found");

    // Whatever was said, the witness is asked again, and believed.
    other.fail(None);
    let again = Tree::of(5).anchor(&client).unwrap();
    assert_eq!(again.form(), Form::Note);
}

#[test]
fn a_witness_that_states_one_size_after_the_other_is_not_asked_for_ever() {
    let stated = AtomicU64::new(0);
    let server = Server::start(move |_received| {
        let size = stated.fetch_add(1, Ordering::Relaxed) + 1;
        Reply::answer(409, "text/x.tlog.size; charset=utf-8", format!("{size}\n"))
    });
    let server = server.unwrap();
    let key = other_side().key().clone();
    let client = Witness::new("w1".parse().unwrap(), key, &format!("{}/", server.url()), &patient()).unwrap();
    let fault = Tree::of(5).anchor(&client).unwrap_err();
    assert_eq!(fault.kind(), AnchorErrorKind::Contended);
    assert!(fault.is_passing());
    // Until it states a size that the log does not have: the next three are 3, 4, and 5 and 6.
    assert_eq!(Tree::of(5).anchor(&client).unwrap_err().kind(), AnchorErrorKind::Contended);
    assert_eq!(Tree::of(5).anchor(&client).unwrap_err().kind(), AnchorErrorKind::Longer);
}

#[test]
fn nobody_is_waited_for_without_a_limit() {
    let other = other_side();
    let client = Witness::new("w1".parse().unwrap(), other.key().clone(), &other.url(), &impatient()).unwrap();
    other.fail(Fault::Says(Reply::Silence));
    let fault = Tree::of(5).anchor(&client).unwrap_err();
    assert_eq!(fault.kind(), AnchorErrorKind::Timeout, "{fault}");
    assert!(fault.is_passing());
    // Nobody listens there.
    let client = Witness::new("w1".parse().unwrap(), other.key().clone(), "http://127.0.0.1:1", &patient()).unwrap();
    let fault = Tree::of(5).anchor(&client).unwrap_err();
    assert_eq!(fault.kind(), AnchorErrorKind::Unreachable, "{fault}");
    assert!(fault.is_passing());
}

#[test]
fn an_answer_that_was_lost_is_had_by_asking_again() {
    let other = other_side();
    let client = client(&other);
    Tree::of(5).anchor(&client).unwrap();
    other.fail(Fault::AnswerLost);
    assert_eq!(Tree::of(8).anchor(&client).unwrap_err().kind(), AnchorErrorKind::Unreachable);
    assert_eq!(other.newest(ORIGIN).unwrap().size, 8);
    other.fail(None);
    for size in [8, 12] {
        Tree::of(size).anchor(&client).unwrap();
    }
}

#[test]
fn the_witness_of_the_test_kit_remembers() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("newest");
    let start = || witness::Witness::start(NAME, 9, &[Tree::of(1).key()], Some(&file)).unwrap();
    let other = start();
    Tree::of(21).anchor(&client(&other)).unwrap();
    drop(other);
    let other = start();
    assert_eq!(other.newest(ORIGIN).unwrap().size, 21);
    let contradicts = |tree: Tree| tree.anchor(&client(&other)).unwrap_err().contradicts_log();
    assert!(contradicts(Tree::of(20)) && contradicts(Tree::of(22).forked(0)));
    Tree::of(22).anchor(&client(&other)).unwrap();
}

#[test]
fn what_a_witness_is_set_up_with_is_checked() {
    let other = other_side();
    let refused = |key: &VerificationKey, url: &str| {
        Witness::new("w1".parse().unwrap(), key.clone(), url, &patient()).unwrap_err().to_string()
    };
    let log_key = Tree::of(1).key();
    assert_eq!(
        refused(&log_key, "https://witness.example"),
        format!("expected a key of type 4 (Ed25519 cosignatures), found {log_key}")
    );
    for url in [
        "",
        "witness.example",
        "ftp://witness.example",
        "https://",
        "https://:80",
        "https://a b",
        "http://a?b",
        "http://u:p@a",
    ] {
        let message = refused(other.key(), url);
        assert!(message.starts_with("expected a URL such as https://witness.example/prefix, found "), "{message}");
    }
    let absent = audit_anchor::Connection::new().trust(b"no certificate").unwrap_err();
    assert_eq!(absent.to_string(), "expected certificates in PEM, found none");
}

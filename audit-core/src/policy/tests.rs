use proptest::prelude::*;

use super::*;
use crate::hash::Hash;
use crate::note::{Algorithm, SecretKey, Signature};

const ORIGIN: &str = "example.com/orders";

fn secret(name: &str, seed: u8) -> SecretKey {
    SecretKey::from_bytes(name, &[seed; 32]).unwrap()
}

fn log_key(seed: u8) -> VerificationKey {
    secret(ORIGIN, seed).verification_key().unwrap()
}

/// The key of the witness with this seed.
fn witness_key(seed: u8) -> VerificationKey {
    let secret = secret("w", seed);
    let public = secret.verification_key().unwrap().public_key();
    VerificationKey::new(format!("witness.example/{seed}"), Algorithm::Cosignature, public).unwrap()
}

/// A checkpoint signed by the log and cosigned by the witnesses with these seeds.
fn note(witnesses: &[u8]) -> Note {
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 21, root: Hash::of(b"root") };
    let mut note = Note::new(checkpoint.to_string()).unwrap();
    note.push(Signature::make(note.text(), &log_key(7), &secret(ORIGIN, 7)).unwrap());
    for seed in witnesses {
        let signature = Signature::cosign(note.text(), 1_700_000_000, &witness_key(*seed), &secret("w", *seed));
        note.push(signature.unwrap());
    }
    note
}

fn policy(text: &str) -> Policy {
    Policy::parse(text.as_bytes()).unwrap()
}

/// The example of C2SP `tlog-policy`, with three witnesses of one operator and three of another.
fn example() -> String {
    let mut text = format!("# two operators\n\tlog {}  \n\n", log_key(7));
    for (name, seed) in [("X1", 11), ("X2", 12), ("X3", 13), ("Y1", 21), ("Y2", 22), ("Y3", 23)] {
        text += &format!("witness {name}\t{} https://witness.example/{seed}\n", witness_key(seed));
    }
    text + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n\
            group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

#[test]
fn the_quorum_decides() {
    let policy = policy(&example());
    assert_eq!(policy.logs()[0].key(), &log_key(7));
    assert_eq!(policy.witnesses().count(), 6);
    let first = policy.witnesses().next().unwrap();
    assert_eq!((&*first.name(), first.url().unwrap()), ("X1", "https://witness.example/11".into()));
    let names = |seeds: &[u8]| {
        let cosigned = policy.check(&note(seeds)).ok()?;
        assert!(cosigned.iter().all(|one| one.time == 1_700_000_000));
        Some(cosigned.iter().map(|one| one.witness.name().into_owned()).collect::<Vec<_>>())
    };
    assert_eq!(names(&[11, 13, 22]).unwrap(), ["X1", "X3", "Y2"]);
    // In whatever order, and with others.
    assert_eq!(names(&[99, 23, 21, 13, 12, 11]).unwrap(), ["X1", "X2", "X3", "Y1", "Y3"]);
    for too_few in [&[][..], &[11, 21], &[11, 12], &[21, 22, 23], &[11, 12, 99]] {
        assert_eq!(names(too_few), None, "{too_few:?}");
    }
    assert_eq!(
        policy.check(&note(&[11, 21])).unwrap_err().to_string(),
        "the checkpoint does not meet the policy: expected cosignatures of 2 of the 2 members of X-and-Y, found those of \
         X1, Y1"
    );
}

#[test]
fn a_quorum_may_be_one_witness_or_none() {
    let witness = format!("witness w {}\nquorum w\n", witness_key(11));
    assert_eq!(policy(&witness).check(&note(&[11])).unwrap().len(), 1);
    assert_eq!(
        policy(&witness).check(&note(&[12])).unwrap_err().to_string(),
        "the checkpoint does not meet the policy: expected cosignatures of the witness w, found none"
    );
    let none = policy("quorum none\n");
    assert!(none.needs_no_witness());
    assert_eq!(none.check(&note(&[11])), Ok(Vec::new()));
}

#[test]
fn a_known_keys_bad_signature_refuses_the_note_whatever_the_quorum() {
    let text = format!("log {}\nwitness w {}\nquorum none\n", log_key(7), witness_key(11));
    let good = note(&[11]);
    assert_eq!(policy(&text).check(&good).unwrap().len(), 1);
    for index in [0, 1] {
        let mut bad = Note::new(good.text()).unwrap();
        for (at, signature) in good.signatures().iter().enumerate() {
            let mut signature = signature.clone();
            signature.bytes[20] ^= u8::from(at == index);
            bad.push(signature);
        }
        assert!(matches!(policy(&text).check(&bad), Err(PolicyError::Signature(_))), "{index}");
        assert_eq!(policy("quorum none\n").check(&bad), Ok(Vec::new()));
    }
}

#[test]
fn a_log_that_is_not_listed_is_refused() {
    let other_key = format!("log {}\nquorum none\n", log_key(8));
    assert_eq!(
        policy(&other_key).check(&note(&[])).unwrap_err().to_string(),
        "the checkpoint does not meet the policy: expected a signature of a known log with the origin example.com/orders, \
         found none"
    );
    // The right key, under another name than the origin.
    let public = log_key(7).public_key();
    let other_name = VerificationKey::new("example.com/other", Algorithm::Ed25519, public).unwrap();
    let other_name = policy(&format!("log {other_name}\nquorum none\n"));
    assert!(matches!(other_name.check(&note(&[])), Err(PolicyError::UnknownLog { .. })));
    let no_checkpoint = Note::new("text\n").unwrap();
    assert!(matches!(policy("quorum none\n").check(&no_checkpoint), Err(PolicyError::Checkpoint(_))));
}

#[test]
fn a_policy_is_read_strictly() {
    let (a, b) = (format!("witness a {}\n", witness_key(11)), format!("witness b {}\n", witness_key(12)));
    let log = format!("log {}\n", log_key(7));
    let refused = |text: &str, message: &str| {
        let fault = Policy::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault, format!("not a policy: {message}"), "{text}");
    };
    const LINES: &str = "expected `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> all|any|<k> <name>…` \
                         or `quorum <name>` on line";
    const DEFINED: &str = "expected names of witnesses and groups that are defined above on line";
    const NEEDED: &str =
        "expected `all`, `any` or a number from 1 to that of the members, in plain decimal digits on line";
    refused("", "expected a quorum line, of which there is one in a file on line 1");
    refused(&a, "expected a quorum line, of which there is one in a file on line 2");
    refused("quorum none", "expected a line feed at the end of the line on line 1");
    refused("quorum none\r\n", "expected no control character but the tab on line 1");
    refused("quorum\u{b}none\n", "expected no control character but the tab on line 1");
    refused("quorum none\u{7f}\n", "expected no control character but the tab on line 1");
    refused("quorum none\nquorum none\n", "expected no second quorum line on line 2");
    refused("quorum a\n", &format!("{DEFINED} 1"));
    refused(&format!("quorum a\n{a}"), &format!("{DEFINED} 1"));
    refused("quorum\n", &format!("{LINES} 1"));
    refused("quorum none # really\n", &format!("{LINES} 1"));
    refused("Quorum none\n", &format!("{LINES} 1"));
    refused(&format!("{a}group g 1\n"), &format!("{LINES} 2"));
    refused(&format!("{a}group g 1 g\n"), &format!("{DEFINED} 2"));
    refused(&format!("{a}group g 1 none\n"), &format!("{DEFINED} 2"));
    for needed in ["0", "2", "01", "+1", "-1", "some", "1.0", "18446744073709551617"] {
        refused(&format!("{a}group g {needed} a\n"), &format!("{NEEDED} 2"));
    }
    refused(&format!("{a}group g 1 a a\n"), "expected names that each stand in one group only, and once on line 2");
    refused(
        &format!("{a}{b}group g 1 a\ngroup h all g a\n"),
        "expected names that each stand in one group only, and once on line 4",
    );
    refused(&format!("{a}group a 1 a\n"), "expected a name that is not taken on line 2");
    refused(&a.replace(" a ", " none "), "expected a name other than `none` on line 1");
    refused(&format!("{a}group none 1 a\n"), "expected a name other than `none` on line 2");
    refused(&format!("{a}{}", b.replace(" b ", " a ")), "expected a name that is not taken on line 2");
    refused(&format!("{a}{}", a.replace(" a ", " b ")), "expected a public key that no other witness has on line 2");
    let renamed = VerificationKey::new("x", Algorithm::Ed25519, log_key(7).public_key()).unwrap();
    refused(&format!("{log}log {renamed}\n"), "expected a public key that no other log has on line 2");
    refused(&log.replace("log", "witness w"), "expected a key of type 4 (Ed25519 cosignatures) on line 1");
    refused(&a.replace('\n', " url more\n"), "expected nothing after the URL on line 1");
    refused("log key\n", "not a verification key: expected name+<8 hexadecimal digits>+base64 of 33 bytes on line 1");
    refused(&"#\n".repeat(POLICY_BYTES_MAX), "expected a file of at most 65536 bytes");
}

#[test]
fn names_and_comments_are_octets() {
    let key = witness_key(11);
    let file =
        [b"# \xff\xfe\nwitness \xffw ".as_slice(), key.to_string().as_bytes(), b" \xfe\nquorum \xffw\n"].concat();
    let policy = Policy::parse(&file).unwrap();
    assert_eq!(policy.check(&note(&[11])).unwrap()[0].witness.name(), "\u{fffd}w");
    // The letter K is not the sign for kelvin.
    let other = format!("witness K {key}\nquorum \u{212a}\n");
    assert!(Policy::parse(other.as_bytes()).is_err());
}

#[test]
fn a_policy_has_limits() {
    let names: Vec<String> = (0..=POLICY_LINES_MAX).map(|index| format!("w{index}")).collect();
    let witness = |index: usize| {
        let secret = SecretKey::from_bytes("w", &[u8::try_from(index).unwrap() + 1; 32]).unwrap();
        let public = secret.verification_key().unwrap().public_key();
        format!("witness {} {}\n", names[index], VerificationKey::new("w", Algorithm::Cosignature, public).unwrap())
    };
    let lines: Vec<String> = (0..=POLICY_LINES_MAX).map(witness).collect();
    let most = lines[..POLICY_LINES_MAX].concat();
    assert_eq!(policy(&format!("{most}quorum w127\n")).witnesses().count(), POLICY_LINES_MAX);
    let fault = Policy::parse(format!("{}quorum w127\n", lines.concat()).as_bytes()).unwrap_err();
    assert_eq!(fault.to_string(), "not a policy: expected at most 128 witnesses on line 129");
    // Groups of groups, as deep as can be.
    let groups = (0..POLICY_LINES_MAX).map(|index| match index {
        0 => "group g0 1 w0\n".to_owned(),
        _ => format!("group g{index} 1 g{}\n", index - 1),
    });
    let deep = format!("{}{}", lines[0], groups.collect::<String>());
    let deepest = policy(&format!("{deep}quorum g127\n"));
    assert!(deepest.check(&note(&[])).is_err());
    let fault = Policy::parse(format!("{deep}group g128 1 g127\nquorum g128\n").as_bytes()).unwrap_err();
    assert_eq!(fault.to_string(), "not a policy: expected at most 128 groups on line 130");
}

proptest! {
    #[test]
    fn any_lines_are_a_policy_or_are_refused_on_a_line_there_is(
        words in proptest::collection::vec(
            prop::sample::select(vec!["log", "witness", "group", "quorum", "none", "a", "b", "1", "2", "all", "any", "#", "\n", "\n", "KEY", "\t"]),
            0..40,
        ),
    ) {
        let text = words.join(" ").replace("KEY", &witness_key(11).to_string());
        match Policy::parse(text.as_bytes()) {
            Ok(policy) => drop(policy.check(&note(&[11]))),
            Err(fault) => prop_assert!((1..=text.lines().count() + 1).contains(&fault.line()), "{fault} in {text}"),
        }
    }
}

use super::*;
use crate::entry::{Sequence, write_line};
use crate::note::{Algorithm, SecretKey, Signature};
use crate::proof;
use crate::tree::Frontier;

const ORIGIN: &str = "example.com/orders";

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_bytes(ORIGIN, &[seed; 32]).unwrap()
}

fn key(seed: u8) -> VerificationKey {
    secret(seed).verification_key().unwrap()
}

/// A log of two entries for each key: one that names the next key, and one of a call.
struct Log {
    lines: Vec<Vec<u8>>,
}

impl Log {
    fn new(keys: u8) -> Self {
        let mut log = Self { lines: Vec::new() };
        for seed in 1..=keys {
            log.push("tool.called", "");
            log.push("key.rotated", &format!(r#","log":{{"verification_key":"{}"}}"#, key(seed + 1)));
        }
        log
    }

    fn push(&mut self, event: &str, log: &str) {
        let number = self.lines.len() as u64;
        let record = format!(
            r#"{{"event_name":"{event}"{log},"record_id":"01a17cbd-e826-77ed-86a8-{number:012}","schema_version":"1","stage":"event","time":"2026-10-27T09:42:00Z"}}"#
        );
        let previous_hash = self.lines.last().map(|line| Hash::leaf(line));
        let stream_id = "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap();
        let mut line = Vec::new();
        write_line(&mut line, record.as_bytes(), &Sequence { number, previous_hash, stream_id });
        self.lines.push(line);
    }

    fn note(&self, size: usize, seeds: &[u8]) -> String {
        let mut tree = Frontier::new();
        self.lines[..size].iter().for_each(|line| tree.push(Hash::leaf(line)));
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: tree.size(), root: tree.root() };
        let mut note = Note::new(checkpoint.to_string()).unwrap();
        for seed in seeds {
            note.push(Signature::make(note.text(), &key(*seed), &secret(*seed)).unwrap());
        }
        note.to_string()
    }

    /// The evidence of an entry in the tree of so many entries.
    fn prove(&self, index: usize, size: usize, seed: u8) -> Evidence {
        struct Leaves(Vec<Hash>);
        impl proof::Nodes for Leaves {
            type Error = core::convert::Infallible;
            fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error> {
                let width = 1_usize << level;
                let from = usize::try_from(index).unwrap() * width;
                let mut tree = Frontier::new();
                self.0[from..from + width].iter().for_each(|leaf| tree.push(*leaf));
                Ok(tree.root())
            }
        }
        let mut leaves = Leaves(self.lines.iter().map(|line| Hash::leaf(line)).collect());
        let proof = proof::inclusion(index as u64, size as u64, &mut leaves).unwrap();
        let extra = Extra::of(self.lines[index].clone());
        Evidence { extra: Some(extra.to_bytes()), index: index as u64, proof, checkpoint: self.note(size, &[seed]) }
    }

    /// The evidence of the last entry, with the rotations up to the key that signed its checkpoint.
    fn prove_last(&self, rotations: u8) -> Evidence {
        let size = self.lines.len();
        let mut evidence = self.prove(size - 1, size, rotations + 1);
        // A rotation of key n stands in entry 2n − 1, and the checkpoint over it is of key n.
        let rotations = (1..=rotations).map(|n| self.prove(usize::from(2 * n - 1), usize::from(2 * n), n)).collect();
        evidence.extra = Some(Extra { rotations, ..Extra::of(self.lines[size - 1].clone()) }.to_bytes());
        evidence
    }
}

fn checked(evidence: &Evidence, keys: &[VerificationKey]) -> Result<Checked, CheckError> {
    check(evidence.to_string().as_bytes(), keys)
}

#[test]
fn evidence_rests_on_the_key_that_signed() {
    let log = Log::new(1);
    let evidence = log.prove(0, 2, 1);
    let found = checked(&evidence, &[key(9), key(1)]).unwrap();
    assert_eq!((found.number, found.rotations, &found.key), (0, 0, &key(1)));
    assert_eq!(found.entry, log.lines[0]);
    assert_eq!(found.record_id.to_string(), "01a17cbd-e826-77ed-86a8-000000000000");
    assert_eq!((found.checkpoint.origin.as_str(), found.checkpoint.size), (ORIGIN, 2));
    assert!(matches!(checked(&evidence, &[key(2)]), Err(CheckError::NotSigned { .. })));
    assert!(matches!(checked(&evidence, &[]), Err(CheckError::NotSigned { .. })));
    // A log of another name may have the same key.
    let other = SecretKey::from_bytes("example.com/others", &[1; 32]).unwrap().verification_key().unwrap();
    assert!(matches!(checked(&evidence, &[other]), Err(CheckError::NotSigned { .. })));
}

#[test]
fn evidence_rests_on_the_first_key_through_the_rotations() {
    let log = Log::new(4);
    for rotations in 0..4 {
        let evidence = log.prove_last(rotations);
        let found = checked(&evidence, &[key(1)]).unwrap();
        assert_eq!(found.rotations, usize::from(rotations));
        assert_eq!((found.key, found.signer), (key(1), key(rotations + 1)));
        assert_eq!(checked(&evidence, &[key(rotations + 1)]).unwrap().rotations, 0);
    }
}

#[test]
fn rotations_that_do_not_lead_on_are_refused() {
    let log = Log::new(4);
    let refused = |change: fn(&mut Extra), part: &str| {
        let mut evidence = log.prove_last(3);
        let mut extra = evidence.parse_extra().unwrap().unwrap();
        change(&mut extra);
        evidence.extra = Some(extra.to_bytes());
        let fault = checked(&evidence, &[key(1)]).unwrap_err().to_string();
        assert!(fault.contains(part), "{fault}");
    };
    refused(|extra| drop(extra.rotations.remove(0)), "rotation 1: expected a checkpoint");
    refused(|extra| drop(extra.rotations.remove(1)), "rotation 2: expected a checkpoint");
    refused(
        |extra| drop(extra.rotations.pop()),
        "expected a checkpoint of \"example.com/orders\" signed by a key given",
    );
    refused(|extra| extra.rotations.swap(0, 1), "rotation 1: expected a checkpoint");
    refused(|extra| extra.rotations.push(extra.rotations[0].clone()), "rotation 4: expected a checkpoint");
    refused(|extra| extra.rotations[1].index = 5, "rotation 2: expected entry 5 as the index says");
    refused(|extra| extra.rotations[1].proof[0] = Hash::of(b""), "rotation 2: the entry is not in the tree");
    refused(|extra| extra.rotations[0] = Log::new(1).prove(0, 2, 1), "rotation 1: expected an entry key.rotated");
    refused(|extra| extra.rotations[1] = Log::new(4).prove(1, 4, 2), "rotation 2: expected what follows the 2 entries");
}

#[test]
fn what_was_altered_is_refused() {
    let log = Log::new(3);
    let text = log.prove_last(2).to_string();
    let keys = [key(1)];
    assert!(check(text.as_bytes(), &keys).is_ok());
    for place in 0..text.len() {
        let mut altered = text.clone().into_bytes();
        altered[place] ^= 1;
        assert!(check(&altered, &keys).is_err(), "byte {place}");
    }
    for end in 0..text.len() {
        assert!(check(&text.as_bytes()[..end], &keys).is_err(), "{end} bytes");
    }
    assert!(check(format!("{text}\n").as_bytes(), &keys).is_err());
}

#[test]
fn evidence_without_entry_or_signature_is_refused() {
    let log = Log::new(1);
    let evidence = log.prove(0, 2, 1);
    let refused = |evidence: Evidence, expected: expect_test::Expect| {
        expected.assert_eq(&checked(&evidence, &[key(1)]).unwrap_err().to_string());
    };
    refused(
        Evidence { extra: None, ..evidence.clone() },
        expect_test::expect!["expected the entry as the file's extra data, found none"],
    );
    refused(
        Evidence { checkpoint: log.note(2, &[]).trim_end().to_owned() + "\n", ..evidence.clone() },
        expect_test::expect![
            "expected a signed checkpoint: not a signed note: expected a blank line and signatures after the text on line 4"
        ],
    );
    refused(
        Evidence { index: 1, ..evidence.clone() },
        expect_test::expect!["expected entry 1 as the index says, found number 0 in the entry"],
    );
    // The signature of another text.
    let other = log.note(1, &[1]);
    let forged = format!("{}\n\n{}", log.note(2, &[]).trim_end(), other.split_once("\n\n").unwrap().1);
    assert!(matches!(checked(&Evidence { checkpoint: forged, ..evidence }, &[key(1)]), Err(CheckError::Signature(_))));
}

#[test]
fn a_disclosure_counts_in_its_record_and_at_its_place_alone() {
    let made = |salt: u8, value: &str| crate::privacy::Disclosure::new([salt; 16], "street", value);
    let sealed = |value: &str| format!(r#"{{"_sd":["{}"]}}"#, made(1, value).digest());
    let (home, work) = (sealed("\"Blumenweg 13\""), sealed("\"Am Markt 1\""));
    let mut log = Log::new(1);
    log.push("tool.called", &format!(r#","request":{{"arguments":{{"home":{home},"work":{work}}}}}"#));
    log.push("tool.called", &format!(r#","request":{{"arguments":{{"home":{work},"work":{home}}}}}"#));
    let disclose = |index: usize, name: &str, disclosure: crate::privacy::Disclosure| {
        let mut evidence = log.prove(index, 4, 2);
        let path = format!("/request/arguments/{name}");
        let disclosures = vec![Disclosed { path, disclosure }];
        evidence.extra = Some(Extra { disclosures, ..Extra::of(log.lines[index].clone()) }.to_bytes());
        check(evidence.to_string().as_bytes(), &[key(2)])
    };
    let told = disclose(2, "home", made(1, "\"Blumenweg 13\"")).unwrap();
    assert_eq!(
        (told.disclosed[0].path.as_str(), told.disclosed[0].disclosure.value()),
        ("/request/arguments/home", "\"Blumenweg 13\"")
    );
    let refused = |checked: Result<Checked, CheckError>, name: &str| {
        let expect = format!(
            r#"expected the digest of the disclosure at "/request/arguments/{name}" in the record, found none or another"#
        );
        assert_eq!(checked.unwrap_err().to_string(), expect);
    };
    // Another place, another record, another value, another salt, a value inside of which it stands.
    refused(disclose(2, "work", made(1, "\"Blumenweg 13\"")), "work");
    refused(disclose(3, "home", made(1, "\"Blumenweg 13\"")), "home");
    refused(disclose(2, "home", made(1, "\"Blumenweg 14\"")), "home");
    refused(disclose(2, "home", made(2, "\"Blumenweg 13\"")), "home");
    refused(disclose(2, "home/_sd/0", made(1, "\"Blumenweg 13\"")), "home/_sd/0");
    refused(disclose(0, "home", made(1, "\"Blumenweg 13\"")), "home");
}

/// Makes the key of a witness, which cosigns with the secret of that seed.
fn witness(seed: u8) -> VerificationKey {
    let public = secret(seed).verification_key().unwrap().public_key();
    VerificationKey::new(format!("witness.example/{seed}"), Algorithm::Cosignature, public).unwrap()
}

/// A policy with the witnesses 11 and 12 and these lines after them.
fn policy(lines: &str) -> Policy {
    let text = format!("witness east {}\nwitness west {}\n{lines}\n", witness(11), witness(12));
    Policy::parse(text.as_bytes()).unwrap()
}

/// The evidence with cosignatures over a text, or over that of its checkpoint.
fn cosigned(evidence: &Evidence, seeds: &[u8], text: Option<&str>) -> Evidence {
    let mut note = Note::parse(&evidence.checkpoint).unwrap();
    let text = text.unwrap_or_else(|| note.text()).to_owned();
    for seed in seeds {
        note.push(Signature::cosign(&text, 1_700_000_000, &witness(*seed), &secret(*seed)).unwrap());
    }
    Evidence { checkpoint: note.to_string(), ..evidence.clone() }
}

#[test]
fn a_quorum_must_have_cosigned_where_a_policy_is_given() {
    const BOTH: &str = "group both all east west\nquorum both";
    let evidence = Log::new(3).prove_last(2);
    let check = |evidence: &Evidence, lines: &str| {
        check_cosigned(evidence.to_string().as_bytes(), &[key(1)], &policy(lines)).map_err(|fault| fault.to_string())
    };
    let found = check(&cosigned(&evidence, &[11, 12, 13], None), BOTH).unwrap();
    let names: Vec<(&str, u64)> = found.cosigners.iter().map(|one| (&*one.name, one.time)).collect();
    assert_eq!(names, [("east", 1_700_000_000), ("west", 1_700_000_000)]);
    assert_eq!((found.rotations, &found.key), (2, &key(1)));
    // More than the quorum asks for is told, too; none is asked for.
    assert_eq!(check(&cosigned(&evidence, &[11, 12], None), "quorum west").unwrap().cosigners.len(), 2);
    assert!(check(&evidence, "quorum none").unwrap().cosigners.is_empty());

    let refused = |evidence: &Evidence, expected: expect_test::Expect| {
        expected.assert_eq(&check(evidence, BOTH).unwrap_err());
    };
    refused(
        &evidence,
        expect_test::expect![
            "the checkpoint does not meet the policy: expected cosignatures of 2 of the 2 members of both, found none"
        ],
    );
    refused(
        &cosigned(&evidence, &[12], None),
        expect_test::expect![
            "the checkpoint does not meet the policy: expected cosignatures of 2 of the 2 members of both, found those of west"
        ],
    );
    refused(
        &cosigned(&evidence, &[11, 13], None),
        expect_test::expect![
            "the checkpoint does not meet the policy: expected cosignatures of 2 of the 2 members of both, found those of east"
        ],
    );
    // A forgery is refused even where the quorum can do without it.
    let forged = cosigned(&evidence, &[11], Some(Note::parse(&Log::new(1).note(2, &[1])).unwrap().text()));
    assert!(check(&forged, "quorum west").unwrap_err().contains("found one that does not verify"));
    assert!(check(&forged, "quorum none").unwrap_err().contains("found one that does not verify"));
    // Witnesses do not stand in for the log's own key.
    let keyless = check_cosigned(cosigned(&evidence, &[11, 12], None).to_string().as_bytes(), &[], &policy(BOTH));
    assert!(matches!(keyless, Err(CheckError::NotSigned { .. })));
}

#[test]
fn the_logs_of_a_policy_count_as_keys() {
    let log = Log::new(3);
    let lines = format!("log {}\nquorum east", key(1));
    for evidence in [log.prove(0, 2, 1), log.prove_last(2)] {
        let evidence = cosigned(&evidence, &[11], None).to_string();
        assert_eq!(check_cosigned(evidence.as_bytes(), &[], &policy(&lines)).unwrap().key, key(1));
    }
}

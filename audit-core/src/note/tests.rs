use super::*;

/// The example of C2SP `signed-note`.
const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn key() -> VerificationKey {
    KEY.parse().unwrap()
}

#[test]
fn the_example_of_the_specification_verifies() {
    let note = Note::parse(NOTE).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.is_signed_by(&key()), Ok(true));
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(key().to_string(), KEY);
}

#[test]
fn a_known_keys_bad_signature_is_refused_and_an_unknown_one_ignored() {
    let altered = Note::parse(&NOTE.replace("example message", "exemple message")).unwrap();
    assert!(altered.is_signed_by(&key()).is_err());
    let other = SecretKey::generate("example.com/foo").unwrap().verification_key().unwrap();
    assert_eq!(altered.is_signed_by(&other), Ok(false));
    let renamed = VerificationKey::new("example.com/bar", Algorithm::Ed25519, key().public_key()).unwrap();
    assert_eq!(Note::parse(NOTE).unwrap().is_signed_by(&renamed), Ok(false));
    // One right and one wrong signature of the same key: the note is refused.
    let mut both = Note::parse(NOTE).unwrap();
    let mut wrong = both.signatures()[0].clone();
    wrong.bytes[0] ^= 1;
    both.push(wrong);
    assert!(both.is_signed_by(&key()).is_err());
}

#[test]
fn a_note_has_one_form() {
    let refused = |note: String, message: &str| {
        assert_eq!(Note::parse(&note).unwrap_err().to_string(), format!("not a signed note: expected {message}"));
    };
    refused(NOTE.trim_end().to_owned(), "a text that ends with a line feed on line 3");
    refused(NOTE.replace("\n\n", "\n"), "a blank line and signatures after the text on line 3");
    refused(NOTE.replace('.', "\r"), "no control character but the line feed on line 1");
    refused(format!("{NOTE}more\n"), &format!("{SIGNATURE_EXPECTED} on line 4"));
    refused(format!("{NOTE}\n"), &format!("{SIGNATURE_EXPECTED} on line 5"));
    refused(NOTE.replace('=', ""), &format!("{SIGNATURE_EXPECTED} on line 3"));
    refused(NOTE.replace("foo U", "foo  U"), &format!("{SIGNATURE_EXPECTED} on line 3"));
    refused(NOTE.replace("\u{2014}", "-"), &format!("{SIGNATURE_EXPECTED} on line 3"));
    let line = NOTE.lines().nth(2).unwrap();
    let many = format!("text\n\n{}", format!("{line}\n").repeat(SIGNATURES_MAX + 1));
    refused(many, "at most 128 signatures on line 131");
    assert!(Note::parse(&format!("text\n\n{}", format!("{line}\n").repeat(SIGNATURES_MAX))).is_ok());
    refused("x\n".repeat(NOTE_BYTES_MAX), "a note of at most 65536 bytes");
}

#[test]
fn a_key_has_one_form() {
    let refused = |text: String, message: &str| {
        let fault = text.parse::<VerificationKey>().unwrap_err().to_string();
        assert_eq!(fault, format!("not a verification key: expected {message}"));
    };
    const FORM: &str = "name+<8 hexadecimal digits>+base64 of 33 bytes";
    refused(KEY.replace("530d903a", "530D903A"), FORM);
    refused(KEY.replace("530d903a", "530d903b"), "the key id that belongs to name and key");
    refused(KEY.replace("+AekyeR", "+BOkyeR"), "the key id that belongs to name and key");
    refused(KEY.replace("+AekyeR", "+AukyeR"), "a key of type 1 (Ed25519) or 4 (Ed25519 cosignatures)");
    refused(KEY.replace("example.com/foo", ""), "a name without spaces and `+`");
    refused(KEY.replace("foo", "f o"), "a name without spaces and `+`");
    refused(KEY.to_owned() + "AAAA", FORM);
    // The neutral point verifies signatures of anything.
    let weak = [1].into_iter().chain([0; 31]).collect::<Vec<u8>>();
    assert!(VerificationKey::new("a", Algorithm::Ed25519, weak.try_into().unwrap()).is_err());
}

#[test]
fn a_secret_is_read_back_and_told_nowhere() {
    let secret = SecretKey::from_bytes("example.com/orders", &[7; 32]).unwrap();
    let text = secret.to_text();
    let again: SecretKey = text.parse().unwrap();
    assert_eq!(again.verification_key(), secret.verification_key());
    assert_eq!(again.name(), "example.com/orders");
    let encoded = text.rsplit_once('+').unwrap().1;
    assert!(!format!("{secret:?}").contains(encoded));
    let fault = text.replace(encoded, &encoded[..20]).parse::<SecretKey>().unwrap_err();
    assert_eq!(
        fault.to_string(),
        "not a secret key: expected PRIVATE+KEY+name+<8 hexadecimal digits>+base64 of 33 bytes"
    );
    assert!(text.replace("orders", "other").parse::<SecretKey>().is_err());
}

#[test]
fn what_was_signed_verifies_and_nothing_else_does() {
    let secret = SecretKey::from_bytes("example.com/orders", &[7; 32]).unwrap();
    let key = secret.verification_key().unwrap();
    let mut note = Note::new("example.com/orders\n1\nAAAA\n").unwrap();
    note.push(Signature::make(note.text(), &key, &secret).unwrap());
    let note = Note::parse(&note.to_string()).unwrap();
    assert_eq!(note.is_signed_by(&key), Ok(true));
    assert_eq!(note.cosigned_at(&key), Ok(None));

    let witness = SecretKey::from_bytes("witness.example/1", &[9; 32]).unwrap();
    let cosigner = VerificationKey::new("witness.example/1", Algorithm::Cosignature, witness.public_key()).unwrap();
    let mut cosigned = note.clone();
    cosigned.push(Signature::cosign(note.text(), 1_700_000_000, &cosigner, &witness).unwrap());
    let cosigned = Note::parse(&cosigned.to_string()).unwrap();
    assert_eq!(cosigned.cosigned_at(&cosigner), Ok(Some(1_700_000_000)));
    assert_eq!(cosigned.is_signed_by(&key), Ok(true));
    // The time is signed, too.
    let mut later = cosigned;
    later.signatures[1].bytes[7] ^= 1;
    assert!(later.cosigned_at(&cosigner).is_err());
    // A signer that signs with another key than it shows is found out.
    let other = SecretKey::from_bytes("example.com/orders", &[8; 32]).unwrap();
    assert!(Signature::make(note.text(), &key, &other).is_err());
}

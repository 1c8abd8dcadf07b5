use super::*;
use crate::note::{SecretKey, Signature};

fn note() -> Note {
    let secret = SecretKey::from_bytes("example.com/orders", &[7; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "example.com/orders".into(), size: 21, root: Hash::of(b"root") };
    let mut note = Note::new(checkpoint.to_string()).unwrap();
    note.push(Signature::make(note.text(), &secret.verification_key().unwrap(), &secret).unwrap());
    note
}

#[test]
fn a_proof_is_made_only_between_two_sizes_of_the_log() {
    let note = note();
    let mut asked = Vec::new();
    let mut prove = |old| {
        asked.push(old);
        if old == 13 { Err("the tiles are gone".into()) } else { Ok(vec![Hash::of(b"node")]) }
    };
    let mut request = Request::new(&note, &mut prove).unwrap();
    assert_eq!(request.checkpoint().size, 21);
    assert_eq!(request.consistency(0).unwrap(), []);
    assert_eq!(request.consistency(21).unwrap(), []);
    assert_eq!(request.consistency(8).unwrap().len(), 1);
    let fault = request.consistency(22).unwrap_err();
    assert_eq!(fault.kind(), AnchorErrorKind::Longer);
    assert!(fault.contradicts_log() && !fault.is_passing());
    let fault = request.consistency(13).unwrap_err();
    assert!(fault.is_passing());
    assert_eq!(
        fault.to_string(),
        "the log made no proof for the anchor: expected the proof from size 13 to 21, found none: the tiles are gone"
    );
    assert_eq!(asked, [8, 13]);
}

#[test]
fn a_name_is_safe_as_a_file_name() {
    for name in ["w1", "witness_example-1", &"a".repeat(64)] {
        assert_eq!(name.parse::<AnchorName>().unwrap().as_str(), name);
    }
    for name in ["", ".", "..", "a/b", "a.b", "A", "-a", "w 1", "ü", "a\0", &"a".repeat(65)] {
        assert!(name.parse::<AnchorName>().is_err(), "{name:?}");
    }
}

#[test]
fn what_is_not_a_checkpoint_is_not_anchored() {
    let note = Note::new("This is an example message.\n").unwrap();
    assert!(Request::new(&note, &mut |_old| Ok(Vec::new())).is_err());
}

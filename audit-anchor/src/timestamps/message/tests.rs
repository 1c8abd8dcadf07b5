use super::*;

#[test]
fn a_request_is_that_of_the_specification() {
    // SEQUENCE { 1, { { sha-256, NULL }, OCTET STRING }, nonce, TRUE }, as `openssl ts -query -sha256 -cert` writes it.
    let bytes = request(Hash::from_bytes([0xab; 32]), 0x8000_0000_0000_0001);
    let expected = [
        &[0x30, 0x44, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09][..],
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20],
        &[0xab; 32],
        &[0x02, 0x09, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0x01, 0x01, 0x01, 0xff],
    ];
    assert_eq!(bytes, expected.concat());
}

/// A response without a token: SEQUENCE { SEQUENCE { status, [texts], [failure] } }.
fn refused(status: u8, text: &[u8], failure: Option<[u8; 4]>) -> Vec<u8> {
    let texts = match text {
        [] => Vec::new(),
        _ => {
            let length = u8::try_from(text.len()).unwrap();
            [&[0x30, length + 2, 0x0c, length], text].concat()
        }
    };
    let failure = failure.map_or_else(Vec::new, |bits| [&[0x03, 0x05, 0x00][..], &bits].concat());
    let inside = [&[0x02, 0x01, status][..], &texts, &failure].concat();
    let length = u8::try_from(inside.len()).unwrap();
    [&[0x30, length + 2, 0x30, length], &inside[..]].concat()
}

#[test]
fn a_refusal_says_why_and_whether_it_passes() {
    let check = |bytes: Vec<u8>, message: &str, is_passing: bool| {
        let response = Response::parse(&bytes).unwrap();
        assert!(!response.status.is_granted() && response.token.is_none());
        assert_eq!((response.status.to_string().as_str(), response.status.is_passing()), (message, is_passing));
    };
    check(refused(2, b"", None), "rejection", false);
    check(refused(2, b"no \x1b", Some([0x80, 0, 0, 0])), "rejection, unknown algorithm, \"no \\u{1b}\"", false);
    check(refused(2, b"", Some([0, 0x02, 0, 0])), "rejection, time not available", true);
    check(refused(2, b"", Some([0, 0, 0, 0x40])), "rejection, system failure", true);
    check(refused(3, b"", None), "waiting", true);
    check(refused(9, b"", Some([0x40, 0, 0, 0])), "an unknown status, reason 1", false);
}

#[test]
fn what_is_no_response_is_refused() {
    let whole = refused(2, b"why", Some([0x80, 0, 0, 0]));
    for end in 0..whole.len() {
        assert!(Response::parse(&whole[..end]).is_err(), "{end}");
    }
    let more = [&whole[..], &[0]].concat();
    assert!(Response::parse(&more).is_err());
    // A token that is none.
    let mut with_token = [&whole[..], &[0x05, 0x00]].concat();
    with_token[1] += 2;
    assert!(Response::parse(&with_token).is_err());
    for noise in 0..=255_u8 {
        assert!(Response::parse(&[noise; 40]).is_err(), "{noise}");
    }
}

//! The messages of RFC 3161 in DER: what is sent, and what is read of the answer.

use core::fmt;

use audit_core::hash::Hash;
use audit_core::time::Time;
use audit_core::timestamp::parse_time;
use der::asn1::{AnyRef, BitStringRef, IntRef, ObjectIdentifier, OctetStringRef, Utf8StringRef};
use der::{Decode as _, Encode as _, Reader as _, Sequence, Tag, TagNumber, Tagged as _};

/// SHA-256 (RFC 5754).
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// `id-signedData` (RFC 5652).
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// `id-ct-TSTInfo` (RFC 3161).
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

#[derive(Sequence)]
struct AlgorithmIdentifier<'a> {
    algorithm: ObjectIdentifier,
    parameters: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct MessageImprint<'a> {
    algorithm: AlgorithmIdentifier<'a>,
    hashed: &'a OctetStringRef,
}

/// `TimeStampReq`, without policy and extensions.
#[derive(Sequence)]
struct TimeStampReq<'a> {
    version: u8,
    imprint: MessageImprint<'a>,
    nonce: u64,
    certificate_wanted: bool,
}

/// Returns the request for a timestamp of a hash, with the authority's certificate.
pub(super) fn request(imprint: Hash, nonce: u64) -> Vec<u8> {
    let hashed = OctetStringRef::new(imprint.as_bytes());
    let request = hashed.and_then(|hashed| {
        let algorithm = AlgorithmIdentifier { algorithm: SHA_256, parameters: Some(AnyRef::NULL) };
        let imprint = MessageImprint { algorithm, hashed };
        TimeStampReq { version: 1, imprint, nonce, certificate_wanted: true }.to_der()
    });
    // Numbers and a hash always have a form in DER.
    request.unwrap_or_default()
}

/// What is read of a `TimeStampResp`.
pub(super) struct Response {
    pub(super) status: Status,
    pub(super) token: Option<Token>,
}

/// What is read of a `TimeStampToken`, which is not verified.
pub(super) struct Token {
    /// The SHA-256 that was timestamped; `None` if it is of another algorithm.
    pub(super) imprint: Option<Hash>,
    /// `None` too if it is longer than any that is sent.
    pub(super) nonce: Option<u64>,
    pub(super) time: Time,
    pub(super) has_certificates: bool,
}

impl Response {
    /// Parses a response, of which every byte is consumed.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let response = AnyRef::from_der(bytes)?;
        response.sequence(|reader| {
            let status = Status::parse(AnyRef::decode(reader)?)?;
            let token = if reader.is_finished() { None } else { Some(Token::parse(AnyRef::decode(reader)?)?) };
            Ok(Self { status, token })
        })
    }
}

#[derive(Sequence)]
struct ContentInfo<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

#[derive(Sequence)]
struct EncapsulatedContent<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: &'a OctetStringRef,
}

impl Token {
    fn parse(token: AnyRef<'_>) -> Result<Self, Malformed> {
        let info: ContentInfo<'_> = token.decode_as()?;
        check(info.content_type == SIGNED_DATA, "a token of signed data")?;
        info.content.sequence(|reader| {
            let _version = u8::decode(reader)?;
            let _digest_algorithms = AnyRef::decode(reader)?;
            let inner = EncapsulatedContent::decode(reader)?;
            check(inner.content_type == TST_INFO, "a token of a timestamp")?;
            let mut has_certificates = false;
            while !reader.is_finished() {
                has_certificates |= is_context(AnyRef::decode(reader)?, 0);
            }
            Self::of_info(AnyRef::from_der(inner.content.as_bytes())?, has_certificates)
        })
    }

    /// Reads a `TSTInfo`.
    fn of_info(info: AnyRef<'_>, has_certificates: bool) -> Result<Self, Malformed> {
        info.sequence(|reader| {
            check(u8::decode(reader)? == 1, "a timestamp of version 1")?;
            let _policy: ObjectIdentifier = ObjectIdentifier::decode(reader)?;
            let imprint = MessageImprint::decode(reader)?;
            let _serial = IntRef::decode(reader)?;
            let time = AnyRef::decode(reader)?;
            let time = if time.tag() == Tag::GeneralizedTime { parse_time(time.value()) } else { None };
            let time = time.ok_or(Malformed::new("a time in UTC"))?;
            let mut nonce = None;
            // Accuracy, ordering, nonce, name and extensions, each of which may be absent and has a tag of its own.
            while !reader.is_finished() {
                let part = AnyRef::decode(reader)?;
                if part.tag() == Tag::Integer {
                    nonce = part.decode_as().ok();
                }
            }
            Ok(Self { imprint: sha_256_of(&imprint), nonce, time, has_certificates })
        })
    }
}

fn sha_256_of(imprint: &MessageImprint<'_>) -> Option<Hash> {
    let bytes = imprint.hashed.as_bytes().try_into().ok()?;
    (imprint.algorithm.algorithm == SHA_256).then(|| Hash::from_bytes(bytes))
}

fn is_context(part: AnyRef<'_>, number: u32) -> bool {
    part.tag() == Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// What a `PKIStatusInfo` says.
pub(super) struct Status {
    status: i8,
    texts: Vec<String>,
    /// Which of the reasons of RFC 3161 §2.4.2 is given.
    failures: Vec<u32>,
}

/// The reasons for which a request is refused, by the number of their bit.
const FAILURES: [(u32, &str); 8] = [
    (0, "unknown algorithm"),
    (2, "request not permitted"),
    (5, "wrong data format"),
    (TIME_NOT_AVAILABLE, "time not available"),
    (15, "unaccepted policy"),
    (16, "unaccepted extension"),
    (17, "additional information not available"),
    (SYSTEM_FAILURE, "system failure"),
];
const TIME_NOT_AVAILABLE: u32 = 14;
const SYSTEM_FAILURE: u32 = 25;
const WAITING: i8 = 3;
const TEXTS_MAX: usize = 4;
const TEXT_LETTERS_MAX: usize = 120;

impl Status {
    fn parse(info: AnyRef<'_>) -> Result<Self, Malformed> {
        info.sequence(|reader| {
            let mut status = Self { status: i8::decode(reader)?, texts: Vec::new(), failures: Vec::new() };
            while !reader.is_finished() {
                let part = AnyRef::decode(reader)?;
                if part.tag() == Tag::BitString {
                    let bits: BitStringRef<'_> = part.decode_as()?;
                    status.failures =
                        (0..).zip(bits.bits()).filter_map(|(bit, is_set)| is_set.then_some(bit)).collect();
                } else {
                    status.texts = parse_texts(part)?;
                }
            }
            Ok(status)
        })
    }

    /// Tells whether a token comes with it: `granted` or `grantedWithMods`.
    pub(super) const fn is_granted(&self) -> bool {
        matches!(self.status, 0 | 1)
    }

    /// Tells whether the same request may be granted later.
    pub(super) fn is_passing(&self) -> bool {
        let is_passing = |failure: &u32| matches!(*failure, TIME_NOT_AVAILABLE | SYSTEM_FAILURE);
        self.status == WAITING || self.failures.iter().any(is_passing)
    }
}

fn parse_texts(part: AnyRef<'_>) -> Result<Vec<String>, Malformed> {
    part.sequence(|reader| {
        let mut texts = Vec::new();
        while !reader.is_finished() {
            let text = Utf8StringRef::decode(reader)?;
            if texts.len() < TEXTS_MAX {
                texts.push(text.as_str().chars().take(TEXT_LETTERS_MAX).flat_map(char::escape_debug).collect());
            }
        }
        Ok(texts)
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.status {
            0 => "granted",
            1 => "granted with modifications",
            2 => "rejection",
            WAITING => "waiting",
            4 => "revocation warning",
            5 => "revocation notification",
            _ => "an unknown status",
        };
        f.write_str(word)?;
        for failure in &self.failures {
            match FAILURES.iter().find(|(bit, _)| bit == failure) {
                Some((_, reason)) => write!(f, ", {reason}")?,
                None => write!(f, ", reason {failure}")?,
            }
        }
        self.texts.iter().try_for_each(|text| write!(f, ", \"{text}\""))
    }
}

/// The answer is not a response of RFC 3161.
#[derive(Debug)]
pub(super) struct Malformed(String);

impl Malformed {
    pub(super) fn new(expected: &str) -> Self {
        Self(format!("expected {expected}, found none"))
    }
}

fn check(is_met: bool, expected: &str) -> Result<(), Malformed> {
    if is_met { Ok(()) } else { Err(Malformed::new(expected)) }
}

impl From<der::Error> for Malformed {
    fn from(fault: der::Error) -> Self {
        Self(format!("expected a timestamp response in DER, found: {fault}"))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;

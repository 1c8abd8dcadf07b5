//! Timestamps of RFC 3161, as far as a verifier reads them itself: what was timestamped, and when.
//!
//! What is kept of a timestamp authority is its answer, a `TimeStampResp` in DER (`anchors/<name>/<size>.tsr`). Who signed it
//! is told by an [`Authority`]: `audit_anchor::OpenSsl` asks OpenSSL. Of the answer itself nothing is read but the values at
//! two places, in the way of `docs/spec/log.md`, so that every verifier finds the same there.

use core::fmt;
use std::path::Path;

use crate::hash::Hash;
use crate::time::Time;

/// What a timestamp says. Nothing of it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The hash that was timestamped: of the text of a checkpoint, without signatures.
    pub imprint: Hash,
    /// When, by the clock of the authority; none if it is not said in the one form of RFC 3161.
    pub time: Option<Time>,
}

/// Tells whether timestamps are of an authority that is trusted.
pub trait Authority: fmt::Debug {
    /// Verifies that the authority signed the timestamp in a file, and that it is one of this hash.
    ///
    /// # Errors
    /// Tells why that is not known: it may be another's, the file may be altered, or what verifies it is missing.
    fn verify(&self, response: &Path, imprint: Hash) -> Result<(), String>;
}

impl Stamp {
    /// Reads the answer of a timestamp authority, of which no byte may follow.
    ///
    /// # Errors
    /// There is no hash of 32 bytes where a timestamp has it.
    pub fn read(response: &[u8]) -> Result<Self, ReadStampError> {
        let info = part(response, &INFO).ok_or(ReadStampError("a timestamp of RFC 3161"))?;
        let imprint = part(info, &IMPRINT).and_then(|bytes| bytes.try_into().ok());
        let imprint = imprint.ok_or(ReadStampError("a timestamp of a hash of 32 bytes"))?;
        Ok(Self { imprint: Hash::from_bytes(imprint), time: part(info, &TIME).and_then(parse_time) })
    }
}

/// A value on the way to another one: its tag, and how many stand before it.
type Step = (u8, usize);

/// `TimeStampResp` → `timeStampToken` → `content` → `SignedData` → `encapContentInfo` → `eContent` → its octets → `TSTInfo`.
const INFO: [Step; 8] = [(0x30, 0), (0x30, 1), (0xa0, 1), (0x30, 0), (0x30, 2), (0xa0, 1), (0x04, 0), (0x30, 0)];
/// `messageImprint` → `hashedMessage`.
const IMPRINT: [Step; 2] = [(0x30, 2), (0x04, 1)];
/// `genTime`.
const TIME: [Step; 1] = [(0x18, 4)];

/// Returns the value that steps lead to; none too if anything follows a value before which nothing is to stand.
fn part<'a>(mut bytes: &'a [u8], steps: &[Step]) -> Option<&'a [u8]> {
    for (tag, place) in steps {
        for _before in 0..*place {
            (_, _, bytes) = split(bytes)?;
        }
        let (found, value, rest) = split(bytes)?;
        if found != *tag || (*place == 0 && !rest.is_empty()) {
            return None;
        }
        bytes = value;
    }
    Some(bytes)
}

/// Takes the first value off: its tag, which is of one byte, its bytes, and what follows it.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([tag, length], rest) = bytes.split_first_chunk()?;
    if tag & 0x1f == 0x1f || *length == 0x80 {
        return None;
    }
    let (size, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        let add = |size: usize, digit: &u8| size.checked_mul(256)?.checked_add(usize::from(*digit));
        (digits.iter().try_fold(0, add)?, rest)
    };
    let (value, rest) = rest.split_at_checked(size)?;
    Some((*tag, value, rest))
}

/// Reads `YYYYMMDDhhmmss[.f…]Z`, a time in UTC with or without fractions of a second (RFC 3161 §2.4.2).
#[must_use]
pub fn parse_time(value: &[u8]) -> Option<Time> {
    let text = core::str::from_utf8(value).ok()?.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.len() != 14 || !is_digits(seconds) || !is_digits(fraction) {
        return None;
    }
    let ((date, time), fraction) = (seconds.split_at_checked(8)?, format!("{fraction:0<9}"));
    let (year, day) = date.split_at_checked(4)?;
    let two = |text: &str, at: usize| text.get(at..at + 2).map(str::to_owned);
    let (month, day, hour) = (two(day, 0)?, two(day, 2)?, two(time, 0)?);
    let (minute, second, fraction) = (two(time, 2)?, two(time, 4)?, fraction.get(..9)?);
    Time::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z"))
}

/// The bytes are not the answer of a timestamp authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadStampError(&'static str);

impl fmt::Display for ReadStampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found none", self.0)
    }
}

impl std::error::Error for ReadStampError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let bytes = parts.concat();
        let length = u8::try_from(bytes.len()).unwrap();
        if length < 0x80 { [&[tag, length][..], &bytes].concat() } else { [&[tag, 0x81, length][..], &bytes].concat() }
    }

    /// A timestamp of a hash, with nothing around it but what leads to it.
    fn response(hash: &[u8], time: &[u8]) -> Vec<u8> {
        let oid: &[u8] = &[6, 1, 42];
        let imprint = value(0x30, &[&value(0x30, &[oid]), &value(4, &[hash])]);
        let info = value(0x30, &[&[2, 1, 1], oid, &imprint, &[2, 1, 7], &value(0x18, &[time]), &[2, 1, 9]]);
        let encapsulated = value(0x30, &[oid, &value(0xa0, &[&value(4, &[&info])])]);
        let signed = value(0x30, &[&[2, 1, 3], &[0x31, 0], &encapsulated, &[0x31, 0]]);
        value(0x30, &[&[0x30, 3, 2, 1, 0], &value(0x30, &[oid, &value(0xa0, &[&signed])])])
    }

    const HASH: [u8; 32] = [7; 32];
    const TIME: &[u8] = b"20261027094200.5Z";

    #[test]
    fn imprint_and_time_are_read_from_their_places() {
        let stamp = Stamp::read(&response(&HASH, TIME)).unwrap();
        assert_eq!(stamp.imprint, Hash::from_bytes(HASH));
        assert_eq!(stamp.time.unwrap().to_string(), "2026-10-27T09:42:00.500000000Z");
    }

    #[test]
    fn what_is_no_timestamp_is_refused_and_says_what_is_missing() {
        let check = |bytes: &[u8], expect: &str| {
            assert_eq!(Stamp::read(bytes).unwrap_err().to_string(), format!("expected {expect}, found none"));
        };
        let whole = response(&HASH, TIME);
        for length in 0..whole.len() {
            assert!(Stamp::read(&whole[..length]).is_err(), "{length}");
        }
        check(&[&whole[..], &[0]].concat(), "a timestamp of RFC 3161");
        check(b"<html>", "a timestamp of RFC 3161");
        // Of an endless length, and with a tag of several bytes.
        check(&[0x30, 0x80, 0, 0], "a timestamp of RFC 3161");
        check(&[0x3f, 0x10, 0], "a timestamp of RFC 3161");
        check(&[0x30, 0xff], "a timestamp of RFC 3161");
        check(&response(&HASH[1..], TIME), "a timestamp of a hash of 32 bytes");
        assert_eq!(Stamp::read(&response(&HASH, b"20261027094200")).unwrap().time, None);
    }

    #[test]
    fn no_altered_byte_makes_it_panic() {
        let whole = response(&HASH, TIME);
        for at in 0..whole.len() {
            for byte in 0..=u8::MAX {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let _read_or_refused = Stamp::read(&bytes);
            }
        }
    }

    #[test]
    fn a_time_has_one_form() {
        let time = |text: &str| parse_time(text.as_bytes()).map(|time| time.to_string());
        assert_eq!(time("20261027094200Z").unwrap(), "2026-10-27T09:42:00.000000000Z");
        assert_eq!(time("20261027094200.3051Z").unwrap(), "2026-10-27T09:42:00.305100000Z");
        assert_eq!(time("20261027094200.1234567899Z").unwrap(), "2026-10-27T09:42:00.123456789Z");
        for text in [
            "",
            "Z",
            "20261027094200",
            "202610270942Z",
            "20261027094200.Z",
            "20261027094200,5Z",
            "20261027094200+0100",
            "20261327094200Z",
            "20261027254200Z",
            "+0261027094200Z",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}

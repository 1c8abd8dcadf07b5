//! Numbers that name an account or a person: payment cards, bank accounts, social security.

use iban::Iban;

/// How many digits the number of a card has.
const CARD_DIGITS_MIN: usize = 12;
const CARD_DIGITS_MAX: usize = 19;

/// How many digits a group has at least where the number is written in groups.
const GROUP_DIGITS_MIN: usize = 3;

/// How many letters and digits an IBAN has.
const IBAN_LENGTH_MIN: usize = 15;
const IBAN_LENGTH_MAX: usize = 34;

/// How many hexadecimal digits in a row are taken for a hash, in which no number is looked for.
const HASH_DIGITS_MIN: usize = 24;

/// Returns how many bytes the number of a card takes that the digits at `at` begin, in one piece or in groups.
pub(super) fn card(text: &str, at: usize) -> Option<usize> {
    let (before, bytes) = text.as_bytes().split_at_checked(at)?;
    if matches!(before, [.., b'0'..=b'9', b'.']) {
        return None;
    }
    let mut digits = [0; CARD_DIGITS_MAX];
    let (mut count, mut group, mut end, mut best) = (0, 0, 0, None);
    loop {
        let byte = bytes.get(end).copied();
        if let Some(digit @ b'0'..=b'9') = byte {
            // More digits than any card has.
            let Some(place) = digits.get_mut(count) else { break };
            *place = digit - b'0';
            (count, group) = (count + 1, group + 1);
        } else {
            if count >= CARD_DIGITS_MIN && !is_fraction(bytes.get(end..)) && is_card(digits.get(..count)?) {
                best = Some(end);
            }
            let goes_on = matches!(byte, Some(b' ' | b'-' | b'.' | b'_'))
                && group >= GROUP_DIGITS_MIN
                && count < CARD_DIGITS_MAX
                && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            if !goes_on {
                break;
            }
            group = 0;
        }
        end += 1;
    }
    best.filter(|_| !is_in_hash(text.as_bytes(), at))
}

/// Tells whether a number goes on behind its point.
fn is_fraction(after: Option<&[u8]>) -> bool {
    matches!(after, Some([b'.', b'0'..=b'9', ..]))
}

/// Tells whether the digits are those of a payment card: of a network, and with the right check digit (ISO/IEC 7812-1).
pub(super) fn is_card(digits: &[u8]) -> bool {
    is_of_network(digits) && passes_luhn(digits)
}

/// Tells whether the digits begin as those of a card network do, and are as many.
fn is_of_network(digits: &[u8]) -> bool {
    let Some(first) = digits.get(..4) else { return false };
    let first = first.iter().fold(0u32, |number, digit| number * 10 + u32::from(*digit));
    match digits.len() {
        // Visa long ago, and Maestro.
        12 => matches!(first, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763),
        13 => matches!(first, 4000..=4999 | 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763),
        // Diners Club.
        14 => matches!(first, 3000..=3059 | 3095 | 3600..=3699 | 3800..=3999),
        // American Express.
        15 => matches!(first, 3400..=3499 | 3700..=3799 | 1800 | 2131),
        // Visa, Mastercard, Mir, Discover, JCB, Diners Club, UnionPay, RuPay, Maestro, Verve, Troy.
        16..=19 => matches!(
            first,
            2200..=2204 | 2221..=2720 | 3000..=3059 | 3095 | 3528..=3589 | 3600..=3699 | 3800..=3999 | 4000..=4999
                | 5000..=5999 | 6000..=6999 | 8100..=8171 | 9792
        ),
        _ => false,
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| {
            let digit = u32::from(digit);
            match (at % 2, digit * 2) {
                (0, _) => digit,
                (_, doubled @ ..=9) => doubled,
                (_, doubled) => doubled - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Tells whether the byte at `at` stands in a long run of hexadecimal digits.
fn is_in_hash(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at_checked(at).unwrap_or_default();
    let letters = |run: &[u8]| run.iter().any(u8::is_ascii_alphabetic);
    let before = before
        .iter()
        .rposition(|byte| !byte.is_ascii_hexdigit())
        .map_or(before, |last| before.get(last + 1..).unwrap_or_default());
    let end = after.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(after.len());
    let after = after.get(..end).unwrap_or_default();
    before.len() + after.len() >= HASH_DIGITS_MIN && (letters(before) || letters(after))
}

/// Returns how many bytes the IBAN takes that begins the text, in one piece or in groups.
pub(super) fn iban(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let begins = matches!(bytes, [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit());
    if !begins {
        return None;
    }
    let mut letters = String::with_capacity(IBAN_LENGTH_MAX);
    let mut ends = [(0, 0); IBAN_LENGTH_MAX];
    let (mut known, mut at) = (0, 0);
    while letters.len() <= IBAN_LENGTH_MAX {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_alphanumeric() => letters.push(char::from(byte.to_ascii_uppercase())),
            other => {
                if letters.len() >= IBAN_LENGTH_MIN
                    && let Some(end) = ends.get_mut(known)
                {
                    *end = (letters.len(), at);
                    known += 1;
                }
                let goes_on = matches!(other, Some(b' ' | b'-' | b'.'))
                    && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
                if !goes_on {
                    break;
                }
            }
        }
        at += 1;
    }
    let ends = ends.get(..known).unwrap_or_default();
    let is_iban = |length: usize| letters.get(..length).is_some_and(|letters| letters.parse::<Iban>().is_ok());
    ends.iter().rev().find(|(length, _)| is_iban(*length)).map(|&(_, end)| end)
}

/// Returns how many bytes the social security number of the United States takes that begins the text: nine digits in
/// groups of three, two and four, none of which is all zeros, the first neither 666 nor from 900 on.
pub(super) fn us_ssn(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = bytes.get(from..to)?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')))
    };
    let separator = *bytes.get(3)?;
    let (area, group, serial) = (number(0, 3)?, number(4, 6)?, number(7, 11)?);
    let is_whole = matches!(separator, b'-' | b' ')
        && bytes.get(6) == Some(&separator)
        && !bytes.get(11).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
    (is_whole && !matches!(area, 0 | 666 | 900..) && group > 0 && serial > 0).then_some(11)
}

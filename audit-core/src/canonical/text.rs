//! Strings and numbers as RFC 8785 §3.2.2 writes them.

use core::cmp::Ordering;

/// The largest integer that every reader of JSON keeps exactly: 2^53−1.
const INTEGER_MAX: u128 = (1 << 53) - 1;

/// Appends the text as a JSON string: only `"`, `\` and the controls below U+0020 are escaped.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_part(out, text);
    out.push(b'"');
}

/// Appends the texts as one JSON string.
pub(crate) fn write_joined(out: &mut Vec<u8>, parts: &[&str]) {
    out.push(b'"');
    parts.iter().for_each(|part| write_part(out, part));
    out.push(b'"');
}

#[inline]
fn write_part(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // Nearly all texts need no escape.
    if are_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(out, bytes);
    }
}

/// Looks at eight bytes at once: a byte of the word is below a limit if it borrows when the limit is taken from it.
fn are_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    let escaped = words.iter().fold(0, |escaped, word| {
        let word = u64::from_ne_bytes(*word);
        let (quote, backslash) = (word ^ (ONES * u64::from(b'"')), word ^ (ONES * u64::from(b'\\')));
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
        escaped | below(word, 0x20) | below(quote, 1) | below(backslash, 1)
    });
    escaped & HIGHEST == 0 && rest.iter().all(|&byte| is_plain(byte))
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

#[cold]
fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if is_plain(byte) {
            continue;
        }
        out.extend_from_slice(bytes.get(written..at).unwrap_or_default());
        write_escape(out, byte);
        written = at + 1;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
}

/// Joins members, each a distinct name and its canonical JSON, into one object.
pub(crate) fn object_of<N: AsRef<str>>(members: &mut [(N, Vec<u8>)]) -> Vec<u8> {
    members.sort_by(|(a, _), (b, _)| compare_names(a.as_ref(), b.as_ref()));
    let mut out = vec![b'{'];
    for (name, value) in members.iter() {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(&mut out, name.as_ref());
        out.push(b':');
        out.extend_from_slice(value);
    }
    out.push(b'}');
    out
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends a number. A short one is written as one word: bytes that were written one by one are slow to copy right after.
pub(crate) fn write_digits(out: &mut Vec<u8>, number: u64) {
    if number >= 100_000_000 {
        return out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }
    // Halved three times, each part of the word by itself: two numbers of four digits, four of two, eight digits. The
    // products by which it is divided are exact for so few digits.
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | ((twos - tens * 10) << 8);
    // The first digit is the lowest byte.
    let zeros = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | 0x3030_3030_3030_3030) >> (8 * zeros);
    let end = out.len() + 8 - usize::try_from(zeros).unwrap_or_default();
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

/// Writes an integer given by sign and magnitude; returns its text as it stands in JSON.
pub(super) fn write_integer(out: &mut Vec<u8>, negative: bool, magnitude: u128) {
    let exact = magnitude <= INTEGER_MAX;
    if !exact {
        out.push(b'"');
    }
    if negative {
        out.push(b'-');
    }
    match u64::try_from(magnitude) {
        Ok(small) => write_digits(out, small),
        Err(_beyond) => out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes()),
    }
    if !exact {
        out.push(b'"');
    }
}

/// Writes a number as ECMAScript does, one that is not finite as a string.
pub(super) fn write_float(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(ryu_js::Buffer::new().format(number).as_bytes());
        out.push(b'"');
    }
}

/// Compares names by their UTF-16 code units, as RFC 8785 §3.2.3 sorts members.
pub(crate) fn compare_names(a: &str, b: &str) -> Ordering {
    // UTF-8 and UTF-16 order texts alike but where a character beyond U+FFFF meets one from U+E000 on.
    if a.is_ascii() || b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

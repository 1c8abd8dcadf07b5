//! The place of an entry, read from the end of its line alone.

use crate::entry::Sequence;

/// Reads the place of an entry from the end of its line, where it has a fixed form; the record is not looked at.
///
/// `None` if the line does not end as one of an entry does. What it returns is what the line states: proved by nothing.
#[must_use]
pub fn stated_sequence(line: &[u8]) -> Option<Sequence> {
    let (before, stream) = line.strip_suffix(b"\"}}")?.split_last_chunk::<36>()?;
    let stream_id = core::str::from_utf8(stream).ok()?.parse().ok()?;
    let before = before.strip_suffix(br#","stream_id":""#)?;
    let (before, previous_hash) = match before.strip_suffix(b"\"") {
        None => (before, None),
        Some(before) => {
            let (before, hash) = before.split_last_chunk::<64>()?;
            let hash = core::str::from_utf8(hash).ok()?.parse().ok()?;
            (before.strip_suffix(br#","previous_hash":""#)?, Some(hash))
        }
    };
    let digits = before.iter().rev().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let (before, number) = before.split_at_checked(before.len() - digits)?;
    let number = core::str::from_utf8(number).ok()?;
    let is_canonical = number == "0" || !number.starts_with('0');
    let is_in_place = before.ends_with(br#","sequence":{"number":"#);
    let sequence = Sequence { number: number.parse().ok()?, previous_hash, stream_id };
    (is_canonical && is_in_place).then_some(sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{parse_line, write_line};
    use crate::hash::Hash;

    #[test]
    fn the_place_is_that_of_the_whole_line() {
        for (number, previous_hash) in [(0, None), (7, Some(Hash::of(b"6"))), (u64::MAX, Some(Hash::of(b"max")))] {
            let stream_id = "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap();
            let sequence = Sequence { number, previous_hash, stream_id };
            let mut line = Vec::new();
            let record = br#"{"event_name":"tool.called","schema_version":"1","stage":"started","time":"now"}"#;
            write_line(&mut line, record, &sequence);
            assert_eq!(stated_sequence(&line), Some(sequence));
            assert_eq!(parse_line(&line).unwrap().sequence, sequence);
            for end in 0..line.len() {
                assert_eq!(stated_sequence(&line[..end]), None, "{end}");
            }
            let text = String::from_utf8(line).unwrap();
            let zero = text.replace(r#""number":"#, r#""number":0"#);
            let hash = text.replace("_hash\":\"", "_hash\":\"z");
            for other in [zero, hash, text.replace("stream_id", "stream-id"), text.replace("sequence", "sequences")] {
                assert!(other == text || stated_sequence(other.as_bytes()).is_none(), "{other}");
            }
        }
    }
}

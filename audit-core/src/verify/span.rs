//! The earliest and the latest time of many records.

use crate::time::Time;

/// The span of times, as it grows.
#[derive(Debug, Default)]
pub(super) struct Spanning {
    /// The least and the greatest time in the form in which records are written; as texts of one length they stand in
    /// the order of their times.
    texts: Option<([u8; TEXT_BYTES], [u8; TEXT_BYTES])>,
    /// The times in any other form.
    others: Option<(Time, Time)>,
    /// A text up to its seconds that is known to be a time.
    known: [u8; SECONDS_BYTES],
}

/// The length of `2026-10-27T09:42:00.000456000Z`.
const TEXT_BYTES: usize = 30;
const SECONDS_BYTES: usize = 19;

impl Spanning {
    /// Takes the time of one record; what is no time is passed over.
    pub(super) fn add(&mut self, text: &[u8]) {
        match text.try_into() {
            Ok(text) if self.is_canonical(text) => {
                let (first, last) = self.texts.get_or_insert((*text, *text));
                if text < first {
                    *first = *text;
                }
                if text > last {
                    *last = *text;
                }
            }
            _ => {
                let time = parse(text);
                self.others = join(self.others, time.map(|time| (time, time)));
            }
        }
    }

    pub(super) fn span(&self) -> Option<(Time, Time)> {
        let texts = self.texts.and_then(|(first, last)| Some((parse(&first)?, parse(&last)?)));
        join(texts, self.others)
    }

    fn is_canonical(&mut self, text: &[u8; TEXT_BYTES]) -> bool {
        let Some((seconds, [b'.', digits @ .., b'Z'])) = text.split_first_chunk::<SECONDS_BYTES>() else {
            return false;
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return false;
        }
        if *seconds != self.known {
            // Other texts of this length and these digits are times, too: with a space for the `T`, or a leap second.
            let is_same = parse(text).is_some_and(|time| time.to_string().as_bytes() == text);
            if !is_same {
                return false;
            }
            self.known = *seconds;
        }
        true
    }
}

/// Joins two spans.
pub(super) fn join(a: Option<(Time, Time)>, b: Option<(Time, Time)>) -> Option<(Time, Time)> {
    match (a, b) {
        (Some((first, last)), Some((other_first, other_last))) => Some((first.min(other_first), last.max(other_last))),
        (span, None) | (None, span) => span,
    }
}

fn parse(text: &[u8]) -> Option<Time> {
    Time::parse(core::str::from_utf8(text).ok()?)
}

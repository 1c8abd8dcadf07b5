//! Instants of the wall clock, and the clock that tells them.

use core::cell::Cell;
use core::fmt;
use core::time::Duration;
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// An instant in UTC with nanoseconds, written as RFC 3339: `2026-10-27T09:42:00.000456000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    since_epoch: Duration,
}

impl Time {
    /// Makes the instant that lies `since_epoch` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix(since_epoch: Duration) -> Self {
        Self { since_epoch }
    }

    /// Returns the time passed since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn since_unix(self) -> Duration {
        self.since_epoch
    }

    /// Parses an RFC 3339 instant; one before 1970 is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let timestamp: Timestamp = text.parse().ok()?;
        Some(Self { since_epoch: Duration::try_from(timestamp.as_duration()).ok()? })
    }
}

/// How long the text of a time is: `2026-10-27T09:42:00.000456000Z`.
pub(crate) const TEXT_BYTES: usize = 30;

/// How long it is up to the point before the nanoseconds.
const SECOND_BYTES: usize = 20;

thread_local! {
    /// The second that was written last, and its text up to the point.
    static LAST: Cell<(u64, [u8; SECOND_BYTES])> = const { Cell::new((0, *b"1970-01-01T00:00:00.")) };
}

impl Time {
    /// Returns the text of the time. Most are of the second of the one before: then only its fraction is written anew.
    pub(crate) fn text(self) -> [u8; TEXT_BYTES] {
        let known = LAST.try_with(Cell::get).ok().filter(|(second, _)| *second == self.since_epoch.as_secs());
        let Some((_, second)) = known else { return self.text_anew() };
        let mut text = *b"....................000000000Z";
        let (to_second, fraction) = text.split_at_mut(SECOND_BYTES);
        to_second.copy_from_slice(&second);
        let nanoseconds = self.since_epoch.subsec_nanos();
        let groups = [nanoseconds / 1_000_000, nanoseconds / 1_000 % 1_000, nanoseconds % 1_000];
        for (places, group) in fraction.as_chunks_mut::<3>().0.iter_mut().zip(groups) {
            for (place, digit) in places.iter_mut().zip([group / 100, group / 10 % 10, group % 10]) {
                let [digit, ..] = digit.to_le_bytes();
                *place += digit;
            }
        }
        text
    }

    fn text_anew(self) -> [u8; TEXT_BYTES] {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));
        // Beyond the year 9999 RFC 3339 has no form; such a clock is written as the last instant there is.
        let timestamp = UNIX_EPOCH.checked_add(self.since_epoch).and_then(|time| Timestamp::try_from(time).ok());
        let written = PRINTER.timestamp_to_string(&timestamp.unwrap_or(Timestamp::MAX));
        let text = <[u8; TEXT_BYTES]>::try_from(written.as_bytes()).unwrap_or(*b"9999-12-30T22:00:00.999999999Z");
        if let (Some(_), Some(second)) = (timestamp, text.first_chunk()) {
            let _ended = LAST.try_with(|last| last.set((self.since_epoch.as_secs(), *second)));
        }
        text
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Tells the time. Tests put their own in place of [`SystemClock`].
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of the wall clock.
    fn now(&self) -> Time;

    /// Returns the time passed on a steady clock since some fixed moment; never goes back.
    fn steady(&self) -> Duration;

    /// Returns both at once.
    fn both(&self) -> (Time, Duration) {
        (self.now(), self.steady())
    }
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn steady(&self) -> Duration {
        START.elapsed()
    }

    /// Asks the steady clock alone for a millisecond after the wall clock was last asked: a clock that is set meanwhile is
    /// noticed that much later.
    fn both(&self) -> (Time, Duration) {
        let instant = Instant::now();
        let anchor = ANCHOR.try_with(Cell::get).ok().flatten();
        let passed = anchor.and_then(|anchor| Some((anchor, instant.checked_duration_since(anchor.instant)?)));
        if let Some((anchor, passed)) = passed.filter(|(_, passed)| *passed < ANCHOR_MAX) {
            return (Time::from_unix(anchor.time.since_epoch + passed), anchor.steady + passed);
        }
        let (time, steady) = (self.now(), instant.saturating_duration_since(*START));
        // A thread that was interrupted in between has no pair of times.
        let is_pair = instant.elapsed() < ANCHOR_ERROR_MAX;
        let _ended = ANCHOR.try_with(|kept| kept.set(is_pair.then_some(Anchor { time, instant, steady })));
        (time, steady)
    }
}

/// What the steady clock counts from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The two clocks at one moment.
#[derive(Clone, Copy)]
struct Anchor {
    time: Time,
    instant: Instant,
    steady: Duration,
}

/// How long an anchor is used, and how much time may have passed between its two clocks.
const ANCHOR_MAX: Duration = Duration::from_millis(1);
const ANCHOR_ERROR_MAX: Duration = Duration::from_micros(1);

thread_local! {
    static ANCHOR: Cell<Option<Anchor>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_nanoseconds_and_read_back() {
        let text = "2026-10-27T09:42:00.000456000Z";
        let time = Time::parse(text).unwrap();
        assert_eq!(time.to_string(), text);
        assert_eq!(Time::from_unix(Duration::ZERO).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Time::parse("1969-12-31T23:59:59Z"), None);
        assert_eq!(Time::parse("yesterday"), None);
        for (seconds, nanoseconds, expected) in [
            (1_792_000_000, 1, "2026-10-14T17:46:40.000000001Z"),
            (1_792_000_000, 999_999_999, "2026-10-14T17:46:40.999999999Z"),
            (1_792_000_001, 20, "2026-10-14T17:46:41.000000020Z"),
            (u64::MAX, 0, "9999-12-30T22:00:00.999999999Z"),
            (1_792_000_001, 0, "2026-10-14T17:46:41.000000000Z"),
        ] {
            assert_eq!(Time::from_unix(Duration::new(seconds, nanoseconds)).to_string(), expected);
        }
    }
}

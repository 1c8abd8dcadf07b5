//! Instants of the wall clock, and the clock that tells them.

use core::fmt;
use core::time::Duration;
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

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));
        // Beyond the year 9999 RFC 3339 has no form; such a clock is written as the last instant there is.
        let timestamp = Timestamp::try_from(UNIX_EPOCH + self.since_epoch).unwrap_or(Timestamp::MAX);
        PRINTER.print_timestamp(&timestamp, jiff::fmt::StdFmtWrite(f)).map_err(|_full| fmt::Error)
    }
}

/// Tells the time. Tests put their own in place of [`SystemClock`].
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of the wall clock.
    fn now(&self) -> Time;

    /// Returns the time passed on a steady clock since some fixed moment; never goes back.
    fn steady(&self) -> Duration;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn steady(&self) -> Duration {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        START.elapsed()
    }
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
    }
}

//! Identifiers: UUIDs of version 7, each kind its own type.

use core::cell::RefCell;
use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::time::Time;

/// The text is not a UUID in its lower-case hyphenated form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError(());

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a UUID of 32 lower-case hexadecimal digits in five groups")
    }
}

impl std::error::Error for ParseIdError {}

/// The text of an identifier: 32 lower-case hexadecimal digits in five groups.
pub(crate) type IdText = [u8; 36];

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new identifier for the given time.
            #[must_use]
            pub fn new(source: &dyn IdSource, time: Time) -> Self {
                Self(Uuid::from_u128(source.next(time)))
            }

            /// Returns the text of the identifier.
            pub(crate) fn text(self) -> IdText {
                let mut text = [0; 36];
                self.0.hyphenated().encode_lower(&mut text);
                text
            }

            /// Wraps the 16 bytes of an identifier.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Returns the 16 bytes of the identifier.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(core::str::from_utf8(&self.text()).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let uuid = Uuid::try_parse(text).map_err(|_kind| ParseIdError(()))?;
                // One form only, so that equal identifiers are equal bytes.
                if uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text {
                    Ok(Self(uuid))
                } else {
                    Err(ParseIdError(()))
                }
            }
        }
    };
}

id! {
    /// Identifies one record.
    RecordId
}
id! {
    /// Identifies one call: one execution of a tool. Ours, unlike the model's `tool_call_id`.
    CallId
}
id! {
    /// Identifies one stream: one hash chain with one writer.
    StreamId
}

/// Makes identifiers. Tests put their own in place of [`RandomIds`].
pub trait IdSource: Send + Sync + 'static {
    /// Returns the 128 bits of a new UUID of version 7 for the given time.
    fn next(&self, time: Time) -> u128;
}

/// UUIDs of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, 12 bits of their fraction (§6.2, method 3), and 62 random
/// bits of the operating system.
///
/// Works wherever a call may be made, also while a thread's locals are destroyed, and never panics. A process that was
/// forked off another has to [`renew`] them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self, time: Time) -> u128 {
        let since = time.since_unix();
        let (seconds, nanoseconds) = (since.as_secs(), u64::from(since.subsec_nanos()));
        let milliseconds = seconds.wrapping_mul(1_000).wrapping_add(nanoseconds / 1_000_000);
        // 4,096 steps of about 244 ns.
        let fraction = (nanoseconds % 1_000_000) * 4_096 / 1_000_000;
        let high = milliseconds << 16 | VERSION | fraction;
        // Processes that were forked share what is left in a pool, but hardly the nanosecond as well.
        let low = (random() >> 2) ^ nanoseconds | VARIANT;
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Where the version and the variant stand in the two halves of a UUID.
const VERSION: u64 = 7 << 12;
const VARIANT: u64 = 2 << 62;

/// How many times the random bits at hand were given up.
static RENEWED: AtomicU64 = AtomicU64::new(0);

/// Gives up the random bits that the threads have at hand, as a process must that was forked off another: they are known
/// to both. Making a port does so.
pub fn renew() {
    RENEWED.fetch_add(1, Ordering::Relaxed);
}

/// Random bits that are fetched at once, as one call of the operating system costs more than all else of a UUID.
struct Pool {
    bits: [[u8; 8]; 64],
    left: usize,
    renewed: u64,
}

thread_local! {
    // Neither made at first use nor dropped: so it is there in the destructors of other locals.
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bits: [[0; 8]; 64], left: 0, renewed: 0 }) };
}

fn random() -> u64 {
    let pooled = POOL.try_with(|pool| pool.try_borrow_mut().ok().and_then(|mut pool| pool.next()));
    pooled.ok().flatten().unwrap_or_else(counted)
}

impl Pool {
    fn next(&mut self) -> Option<u64> {
        let renewed = RENEWED.load(Ordering::Relaxed);
        if self.left == 0 || self.renewed != renewed {
            getrandom::fill(self.bits.as_flattened_mut()).ok()?;
            (self.left, self.renewed) = (self.bits.len(), renewed);
        }
        self.left -= 1;
        self.bits.get(self.left).copied().map(u64::from_ne_bytes)
    }
}

/// Stands in where the operating system has no random bits: unique in this process, not unguessable.
fn counted() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    u64::from(std::process::id()) << 42 | (COUNT.fetch_add(1, Ordering::Relaxed) << 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_carries_its_time_and_has_one_form() {
        let time = Time::parse("2026-10-27T09:42:00.000456000Z").unwrap();
        let text = CallId::new(&RandomIds, time).to_string();
        let milliseconds = u128::from_str_radix(&text.replace('-', "")[..12], 16).unwrap();
        assert_eq!(milliseconds, time.since_unix().as_millis());
        assert_eq!(&text[14..15], "7");
        assert!(["8", "9", "a", "b"].contains(&&text[19..20]), "{text}");
        assert_eq!(text.parse::<CallId>().unwrap().to_string(), text);
        assert!("01A17CBC-F240-7DCA-883E-717B1F64EB14".parse::<CallId>().is_err());
        assert!(text.replace('-', "").parse::<CallId>().is_err());
    }

    #[test]
    fn identifiers_of_one_time_differ() {
        let time = Time::parse("2026-10-27T09:42:00.000456000Z").unwrap();
        let make = |_| RandomIds.next(time);
        let made: std::collections::HashSet<u128> = (0..1_000).map(make).collect();
        assert_eq!(made.len(), 1_000);
        assert_ne!(counted() >> 2, counted() >> 2);
    }

    #[test]
    fn identifiers_stand_in_the_order_of_their_times() {
        let time = Time::parse("2026-10-27T09:42:00.999000000Z").unwrap().since_unix();
        let make = |step: u64| RandomIds.next(Time::from_unix(time + core::time::Duration::from_nanos(step * 250)));
        let made: Vec<u128> = (0..10_000).map(make).collect();
        assert!(made.is_sorted());
    }

    #[test]
    fn what_a_thread_has_at_hand_is_given_up() {
        let renewed = || POOL.with_borrow(|pool| (pool.renewed, pool.left));
        random();
        random();
        let (before, _) = renewed();
        renew();
        random();
        let (after, left) = renewed();
        assert!(after > before);
        assert_eq!(left, 63);
    }

    #[test]
    fn an_identifier_is_made_while_the_locals_of_a_thread_are_destroyed() {
        use std::sync::mpsc::{Sender, channel};

        struct Late(Sender<u128>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.send(RandomIds.next(Time::from_unix(core::time::Duration::ZERO))).unwrap();
            }
        }
        thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            LATE.set(Some(Late(sender)));
            RandomIds.next(Time::from_unix(core::time::Duration::ZERO))
        });
        assert_ne!(receiver.recv().unwrap(), thread.join().unwrap());
    }
}

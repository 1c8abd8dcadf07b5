//! Identifiers: UUIDs of version 7, each kind its own type.

use core::cell::RefCell;
use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

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
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
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

/// UUIDs of version 7: 48 bits of milliseconds, 74 random bits of the operating system.
///
/// Works wherever a call may be made, also while a thread's locals are destroyed, and never panics.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self, time: Time) -> u128 {
        let since = time.since_unix();
        let mut random = random();
        // Processes that were forked share the rest of a pool, but hardly the nanosecond as well.
        for (byte, nanosecond) in random.iter_mut().zip(since.subsec_nanos().to_le_bytes()) {
            *byte ^= nanosecond;
        }
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid().as_u128()
    }
}

/// How many random bytes one UUID takes.
const RANDOM_BYTES: usize = 10;

/// Random bytes that are fetched at once, as one call of the operating system costs more than all else of a UUID.
struct Pool {
    bytes: [[u8; RANDOM_BYTES]; 25],
    left: usize,
}

thread_local! {
    // Neither made at first use nor dropped: so it is there in the destructors of other locals.
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [[0; RANDOM_BYTES]; 25], left: 0 }) };
}

fn random() -> [u8; RANDOM_BYTES] {
    let pooled = POOL.try_with(|pool| pool.try_borrow_mut().ok().and_then(|mut pool| pool.next()));
    pooled.ok().flatten().unwrap_or_else(counted)
}

impl Pool {
    fn next(&mut self) -> Option<[u8; RANDOM_BYTES]> {
        if self.left == 0 {
            getrandom::fill(self.bytes.as_flattened_mut()).ok()?;
            self.left = self.bytes.len();
        }
        self.left -= 1;
        self.bytes.get(self.left).copied()
    }
}

/// Stands in where the operating system has no random bytes: unique in this process, not unguessable.
fn counted() -> [u8; RANDOM_BYTES] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = u128::from(COUNT.fetch_add(1, Ordering::Relaxed)) << 16;
    let [.., a, b, c, d, e, f, g, h, i, j] = (count | u128::from(std::process::id() & 0xffff)).to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j]
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
        assert_ne!(counted(), counted());
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

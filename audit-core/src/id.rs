//! Identifiers: UUIDs of version 7, each kind its own type.

use core::fmt;
use core::str::FromStr;

use uuid::{NoContext, Timestamp, Uuid};

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

/// UUIDs of version 7: 48 bits of milliseconds, 74 random bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self, time: Time) -> u128 {
        let since = time.since_unix();
        Uuid::new_v7(Timestamp::from_unix(NoContext, since.as_secs(), since.subsec_nanos())).as_u128()
    }
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
}

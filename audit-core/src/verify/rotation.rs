//! Entries that name the next key.

use serde::{Deserialize, Serialize};

use crate::vocabulary::EventName;

/// A `key.rotated`: from the checkpoint after the first one that covers it, the key that it names signs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Rotation {
    /// The number of the entry.
    pub entry: u64,
    /// The key as the entry states it, in the form of C2SP; empty if it states none.
    pub verification_key: String,
}

impl Rotation {
    /// Reads the rotation that a line states; none if it is of another event.
    pub(super) fn of(entry: u64, event_name: &str, line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Entry {
            record: Record,
        }
        #[derive(Deserialize)]
        struct Record {
            log: Log,
        }
        #[derive(Deserialize)]
        struct Log {
            verification_key: String,
        }
        if event_name != EventName::KeyRotated.as_str() {
            return None;
        }
        let stated = serde_json::from_slice::<Entry>(line).map(|entry| entry.record.log.verification_key);
        Some(Self { entry, verification_key: stated.unwrap_or_default() })
    }
}

//! What the tests of `audited` share: a sink in memory, a clock and identifiers that do not surprise, places of data.
//!
//! ```
//! use audited::audited;
//!
//! #[audited(action = "order.note", redact = [pin_code])]
//! fn note(order: u32, pin_code: u32) -> u32 {
//!     order + pin_code
//! }
//!
//! let records = testkit::recorded(|| assert_eq!(note(7, 1), 8));
//! assert_eq!(records[0]["request"]["arguments"], serde_json::json!({"order": 7}));
//! assert_eq!(records[1]["response"]["summary"], 8);
//! ```

pub mod bench;
pub mod http;
mod memory;
mod process;
pub mod witness;

use std::path::{Path, PathBuf};

pub use memory::{Demanded, Memory, recorded};
pub use process::{in_a_process_of_its_own, in_a_process_with, place_of};

/// Returns the root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Returns a directory of data that is kept outside the repository: the one named by the environment variable, or
/// `../shared/<default>`. Where it is absent, the test that asks for it says that it is skipped.
#[must_use]
pub fn outside_data(variable: &str, default: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let place = named.unwrap_or_else(|| workspace().join("../shared").join(default));
    if place.is_dir() {
        return Some(place);
    }
    #[expect(clippy::print_stderr, reason = "a test that checks nothing has to say so")]
    {
        eprintln!("skipped: {} is absent; name the data with {variable}", place.display());
    }
    None
}

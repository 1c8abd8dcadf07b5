//! doc comments and doc attributes
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
#![deny(missing_docs)]
use probe::body;

/// Adds one.
#[doc = "And says so."]
#[doc(alias = "plus")]
#[shape]
pub fn subject(number: u32) -> u32 {
    body();
    number + 1
}

/// Runs it.
pub fn run() {
    assert_eq!(subject(1), 2);
}

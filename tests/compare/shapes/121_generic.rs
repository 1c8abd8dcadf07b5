//! generics with bounds, one of them without `Debug`
//! call: {"arguments": {"left": {"type": "u8"}, "right": "\"b\""}, "summary": "1 \"b\""}
//! captures: left, right
//! shown: right
use std::fmt::Debug;

use probe::body;

#[shape]
fn subject<T: Into<u32>, U: Debug>(left: T, right: U) -> String {
    body();
    format!("{} {right:?}", left.into())
}

pub fn run() {
    assert_eq!(subject(1_u8, "b"), "1 \"b\"");
}

//! generics, all of them with `Debug`
//! call: {"arguments": {"left": "1", "right": "\"b\""}, "summary": "1 \"b\""}
//! captures: left, right
use std::fmt::Debug;

use probe::body;

#[shape]
fn subject<T: Debug, U: Debug>(left: T, right: U) -> String {
    body();
    format!("{left:?} {right:?}")
}

pub fn run() {
    assert_eq!(subject(1_u8, "b"), "1 \"b\"");
}

//! a reference pattern and an array pattern
//! call: {"arguments": {"first": 1, "left": 2, "right": 3}, "summary": 6}
//! captures: first, left, right
use probe::body;

#[shape]
fn subject(&first: &u32, [left, right]: [u32; 2]) -> u32 {
    body();
    first + left + right
}

pub fn run() {
    assert_eq!(subject(&1, [2, 3]), 6);
}

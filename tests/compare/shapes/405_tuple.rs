//! tuples in and out
//! call: {"arguments": {"pair": [1, "a"]}, "summary": ["a", 1]}
//! captures: pair
use probe::body;

#[shape]
fn subject(pair: (u32, &str)) -> (&str, u32) {
    body();
    (pair.1, pair.0)
}

pub fn run() {
    assert_eq!(subject((1, "a")), ("a", 1));
}

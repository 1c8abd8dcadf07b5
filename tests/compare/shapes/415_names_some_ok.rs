//! user's `Some`, `None`, `Ok` and `Err`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
#![allow(dead_code)]
use probe::body;

struct Some;
struct None;
struct Ok;
struct Err;

#[shape]
fn subject(number: u32) -> u32 {
    body();
    number + 1
}

pub fn run() {
    assert_eq!(subject(1), 2);
}

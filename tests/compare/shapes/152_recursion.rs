//! recursion
//! call: {"arguments": {"number": 2}, "summary": 2}
//! call: {"arguments": {"number": 1}, "summary": 1}
//! call: {"arguments": {"number": 0}, "summary": 0}
//! captures: number
use probe::body;

#[shape]
fn subject(number: u32) -> u32 {
    body();
    if number == 0 { 0 } else { 1 + subject(number - 1) }
}

pub fn run() {
    assert_eq!(subject(2), 2);
}

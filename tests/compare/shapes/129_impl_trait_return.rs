//! `impl Trait` returned
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[shape]
fn subject(number: u32) -> impl std::fmt::Display {
    body();
    number + 1
}

pub fn run() {
    assert_eq!(subject(1).to_string(), "2");
}

//! `#[track_caller]`
//! call: {"arguments": {"number": 1}, "summary": 15}
//! captures: number
use probe::body;

#[shape]
#[track_caller]
fn subject(number: u32) -> u32 {
    body();
    number + std::panic::Location::caller().line()
}

pub fn run() {
    let here = line!();
    assert_eq!(subject(1), here + 2);
}

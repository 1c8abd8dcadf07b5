//! `Result` through an alias of one parameter
//! call: {"arguments": {"number": 0}, "status": "failure", "error_type": "Failure::Empty"}
//! call: {"arguments": {"number": 1}, "summary": 1}
//! captures: number
//! returns: result
use probe::{Failure, body};

type Answer<T> = Result<T, Failure>;

#[shape]
fn subject(number: u32) -> Answer<u32> {
    body();
    if number == 0 { Err(Failure::Empty) } else { Ok(number) }
}

pub fn run() {
    assert_eq!(subject(0), Err(Failure::Empty));
    assert_eq!(subject(1), Ok(1));
}

//! early return
//! call: {"arguments": {"number": 0}, "status": "failure", "error_type": "Failure::Empty"}
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
//! returns: result
use probe::{Failure, body};

#[shape]
fn subject(number: u32) -> Result<u32, Failure> {
    body();
    for tried in 0..10 {
        if tried == number && number > 0 {
            return Ok(number + 1);
        }
    }
    Err(Failure::Empty)
}

pub fn run() {
    assert_eq!(subject(0), Err(Failure::Empty));
    assert_eq!(subject(1), Ok(2));
}

//! an error without `Display` and `Debug`
//! call: {"arguments": {"number": 0}, "status": "failure", "error_type": "*"}
//! captures: number
//! returns: result-debug
use probe::{Opaque, body};

#[shape]
fn subject(number: u32) -> Result<u32, Opaque> {
    body();
    if number == 0 { Err(Opaque(number)) } else { Ok(number) }
}

pub fn run() {
    assert!(subject(0).is_err_and(|error| error.0 == 0));
}

//! an error without `Display`
//! call: {"arguments": {"number": 0}, "status": "failure", "error_type": "*"}
//! captures: number
//! returns: result-debug
use probe::body;

#[derive(Debug, PartialEq)]
struct Broken;

#[shape]
fn subject(number: u32) -> Result<u32, Broken> {
    body();
    if number == 0 { Err(Broken) } else { Ok(number) }
}

pub fn run() {
    assert_eq!(subject(0), Err(Broken));
}

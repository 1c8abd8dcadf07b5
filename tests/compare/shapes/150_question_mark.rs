//! `?`
//! call: {"arguments": {"text": "x"}, "status": "failure", "error_type": "*"}
//! call: {"arguments": {"text": "1"}, "summary": 1}
//! captures: text
//! returns: result
use probe::body;

#[shape]
fn subject(text: &str) -> Result<u32, std::num::ParseIntError> {
    body();
    let number: u32 = text.parse()?;
    Ok(number)
}

pub fn run() {
    assert!(subject("x").is_err());
    assert_eq!(subject("1"), Ok(1));
}

//! a boxed error
//! call: {"arguments": {"text": "x"}, "status": "failure", "error_type": "*"}
//! captures: text
//! returns: result
use probe::body;

#[shape]
fn subject(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    body();
    if text.is_empty() {
        return Err("empty".into());
    }
    Ok(text.parse()?)
}

pub fn run() {
    assert_eq!(subject("x").unwrap_err().to_string(), "invalid digit found in string");
}

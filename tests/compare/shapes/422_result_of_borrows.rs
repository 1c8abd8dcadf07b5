//! a `Result` of borrows
//! call: {"arguments": {"name": "a", "error": "empty"}, "summary": "a"}
//! call: {"arguments": {"name": "", "error": "empty"}, "status": "failure", "error_type": "*"}
//! captures: name, error
//! returns: result
use probe::body;

#[shape]
fn subject<'a>(name: &'a str, error: &'a &'static str) -> Result<&'a str, &'a &'static str> {
    body();
    if name.is_empty() { Err(error) } else { Ok(name) }
}

pub fn run() {
    assert_eq!(subject("a", &"empty"), Ok("a"));
    assert_eq!(subject("", &"empty"), Err(&"empty"));
}

//! `anyhow::Result`
//! call: {"arguments": {"text": "x"}, "status": "failure", "error_type": "*"}
//! captures: text
//! returns: result
use anyhow::Context as _;
use probe::body;

#[shape]
fn subject(text: &str) -> anyhow::Result<u32> {
    body();
    text.parse().context("no number")
}

pub fn run() {
    assert_eq!(subject("x").unwrap_err().to_string(), "no number");
}

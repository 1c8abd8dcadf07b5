//! `async fn` with `?` and early return
//! call: {"arguments": {"text": "x"}, "status": "failure", "error_type": "*"}
//! call: {"arguments": {"text": ""}, "summary": 0}
//! captures: text
//! returns: result
use probe::{body, pause, send};

#[shape]
async fn subject(text: String) -> Result<u32, std::num::ParseIntError> {
    body();
    if text.is_empty() {
        return Ok(0);
    }
    pause().await;
    Ok(text.parse::<u32>()? + 1)
}

pub async fn run() {
    assert!(send(subject("x".to_owned())).await.is_err());
    assert_eq!(send(subject(String::new())).await, Ok(0));
}

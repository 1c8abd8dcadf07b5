//! `async fn` that returns `Result<Box<dyn Trait>, E>`, coerced in the body
//! call: {"arguments": {"number": 1}, "summary": {"type": "*"}}
//! captures: number
//! returns: result
use probe::{Failure, body, pause, send};

#[shape]
async fn subject(number: u32) -> Result<Box<dyn Fn(u32) -> u32 + Send>, Failure> {
    pause().await;
    body();
    if number == 0 {
        return Ok(Box::new(|number| number));
    }
    Ok(Box::new(move |other| number + other))
}

pub async fn run() {
    assert_eq!(send(subject(1)).await.unwrap()(2), 3);
}

//! recursion of a boxed `async fn`
//! call: {"arguments": {"number": 1}, "summary": 1}
//! call: {"arguments": {"number": 0}, "summary": 0}
//! captures: number
use probe::{body, pause, send};

#[shape]
async fn subject(number: u32) -> u32 {
    pause().await;
    body();
    if number == 0 { 0 } else { 1 + Box::pin(subject(number - 1)).await }
}

pub async fn run() {
    assert_eq!(send(subject(1)).await, 1);
}

//! `Pin<Box<dyn Future>>` by `Box::pin(async move …)`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use std::pin::Pin;

use probe::{body, pause, send};

#[shape]
fn subject(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move {
        pause().await;
        body();
        number + 1
    })
}

pub async fn run() {
    assert_eq!(send(subject(1)).await, 2);
}

//! `Pin<Box<dyn Future>>` by `.boxed()`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use std::pin::Pin;

use futures::FutureExt as _;
use probe::{body, pause, send};

#[shape]
fn subject(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    async move {
        pause().await;
        body();
        number + 1
    }
    .boxed()
}

pub async fn run() {
    assert_eq!(send(subject(1)).await, 2);
}

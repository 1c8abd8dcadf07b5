//! `Pin<Box<dyn Future>>` by `if` and `else`
//! call: {"arguments": {"number": 0}, "summary": 0}
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use std::pin::Pin;

use probe::{body, pause, send};

#[shape]
fn subject(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    if number == 0 {
        Box::pin(async {
            body();
            0
        })
    } else {
        Box::pin(async move {
            pause().await;
            body();
            number + 1
        })
    }
}

pub async fn run() {
    assert_eq!(send(subject(0)).await, 0);
    assert_eq!(send(subject(1)).await, 2);
}

//! two futures that are polled by turns
//! call: {"arguments": {"number": 1}, "summary": 2}
//! call: {"arguments": {"number": 2}, "summary": 3}
//! captures: number
use probe::{body, pause};

#[shape]
async fn subject(number: u32) -> u32 {
    body();
    pause().await;
    body();
    number + 1
}

pub async fn run() {
    assert_eq!(futures::future::join(subject(1), subject(2)).await, (2, 3));
}

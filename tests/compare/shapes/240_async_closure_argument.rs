//! `async fn` that takes an `async` closure
//! call: {"arguments": {"number": 1, "then": {"type": "*"}}, "summary": 2}
//! captures: number, then
//! shown: number
use probe::{body, pause};

#[shape]
async fn subject(number: u32, then: impl AsyncFnOnce(u32) -> u32) -> u32 {
    pause().await;
    body();
    then(number).await
}

pub async fn run() {
    assert_eq!(subject(1, async |number| number + 1).await, 2);
}

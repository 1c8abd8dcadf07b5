//! a future that is dropped unpolled, and one that is not
//! call: {"arguments": {"number": 2}, "summary": 3}
//! captures: number
use probe::{body, pause, send};

#[shape]
async fn subject(number: u32) -> u32 {
    pause().await;
    body();
    number + 1
}

pub async fn run() {
    drop(subject(1));
    assert_eq!(send(subject(2)).await, 3);
}

//! a panic inside of a poll
//! call: {"arguments": {"divisor": 0}, "status": "failure", "error_type": "panic"}
//! captures: divisor
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use probe::{body, pause, send};

#[shape]
async fn subject(divisor: u32) -> u32 {
    pause().await;
    body();
    1 / divisor
}

pub async fn run() {
    assert!(AssertUnwindSafe(send(subject(0))).catch_unwind().await.is_err());
}

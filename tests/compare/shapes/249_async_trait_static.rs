//! async-trait: without `self`, with a pattern, which async-trait makes one parameter `__arg0`
//! call: {"arguments": {"__arg0": [1, 2]}, "summary": 3}
//! captures: __arg0
use async_trait::async_trait;
use probe::{body, pause, send};

#[async_trait]
trait Tool {
    async fn subject(pair: (u32, u32)) -> u32;
}

struct Counter;

#[async_trait]
impl Tool for Counter {
    #[shape]
    async fn subject((left, right): (u32, u32)) -> u32 {
        pause().await;
        body();
        left + right
    }
}

pub async fn run() {
    assert_eq!(send(Counter::subject((1, 2))).await, 3);
}

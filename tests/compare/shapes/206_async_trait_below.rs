//! async-trait: on the `impl`, below
//! call: {"action": "compare.subject", "arguments": {"add": 2}, "summary": 3}
//! captures: add
use async_trait::async_trait;
use probe::{body, pause, send};

#[async_trait]
trait Tool {
    async fn subject(&self, add: u32) -> u32;
}

#[derive(Debug)]
struct Counter(u32);

#[async_trait]
#[shape(prefix)]
impl Tool for Counter {
    async fn subject(&self, add: u32) -> u32 {
        pause().await;
        body();
        self.0 + add
    }
}

pub async fn run() {
    assert_eq!(send(Counter(1).subject(2)).await, 3);
}

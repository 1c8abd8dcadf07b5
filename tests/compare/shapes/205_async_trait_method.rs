//! async-trait: on a method inside
//! call: {"arguments": {"add": 2}, "summary": 3}
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
impl Tool for Counter {
    #[shape]
    async fn subject(&self, add: u32) -> u32 {
        pause().await;
        body();
        self.0 + add
    }
}

pub async fn run() {
    let tool: &(dyn Tool + Sync) = &Counter(1);
    assert_eq!(send(tool.subject(2)).await, 3);
}

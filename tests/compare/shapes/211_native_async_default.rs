//! native `async fn` as a default method
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::{body, pause};

trait Tool {
    #[shape]
    async fn subject(&self, add: u32) -> u32 {
        pause().await;
        body();
        self.base() + add
    }

    fn base(&self) -> u32;
}

struct Counter(u32);

impl Tool for Counter {
    fn base(&self) -> u32 {
        self.0
    }
}

pub async fn run() {
    assert_eq!(Counter(1).subject(2).await, 3);
}

//! native `async fn` in a trait's `impl`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::{body, pause, send};

trait Tool {
    fn subject(&self, add: u32) -> impl Future<Output = u32> + Send;
}

#[derive(Debug)]
struct Counter(u32);

impl Tool for Counter {
    #[shape]
    async fn subject(&self, add: u32) -> u32 {
        pause().await;
        body();
        self.0 + add
    }
}

pub async fn run() {
    assert_eq!(send(Counter(1).subject(2)).await, 3);
}

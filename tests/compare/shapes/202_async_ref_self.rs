//! `async fn` with `&self`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::{body, pause, send};

#[derive(Debug)]
struct Counter(u32);

impl Counter {
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

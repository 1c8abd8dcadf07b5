//! async-trait: generic, with lifetimes and `&mut self`
//! call: {"arguments": {"item": {"type": "u8"}, "name": "a"}, "summary": "a"}
//! captures: item, name
//! shown: name
use async_trait::async_trait;
use probe::{body, pause, send};

#[async_trait]
trait Tool {
    async fn subject<'a, T: Into<u32> + Send>(&mut self, item: T, name: &'a str) -> &'a str;
}

#[derive(Debug)]
struct Counter(u32);

#[async_trait]
impl Tool for Counter {
    #[shape]
    async fn subject<'a, T: Into<u32> + Send>(&mut self, item: T, name: &'a str) -> &'a str {
        pause().await;
        body();
        self.0 += item.into();
        name
    }
}

pub async fn run() {
    let mut counter = Counter(1);
    assert_eq!(send(counter.subject(2_u8, "a")).await, "a");
    assert_eq!(counter.0, 3);
}

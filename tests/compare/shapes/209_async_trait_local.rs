//! async-trait: `?Send` with an argument that is not `Send`
//! call: {"arguments": {"add": "2"}, "summary": 3}
//! captures: add
use std::rc::Rc;

use async_trait::async_trait;
use probe::{body, pause};

#[async_trait(?Send)]
trait Tool {
    async fn subject(&self, add: Rc<u32>) -> u32;
}

#[derive(Debug)]
struct Counter(u32);

#[async_trait(?Send)]
impl Tool for Counter {
    #[shape]
    async fn subject(&self, add: Rc<u32>) -> u32 {
        pause().await;
        body();
        self.0 + *add
    }
}

pub async fn run() {
    assert_eq!(Counter(1).subject(Rc::new(2)).await, 3);
}

//! a trait's method that returns a boxed future, without async-trait
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use std::pin::Pin;

use probe::{body, pause, send};

trait Tool {
    fn subject<'a>(&'a self, add: u32) -> Pin<Box<dyn Future<Output = u32> + Send + 'a>>;
}

#[derive(Debug)]
struct Counter(u32);

impl Tool for Counter {
    #[shape]
    fn subject<'a>(&'a self, add: u32) -> Pin<Box<dyn Future<Output = u32> + Send + 'a>> {
        let base = self.0;
        Box::pin(async move {
            pause().await;
            body();
            base + add
        })
    }
}

pub async fn run() {
    let tool: &dyn Tool = &Counter(1);
    assert_eq!(send(tool.subject(2)).await, 3);
}

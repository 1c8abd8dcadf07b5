//! async-trait: a default method that returns a `Result`
//! call: {"arguments": {"add": 2}, "status": "failure", "error_type": "Failure::TooLong"}
//! captures: add
//! returns: result
use async_trait::async_trait;
use probe::{Failure, body, pause, send};

#[async_trait]
trait Tool {
    #[shape]
    async fn subject(&self, add: usize) -> Result<u32, Failure>
    where
        Self: Sync,
    {
        pause().await;
        body();
        Err(Failure::TooLong(self.base() + add))?;
        Ok(1)
    }

    fn base(&self) -> usize;
}

struct Counter(usize);

impl Tool for Counter {
    fn base(&self) -> usize {
        self.0
    }
}

pub async fn run() {
    assert_eq!(send(Counter(1).subject(2)).await, Err(Failure::TooLong(3)));
}

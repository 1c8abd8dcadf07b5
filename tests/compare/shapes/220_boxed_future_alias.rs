//! a boxed future through a type alias
//! call: {"arguments": {"number": 1}, "status": "failure", "error_type": "Failure::Empty"}
//! captures: number
use std::pin::Pin;

use probe::{Failure, body, pause, send};

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

#[shape]
fn subject(number: u32) -> Answer<u32> {
    Box::pin(async move {
        pause().await;
        body();
        if number == 1 { Err(Failure::Empty) } else { Ok(number) }
    })
}

pub async fn run() {
    assert_eq!(send(subject(1)).await, Err(Failure::Empty));
}

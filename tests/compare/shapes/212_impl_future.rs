//! `-> impl Future` of an `async` block
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::{body, pause, send};

#[shape]
fn subject(number: u32) -> impl Future<Output = u32> {
    async move {
        pause().await;
        body();
        number + 1
    }
}

pub async fn run() {
    assert_eq!(send(subject(1)).await, 2);
}

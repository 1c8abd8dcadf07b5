//! a future that is `Send` and `Sync`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::{body, pause, send};

#[shape]
async fn subject(number: u32) -> u32 {
    pause().await;
    body();
    number + 1
}

fn sync<T: Sync>(value: T) -> T {
    value
}

pub async fn run() {
    assert_eq!(sync(send(subject(1))).await, 2);
}

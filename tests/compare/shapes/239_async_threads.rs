//! a future that goes to another thread between two polls
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use futures::FutureExt as _;
use probe::{body, pause, send};

#[shape]
async fn subject(number: u32) -> u32 {
    pause().await;
    body();
    number + 1
}

pub async fn run() {
    let mut future = Box::pin(send(subject(1)));
    assert_eq!(future.as_mut().now_or_never(), None);
    let joined = std::thread::spawn(move || probe::block_on(future)).join();
    assert_eq!(joined.unwrap(), 2);
}

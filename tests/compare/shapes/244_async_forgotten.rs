//! a future that is forgotten after a poll
//! call: {"arguments": {"number": 1}, "status": null}
//! captures: number
use futures::FutureExt as _;
use probe::{body, send};

#[shape]
async fn subject(number: u32) -> u32 {
    body();
    std::future::pending::<()>().await;
    number
}

pub async fn run() {
    let mut future = Box::pin(send(subject(1)));
    assert_eq!(future.as_mut().now_or_never(), None);
    std::mem::forget(future);
}

//! a future that is dropped before its end
//! call: {"arguments": {"number": 1}, "status": "unknown", "error_type": "cancelled"}
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
    assert_eq!(send(subject(1)).now_or_never(), None);
}

//! two futures in `select`, one of which loses
//! call: {"arguments": {"number": 1}, "summary": 2}
//! call: {"arguments": {"number": 0}, "status": "unknown", "error_type": "cancelled"}
//! captures: number
use std::pin::pin;

use futures::future::{Either, select};
use probe::{body, pause};

#[shape]
async fn subject(number: u32) -> u32 {
    pause().await;
    body();
    if number == 0 {
        std::future::pending::<()>().await;
    }
    number + 1
}

pub async fn run() {
    let Either::Left((first, _second)) = select(pin!(subject(1)), pin!(subject(0))).await else { panic!("the other") };
    assert_eq!(first, 2);
}

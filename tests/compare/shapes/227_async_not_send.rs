//! `async fn` with an argument that is not `Send`
//! call: {"arguments": {"number": "1"}, "summary": 2}
//! captures: number
use std::rc::Rc;

use probe::{body, pause};

#[shape]
async fn subject(number: Rc<u32>) -> u32 {
    pause().await;
    body();
    *number + 1
}

pub async fn run() {
    assert_eq!(subject(Rc::new(1)).await, 2);
}

//! a `Send` future of a result that is not `Send`
//! call: {"arguments": {"number": 1}, "summary": "2"}
//! captures: number
use std::rc::Rc;

use probe::{body, pause, send};

#[shape]
async fn subject(number: u32) -> Rc<u32> {
    pause().await;
    body();
    Rc::new(number + 1)
}

pub async fn run() {
    assert_eq!(*send(subject(1)).await, 2);
}

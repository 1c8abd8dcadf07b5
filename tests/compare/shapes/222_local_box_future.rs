//! `LocalBoxFuture` with an argument that is not `Send`
//! call: {"arguments": {"number": "1"}, "summary": 2}
//! captures: number
use std::rc::Rc;

use futures::future::{FutureExt as _, LocalBoxFuture};
use probe::{body, pause};

#[shape]
fn subject(number: Rc<u32>) -> LocalBoxFuture<'static, u32> {
    async move {
        pause().await;
        body();
        *number + 1
    }
    .boxed_local()
}

pub async fn run() {
    assert_eq!(subject(Rc::new(1)).await, 2);
}

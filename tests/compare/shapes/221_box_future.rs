//! `BoxFuture<'_, T>` that borrows
//! call: {"arguments": {"name": "abc"}, "summary": 3}
//! captures: name
use futures::future::{BoxFuture, FutureExt as _};
use probe::{body, pause, send};

#[shape]
fn subject(name: &str) -> BoxFuture<'_, usize> {
    async move {
        pause().await;
        body();
        name.len()
    }
    .boxed()
}

pub async fn run() {
    assert_eq!(send(subject("abc")).await, 3);
}

//! `Pin<Box<dyn Stream>>`
//! call: {"arguments": {"count": 3}, "summary": {"type": "stream", "count": 3}}
//! captures: count
use std::pin::Pin;

use futures::{Stream, StreamExt as _};
use probe::{body, send};

#[shape]
fn subject(count: u32) -> Pin<Box<dyn Stream<Item = u32> + Send>> {
    Box::pin(futures::stream::iter(0..count).map(|number| {
        body();
        number
    }))
}

pub async fn run() {
    assert_eq!(send(subject(3)).collect::<Vec<_>>().await, [0, 1, 2]);
}

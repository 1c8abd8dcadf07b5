//! `async fn` that returns `Result<BoxStream, E>`
//! call: {"arguments": {"count": 2}, "summary": {"type": "stream", "count": 2}}
//! captures: count
//! returns: result
use futures::StreamExt as _;
use futures::stream::BoxStream;
use probe::{Failure, body, pause, send};

#[shape]
async fn subject(count: u32) -> Result<BoxStream<'static, u32>, Failure> {
    pause().await;
    Ok(futures::stream::iter(0..count)
        .map(|number| {
            body();
            number
        })
        .boxed())
}

pub async fn run() {
    assert_eq!(send(subject(2)).await.unwrap().collect::<Vec<_>>().await, [0, 1]);
}

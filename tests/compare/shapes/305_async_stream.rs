//! `async fn` that returns a stream
//! call: {"arguments": {"count": 2}, "summary": {"type": "stream", "count": 2}}
//! captures: count
use futures::{Stream, StreamExt as _};
use probe::{body, pause, send};

#[shape]
async fn subject(count: u32) -> impl Stream<Item = u32> + Send {
    pause().await;
    futures::stream::iter(0..count).map(|number| {
        body();
        number
    })
}

pub async fn run() {
    assert_eq!(send(subject(2)).await.collect::<Vec<_>>().await, [0, 1]);
}

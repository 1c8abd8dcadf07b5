//! a boxed future of a boxed stream
//! call: {"arguments": {"count": 2}, "summary": {"type": "stream", "count": 2}}
//! captures: count
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use probe::{body, pause, send};

#[shape]
fn subject(count: u32) -> BoxFuture<'static, BoxStream<'static, u32>> {
    async move {
        pause().await;
        let stream = futures::stream::iter(0..count).map(|number| {
            body();
            number
        });
        stream.boxed()
    }
    .boxed()
}

pub async fn run() {
    assert_eq!(send(subject(2)).await.collect::<Vec<_>>().await, [0, 1]);
}

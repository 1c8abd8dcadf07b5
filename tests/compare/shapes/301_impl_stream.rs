//! `-> impl Stream`
//! call: {"arguments": {"count": 3}, "summary": {"type": "stream", "count": 3}}
//! captures: count
use futures::{Stream, StreamExt as _};
use probe::{body, send};

#[shape]
fn subject(count: u32) -> impl Stream<Item = u32> + Send {
    futures::stream::iter(0..count).map(|number| {
        body();
        number
    })
}

pub async fn run() {
    assert_eq!(send(subject(3)).collect::<Vec<_>>().await, [0, 1, 2]);
}

//! `BoxStream` through an alias, that borrows
//! call: {"arguments": {"words": ["a", "b"]}, "summary": {"type": "stream", "count": 2}}
//! captures: words
use futures::StreamExt as _;
use futures::stream::BoxStream;
use probe::{body, send};

type Words<'a> = BoxStream<'a, &'a str>;

#[shape]
fn subject<'a>(words: &'a [&'a str]) -> Words<'a> {
    let stream = futures::stream::iter(words).map(|word| {
        body();
        *word
    });
    stream.boxed()
}

pub async fn run() {
    assert_eq!(send(subject(&["a", "b"])).collect::<Vec<_>>().await, ["a", "b"]);
}

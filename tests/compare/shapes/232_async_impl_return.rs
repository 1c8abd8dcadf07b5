//! `async fn` that returns `impl Trait`
//! call: {"arguments": {"number": 2}, "summary": {"start": 0, "end": 2}}
//! captures: number
use probe::{body, pause, send};

#[shape]
async fn subject(number: u32) -> impl Iterator<Item = u32> + Send {
    pause().await;
    body();
    0..number
}

pub async fn run() {
    assert_eq!(send(subject(2)).await.count(), 2);
}

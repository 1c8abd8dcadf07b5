//! `Result<BoxStream, E>`
//! call: {"arguments": {"count": 0}, "status": "failure", "error_type": "Failure::Empty"}
//! call: {"arguments": {"count": 2}, "summary": {"type": "stream", "count": 2}}
//! captures: count
//! returns: result
use futures::StreamExt as _;
use futures::stream::BoxStream;
use probe::{Failure, body};

#[shape]
fn subject(count: u32) -> Result<BoxStream<'static, u32>, Failure> {
    if count == 0 {
        return Err(Failure::Empty);
    }
    Ok(futures::stream::iter(0..count)
        .map(|number| {
            body();
            number
        })
        .boxed())
}

pub async fn run() {
    assert_eq!(subject(0).err(), Some(Failure::Empty));
    assert_eq!(subject(2).unwrap().collect::<Vec<_>>().await, [0, 1]);
}

//! generic `async fn`
//! call: {"arguments": {"value": {"type": "u8"}, "values": {"type": "*"}}, "summary": 3}
//! captures: value, values
use probe::{body, pause, send};

#[shape]
async fn subject<T: Into<u32> + Send>(value: T, values: impl IntoIterator<Item = T, IntoIter: Send> + Send) -> u32 {
    let mut sum = value.into();
    for value in values {
        pause().await;
        body();
        sum += value.into();
    }
    sum
}

pub async fn run() {
    assert_eq!(send(subject(1_u8, [2])).await, 3);
}

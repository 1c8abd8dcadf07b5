//! `async fn` under our option `boxed`
//! call: {"arguments": {"number": 1, "name": "a"}, "summary": 2}
//! captures: number, name
//! audited: boxed
use probe::{body, pause, send};

#[shape]
async fn subject(number: u32, name: &str) -> u32 {
    pause().await;
    body();
    number + u32::from(!name.is_empty())
}

pub async fn run() {
    assert_eq!(send(subject(1, "a")).await, 2);
}

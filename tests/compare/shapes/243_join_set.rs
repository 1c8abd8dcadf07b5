//! futures in a `JoinSet`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! call: {"arguments": {"number": 2}, "summary": 3}
//! captures: number
use probe::{body, pause};

#[shape]
async fn subject(number: u32) -> u32 {
    pause().await;
    body();
    number + 1
}

pub async fn run() {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(subject(1));
    tasks.spawn(subject(2));
    assert_eq!(tasks.join_all().await.iter().sum::<u32>(), 5);
}

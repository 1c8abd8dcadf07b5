//! `async fn`
//! call: {"arguments": {"number": 1, "name": "a", "order": {"id": 2, "name": "b"}}, "summary": 3}
//! captures: number, name, order
use probe::{Order, body, pause, send};

#[shape]
async fn subject(number: u32, name: &str, order: Order) -> u32 {
    body();
    pause().await;
    body();
    number + order.id + u32::from(name.is_empty())
}

pub async fn run() {
    assert_eq!(send(subject(1, "a", Order::new(2, "b"))).await, 3);
}

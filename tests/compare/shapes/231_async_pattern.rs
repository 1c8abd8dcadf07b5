//! `async fn` with destructured, `mut` and `_` parameters
//! call: {"arguments": {"id": 1, "name": "a", "list": [2]}, "summary": "1a2"}
//! captures: id, name, list
use probe::{Order, body, pause, send};

#[shape]
async fn subject(Order { id, mut name }: Order, mut list: Vec<u32>, _: u32) -> String {
    pause().await;
    body();
    name.push_str(&list.remove(0).to_string());
    format!("{id}{name}")
}

pub async fn run() {
    assert_eq!(send(subject(Order::new(1, "a"), vec![2], 3)).await, "1a2");
}

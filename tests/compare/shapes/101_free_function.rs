//! a free function
//! call: {"arguments": {"number": 1, "name": "a", "order": {"id": 2, "name": "b"}}, "summary": 3}
//! captures: number, name, order
use probe::{Order, body};

#[shape]
fn subject(number: u32, name: &str, order: Order) -> u32 {
    body();
    let _length = name.len();
    number + order.id
}

pub fn run() {
    assert_eq!(subject(1, "a", Order::new(2, "b")), 3);
}

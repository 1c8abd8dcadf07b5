//! a borrow out of a parameter
//! call: {"arguments": {"orders": [{"id": 1, "name": "a"}]}, "summary": "a"}
//! captures: orders
use probe::{Order, body};

#[shape]
fn subject(orders: &[Order]) -> &str {
    body();
    orders.first().map_or("", |order| order.name.as_str())
}

pub fn run() {
    assert_eq!(subject(&[Order::new(1, "a")]), "a");
}

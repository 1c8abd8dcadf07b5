//! a parameter that the body moves out of in parts
//! call: {"arguments": {"order": {"id": 1, "name": "a"}}, "summary": "a1"}
//! captures: order
use probe::{Order, body};

#[shape]
fn subject(order: Order) -> String {
    body();
    let name = order.name;
    name + &order.id.to_string()
}

pub fn run() {
    assert_eq!(subject(Order::new(1, "a")), "a1");
}

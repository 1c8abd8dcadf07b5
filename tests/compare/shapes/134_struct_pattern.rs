//! a destructured struct
//! call: {"arguments": {"id": 1, "name": "a"}, "summary": "1a"}
//! captures: id, name
use probe::{Order, body};

#[shape]
fn subject(Order { id, name }: Order) -> String {
    body();
    format!("{id}{name}")
}

pub fn run() {
    assert_eq!(subject(Order::new(1, "a")), "1a");
}

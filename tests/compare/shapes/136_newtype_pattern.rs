//! a destructured newtype of a generic, as rmcp's `Parameters`
//! call: {"arguments": {"id": 1, "name": "a"}, "summary": "1a"}
//! captures: id, name
use probe::{Order, body};

struct Parameters<T>(T);

#[shape]
fn subject(Parameters(Order { id, name }): Parameters<Order>) -> String {
    body();
    format!("{id}{name}")
}

pub fn run() {
    assert_eq!(subject(Parameters(Order::new(1, "a"))), "1a");
}

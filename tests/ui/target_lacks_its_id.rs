// Refused: a target without an id names nothing.

use audited::audited;

#[audited(action = "order.refund", target(type = "order"))]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

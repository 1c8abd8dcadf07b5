// Refused: the unit is in the name of the argument, and what it takes is a number.

use audited::audited;

#[audited(action = "order.refund", append_timeout_ms = "50ms")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

// Refused: of two values for one argument neither is right.

use audited::audited;

#[audited(action = "order.refund", level = "request", level = "metadata")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

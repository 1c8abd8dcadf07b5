// Refused: a number does not say how the call ended.

use audited::audited;

#[audited(action = "order.refund", outcome = |refunded| *refunded)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

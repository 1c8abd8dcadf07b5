// Refused: the body has taken it.

use audited::audited;

#[audited(action = "order.refund", outcome = |refunded| refunded == order)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

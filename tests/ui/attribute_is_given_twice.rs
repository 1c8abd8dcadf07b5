// Refused: each call would be recorded twice.

use audited::audited;

#[audited(action = "order.refund")]
#[audited(action = "order.return")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

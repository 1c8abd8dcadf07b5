// Refused: with the feature each call would be recorded twice.

use audited::audited;

#[audited(action = "order.refund")]
#[cfg_attr(all(), audited(action = "order.refund"))]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

// Refused: a call that may wait for days is never refused.

use audited::audited;

#[audited(action = "order.refund", append_timeout_ms = 86_400_001)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

// Refused: of two limits neither is right.

use audited::audited;

#[audited(action = "order.refund", append_timeout_ms = 50, append_timeout_ms = 60)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

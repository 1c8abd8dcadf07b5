// Refused: nothing would say how the call ended.

use audited::audited;

#[audited(action = "order.refund", outcome = "success")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}

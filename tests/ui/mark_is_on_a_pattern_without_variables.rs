// Refused: nothing of it is recorded.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(#[audit(redact)] _: u32) -> u32 {
    0
}

fn main() {}

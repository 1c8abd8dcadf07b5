// Refused: nothing is recorded that could be redacted.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(#[audit(redact, skip)] card: u32) -> u32 {
    card
}

fn main() {}

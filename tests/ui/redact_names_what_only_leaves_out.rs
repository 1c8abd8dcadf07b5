// Refused: nothing is recorded that could be redacted.

use audited::audited;

#[audited(action = "order.refund", only(order), redact = [card])]
fn refund(order: u32, card: u32) -> u32 {
    order + card
}

fn main() {}

// Refused: it is said twice.

use audited::audited;

#[audited(action = "order.refund", redact = [card])]
fn refund(#[audit(redact)] card: u32) -> u32 {
    card
}

fn main() {}

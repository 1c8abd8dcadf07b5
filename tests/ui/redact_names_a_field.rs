// Refused: the field was chosen to be recorded.

use audited::audited;

#[audited(action = "order.refund", fields(digits = card.len()), redact = [digits])]
fn refund(card: &str) -> usize {
    card.len()
}

fn main() {}

// Refused: the method is misspelt, and the card would be recorded.

use audited::audited;

#[audited(action = "order.refund", redact = [maks(card)])]
fn refund(card: u64) -> u64 {
    card
}

fn main() {}
